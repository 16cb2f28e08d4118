//! Where the target policy goes and the log has never been.

use super::{numeric::real, round::Round};

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

/// Measures the support of a log, round by round.
#[derive(Debug, Clone, Default)]
pub struct SupportCount {
    rounds: usize,
    known: usize,
    unsupported: usize,
    unsupported_mass: f64,
    least_propensity: Option<f64>,
    near_zero: usize,
    near_zero_weight: f64,
    weight: f64,
}

impl SupportCount {
    /// Takes a checked round.
    pub fn see(&mut self, round: &Round<'_>) {
        self.rounds += 1;
        if let Some(logging) = round.logging {
            self.known += 1;
            let pairs = round.target.iter().zip(logging);
            let lost: f64 = pairs
                .filter(|(target, logged)| **target > 0.0 && **logged <= 0.0)
                .map(|(target, _)| target)
                .sum();
            self.unsupported += usize::from(lost > 0.0);
            self.unsupported_mass += lost;
        }
        let least = self.least_propensity.unwrap_or(f64::INFINITY);
        self.least_propensity = Some(least.min(round.propensity));
        self.weight += round.weight();
        if round.propensity < NEAR_ZERO {
            self.near_zero += 1;
            self.near_zero_weight += round.weight();
        }
    }

    /// What the rounds seen add up to.
    #[must_use]
    pub fn finish(&self) -> Support {
        let known = self.known > 0 && self.known == self.rounds;
        let n = real(self.rounds.max(1));
        Support {
            known,
            unsupported_rounds: known.then_some(self.unsupported),
            unsupported_share: known.then(|| real(self.unsupported) / n),
            unsupported_mass: known.then_some(self.unsupported_mass / n),
            least_propensity: self.least_propensity.unwrap_or(0.0),
            near_zero_rounds: self.near_zero,
            near_zero_weight_share: if self.weight > 0.0 {
                self.near_zero_weight / self.weight
            } else {
                0.0
            },
        }
    }
}
