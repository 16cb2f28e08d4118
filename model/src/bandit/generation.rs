//! An immutable, published fit: everything that determines a probability, bit for bit.

mod stored;

use std::collections::BTreeMap;
use std::sync::Arc;

use lagom_features::domain::Channel;
use serde::{Deserialize, Serialize};

use super::config::{BanditConfig, Refresh};
use super::digest::{Digest, DigestWriter};
use super::doubt::{BlockDoubt, Doubt};
use super::error::BanditError;
use super::evidence;
use super::explore::Rule;
use super::fit::{BlockFit, fit_block};
use super::layout::Layout;
use super::normal_equations::NormalEquations;
use super::prior::{context_variance, head_groups};
use super::recovery::Recovery;
use super::statistics::SufficientStatistics;
use stored::StoredGeneration;

/// Coefficients of one block, with the digest of their bits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BlockWeights {
    pub(super) weights: Vec<f64>,
    pub(super) whitening: Vec<f64>,
    pub(super) condition: f64,
    digest: Digest,
}

/// What a generation carries beside what was fitted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Aside {
    /// What exploring may cost in one decision, in the valuation's units; `None` where nothing caps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<f64>,
    /// What still comes in when a window has closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// What scarce channels cost beside their prices, in minor units.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub shadow_prices: BTreeMap<Channel, f64>,
    /// How far the policy may go from the explored ladder; `None` where it goes its own way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
}

/// The ladder, explored a little, from which a policy may go as far as a log could prove.
///
/// ```text
/// μ(a) = (1 − exploration) 1[a is the ladder's step] + exploration · base(a)
/// q    = μ tilted by the expected values
/// ```
/// See [`tilt`](super::explore::tilt).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Share of the base measure beside the ladder's own step, in (0, 1].
    pub exploration: f64,
    /// The advantage, in minor units, that doubles a step's chance against the explored ladder's;
    /// positive. The smaller, the farther the policy goes.
    pub tilt_minor: f64,
}

impl Anchor {
    /// Refuses numbers out of range.
    ///
    /// # Errors
    /// Names the number, its value and its range.
    pub fn check(&self) -> Result<(), BanditError> {
        let refused = |name, value, expected| {
            Err(BanditError::Parameter {
                name,
                value,
                expected,
            })
        };
        if !(self.exploration > 0.0 && self.exploration <= 1.0) {
            let value = self.exploration;
            return refused("anchor.exploration", value, "above 0 and at most 1");
        }
        if !(self.tilt_minor > 0.0 && self.tilt_minor.is_finite()) {
            return refused("anchor.tilt_minor", self.tilt_minor, "above zero");
        }
        Ok(())
    }
}

impl Aside {
    fn digest(&self, writer: &mut DigestWriter) {
        if let Some(allowance) = self.allowance {
            writer.text("allowance");
            writer.numbers(&[allowance]);
        }
        if let Some(recovery) = &self.recovery {
            recovery.digest(writer);
        }
        for (channel, &price) in &self.shadow_prices {
            writer.text("shadow price");
            writer.text(&channel.to_string());
            writer.numbers(&[price]);
        }
        if let Some(anchor) = self.anchor {
            writer.text("anchor");
            writer.numbers(&[anchor.exploration, anchor.tilt_minor]);
        }
    }
}

/// One publication of what the learner believes.
///
/// The generation, the objective's head weights, the context and the eligible set determine every
/// probability; the decision's id and the generation's digest determine the draw. Nothing else takes
/// part: no clock, no counter, no random state. Two generations of equal [`digest`](Self::digest) are
/// the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredGeneration", into = "StoredGeneration")]
pub struct Generation {
    number: u64,
    layout: Arc<Layout>,
    config: BanditConfig,
    blocks: Vec<Arc<BlockWeights>>,
    /// What the prior's penalties are multiplied with.
    shrinkage: f64,
    /// The pooled variance of a context entry at the last full fit.
    variance: f64,
    labels: f64,
    aside: Aside,
    rule: Rule,
    digest: Digest,
    pub(super) doubt: Doubt,
}

impl Generation {
    /// Fits every block afresh, looking for the prior's common factor from `start` on.
    ///
    /// `number` counts publications, `discount` is what decayed sums are multiplied with (see
    /// [`ForwardDecay`](super::ForwardDecay); 1 without decay), `start` the factor of the generation
    /// before (1 for the first). Equal arguments give an equal generation.
    ///
    /// # Errors
    /// When the configuration is out of range or a block's normal equations cannot be solved.
    pub fn fit(
        sums: &SufficientStatistics,
        config: &BanditConfig,
        number: u64,
        discount: f64,
        start: f64,
    ) -> Result<Self, BanditError> {
        let layout = Arc::clone(sums.layout());
        config.check(layout.heads().len())?;
        let variance = context_variance(sums);
        let shrinkage = evidence::shrinkage(sums, config, variance, discount, start)?;
        let empty = Self {
            number,
            config: config.clone(),
            blocks: Vec::new(),
            shrinkage,
            variance,
            labels: 0.0,
            aside: Aside::default(),
            rule: config.exploration.rule.after(0.0),
            digest: layout.digest(),
            layout,
            doubt: Doubt::default(),
        };
        let all: Vec<usize> = (0..sums.layout().dimensions().len()).collect();
        empty.refit(sums, &all, number, discount)
    }

    /// The next generation, with the coefficients of some blocks solved for again under the same prior.
    ///
    /// # Errors
    /// When the sums have another layout or a block's normal equations cannot be solved.
    pub fn refit(
        &self,
        sums: &SufficientStatistics,
        blocks: &[usize],
        number: u64,
        discount: f64,
    ) -> Result<Self, BanditError> {
        if sums.layout().digest() != self.layout.digest() {
            return Err(BanditError::ForeignSums {
                found: sums.layout().digest().to_string(),
                expected: self.layout.digest().to_string(),
            });
        }
        let mut next = self.clone();
        for &block in blocks {
            let (weights, doubt) = self.solve(sums, block, discount)?;
            let weights = Arc::new(weights);
            next.doubt.set(block, doubt);
            if block < next.blocks.len() {
                next.blocks[block] = weights;
            } else {
                next.blocks.push(weights);
            }
        }
        next.number = number;
        next.labels = discount * sums.weight();
        next.rule = self.config.exploration.rule.after(next.labels);
        next.digest = next.content_digest();
        Ok(next)
    }

    /// The same content under another number.
    #[must_use]
    pub fn numbered(&self, number: u64) -> Self {
        let mut same = self.clone();
        same.number = number;
        same.digest = same.content_digest();
        same
    }

    /// The same beliefs, beside what is known apart from them.
    #[must_use]
    pub fn beside(mut self, aside: Aside) -> Self {
        if self.aside != aside {
            self.aside = aside;
            self.digest = self.content_digest();
        }
        self
    }

    /// What is known apart from what was fitted.
    #[must_use]
    pub fn aside(&self) -> &Aside {
        &self.aside
    }

    /// What exploring may cost in one decision, in the valuation's units; `None` where nothing caps it.
    #[must_use]
    pub fn allowance(&self) -> Option<f64> {
        self.aside.allowance
    }

    /// What still comes in when a window has closed; `None` where that was not counted.
    #[must_use]
    pub fn recovery(&self) -> Option<&Recovery> {
        self.aside.recovery.as_ref()
    }

    /// What scarce channels cost beside their prices; `None` where nothing is scarce.
    #[must_use]
    pub fn shadow_prices(&self) -> Option<&BTreeMap<Channel, f64>> {
        let prices = &self.aside.shadow_prices;
        (!prices.is_empty()).then_some(prices)
    }

    /// How far the policy may go from the explored ladder; `None` where it goes its own way.
    #[must_use]
    pub fn anchor(&self) -> Option<Anchor> {
        self.aside.anchor
    }

    fn solve(
        &self,
        sums: &SufficientStatistics,
        block: usize,
        discount: f64,
    ) -> Result<(BlockWeights, BlockDoubt), BanditError> {
        let groups = head_groups(
            &self.config,
            &self.layout,
            block,
            self.variance,
            self.shrinkage,
        );
        let equations = NormalEquations::assemble(sums, block, discount);
        let BlockFit {
            weights,
            whitening,
            condition,
            posteriors,
        } = fit_block(block, &equations, &groups, self.keeps_whitening())?;
        let doubt = BlockDoubt::new(posteriors, groups, &weights, &equations);
        Ok((BlockWeights::new(weights, whitening, condition), doubt))
    }

    /// Whether scores get a bonus for what is not known yet.
    #[must_use]
    pub fn is_optimistic(&self) -> bool {
        self.config.exploration.optimism > 0.0 && !self.layout.space().is_composed()
    }

    /// Whether the inverse factor is kept, for the deviation of single scores.
    #[must_use]
    pub fn keeps_whitening(&self) -> bool {
        self.is_optimistic() || self.config.exploration.rule.asks_for_deviations()
    }

    /// Identity of how it learns and chooses, apart from what it has learnt: catalogue, context, prior and
    /// exploration. When coefficients are solved for again is no part of it.
    ///
    /// # Panics
    /// Never: a configuration is numbers and names.
    #[must_use]
    pub fn ways(&self) -> Digest {
        let config = BanditConfig {
            refresh: Refresh::default(),
            ..self.config.clone()
        };
        let config = serde_json::to_string(&config).expect("numbers and names");
        let mut writer = DigestWriter::new("lagom bandit ways 1");
        writer.bytes(self.layout.digest().as_bytes());
        writer.text(&config);
        writer.finish()
    }

    /// Which publication this is.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Identity of the content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The layout of the coefficients.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The configuration it was fitted under.
    #[must_use]
    pub fn config(&self) -> &BanditConfig {
        &self.config
    }

    /// The exploration rule with all its numbers.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Matured rounds it has learnt from, weighted and discounted.
    #[must_use]
    pub fn labels(&self) -> f64 {
        self.labels
    }

    /// The factor on the prior's penalties that the data spoke for.
    #[must_use]
    pub fn shrinkage(&self) -> f64 {
        self.shrinkage
    }

    /// The largest lower bound on the condition number over the blocks' normal equations; beyond 1e12 a
    /// solution has few digits left and the penalties should be raised.
    #[must_use]
    pub fn condition(&self) -> f64 {
        self.blocks
            .iter()
            .fold(1.0, |worst, block| block.condition.max(worst))
    }

    /// Coefficients of one head in one block.
    pub(super) fn weights(&self, block: usize, head: usize) -> &[f64] {
        let dimension = self.layout.dimensions()[block];
        &self.blocks[block].weights[head * dimension..(head + 1) * dimension]
    }

    pub(super) fn block(&self, block: usize) -> &Arc<BlockWeights> {
        &self.blocks[block]
    }

    fn content_digest(&self) -> Digest {
        let mut writer = DigestWriter::new("lagom bandit generation 1");
        writer.count(self.number as usize);
        writer.bytes(self.layout.digest().as_bytes());
        writer.text(&format!("{:?}", self.config));
        writer.text(&format!("{:?}", self.rule));
        writer.numbers(&[self.shrinkage, self.variance, self.labels]);
        writer.count(self.blocks.len());
        for block in &self.blocks {
            writer.bytes(block.digest.as_bytes());
        }
        self.aside.digest(&mut writer);
        writer.finish()
    }
}

impl BlockWeights {
    fn new(weights: Vec<f64>, whitening: Vec<f64>, condition: f64) -> Self {
        let mut writer = DigestWriter::new("lagom bandit block 1");
        writer.numbers(&weights);
        writer.numbers(&whitening);
        Self {
            digest: writer.finish(),
            weights,
            whitening,
            condition,
        }
    }
}

#[cfg(test)]
mod tests;
