//! The whole evaluation of one policy from one log, as one document.

use std::collections::BTreeMap;

use super::{
    calibration::Calibration,
    catalogue::{Method, catalogue},
    cressie_read,
    error::OpeError,
    interval::{
        self, Interval,
        bootstrap::{self, bootstrap},
        bounds::{LowerBounds, lower_bounds},
        student::{gaussian, student},
    },
    overlap::{Overlap, Requirements},
    rounds::Rounds,
    sequence::{EmpiricalBernstein, Wealth, asymptotic},
    support::Support,
    terms::Terms,
    tuning,
};

/// What is asked of an evaluation.
#[derive(Debug, Clone)]
pub struct Options {
    /// Confidence of every interval, in (0, 1).
    pub confidence: f64,
    /// Least and largest possible reward; `None` takes [0, 1] when all rewards
    /// lie there, and leaves out what needs a range when they do not.
    pub rewards: Option<(f64, f64)>,
    /// The bootstrap, or none.
    pub bootstrap: Option<bootstrap::Options>,
    /// What the overlap must offer.
    pub required: Requirements,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            confidence: 0.95,
            rewards: None,
            bootstrap: Some(bootstrap::Options::default()),
            required: Requirements::default(),
        }
    }
}

/// An estimator or interval that could not be given, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// The reason, in words.
    pub reason: String,
}

/// Values, intervals and diagnostics of one policy on one log.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// Number of rounds.
    pub rounds: usize,
    /// Number of actions.
    pub actions: usize,
    /// Number of customers, where known: the independent units of the intervals.
    pub customers: Option<usize>,
    /// Mean logged reward: the value of the logging policy itself.
    pub logged_value: f64,
    /// Values by estimator.
    pub value: BTreeMap<String, f64>,
    /// Intervals: one for each estimator of `value` (Student's t, by customer
    /// where known), and others by their own names.
    pub interval: BTreeMap<String, Interval>,
    /// Bootstrap intervals by estimator.
    pub bootstrap: BTreeMap<String, Interval>,
    /// One-sided lower bounds, each failing with probability one minus confidence.
    pub lower_bound: BTreeMap<String, LowerBounds>,
    /// Parameters that tuned estimators chose.
    pub tuned: BTreeMap<String, f64>,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Effective sample size; also in `overlap`.
    pub ess: f64,
    /// Largest importance weight; also in `overlap`.
    pub max_weight: f64,
    /// The spread of the importance weights.
    pub overlap: Overlap,
    /// Where the target goes and the log has not been.
    pub support: Support,
    /// Logged probabilities against what was taken.
    pub calibration: Option<Calibration>,
    /// Why the log is not enough for a verdict; empty when it is.
    pub shortfalls: Vec<String>,
    /// What could not be given.
    pub left_out: Vec<LeftOut>,
}

/// Evaluates the target policy of a log by every estimator it can feed.
///
/// # Errors
/// A confidence outside (0, 1), or a range of rewards that does not hold them.
/// What single estimators lack is listed in the report instead.
pub fn report(rounds: &Rounds, options: &Options) -> Result<Report, OpeError> {
    interval::check_level(options.confidence)?;
    let terms = Terms::of(rounds);
    let overlap = Overlap::of(&terms);
    let mut report = Report {
        rounds: rounds.len(),
        actions: rounds.actions(),
        customers: rounds.customers().map(count_distinct),
        logged_value: super::numeric::mean(rounds.rewards()),
        value: BTreeMap::new(),
        interval: BTreeMap::new(),
        bootstrap: BTreeMap::new(),
        lower_bound: BTreeMap::new(),
        tuned: BTreeMap::new(),
        confidence: options.confidence,
        ess: overlap.ess,
        max_weight: overlap.max_weight,
        shortfalls: overlap.shortfalls(&options.required),
        overlap,
        support: Support::of(rounds),
        calibration: Calibration::of(rounds),
        left_out: Vec::new(),
    };
    report.estimates(&terms, options);
    report.importance_intervals(&terms, options)?;
    report.sequences(rounds, options)?;
    Ok(report)
}

/// Estimators that are also given a bootstrap interval and lower bounds.
const BOOTSTRAPPED: [&str; 5] = ["ips", "snips", "dm", "dr", "sndr"];

impl Report {
    fn estimates(&mut self, terms: &Terms, options: &Options) {
        let partitions: Vec<&str> = terms.partitions().collect();
        if partitions.is_empty() {
            self.leave_out(
                "mips_true, offcem",
                "no facets of the actions with every probability of the logging policy",
            );
        }
        for (name, method) in catalogue(&partitions) {
            if let Err(reason) = self.estimate(&name, &method, terms, options) {
                self.leave_out(&name, &reason.to_string());
            }
        }
    }

    fn estimate(
        &mut self,
        name: &str,
        method: &Method,
        terms: &Terms,
        options: &Options,
    ) -> Result<(), OpeError> {
        let estimate = method.estimate(terms)?;
        self.value.insert(name.to_owned(), estimate.value);
        let interval = student(&estimate, terms.customers(), options.confidence)?;
        self.interval.insert(name.to_owned(), interval);
        if let Method::Tuned(family, criterion) = method {
            let chosen = tuning::choose(*family, family.default_grid(), *criterion, terms)?;
            self.tuned.insert(name.replace("_tuned", ""), chosen);
        }
        if name == "ips" || name == "dr" {
            let bounds = lower_bounds(&estimate, 1.0 - options.confidence)?;
            self.lower_bound.insert(name.to_owned(), bounds);
            let units = self.customers.unwrap_or(self.rounds);
            let planned = super::numeric::real(units);
            let watched = asymptotic(&estimate, terms.customers(), planned, options.confidence)?;
            self.interval
                .insert(format!("{name}_asymptotic_cs"), watched);
        }
        if let (Method::Linear(estimator), Some(bootstrap_options)) = (method, options.bootstrap)
            && BOOTSTRAPPED.contains(&name)
        {
            let interval = bootstrap(estimator, terms, options.confidence, bootstrap_options)?;
            self.bootstrap.insert(name.to_owned(), interval);
        }
        Ok(())
    }

    /// Intervals that other programs print for importance sampling.
    fn importance_intervals(&mut self, terms: &Terms, options: &Options) -> Result<(), OpeError> {
        let confidence = options.confidence;
        let estimate = super::Estimator::importance(super::Shrinkage::None).estimate(terms)?;
        let normal = gaussian(&estimate, None, confidence);
        self.keep("gaussian", normal);
        let Some((least, most)) = self.range(terms, options) else {
            return Ok(());
        };
        if least.abs() <= 0.0 && (most - 1.0).abs() <= 0.0 {
            self.keep(
                "clopper_pearson",
                interval::clopper_pearson(terms, confidence),
            );
        }
        for (name, largest) in [
            ("cressieread_ci", f64::INFINITY),
            ("cressieread_ci_wmax100", 100.0),
        ] {
            let interval = cressie_read::interval(terms, largest, (least, most), confidence);
            self.keep(name, interval);
        }
        Ok(())
    }

    /// Sequences in the order of the log.
    fn sequences(&mut self, rounds: &Rounds, options: &Options) -> Result<(), OpeError> {
        let Some(range) = self.range(&Terms::of(rounds), options) else {
            return Ok(());
        };
        let mut wealth = Wealth::new(range, options.confidence)?;
        for round in rounds.iter() {
            wealth.push(round.weight(), round.reward)?;
        }
        self.interval
            .insert("anytime_cs".to_owned(), wealth.interval());
        for (name, cap) in [("dr_eb_k0", 0.0), ("dr_eb_k1", 1.0), ("dr_eb_k5", 5.0)] {
            let mut sequence = EmpiricalBernstein::new(cap, range, options.confidence)?;
            let outcome = rounds.iter().try_for_each(|round| sequence.push(&round));
            self.keep(name, outcome.map(|()| sequence.interval()));
        }
        Ok(())
    }

    fn range(&self, terms: &Terms, options: &Options) -> Option<(f64, f64)> {
        options.rewards.or_else(|| {
            let unit = terms.rewards().iter().all(|r| (0.0..=1.0).contains(r));
            unit.then_some((0.0, 1.0))
        })
    }

    fn keep(&mut self, name: &str, interval: Result<Interval, OpeError>) {
        match interval {
            Ok(interval) => {
                self.interval.insert(name.to_owned(), interval);
            }
            Err(reason) => self.leave_out(name, &reason.to_string()),
        }
    }

    fn leave_out(&mut self, name: &str, reason: &str) {
        self.left_out.push(LeftOut {
            name: name.to_owned(),
            reason: reason.to_owned(),
        });
    }
}

fn count_distinct(customers: &[u32]) -> usize {
    let mut sorted = customers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len()
}
