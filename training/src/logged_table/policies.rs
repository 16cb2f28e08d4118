//! Policies valued on the test rows.

use std::collections::BTreeMap;

use lagom_model::ope::{
    Estimate, Estimator, Interval, OpeError, Overlap, Rounds, Shrinkage, Terms,
    direct::DirectModel, interval::skewed, overlap::Requirements,
};
use ndarray::Array2;
use serde::Serialize;

use super::{TableOptions, error::LoggedTableError, read::Log};

/// Values of a policy, or of a difference of two, by estimator: `ips`, `snips`, `dr`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyValue {
    /// Values by estimator; one that the rows cannot give is absent.
    pub value: BTreeMap<&'static str, f64>,
    /// Intervals by estimator.
    pub interval: BTreeMap<&'static str, Interval>,
    /// Effective sample size of the policy on the test rows; for a difference, the smaller of the two.
    pub ess: f64,
    /// Largest importance weight; for a difference, the larger of the two.
    pub max_weight: f64,
}

/// The test rows with a reward model that has not seen them.
pub(super) struct Judge<'a> {
    log: &'a Log,
    confidence: f64,
    chosen: Vec<u32>,
    rewards: Vec<f64>,
    propensities: Vec<f64>,
    customers: Option<Vec<u32>>,
    predicted: Array2<f64>,
}

type Estimates = Vec<(&'static str, Result<Estimate, OpeError>)>;

impl<'a> Judge<'a> {
    pub(super) fn of(
        log: &'a Log,
        model: &DirectModel,
        options: &TableOptions,
    ) -> Result<Self, LoggedTableError> {
        let rows = &log.test;
        let predicted = Array2::from_shape_fn((rows.len(), log.actions.len()), |(row, action)| {
            model.predict(log.contexts.values.row(rows[row]), action)
        });
        Ok(Self {
            log,
            confidence: options.confidence,
            chosen: rows.iter().map(|&row| log.chosen[row]).collect(),
            rewards: rows.iter().map(|&row| log.rewards[row]).collect(),
            propensities: rows.iter().map(|&row| log.propensities[row]).collect(),
            customers: log
                .customers
                .as_ref()
                .map(|customers| rows.iter().map(|&row| customers[row]).collect()),
            predicted,
        })
    }

    pub(super) fn logged_value(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
        let rows = self.rewards.len() as f64;
        self.rewards.iter().sum::<f64>() / rows
    }

    /// The value of the policy that takes `action` in the `position`-th test row with `probability(position, action)`.
    pub(super) fn value(
        &self,
        probability: impl Fn(usize, usize) -> f64,
    ) -> Result<PolicyValue, LoggedTableError> {
        let terms = self.terms(probability)?;
        let overlap = Overlap::of(&terms);
        Ok(self.summarise(estimates(&terms), &overlap))
    }

    /// The first policy's value minus the second's, row by row.
    pub(super) fn difference(
        &self,
        first: impl Fn(usize, usize) -> f64,
        second: impl Fn(usize, usize) -> f64,
    ) -> Result<PolicyValue, LoggedTableError> {
        let (first, second) = (self.terms(first)?, self.terms(second)?);
        let (mut overlap, other) = (Overlap::of(&first), Overlap::of(&second));
        overlap.ess = overlap.ess.min(other.ess);
        overlap.max_weight = overlap.max_weight.max(other.max_weight);
        let paired = estimates(&first)
            .into_iter()
            .zip(estimates(&second))
            .map(|((name, first), (_, second))| {
                let difference = first.and_then(|first| first.minus(&second?));
                (name, difference)
            })
            .collect();
        Ok(self.summarise(paired, &overlap))
    }

    /// What a reader should know of the weights that the log can give.
    pub(super) fn overlap_notes(
        &self,
        uniform: &PolicyValue,
        required: &Requirements,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        let least = self
            .propensities
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min);
        let rare = self
            .propensities
            .iter()
            .filter(|p| **p < lagom_model::ope::support::NEAR_ZERO)
            .count();
        if rare > 0 {
            notes.push(format!(
                "{rare} test rows have a propensity below {}, the smallest {least:e}: values that rest on them are reported, not to be believed",
                lagom_model::ope::support::NEAR_ZERO
            ));
        }
        if uniform.ess < required.ess {
            notes.push(format!(
                "not enough overlap: the effective sample size of the uniform policy is {:.1}, below {:.0}",
                uniform.ess, required.ess
            ));
        }
        notes
    }

    fn terms(&self, probability: impl Fn(usize, usize) -> f64) -> Result<Terms, LoggedTableError> {
        let target = Array2::from_shape_fn(self.predicted.dim(), |(row, action)| {
            probability(row, action)
        });
        let rounds = Rounds::new(
            self.chosen.clone(),
            self.rewards.clone(),
            self.propensities.clone(),
            target,
        )
        .and_then(|rounds| rounds.with_predicted(self.predicted.clone()))
        .and_then(|rounds| match &self.customers {
            Some(customers) => rounds.with_customers(customers.clone()),
            None => Ok(rounds),
        })
        .map_err(|source| LoggedTableError::Rounds {
            file: self.log.file.clone(),
            source,
        })?;
        Ok(Terms::of(&rounds))
    }

    fn summarise(&self, estimates: Estimates, overlap: &Overlap) -> PolicyValue {
        let (mut value, mut interval) = (BTreeMap::new(), BTreeMap::new());
        for (name, estimate) in estimates {
            let Ok(estimate) = estimate else { continue };
            value.insert(name, estimate.value);
            if let Ok(found) = skewed(&estimate, self.customers.as_deref(), self.confidence) {
                interval.insert(name, found);
            }
        }
        PolicyValue {
            value,
            interval,
            ess: overlap.ess,
            max_weight: overlap.max_weight,
        }
    }
}

fn estimates(terms: &Terms) -> Estimates {
    let ips = Estimator::importance(Shrinkage::None);
    let dr = Estimator::doubly_robust(Shrinkage::None);
    vec![
        ("ips", ips.estimate(terms)),
        ("snips", ips.self_normalised().estimate(terms)),
        ("dr", dr.estimate(terms)),
    ]
}
