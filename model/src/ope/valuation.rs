//! What was found of a policy on lagom's own log, as it is stored, shown and asked at the gate.
//!
//! The numbers are made where the log can be read; here they only have names.

use super::calibration::Calibration;
use super::gate::Verdict;
use super::interval::Interval;
use super::overlap::Overlap;
use crate::bandit::Digest;
use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Format of [`Judged`]; grows when an old reader would misread a new document.
pub const FORMAT: u32 = 1;

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

/// How far a log can speak of a policy at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// Share of the decisions that left something to chance.
    pub explored: f64,
    /// Mean probability with which the candidate takes a step that the log could not have taken: no
    /// weighting of the log sees what would come of it.
    pub unsupported: f64,
}

/// Largest [`Reach::unsupported`] with which the gate believes a value.
pub const MOST_UNSUPPORTED: f64 = 0.01;

impl Reach {
    /// Why the log cannot speak of the candidate, in words; empty where it can.
    #[must_use]
    pub fn shortfalls(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.explored <= 0.0 {
            let reason = "the log leaves nothing to chance: every decision had one possible outcome, so it \
                          says nothing of another policy";
            reasons.push(reason.to_owned());
        } else if self.unsupported > MOST_UNSUPPORTED {
            reasons.push(format!(
                "{:.1} % of what the candidate would do is what the log could never have done",
                100.0 * self.unsupported
            ));
        }
        reasons
    }
}

/// Both estimands of a candidate against an incumbent, and the verdict on the episode value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Valuation {
    /// Lives begin here or later.
    pub from: Timestamp,
    /// Days after the first decision that are counted.
    pub horizon_days: u16,
    /// Lives of invoices.
    pub lives: usize,
    /// Decisions in them.
    pub decisions: usize,
    /// Customers.
    pub customers: usize,
    /// Lives whose customer or invoice the tables do not know, that a shadow did not see whole, or of
    /// an arm that was drawn and leaves nothing to chance, such as the holdout.
    pub left_out: usize,
    /// How far the log can speak of the candidate; nothing in documents of before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// One decision replaced, the logging policy afterwards; none where no outcome has matured.
    pub one_step: Option<Estimand>,
    /// Every decision of a life.
    pub episode: Estimand,
    /// Actions against logged probabilities.
    pub calibration: Option<Calibration>,
    /// The gate's verdict on the episode value.
    pub verdict: Verdict,
}

/// The candidate under other weights, judged by the configured objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Multiple of the configured weights of churn, complaints and calls for support.
    pub weight: f64,
    /// Every decision of a life.
    #[serde(flatten)]
    pub episode: Estimand,
}

/// What was found of a version, and against whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// [`FORMAT`] of the document; the first was written without it.
    #[serde(default = "first_format")]
    pub format: u32,
    /// The version that was judged, or the name of a policy.
    pub candidate: String,
    /// A version, or the name of a policy (`logged`, `ladder`, `uniform`).
    pub against: String,
    /// How the bandit learns and chooses that the candidate decided with
    /// ([`Generation::ways`](crate::bandit::Generation::ways)), where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ways: Option<Digest>,
    /// Values, intervals and the verdict.
    pub valuation: Valuation,
    /// The trade-off curve, where it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frontier: Vec<Point>,
}

const fn first_format() -> u32 {
    FORMAT
}

/// Why the gate does not let `candidate` take over from `current`; empty where it does, and where
/// nobody else is current.
#[must_use]
pub fn unproven(candidate: &str, current: Option<&str>, judged: Option<&Judged>) -> Vec<String> {
    let Some(current) = current.filter(|current| *current != candidate) else {
        return Vec::new();
    };
    let how = format!("lagom evaluate --data LOG --policy {candidate} --against {current}");
    match judged.filter(|judged| judged.candidate == candidate) {
        None => vec![format!(
            "it was not valued against {current}, which is current; run {how}"
        )],
        Some(judged) if judged.against != current => vec![format!(
            "it was valued against {}, and {current} is current; run {how}",
            judged.against
        )],
        Some(judged) if !judged.valuation.verdict.passed => {
            vec![judged.valuation.verdict.words.clone()]
        }
        Some(_) => Vec::new(),
    }
}
