//! Epsilon-greedy.

use serde::{Deserialize, Serialize};

use super::{ExplorationRule, Situation};

/// The best action, except for a share of the base measure: `p = (1 − ε) 1[a = b] + ε μ`.
///
/// Sutton, Barto, "Reinforcement learning", 2nd edition, 2018, section 2.2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpsilonGreedy {
    /// The share explored, in `[0, 1]`.
    pub epsilon: f64,
}

impl ExplorationRule for EpsilonGreedy {
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]) {
        for (probability, &base) in probabilities.iter_mut().zip(situation.base) {
            *probability = self.epsilon * base;
        }
        probabilities[situation.best()] += 1.0 - self.epsilon;
    }
}
