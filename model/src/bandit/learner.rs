//! The loop: fold matured rounds, publish a generation when one is due.

mod stored;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::config::BanditConfig;
use super::error::BanditError;
use super::generation::{Aside, Generation};
use super::prior::Shrinkage;
use super::statistics::{Round, SufficientStatistics};
use stored::StoredLearner;

/// Sums, the generation last published from them, and what has come since.
///
/// The same rounds in the same order publish the same generations: offline, online, on replay, and by
/// one that was stored and read back in between.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "StoredLearner", into = "StoredLearner")]
pub struct Learner {
    sums: SufficientStatistics,
    config: BanditConfig,
    generation: Arc<Generation>,
    solved_at: Vec<u64>,
    /// Rounds at the last full fit.
    fitted_at: u64,
    /// What the generations to come carry.
    aside: Aside,
}

impl Learner {
    /// Starts from sums: empty, merged from shards, or warm from logged history.
    ///
    /// # Errors
    /// When the configuration is out of range or the sums cannot be fitted.
    pub fn new(
        sums: SufficientStatistics,
        config: &BanditConfig,
        discount: f64,
    ) -> Result<Self, BanditError> {
        let generation = Generation::fit(&sums, config, 0, discount, 1.0)?;
        Ok(Self::resume(sums, Arc::new(generation)))
    }

    /// Goes on from sums and the generation that was published from them.
    #[must_use]
    pub fn resume(sums: SufficientStatistics, generation: Arc<Generation>) -> Self {
        Self {
            config: generation.config().clone(),
            solved_at: block_rounds(&sums),
            fitted_at: sums.rounds(),
            aside: generation.aside().clone(),
            sums,
            generation,
        }
    }

    fn completed(&self, fit: Generation) -> Arc<Generation> {
        Arc::new(fit.beside(self.aside.clone()))
    }

    /// Lets the generation last published carry `aside` too; nobody must have decided by it yet, since a
    /// number is never used for two contents.
    pub fn amend(&mut self, aside: Aside) -> Arc<Generation> {
        self.aside = aside;
        self.generation = self.completed(Generation::clone(&self.generation));
        Arc::clone(&self.generation)
    }

    /// The sums.
    #[must_use]
    pub fn sums(&self) -> &SufficientStatistics {
        &self.sums
    }

    /// The generation last published.
    #[must_use]
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Folds one matured round in. That it is matured is the caller's business: a round learnt before
    /// its window has closed teaches that late payers never pay.
    ///
    /// # Errors
    /// As for [`SufficientStatistics::fold`].
    pub fn fold(&mut self, round: &Round<'_>) -> Result<(), BanditError> {
        self.sums.fold(round)
    }

    /// Publishes the next generation if one is due under the configured schedule.
    ///
    /// # Errors
    /// As for [`Generation::fit`].
    pub fn refresh(&mut self, discount: f64) -> Result<Option<Arc<Generation>>, BanditError> {
        if self.is_full_fit_due() {
            return self.publish(discount).map(Some);
        }
        let held = block_rounds(&self.sums);
        let layout = self.sums.layout();
        let dimensions = layout.dimensions();
        let factorisations = self.config.factorisations(layout.heads().len());
        let due: Vec<usize> = (0..held.len())
            .filter(|&block| {
                let solved_at = self.solved_at[block];
                let since = held[block].saturating_sub(solved_at);
                let refresh = self.config.refresh;
                refresh.is_due(dimensions[block], factorisations, solved_at, since)
            })
            .collect();
        if due.is_empty() {
            return Ok(None);
        }
        let number = self.generation.number() + 1;
        let next = self.generation.refit(&self.sums, &due, number, discount)?;
        for block in due {
            self.solved_at[block] = held[block];
        }
        self.generation = self.completed(next);
        Ok(Some(Arc::clone(&self.generation)))
    }

    /// Whether the rounds have multiplied enough to look again at the prior: its common factor and the
    /// spread of the context.
    fn is_full_fit_due(&self) -> bool {
        let Shrinkage {
            from_rounds,
            every_growth,
            ..
        } = self.config.shrinkage;
        let rounds = self.sums.rounds();
        let grown = rounds.saturating_sub(self.fitted_at) as f64;
        let first = self.fitted_at < from_rounds && rounds >= from_rounds;
        first || (rounds > from_rounds && grown >= every_growth * self.fitted_at as f64)
    }

    /// Publishes a full fit now, due or not: after a merge, after somebody was forgotten, at the end of a
    /// nightly run.
    ///
    /// # Errors
    /// As for [`Generation::fit`].
    pub fn publish(&mut self, discount: f64) -> Result<Arc<Generation>, BanditError> {
        let number = self.generation.number() + 1;
        let start = self.generation.shrinkage();
        let next = Generation::fit(&self.sums, &self.config, number, discount, start)?;
        self.generation = self.completed(next);
        self.fitted_at = self.sums.rounds();
        self.solved_at = block_rounds(&self.sums);
        Ok(Arc::clone(&self.generation))
    }

    /// Says what the generations to come carry beside what is fitted.
    pub fn carry(&mut self, aside: Aside) {
        self.aside = aside;
    }

    /// What they carry.
    #[must_use]
    pub fn aside(&self) -> &Aside {
        &self.aside
    }

    /// Goes on counting from `number`: the generation last published is the same under that number.
    ///
    /// A number is never used for two contents, so a learner that was rebuilt under another
    /// configuration takes the number after the last that was ever published.
    pub fn renumber(&mut self, number: u64) {
        self.generation = Arc::new(self.generation.numbered(number));
    }

    /// Adds the sums of another shard; [`publish`](Self::publish) makes them count.
    ///
    /// # Errors
    /// As for [`SufficientStatistics::merge`].
    pub fn merge(&mut self, shard: &SufficientStatistics) -> Result<(), BanditError> {
        self.sums.merge(shard)
    }

    /// Takes out a part of the sums; [`publish`](Self::publish) makes it count.
    ///
    /// # Errors
    /// As for [`SufficientStatistics::forget`].
    pub fn forget(&mut self, part: &SufficientStatistics) -> Result<(), BanditError> {
        self.sums.forget(part)
    }
}

/// Rounds held in each block.
fn block_rounds(sums: &SufficientStatistics) -> Vec<u64> {
    let blocks = 0..sums.layout().dimensions().len();
    blocks.map(|block| sums.block_rounds(block)).collect()
}

#[cfg(test)]
mod tests;
