//! What contacting does, on lagom's own log: naively, adjusted, and from the logged chances.

use super::{OwnLog, ValuationError, counts};
use lagom_features::domain::{ActionId, CustomerId, Timestamp};
use lagom_model::log::{Decision, LoggedRound};
use lagom_model::ope::OpeError;
use lagom_model::ope::confounding::{Contacts, SideBySide, side_by_side};
use ndarray::Array2;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// Decisions with less chance of either are left out: their weights would drown the others.
const LEAST_CHANCE: f64 = 0.01;

/// The effect of contacting now against waiting, on each outcome of a window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confounding {
    /// Matured decisions at which contacting and waiting both had a chance of 1 % at least.
    pub decisions: usize,
    /// Of how many customers.
    pub customers: usize,
    /// Matured decisions at which one of the two had less.
    pub left_out: usize,
    /// Share of contacts among `decisions`.
    pub contacted: f64,
    /// By outcome.
    pub effects: BTreeMap<&'static str, SideBySide>,
}

type Reward = fn(&LoggedRound) -> f64;

const REWARDS: [(&str, Reward); 5] = [
    ("paid", |round| f64::from(u8::from(round.outcome.paid))),
    ("churned", |round| {
        f64::from(u8::from(round.outcome.churned))
    }),
    ("complaint", |round| {
        f64::from(u8::from(round.outcome.complaint))
    }),
    ("collection_case", |round| {
        f64::from(u8::from(round.outcome.collection_case))
    }),
    ("collected", |round| round.outcome.collected_minor as f64),
];

impl OwnLog {
    /// Compares contacting with waiting on decisions made from `from` on.
    ///
    /// # Errors
    /// [`ValuationError::Ope`] where the log has too few decisions at which both had a chance.
    pub fn confounding(
        &self,
        from: Timestamp,
        confidence: f64,
    ) -> Result<Confounding, ValuationError> {
        let mut memory = HashMap::new();
        let (mut rows, mut propensity, mut left_out) = (Vec::new(), Vec::new(), 0);
        let matured = self.rounds.iter().filter(|round| counts(&round.outcome));
        for round in matured.filter(|round| round.decision.decided_at >= from) {
            let chance = chance_of_contact(&round.decision, &mut memory);
            if (LEAST_CHANCE..=1.0 - LEAST_CHANCE).contains(&chance) {
                rows.push(round);
                propensity.push(chance);
            } else {
                left_out += 1;
            }
        }
        let mut numbers: HashMap<&CustomerId, u32> = HashMap::new();
        let customers: Vec<u32> = rows
            .iter()
            .map(|round| {
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                *numbers.entry(&round.decision.customer_id).or_insert(next)
            })
            .collect();
        let contacted: Vec<bool> = rows
            .iter()
            .map(|round| round.decision.action.kind.is_contact())
            .collect();
        let known = known(&rows);
        let effect = |(name, reward): (&'static str, Reward)| {
            let reward: Vec<f64> = rows.iter().map(|round| reward(round)).collect();
            let contacts = Contacts {
                known: known.view(),
                contacted: &contacted,
                propensity: &propensity,
                reward: &reward,
                customers: &customers,
            };
            Ok((name, side_by_side(&contacts, confidence)?))
        };
        let effects = REWARDS.into_iter().map(effect);
        Ok(Confounding {
            effects: effects.collect::<Result<_, OpeError>>()?,
            decisions: rows.len(),
            customers: numbers.len(),
            left_out,
            contacted: share(&contacted),
        })
    }
}

fn share(of: &[bool]) -> f64 {
    of.iter().filter(|one| **one).count() as f64 / of.len().max(1) as f64
}

fn chance_of_contact<'a>(decision: &'a Decision, memory: &mut HashMap<&'a ActionId, bool>) -> f64 {
    let mut is_contact = |id: &'a ActionId| {
        *memory
            .entry(id)
            .or_insert_with(|| id.action().kind.is_contact())
    };
    let contacts = decision
        .eligible
        .iter()
        .filter(|one| is_contact(&one.action));
    contacts.map(|one| one.probability).sum()
}

/// The logged features; what is unknown becomes the mean of what is known, with a column that says
/// so. Decisions under another spec have other columns, and only the last spec's are read.
fn known(rows: &[&LoggedRound]) -> Array2<f64> {
    let width = rows.last().map_or(0, |round| round.decision.features.len());
    let value = |row: usize, column: usize| {
        let features = &rows[row].decision.features;
        (features.len() == width).then(|| features[column])
    };
    let given = |row: usize, column: usize| value(row, column).filter(|one| one.is_finite());
    let mut known = Array2::zeros((rows.len(), 2 * width));
    for column in 0..width {
        let there: Vec<f64> = (0..rows.len())
            .filter_map(|row| given(row, column))
            .collect();
        let mean = there.iter().sum::<f64>() / there.len().max(1) as f64;
        for row in 0..rows.len() {
            let found = given(row, column);
            known[[row, column]] = found.unwrap_or(mean);
            known[[row, width + column]] = f64::from(u8::from(found.is_none()));
        }
    }
    known
}
