//! The stored form of a generation.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Aside, BlockWeights, Generation};
use crate::bandit::config::BanditConfig;
use crate::bandit::digest::Digest;
use crate::bandit::doubt::Doubt;
use crate::bandit::error::BanditError;
use crate::bandit::layout::Layout;

/// Version of the stored form of [`Generation`].
pub(super) const GENERATION_VERSION: u32 = 1;

/// What is written of a generation; on reading, the digest proves that nothing changed on the way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredGeneration {
    version: u32,
    number: u64,
    digest: Digest,
    layout: Layout,
    config: BanditConfig,
    shrinkage: f64,
    variance: f64,
    labels: f64,
    #[serde(flatten)]
    aside: Aside,
    blocks: Vec<StoredBlock>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredBlock {
    weights: Vec<f64>,
    whitening: Vec<f64>,
    condition: f64,
}

impl TryFrom<StoredGeneration> for Generation {
    type Error = BanditError;

    fn try_from(stored: StoredGeneration) -> Result<Self, BanditError> {
        if stored.version != GENERATION_VERSION {
            return Err(BanditError::FormVersion {
                what: "generation",
                found: stored.version,
                expected: GENERATION_VERSION,
            });
        }
        stored.config.check(stored.layout.heads().len())?;
        if let Some(anchor) = stored.aside.anchor {
            anchor.check()?;
        }
        let mut generation = Self {
            number: stored.number,
            digest: stored.digest,
            rule: stored.config.exploration.rule.after(stored.labels),
            layout: Arc::new(stored.layout),
            config: stored.config,
            shrinkage: stored.shrinkage,
            variance: stored.variance,
            labels: stored.labels,
            aside: stored.aside,
            blocks: stored.blocks.into_iter().map(revive).collect(),
            doubt: Doubt::default(),
        };
        generation.check_shape()?;
        generation.digest = generation.content_digest();
        if generation.digest != stored.digest {
            return Err(BanditError::Altered {
                found: generation.digest.to_string(),
                expected: stored.digest.to_string(),
            });
        }
        Ok(generation)
    }
}

fn revive(block: StoredBlock) -> Arc<BlockWeights> {
    let StoredBlock {
        weights,
        whitening,
        condition,
    } = block;
    Arc::new(BlockWeights::new(weights, whitening, condition))
}

impl Generation {
    fn check_shape(&self) -> Result<(), BanditError> {
        let length = |what, found, expected| {
            if found == expected {
                return Ok(());
            }
            Err(BanditError::Length {
                what,
                found,
                expected,
            })
        };
        let dimensions = self.layout.dimensions();
        length("the list of blocks", self.blocks.len(), dimensions.len())?;
        for (block, &dimension) in self.blocks.iter().zip(dimensions) {
            let weights = dimension * self.layout.heads().len();
            length("a block's weights", block.weights.len(), weights)?;
            let rows = if self.keeps_whitening() {
                dimension * (dimension + 1) / 2
            } else {
                0
            };
            length("a block's whitening", block.whitening.len(), rows)?;
        }
        Ok(())
    }
}

impl From<Generation> for StoredGeneration {
    fn from(generation: Generation) -> Self {
        let store = |block: &Arc<BlockWeights>| StoredBlock {
            weights: block.weights.clone(),
            whitening: block.whitening.clone(),
            condition: block.condition,
        };
        Self {
            version: GENERATION_VERSION,
            number: generation.number,
            digest: generation.digest,
            blocks: generation.blocks.iter().map(store).collect(),
            layout: Layout::clone(&generation.layout),
            config: generation.config,
            shrinkage: generation.shrinkage,
            variance: generation.variance,
            labels: generation.labels,
            aside: generation.aside,
        }
    }
}
