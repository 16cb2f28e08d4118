//! Boltzmann exploration.

use serde::{Deserialize, Serialize};

use super::{ExplorationRule, Situation};

/// `p(a) ∝ μ(a) exp(f(a) / τ)`, computed relative to the best score so that nothing overflows.
///
/// Sutton, Barto, "Reinforcement learning", 2nd edition, 2018, section 2.8.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    /// The temperature `τ`, above zero, in units of reward.
    pub temperature: f64,
}

impl ExplorationRule for Softmax {
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]) {
        let highest = situation.scores[situation.best()];
        let pairs = situation.scores.iter().zip(situation.base);
        for (probability, (&score, &base)) in probabilities.iter_mut().zip(pairs) {
            *probability = base * libm::exp((score - highest) / self.temperature);
        }
        let total: f64 = probabilities.iter().sum();
        for probability in probabilities {
            *probability /= total;
        }
    }
}
