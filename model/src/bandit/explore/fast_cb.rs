//! FastCB.

use serde::{Deserialize, Serialize};

use super::{ExplorationRule, Situation};

/// Smallest loss of the best action, so that a promise of perfection does not end exploration.
const LEAST_LOSS: f64 = 1e-3;

/// Inverse gap weighting of losses `l = 1 − f`, relative to the best one's.
///
/// ```text
/// b    = argmin l
/// p(a) = μ(a) l(b) / (l(b) + (γ / n) (l(a) − l(b)))      a ≠ b
/// p(b) = 1 − Σ_{a ≠ b} p(a)
/// ```
/// It explores less where the best action hardly ever fails, and is useful when success is near certain.
/// `l(b)` is kept at or above 0.001; where a score exceeds 1, differences of scores are kept.
///
/// Foster, Krishnamurthy, "Efficient first-order contextual bandits", NeurIPS 2021, arXiv:2107.02237.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FastCb {
    /// How strongly a gap counts.
    pub gamma: f64,
}

impl ExplorationRule for FastCb {
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]) {
        let best = situation.best();
        let highest = situation.scores[best];
        let least = (1.0 - highest).max(LEAST_LOSS);
        let slope = self.gamma / situation.scores.len() as f64;
        let pairs = situation.scores.iter().zip(situation.base);
        for (probability, (&score, &base)) in probabilities.iter_mut().zip(pairs) {
            *probability = base * least / (least + slope * (highest - score));
        }
        probabilities[best] = 0.0;
        probabilities[best] = 1.0 - probabilities.iter().sum::<f64>();
    }
}
