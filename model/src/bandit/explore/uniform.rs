//! Exploration alone.

use serde::{Deserialize, Serialize};

use super::{ExplorationRule, Situation};

/// The base measure, whatever the scores: for collecting a log that says something of every action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uniform;

impl ExplorationRule for Uniform {
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]) {
        probabilities.copy_from_slice(situation.base);
    }
}
