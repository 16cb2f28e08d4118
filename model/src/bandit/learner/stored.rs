//! The stored form of a learner.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Learner;
use crate::bandit::doubt::Doubt;
use crate::bandit::error::BanditError;
use crate::bandit::generation::{Aside, Generation};
use crate::bandit::statistics::SufficientStatistics;

/// Version of the stored form of [`Learner`]. Another way to fold or to fit is another version too:
/// what was stored would not be what the same rounds give now.
const LEARNER_VERSION: u32 = 1;

/// Everything that the rounds to come depend on.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredLearner {
    version: u32,
    sums: SufficientStatistics,
    generation: Generation,
    doubt: Doubt,
    solved_at: Vec<u64>,
    fitted_at: u64,
    aside: Aside,
}

impl From<Learner> for StoredLearner {
    fn from(learner: Learner) -> Self {
        let generation = Arc::unwrap_or_clone(learner.generation);
        Self {
            version: LEARNER_VERSION,
            sums: learner.sums,
            doubt: generation.doubt.clone(),
            generation,
            solved_at: learner.solved_at,
            fitted_at: learner.fitted_at,
            aside: learner.aside,
        }
    }
}

impl TryFrom<StoredLearner> for Learner {
    type Error = BanditError;

    fn try_from(stored: StoredLearner) -> Result<Self, BanditError> {
        if stored.version != LEARNER_VERSION {
            return Err(BanditError::FormVersion {
                what: "learner",
                found: stored.version,
                expected: LEARNER_VERSION,
            });
        }
        let (own, of_sums) = (stored.generation.layout(), stored.sums.layout());
        if own.digest() != of_sums.digest() {
            return Err(BanditError::ForeignSums {
                found: of_sums.digest().to_string(),
                expected: own.digest().to_string(),
            });
        }
        let (dimensions, heads) = (own.dimensions(), own.heads().len());
        for (what, found) in [
            ("the rounds of the blocks", stored.solved_at.len()),
            (
                "the posterior",
                if stored.doubt.fits(dimensions, heads) {
                    dimensions.len()
                } else {
                    0
                },
            ),
        ] {
            if found != dimensions.len() {
                return Err(BanditError::Length {
                    what,
                    found,
                    expected: dimensions.len(),
                });
            }
        }
        let mut generation = stored.generation;
        generation.doubt = stored.doubt;
        Ok(Self {
            config: generation.config().clone(),
            sums: stored.sums,
            generation: Arc::new(generation),
            solved_at: stored.solved_at,
            fitted_at: stored.fitted_at,
            aside: stored.aside,
        })
    }
}
