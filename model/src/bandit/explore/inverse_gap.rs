//! Inverse gap weighting.

use serde::{Deserialize, Serialize};

use super::{ExplorationRule, Situation};

/// SquareCB / FALCON with a base measure.
///
/// ```text
/// b    = argmax f
/// p(a) = μ(a) / (1 + (γ / n) (f(b) − f(a)))       a ≠ b
/// p(b) = 1 − Σ_{a ≠ b} p(a)                       ≥ μ(b), since each p(a) ≤ μ(a)
/// ```
/// With `μ` uniform this is `1 / (n + γ (f(b) − f(a)))` of the paper. `γ` belongs to the generation: no
/// counter of calls takes part.
///
/// Foster, Rakhlin, "Beyond UCB: optimal and efficient contextual bandits with regression oracles",
/// ICML 2020, arXiv:2002.04926; Simchi-Levi, Xu, "Bypassing the monster", arXiv:2003.12699.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseGap {
    /// How strongly a gap of 1 counts; 0 explores with the base measure alone.
    pub gamma: f64,
}

impl ExplorationRule for InverseGap {
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]) {
        let best = situation.best();
        let highest = situation.scores[best];
        let slope = self.gamma / situation.scores.len() as f64;
        let pairs = situation.scores.iter().zip(situation.base);
        for (probability, (&score, &base)) in probabilities.iter_mut().zip(pairs) {
            *probability = base / (1.0 + slope * (highest - score));
        }
        probabilities[best] = 0.0;
        probabilities[best] = 1.0 - probabilities.iter().sum::<f64>();
    }
}
