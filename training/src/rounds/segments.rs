//! The same policy, valued in each segment by its own rounds.

use std::collections::BTreeMap;

use lagom_model::ope::{
    Estimator, Interval, OpeError, Overlap, Shrinkage, Terms, interval::skewed,
    overlap::Requirements,
};
use serde::Serialize;

/// A segment's values by estimator: `ips`, `snips`, `dr`, `sndr`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentValue {
    /// Rounds of the segment.
    pub rounds: usize,
    /// Their mean logged reward.
    pub logged_value: f64,
    /// Values; an estimator that the segment cannot give is absent.
    pub value: BTreeMap<&'static str, f64>,
    /// Student's intervals, by customer where known.
    pub interval: BTreeMap<&'static str, Interval>,
    /// Effective sample size.
    pub ess: f64,
    /// Why the segment carries no verdict; empty when it does.
    pub shortfalls: Vec<String>,
}

/// Values of every segment, from the rows that belong to it.
pub(super) fn segment_values(
    terms: &Terms,
    segments: &BTreeMap<String, Vec<usize>>,
    confidence: f64,
    required: &Requirements,
) -> Result<BTreeMap<String, SegmentValue>, OpeError> {
    segments
        .iter()
        .map(|(name, rows)| {
            let own = terms.select(rows)?;
            Ok((name.clone(), segment_value(&own, confidence, required)))
        })
        .collect()
}

fn segment_value(terms: &Terms, confidence: f64, required: &Requirements) -> SegmentValue {
    let ips = Estimator::importance(Shrinkage::None);
    let dr = Estimator::doubly_robust(Shrinkage::None);
    let estimators = [
        ("ips", ips.clone()),
        ("snips", ips.self_normalised()),
        ("dr", dr.clone()),
        ("sndr", dr.self_normalised()),
    ];
    let (mut value, mut interval) = (BTreeMap::new(), BTreeMap::new());
    for (name, estimator) in estimators {
        let Ok(estimate) = estimator.estimate(terms) else {
            continue;
        };
        value.insert(name, estimate.value);
        if let Ok(found) = skewed(&estimate, terms.customers(), confidence) {
            interval.insert(name, found);
        }
    }
    let overlap = Overlap::of(terms);
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let rounds = terms.rewards().len() as f64;
    SegmentValue {
        rounds: terms.rewards().len(),
        logged_value: terms.rewards().iter().sum::<f64>() / rounds,
        value,
        interval,
        ess: overlap.ess,
        shortfalls: overlap.shortfalls(required),
    }
}
