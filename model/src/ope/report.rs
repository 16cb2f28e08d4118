//! The whole evaluation of one policy from one log, as one document.

mod estimates;
mod intake;

pub use intake::Intake;

use std::collections::BTreeMap;

use super::{
    calibration::Calibration,
    error::OpeError,
    interval::{Interval, bootstrap, bounds::LowerBounds},
    overlap::{Overlap, Requirements},
    rounds::Rounds,
    support::Support,
};

/// What is asked of an evaluation.
#[derive(Debug, Clone)]
pub struct Options {
    /// Confidence of every interval, in (0.5, 1).
    pub confidence: f64,
    /// Least and largest possible reward, for the intervals that rely on a
    /// range; `None` takes [0, 1] when all rewards lie there, and leaves those
    /// intervals out when they do not.
    pub rewards: Option<(f64, f64)>,
    /// The bootstrap, or none. Its time grows with rounds times resamples.
    pub bootstrap: Option<bootstrap::Options>,
    /// What the overlap must offer.
    pub required: Requirements,
    /// Whether the reward model was fitted on earlier rounds or other data, as
    /// doubly robust sequences demand; a cross-fitted one was not.
    pub predictable_model: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            confidence: 0.95,
            rewards: None,
            bootstrap: Some(bootstrap::Options::default()),
            required: Requirements::default(),
            predictable_model: true,
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
/// A confidence outside (0.5, 1), or a range of rewards that does not hold
/// them. What single estimators lack is listed in the report instead.
pub fn report(rounds: &Rounds, options: &Options) -> Result<Report, OpeError> {
    let unit = || rounds.rewards().iter().all(|r| (0.0..=1.0).contains(r));
    let options = Options {
        rewards: options.rewards.or_else(|| unit().then_some((0.0, 1.0))),
        ..options.clone()
    };
    let mut intake = Intake::new(options, rounds.partitions(), rounds.has_predicted())?;
    for (index, round) in rounds.iter().enumerate() {
        let customer = rounds.customers().map(|customers| customers[index]);
        intake.push(&round, customer)?;
    }
    intake.finish()
}
