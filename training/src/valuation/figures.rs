//! What is counted of a life, and how it is reported.

use lagom_features::History;
use lagom_model::log::{Decision, Executed, Outcome};
use lagom_model::ope::interval::Interval;
use lagom_model::ope::interval::student::student;
use lagom_model::ope::lives::{Worth, part_of};
use lagom_model::ope::{Estimate, OpeError, Overlap};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is counted, money in minor units.
pub const METRICS: [&str; 8] = [
    "value",
    "collected",
    "churned",
    "complaints",
    "support_contacts",
    "contacts",
    "opt_outs",
    "collection_cases",
];
pub(super) const VALUE: usize = 0;
pub(super) const CHURN: usize = 2;
pub(super) const COMPLAINTS: usize = 3;
pub(super) const CONTACTS: usize = 5;

/// Fewest lives of a segment that is reported.
const LEAST_LIVES: usize = 100;

/// The metrics of a stretch that followed a decision.
pub(super) fn rewards(decision: &Decision, outcome: &Outcome) -> [f64; METRICS.len()] {
    let flag = |holds: bool| f64::from(u8::from(holds));
    let sent = outcome.executed == Executed::Sent && decision.action.kind.is_contact();
    [
        outcome.value_minor,
        outcome.collected_minor as f64,
        flag(outcome.churned),
        flag(outcome.complaint),
        f64::from(outcome.support_contacts),
        flag(sent),
        flag(outcome.opt_out),
        flag(outcome.collection_case),
    ]
}

/// The customer's segment, or kind, when the life began.
pub(super) fn segment_of(life: &[Decision], history: &History) -> String {
    let view = history.as_of(life[0].decided_at);
    let customer = view.customer();
    customer
        .and_then(|one| one.segment.clone())
        .or_else(|| {
            customer
                .and_then(|one| one.kind)
                .map(|kind| kind.name().to_owned())
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

/// One metric by three estimators, the doubly robust one with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Doubly robust (sequential for lives).
    pub value: f64,
    /// Its interval, clustered by customer.
    pub interval: Interval,
    /// Importance sampling, decision by decision.
    pub per_decision: f64,
    /// The same, normalised by the weights.
    pub weighted: Option<f64>,
}

/// The difference in value within a segment of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// Lives in it.
    pub lives: usize,
    /// Value under the candidate less that under the incumbent.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
}

/// One estimand: every metric a decision (one-step) or a life (episode).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimand {
    /// Under the candidate.
    pub candidate: BTreeMap<String, Figure>,
    /// Under the incumbent.
    pub incumbent: BTreeMap<String, Figure>,
    /// Candidate less incumbent, on the same lives.
    pub difference: BTreeMap<String, Figure>,
    /// Weights under the candidate.
    pub overlap: Overlap,
    /// Weights under the incumbent.
    pub incumbent_overlap: Overlap,
    /// The difference in value by segment of customers.
    pub segments: Vec<Segment>,
}

pub(super) fn estimand(
    worths: &[Vec<Worth>; 2],
    [overlap, incumbent_overlap]: [Overlap; 2],
    customers: &[u32],
    confidence: f64,
    segments: &[String],
) -> Result<Estimand, OpeError> {
    let figure = |estimate: &Estimate, per_decision: f64, weighted: Option<f64>| {
        Ok::<_, OpeError>(Figure {
            value: estimate.value,
            interval: student(estimate, Some(customers), confidence)?,
            per_decision,
            weighted,
        })
    };
    let of = |worths: &[Worth]| {
        let named = METRICS.iter().zip(worths);
        named
            .map(|(name, worth)| {
                let weighted = worth.weighted.as_ref().map(|one| one.value);
                let figure = figure(&worth.doubly_robust, worth.per_decision.value, weighted)?;
                Ok(((*name).to_owned(), figure))
            })
            .collect::<Result<BTreeMap<_, _>, OpeError>>()
    };
    let [new, old] = worths;
    let mut difference = BTreeMap::new();
    for ((name, new), old) in METRICS.iter().zip(new).zip(old) {
        let gain = new.doubly_robust.minus(&old.doubly_robust)?;
        let per_decision = new.per_decision.value - old.per_decision.value;
        let both = new.weighted.as_ref().zip(old.weighted.as_ref());
        let weighted = both.map(|(new, old)| new.value - old.value);
        difference.insert((*name).to_owned(), figure(&gain, per_decision, weighted)?);
    }
    let gain = new[VALUE].doubly_robust.minus(&old[VALUE].doubly_robust)?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for segment in segments {
        *counts.entry(segment).or_default() += 1;
    }
    let mut found = Vec::new();
    for (name, lives) in counts
        .into_iter()
        .filter(|(_, lives)| *lives >= LEAST_LIVES)
    {
        let (part, its) = part_of(&gain, customers, |life| segments[life] == name)?;
        // A segment of one customer has no interval, and is not reported.
        if let Ok(interval) = student(&part, Some(&its), confidence) {
            found.push(Segment {
                name: name.to_owned(),
                lives,
                value: part.value,
                interval,
            });
        }
    }
    Ok(Estimand {
        candidate: of(new)?,
        incumbent: of(old)?,
        difference,
        overlap,
        incumbent_overlap,
        segments: found,
    })
}
