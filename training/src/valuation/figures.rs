//! What is counted of a life, and how it is reported.

use lagom_features::History;
use lagom_model::log::{Decision, Executed, Outcome};
use lagom_model::ope::interval::skewed;
use lagom_model::ope::lives::{Worth, part_of};
use lagom_model::ope::valuation::{Estimand, Figure, METRICS, Segment};
use lagom_model::ope::{Estimate, OpeError, Overlap};
use std::collections::BTreeMap;

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
            interval: skewed(estimate, Some(customers), confidence)?,
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
        if let Ok(interval) = skewed(&part, Some(&its), confidence) {
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
