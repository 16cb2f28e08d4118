//! No exploration.

use serde::{Deserialize, Serialize};

use super::{ExplorationRule, Situation};

/// The best action with probability 1; without a floor nothing can be said of any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greedy;

impl ExplorationRule for Greedy {
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]) {
        probabilities.fill(0.0);
        probabilities[situation.best()] = 1.0;
    }
}
