//! Where the target policy goes and the log has never been.

use super::{numeric::real, rounds::Rounds};

/// Logged propensities below this are counted: their weights, above a
/// thousand where the target is certain, decide a value by themselves.
pub const NEAR_ZERO: f64 = 1e-3;

/// Support of the target policy by the logging policy.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Support {
    /// Whether every probability of the logging policy was logged; without
    /// them, unsupported actions cannot be seen and the next three are absent.
    pub known: bool,
    /// Rounds in which the target may take an action that the log could not.
    pub unsupported_rounds: Option<usize>,
    /// The same as a share of the rounds.
    pub unsupported_share: Option<f64>,
    /// Mean target probability of actions that the log could not take: no
    /// importance-weighted estimator sees it, and IPS is too low by its reward.
    pub unsupported_mass: Option<f64>,
    /// The smallest logged propensity.
    pub least_propensity: f64,
    /// Rounds with a logged propensity below [`NEAR_ZERO`].
    pub near_zero_rounds: usize,
    /// Share of the total importance weight that these rounds hold.
    pub near_zero_weight_share: f64,
}

impl Support {
    /// Measures the support of a log.
    #[must_use]
    pub fn of(rounds: &Rounds) -> Self {
        let mut unsupported_rounds = 0_usize;
        let mut unsupported_mass = 0.0;
        let mut least_propensity = f64::INFINITY;
        let mut near_zero_rounds = 0_usize;
        let (mut near_zero_weight, mut weight) = (0.0, 0.0);
        for round in rounds.iter() {
            if let Some(logging) = round.logging {
                let pairs = round.target.iter().zip(logging);
                let lost: f64 = pairs
                    .filter(|(target, logged)| **target > 0.0 && **logged <= 0.0)
                    .map(|(target, _)| target)
                    .sum();
                unsupported_rounds += usize::from(lost > 0.0);
                unsupported_mass += lost;
            }
            least_propensity = least_propensity.min(round.propensity);
            weight += round.weight();
            if round.propensity < NEAR_ZERO {
                near_zero_rounds += 1;
                near_zero_weight += round.weight();
            }
        }
        let known = rounds.has_logging();
        let n = real(rounds.len());
        Self {
            known,
            unsupported_rounds: known.then_some(unsupported_rounds),
            unsupported_share: known.then(|| real(unsupported_rounds) / n),
            unsupported_mass: known.then_some(unsupported_mass / n),
            least_propensity,
            near_zero_rounds,
            near_zero_weight_share: if weight > 0.0 {
                near_zero_weight / weight
            } else {
                0.0
            },
        }
    }
}
