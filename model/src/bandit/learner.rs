//! The loop: fold matured rounds, publish a generation when one is due.

use std::sync::Arc;

use super::config::BanditConfig;
use super::error::BanditError;
use super::generation::Generation;
use super::statistics::{Round, SufficientStatistics};

/// Sums, the generation last published from them, and what has come since.
///
/// The same rounds in the same order publish the same generations: offline, online and on replay.
#[derive(Debug, Clone)]
pub struct Learner {
    sums: SufficientStatistics,
    config: BanditConfig,
    generation: Arc<Generation>,
    solved_at: Vec<u64>,
    shrinkage_at: u64,
}

impl Learner {
    /// Starts from sums: empty, merged from shards, or warm from logged history.
    ///
    /// # Errors
    /// When the configuration is out of range or the sums cannot be fitted.
    pub fn new(
        sums: SufficientStatistics,
        config: BanditConfig,
        discount: f64,
    ) -> Result<Self, BanditError> {
        let generation = Generation::fit(&sums, &config, 0, discount, 1.0)?;
        Ok(Self::resume(sums, Arc::new(generation)))
    }

    /// Goes on from sums and the generation that was published from them.
    #[must_use]
    pub fn resume(sums: SufficientStatistics, generation: Arc<Generation>) -> Self {
        Self {
            config: generation.config().clone(),
            solved_at: sums.blocks().iter().map(|block| block.rounds()).collect(),
            shrinkage_at: sums.rounds(),
            sums,
            generation,
        }
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
        self.sums.fold(round).map(|_| ())
    }

    /// Publishes the next generation if one is due under the configured schedule.
    ///
    /// # Errors
    /// As for [`Generation::fit`].
    pub fn refresh(&mut self, discount: f64) -> Result<Option<Arc<Generation>>, BanditError> {
        let rounds = self.sums.rounds();
        let search = self.config.shrinkage;
        let searched = self.shrinkage_at.max(search.from_rounds) as f64;
        let since = rounds as f64 - self.shrinkage_at as f64;
        let search_due = search.spread > 0.0
            && rounds >= search.from_rounds
            && (self.shrinkage_at < search.from_rounds || since >= search.every_growth * searched);
        if search_due {
            return self.publish(discount).map(Some);
        }
        let blocks = self.sums.blocks();
        let due: Vec<usize> = (0..blocks.len())
            .filter(|&block| {
                let solved_at = self.solved_at[block];
                let since = blocks[block].rounds().saturating_sub(solved_at);
                let dimension = blocks[block].dimension();
                self.config.refresh.is_due(dimension, solved_at, since)
            })
            .collect();
        if due.is_empty() {
            return Ok(None);
        }
        let number = self.generation.number() + 1;
        let next = self.generation.refit(&self.sums, &due, number, discount)?;
        for block in due {
            self.solved_at[block] = self.sums.blocks()[block].rounds();
        }
        self.generation = Arc::new(next);
        Ok(Some(Arc::clone(&self.generation)))
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
        self.generation = Arc::new(next);
        self.shrinkage_at = self.sums.rounds();
        self.solved_at = self
            .sums
            .blocks()
            .iter()
            .map(|block| block.rounds())
            .collect();
        Ok(Arc::clone(&self.generation))
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

#[cfg(test)]
mod tests;
