//! What a channel and tone add over waiting, from logged probabilities.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lagom_features::domain::{Action, CustomerId, DecisionId, Timestamp};
use lagom_model::log::{Decision, Outcome};
use lagom_model::statistics::special::normal;
use serde::Serialize;

use super::Drawn;
use super::count::facet;
use crate::tables::Tables;

/// A channel and tone against waiting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// `sms.friendly`.
    pub step: String,
    /// Decisions that chose it.
    pub decisions: u64,
    /// Decisions in which it and waiting could be chosen.
    pub comparable: u64,
    /// What it adds to the value of a decision, in major units, with its 95 % interval.
    pub added: [f64; 3],
    /// The difference of the plain means: confounded.
    pub naive: f64,
}

/// Choices of each below which nothing is said.
const FEWEST: u64 = 30;
const MINOR: f64 = 100.0;

pub(super) fn steps(tables: &Tables, drawn: &Drawn, as_of: Timestamp) -> Vec<Step> {
    let outcomes: HashMap<&DecisionId, &Outcome> = tables
        .outcomes
        .iter()
        .filter(|one| one.matured_at <= as_of && !one.censored)
        .map(|one| (&one.decision_id, one))
        .collect();
    let rounds: Vec<(&Decision, f64)> = tables
        .decisions
        .iter()
        .filter(|one| {
            drawn
                .get(&one.customer_id)
                .is_some_and(|(holdout, _)| !holdout)
        })
        .filter_map(|one| {
            let outcome = outcomes.get(&one.decision_id)?;
            Some((one, outcome.value_minor / MINOR))
        })
        .collect();
    let names: BTreeSet<String> = rounds
        .iter()
        .filter(|(one, _)| one.action.channel.is_some())
        .map(|(one, _)| of(&one.action))
        .collect();
    names
        .into_iter()
        .filter_map(|name| step(&rounds, name))
        .collect()
}

fn of(action: &Action) -> String {
    facet(
        action.channel,
        action.tone.map(lagom_features::domain::Tone::name),
    )
}

/// One comparable decision: its customer, what was chosen, its weight and its value.
struct Weighed<'a> {
    customer: &'a CustomerId,
    /// Weight of the step, then of waiting.
    weights: [f64; 2],
    value: f64,
}

fn step(rounds: &[(&Decision, f64)], name: String) -> Option<Step> {
    let weighed: Vec<Weighed<'_>> = rounds
        .iter()
        .filter_map(|(decision, value)| {
            let (mut step, mut wait) = (0.0, 0.0);
            for choice in &decision.eligible {
                let action = choice.action.action();
                if action.is_wait() {
                    wait += choice.probability;
                } else if of(&action) == name {
                    step += choice.probability;
                }
            }
            let chosen = &decision.action;
            (step > 0.0 && wait > 0.0).then(|| Weighed {
                customer: &decision.customer_id,
                weights: [
                    if !chosen.is_wait() && of(chosen) == name {
                        1.0 / step
                    } else {
                        0.0
                    },
                    if chosen.is_wait() { 1.0 / wait } else { 0.0 },
                ],
                value: *value,
            })
        })
        .collect();
    let chosen = |which: usize| weighed.iter().filter(move |one| one.weights[which] > 0.0);
    let counts = [chosen(0).count() as u64, chosen(1).count() as u64];
    if counts.iter().any(|count| *count < FEWEST) {
        return None;
    }
    let sum = |which: usize| weighed.iter().map(|one| one.weights[which]).sum::<f64>();
    let totals = [sum(0), sum(1)];
    let mean = |which: usize| {
        let sum: f64 = weighed
            .iter()
            .map(|one| one.weights[which] * one.value)
            .sum();
        sum / totals[which]
    };
    let means = [mean(0), mean(1)];
    let mut influence: BTreeMap<&CustomerId, f64> = BTreeMap::new();
    for one in &weighed {
        let of = |which: usize| one.weights[which] * (one.value - means[which]) / totals[which];
        *influence.entry(one.customer).or_insert(0.0) += of(0) - of(1);
    }
    let se = influence.values().map(|sum| sum * sum).sum::<f64>().sqrt();
    let half = normal::isf(0.025) * se;
    let plain =
        |which: usize| chosen(which).map(|one| one.value).sum::<f64>() / counts[which] as f64;
    let added = means[0] - means[1];
    Some(Step {
        step: name,
        decisions: counts[0],
        comparable: weighed.len() as u64,
        added: [added, added - half, added + half],
        naive: plain(0) - plain(1),
    })
}
