//! What has been learnt, as sums.
//!
//! ```text
//! Σ w u u'        of each action, one for all heads        u = [1, x]
//! Σ w u y'        of each action, one column a head
//! ```
//! Which parts an action is made of enters only when a generation is fitted, so a fold is as cheap for a
//! structured action as for a plain one.
//!
//! The sums are fixed-point integers (see [`fixed_point`]): they merge across shards in any order, take
//! a customer out again, and rebuild from the log, always to the same bits.

mod action;
mod decay;
pub mod fixed_point;

pub use action::ActionSums;
pub use decay::ForwardDecay;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::BanditError;
use super::layout::Layout;
use fixed_point::{CEILING, FixedRound};

/// Version of the stored form of [`SufficientStatistics`].
pub const SUMS_VERSION: u32 = 1;

/// One matured decision: what was known, what was done, what came of it.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// The context at the time of the decision.
    pub context: &'a [f64],
    /// Index of the action that was taken.
    pub action: usize,
    /// What was observed of each head, in the layout's order.
    pub heads: &'a [f64],
    /// How much the round counts: decay times importance, in `(0, 262144]`.
    pub weight: f64,
}

/// The learner's state: additive, exact, and all that is needed to fit a generation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredSums", into = "StoredSums")]
pub struct SufficientStatistics {
    layout: Arc<Layout>,
    actions: Vec<ActionSums>,
    ceiling: i128,
}

/// The stored form.
#[derive(Clone, Serialize, Deserialize)]
struct StoredSums {
    version: u32,
    layout: Layout,
    actions: Vec<ActionSums>,
    ceiling: i128,
}

impl SufficientStatistics {
    /// Nothing learnt yet.
    #[must_use]
    pub fn new(layout: Arc<Layout>) -> Self {
        let empty = ActionSums::new(layout.context().len() + 1, layout.heads().len());
        Self {
            actions: vec![empty; layout.space().len()],
            layout,
            ceiling: 0,
        }
    }

    /// The layout the sums are over.
    #[must_use]
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The sums of each action.
    #[must_use]
    pub fn actions(&self) -> &[ActionSums] {
        &self.actions
    }

    /// Number of rounds held in one block of the normal equations.
    #[must_use]
    pub fn block_rounds(&self, block: usize) -> u64 {
        let actions = self.layout.actions_of(block);
        actions.map(|action| self.actions[action].rounds()).sum()
    }

    /// `Σ w` over all rounds.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.actions.iter().map(ActionSums::weight).sum()
    }

    /// Number of rounds held.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.actions.iter().map(ActionSums::rounds).sum()
    }

    /// Adds one round.
    ///
    /// # Errors
    /// When the round does not fit the layout, a number is beyond the fixed-point range, or the sums are
    /// full. The sums are then unchanged.
    pub fn fold(&mut self, round: &Round<'_>) -> Result<(), BanditError> {
        let fixed = self.fix(round)?;
        let ceiling = self
            .ceiling
            .checked_add(fixed.ceiling())
            .filter(|&ceiling| ceiling <= CEILING)
            .ok_or(BanditError::SumsFull)?;
        self.actions[round.action].add(&fixed);
        self.ceiling = ceiling;
        Ok(())
    }

    /// Takes one round out, leaving the bits of sums that never had it.
    ///
    /// # Errors
    /// As for [`fold`](Self::fold), and when no round of the action is held. That the very round was folded in before,
    /// with the same weight, is for the caller to know: sums cannot tell.
    pub fn unfold(&mut self, round: &Round<'_>) -> Result<(), BanditError> {
        let fixed = self.fix(round)?;
        let held = self.actions[round.action].rounds();
        if held == 0 {
            return Err(BanditError::ForgetsMoreThanHeld { removed: 1, held });
        }
        self.actions[round.action].subtract(&fixed);
        self.ceiling -= fixed.ceiling();
        Ok(())
    }

    /// Adds the sums of another shard.
    ///
    /// # Errors
    /// When the layouts differ or the sums would be full. These sums are then unchanged.
    pub fn merge(&mut self, other: &Self) -> Result<(), BanditError> {
        self.same_layout(other)?;
        let ceiling = self
            .ceiling
            .checked_add(other.ceiling)
            .filter(|&ceiling| ceiling <= CEILING)
            .ok_or(BanditError::SumsFull)?;
        for (own, others) in self.actions.iter_mut().zip(&other.actions) {
            own.merge(others);
        }
        self.ceiling = ceiling;
        Ok(())
    }

    /// Takes the sums of `other`, a part of these, out again: forgets a customer, a shard, a period.
    ///
    /// # Errors
    /// When the layouts differ, or `other` holds more rounds of an action than these do.
    pub fn forget(&mut self, other: &Self) -> Result<(), BanditError> {
        self.same_layout(other)?;
        for (own, others) in self.actions.iter().zip(&other.actions) {
            let (held, removed) = (own.rounds(), others.rounds());
            if removed > held {
                return Err(BanditError::ForgetsMoreThanHeld { removed, held });
            }
        }
        for (own, others) in self.actions.iter_mut().zip(&other.actions) {
            own.forget(others);
        }
        self.ceiling -= other.ceiling;
        Ok(())
    }

    fn fix(&self, round: &Round<'_>) -> Result<FixedRound, BanditError> {
        self.layout.check_context(round.context)?;
        self.layout.check_action(round.action)?;
        if round.heads.len() != self.layout.heads().len() {
            return Err(BanditError::Length {
                what: "the observed heads",
                found: round.heads.len(),
                expected: self.layout.heads().len(),
            });
        }
        FixedRound::new(round.context, round.heads, round.weight)
    }

    fn same_layout(&self, other: &Self) -> Result<(), BanditError> {
        if self.layout.digest() == other.layout.digest() {
            return Ok(());
        }
        Err(BanditError::ForeignSums {
            found: other.layout.digest().to_string(),
            expected: self.layout.digest().to_string(),
        })
    }
}

impl TryFrom<StoredSums> for SufficientStatistics {
    type Error = BanditError;

    fn try_from(stored: StoredSums) -> Result<Self, BanditError> {
        if stored.version != SUMS_VERSION {
            return Err(BanditError::FormVersion {
                what: "sums",
                found: stored.version,
                expected: SUMS_VERSION,
            });
        }
        let empty = Self::new(Arc::new(stored.layout));
        if stored.actions.len() != empty.actions.len() {
            return Err(BanditError::Length {
                what: "the list of actions",
                found: stored.actions.len(),
                expected: empty.actions.len(),
            });
        }
        for (found, expected) in stored.actions.iter().zip(&empty.actions) {
            found.check_shape(expected)?;
        }
        Ok(Self {
            actions: stored.actions,
            ceiling: stored.ceiling,
            ..empty
        })
    }
}

impl From<SufficientStatistics> for StoredSums {
    fn from(sums: SufficientStatistics) -> Self {
        Self {
            version: SUMS_VERSION,
            layout: Layout::clone(&sums.layout),
            actions: sums.actions,
            ceiling: sums.ceiling,
        }
    }
}

#[cfg(test)]
mod tests;
