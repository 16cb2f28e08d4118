//! The log as a stream: everything a report needs, in one pass.

use super::{LeftOut, Options, Report, estimates};
use crate::ope::{
    calibration::CalibrationCount,
    error::OpeError,
    facets::Partition,
    interval::{Interval, check_level},
    round::Round,
    sequence::{EmpiricalBernstein, Wealth},
    support::SupportCount,
    terms::TermsBuilder,
};

/// Takes the rounds of a log in order and becomes a [`Report`].
///
/// Distributions over actions are read and let go, so that memory grows with
/// the rounds, not with rounds times actions.
#[derive(Debug)]
pub struct Intake {
    options: Options,
    actions: usize,
    terms: TermsBuilder,
    support: SupportCount,
    calibration: CalibrationCount,
    wealth: Option<Wealth>,
    bernstein: Vec<(&'static str, Result<EmpiricalBernstein, OpeError>)>,
}

/// The caps of the model's say in the doubly robust sequences, by name.
const CAPS: [(&str, f64); 3] = [("dr_eb_k0", 0.0), ("dr_eb_k1", 1.0), ("dr_eb_k5", 5.0)];

impl Intake {
    /// An intake for rounds that carry the logging distribution when there are
    /// `partitions`, and predicted rewards when `model` is set. Sequences need
    /// `options.rewards`.
    ///
    /// # Errors
    /// A confidence outside (0, 1) or an empty range of rewards.
    pub fn new(
        options: Options,
        partitions: Vec<Partition>,
        model: bool,
    ) -> Result<Self, OpeError> {
        check_level(options.confidence)?;
        let (mut wealth, mut bernstein) = (None, Vec::new());
        if let Some(range) = options.rewards {
            wealth = Some(Wealth::new(range, options.confidence)?);
            for (name, cap) in CAPS {
                let sequence = EmpiricalBernstein::new(cap, range, options.confidence)?;
                let usable = cap <= 0.0 || !model || options.predictable_model;
                let sequence = if usable {
                    Ok(sequence)
                } else {
                    Err(not_predictable())
                };
                bernstein.push((name, sequence));
            }
        }
        Ok(Self {
            options,
            actions: 0,
            terms: TermsBuilder::new(partitions, model),
            support: SupportCount::default(),
            calibration: CalibrationCount::default(),
            wealth,
            bernstein,
        })
    }

    /// Checks and takes the next round; `customer` for all rounds or for none.
    ///
    /// # Errors
    /// A value that cannot be, or a reward outside the range promised.
    pub fn push(&mut self, round: &Round<'_>, customer: Option<u32>) -> Result<(), OpeError> {
        self.terms.push(round, customer)?;
        self.actions = round.target.len();
        self.support.see(round);
        self.calibration.see(round);
        if let Some(wealth) = &mut self.wealth {
            wealth.push(round.weight(), round.reward)?;
        }
        for (_, sequence) in &mut self.bernstein {
            if let Ok(running) = sequence
                && let Err(reason) = running.push(round)
            {
                *sequence = Err(reason);
            }
        }
        Ok(())
    }

    /// Computes every estimate and interval of the rounds taken.
    ///
    /// # Errors
    /// No rounds, or a customer for some rounds only.
    pub fn finish(self) -> Result<Report, OpeError> {
        let terms = self.terms.finish()?;
        let mut report = Report::empty(&terms, self.actions, &self.options);
        report.support = self.support.finish();
        report.calibration = self.calibration.finish();
        if let Some(wealth) = self.wealth {
            report.keep("anytime_cs", Ok(wealth.interval()));
        }
        for (name, sequence) in self.bernstein {
            report.keep(name, sequence.map(|running| running.interval()));
        }
        estimates::fill(&mut report, &terms, &self.options);
        Ok(report)
    }
}

fn not_predictable() -> OpeError {
    OpeError::Missing {
        estimator: "a doubly robust confidence sequence".to_owned(),
        what: "a reward model fitted on earlier rounds or other data",
    }
}

impl Report {
    pub(super) fn keep(&mut self, name: &str, interval: Result<Interval, OpeError>) {
        match interval {
            Ok(interval) => {
                self.interval.insert(name.to_owned(), interval);
            }
            Err(reason) => self.leave_out(name, &reason.to_string()),
        }
    }

    pub(super) fn leave_out(&mut self, name: &str, reason: &str) {
        self.left_out.push(LeftOut {
            name: name.to_owned(),
            reason: reason.to_owned(),
        });
    }
}
