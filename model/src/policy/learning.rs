//! The bandit's memory: matured rounds in, generations out.

use super::context::Context;
use super::heads::{HEADS, SPANS, observed};
use crate::bandit::{
    BanditConfig, BanditError, Generation, Layout, Learner, Round, SufficientStatistics,
};
use crate::log::{Executed, LoggedRound};
use crate::policy::catalogue::action_space;
use crate::strategy::Strategy;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What became of a round that was offered for learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// It was learnt from.
    Learnt,
    /// The advice failed for reasons that have nothing to do with the customer; counted apart.
    Failed,
    /// Its window was cut short.
    Censored,
    /// Its action is not in the catalogue any more, or its features are of another spec.
    Foreign,
}

/// What is stored of a [`Learning`]: sums and the generation published from them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LearningState {
    /// Everything learnt, as sums.
    pub sums: SufficientStatistics,
    /// The generation last published.
    pub generation: Generation,
}

/// Folds what matured, publishes what was learnt. The same rounds in the same order publish the
/// same generations, online, offline and on replay.
#[derive(Debug, Clone)]
pub struct Learning {
    learner: Learner,
    context: Context,
    strategy: Arc<Strategy>,
    fingerprint: String,
    row: Vec<f64>,
}

/// The configuration with the scale of each head, unless the company states its own.
#[must_use]
pub fn with_spans(mut config: BanditConfig) -> BanditConfig {
    if config.head_spans.is_empty() {
        config.head_spans = SPANS.to_vec();
    }
    config
}

/// The shape of what is learnt for a strategy and a context.
///
/// # Errors
/// [`BanditError`] where the catalogue is too large.
pub fn layout(strategy: &Strategy, context: &Context) -> Result<Layout, BanditError> {
    Layout::new(
        action_space(strategy)?,
        context.names().map(str::to_owned).collect(),
        HEADS.iter().map(|&head| head.to_owned()).collect(),
    )
}

impl Learning {
    /// Starts with nothing learnt, for features of the spec with this `fingerprint`.
    ///
    /// # Errors
    /// [`BanditError`] where the configuration or catalogue cannot be used.
    pub fn new(
        strategy: Arc<Strategy>,
        context: Context,
        fingerprint: impl Into<String>,
        config: BanditConfig,
    ) -> Result<Self, BanditError> {
        let layout = Arc::new(layout(&strategy, &context)?);
        let sums = SufficientStatistics::new(layout);
        let learner = Learner::new(sums, &with_spans(config), 1.0)?;
        Ok(Self {
            learner,
            context,
            strategy,
            fingerprint: fingerprint.into(),
            row: Vec::new(),
        })
    }

    /// Goes on from what was stored, if it is of the same shape and configuration.
    ///
    /// # Errors
    /// [`BanditError::ForeignSums`] where strategy or context have changed since.
    pub fn resume(mut self, state: LearningState) -> Result<Self, BanditError> {
        let (expected, found) = (
            self.learner.sums().layout().digest(),
            state.sums.layout().digest(),
        );
        if expected != found {
            return Err(BanditError::ForeignSums {
                found: found.to_string(),
                expected: expected.to_string(),
            });
        }
        self.learner = Learner::resume(state.sums, Arc::new(state.generation));
        Ok(self)
    }

    /// What to store.
    #[must_use]
    pub fn state(&self) -> LearningState {
        LearningState {
            sums: self.learner.sums().clone(),
            generation: Generation::clone(self.learner.generation()),
        }
    }

    /// Learns from one matured round.
    ///
    /// # Errors
    /// [`BanditError`] where a number lies outside what the sums can hold.
    pub fn fold(&mut self, round: &LoggedRound) -> Result<Folded, BanditError> {
        let LoggedRound { decision, outcome } = round;
        if matches!(outcome.executed, Executed::Failed { .. }) {
            return Ok(Folded::Failed);
        }
        if outcome.censored {
            return Ok(Folded::Censored);
        }
        let place = self.strategy.place(&decision.action);
        let (Some(action), true) = (place, decision.feature_fingerprint == self.fingerprint) else {
            return Ok(Folded::Foreign);
        };
        self.context.of(
            &decision.features,
            decision.payment_propensity,
            decision.churn_risk,
            &mut self.row,
        );
        self.learner.fold(&Round {
            context: &self.row,
            action,
            heads: &observed(outcome),
            weight: 1.0,
        })?;
        Ok(Folded::Learnt)
    }

    /// The generation last published.
    #[must_use]
    pub fn generation(&self) -> &Arc<Generation> {
        self.learner.generation()
    }

    /// Goes on counting publications from `number`.
    pub fn renumber(&mut self, number: u64) {
        self.learner.renumber(number);
    }

    /// Rounds learnt from.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.learner.sums().rounds()
    }

    /// Publishes the next generation, if the configured schedule says that one is due.
    ///
    /// # Errors
    /// [`BanditError`] where the sums cannot be fitted.
    pub fn refresh(&mut self) -> Result<Option<Arc<Generation>>, BanditError> {
        self.learner.refresh(1.0)
    }

    /// Publishes the next generation now.
    ///
    /// # Errors
    /// [`BanditError`] where the sums cannot be fitted.
    pub fn publish(&mut self) -> Result<Arc<Generation>, BanditError> {
        self.learner.publish(1.0)
    }
}
