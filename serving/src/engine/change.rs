//! Changes while the server runs: another model, another configuration. A change is checked whole,
//! written down where the log must know of it, and then swapped in whole; a bad one changes
//! nothing.

use super::arms::Arms;
use super::boot::{announce, snapshot};
use super::ways::{self, Unproven};
use super::{Engine, Live};
use crate::config::Config;
use crate::learner::{Request, close, opened, publication};
use crate::registry;
use crate::store::{Depth, Entry, Publication, Store, StoreError};
use lagom_features::domain::DecisionId;
use lagom_model::bandit::{BanditError, Generation};
use lagom_model::decide::{Predictor, SnapshotError};
use lagom_model::log::Decision;
use lagom_model::policy::learning::{Learning, OpenRound};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::oneshot;

/// Why a change was refused; what was in force before still is.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// What cannot change under a running server.
    #[error("{0} cannot change while the server runs; restart it")]
    Fixed(&'static str),
    /// The parts do not fit together.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The bandit cannot start from its configuration.
    #[error("[bandit]: {0}")]
    Bandit(#[from] BanditError),
    /// The log cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Other ways of the bandit that nothing speaks for.
    #[error(transparent)]
    Unproven(#[from] Unproven),
    /// The server is draining.
    #[error("the server is ending")]
    Ending,
}

/// What the learner knows after reading a log.
#[derive(Debug, Clone)]
pub(crate) struct Learnt {
    pub(super) learning: Learning,
    pub(super) published: Option<Publication>,
    /// Experiments from whose customers nothing is learnt.
    pub(super) isolated: Vec<String>,
    /// The last record up to which everything was learnt.
    pub(crate) upto: i64,
    /// Rounds whose windows have not closed, where they are held; others are looked for. One of whose
    /// outcome nothing will be learnt is there too, without a round.
    open: Option<HashMap<DecisionId, Option<OpenRound>>>,
}

/// Looks for a decision that is not held.
pub(crate) type Find<'a> = &'a dyn Fn(&DecisionId) -> Result<Option<Decision>, StoreError>;

impl Learnt {
    pub(crate) fn nothing(config: &Config) -> Result<Self, BanditError> {
        let learning = config.nothing_learnt(config.spec.fingerprint())?;
        Ok(Self {
            learning: warm(learning, &config.models),
            published: None,
            isolated: config.experiments.isolated(),
            upto: 0,
            open: Some(HashMap::new()),
        })
    }

    /// The same, which looks for decisions instead of holding their rounds.
    pub(crate) fn unheld(&self) -> Self {
        Self {
            learning: self.learning.clone(),
            published: self.published.clone(),
            isolated: self.isolated.clone(),
            upto: self.upto,
            open: None,
        }
    }

    pub(crate) fn take(&mut self, entry: &Entry, find: Find<'_>) -> Result<(), StoreError> {
        match entry {
            Entry::Decided(one) => {
                if let Some(open) = &mut self.open {
                    let round = opened(&self.learning, &self.isolated, one);
                    open.insert(one.decision_id.clone(), round);
                }
            }
            Entry::Matured(outcome) => {
                let id = &outcome.decision_id;
                let held = self.open.as_mut().and_then(|open| open.remove(id));
                let round = match held {
                    Some(round) => round,
                    None => find(id)?.and_then(|one| opened(&self.learning, &self.isolated, &one)),
                };
                if let Some(round) = round {
                    close(&mut self.learning, &round, outcome);
                }
            }
            Entry::Published(one) => self.published = Some(one.clone()),
            _ => {}
        }
        Ok(())
    }

    /// What was rebuilt is what was published last, if nothing but its number differs; otherwise
    /// the configuration or the log has changed since, and it takes the next number.
    pub(super) fn number_after_the_last(&mut self) {
        let Some(last) = &self.published else {
            return;
        };
        self.learning.renumber(last.generation);
        let generation = self.learning.generation();
        let rebuilt = publication(generation, last.outcomes, &self.isolated, last.published_at);
        if rebuilt.state != last.state {
            tracing::info!(
                last = last.generation,
                "what was learnt differs from what was published; it takes the next number"
            );
            self.learning.renumber(last.generation + 1);
        }
    }
}

/// Learning that starts from the history that the version in force was trained on, where it has any.
/// What cannot be used is said and left: a policy that begins cold is slower, not wrong.
fn warm(learning: Learning, models: &Path) -> Learning {
    let started = match registry::warm_start(models) {
        Ok(None) => return learning,
        Ok(Some(warm)) => learning.clone().start_from(warm),
        Err(error) => {
            tracing::warn!(%error, "the policy begins without history");
            return learning;
        }
    };
    match started {
        Ok(warm) => {
            tracing::info!(rounds = warm.rounds(), "the policy begins with history");
            warm
        }
        Err(error) => {
            tracing::warn!(%error, "the policy begins without history");
            learning
        }
    }
}

/// Learns the whole log anew under a configuration.
pub(crate) fn relearn(store: &dyn Store, config: &Config) -> Result<Learnt, ChangeError> {
    let mut learnt = Learnt::nothing(config)?;
    learnt.upto = store.scan_to(Depth::Choice, &mut |_, entry| {
        learnt.take(&entry, &|_| Ok(None))
    })?;
    learnt.number_after_the_last();
    ways::check(&learnt, config)?;
    Ok(learnt)
}

impl Learnt {
    /// What the learner goes on with.
    pub(crate) fn into_learning(self) -> (Learning, Vec<String>) {
        (self.learning, self.isolated)
    }

    /// The generation, if it is what was published last, to the bit.
    pub(crate) fn published(&self) -> Option<&Arc<Generation>> {
        let generation = self.learning.generation();
        let last = self.published.as_ref()?;
        let at = last.published_at;
        let own = publication(generation, last.outcomes, &self.isolated, at);
        (own.state == last.state).then_some(generation)
    }
}

impl Engine {
    /// Whether `model` can decide here.
    ///
    /// # Errors
    /// [`ChangeError::Snapshot`] where it reads other features than those in force.
    pub fn fits(&self, model: Option<Arc<dyn Predictor>>) -> Result<(), ChangeError> {
        self.snapshot().with_model(model)?;
        Ok(())
    }

    /// Decides with `model` from now on.
    ///
    /// # Errors
    /// [`ChangeError::Snapshot`] where it reads other features than those in force.
    pub fn adopt(&self, model: Option<&Arc<dyn Predictor>>) -> Result<(), ChangeError> {
        self.fits(model.cloned())?;
        self.swap(|snapshot| {
            let next = snapshot.with_model(model.cloned());
            next.unwrap_or_else(|error| {
                // Checked above; the features have changed in between.
                tracing::error!(%error, "a model does not fit; the last one decides on");
                snapshot.clone()
            })
        });
        Ok(())
    }

    /// Decides by `config` from now on: objective, strategy, guardrails, features, bandit and
    /// experiments. What was learnt is learnt anew from the log where its shape changes.
    ///
    /// # Errors
    /// [`ChangeError`]; the last configuration decides on.
    pub async fn reconfigure(&self, config: Config) -> Result<(), ChangeError> {
        config.replaces(&self.config.load())?;
        let (done, answer) = oneshot::channel();
        let request = Request::Reconfigure(Box::new(config), done);
        self.requests
            .send(request)
            .await
            .map_err(|_| ChangeError::Ending)?;
        answer.await.map_err(|_| ChangeError::Ending)?
    }

    /// Has the learner begin again from the history of the version that is in force now, as a start
    /// would; whoever does not lead learns it from the log.
    pub(super) fn learn_anew(&self) {
        if let Err(error) = self.requests.try_send(Request::BeginAgain) {
            tracing::warn!(%error, "the history of the new version is learnt at the next start only");
        }
    }

    /// Called by the learner between two outcomes: `learnt` was learnt from the whole log.
    pub(crate) async fn put_in_force(
        &self,
        config: Config,
        learnt: &Learnt,
    ) -> Result<(), ChangeError> {
        let generation = Arc::clone(learnt.learning.generation());
        let policy = self.policy_change();
        let model = self.snapshot().parts().model.clone();
        let next = snapshot(&config, model, generation, policy.as_ref())?;
        let arms = Arms::of::<ChangeError>(&config, &next)?;
        announce(&*self.store, (&next, &arms), learnt, self.clock.now()).await?;
        self.add_up_now(&config.spec).await;
        self.live.rcu(|live| {
            // A model or a pause that came in meanwhile stays.
            let parts = live.snapshot.parts();
            let fitted = next.with_model(parts.model.clone());
            let fitted = fitted.unwrap_or_else(|_| next.clone());
            let next = live.with(fitted.with_paused(parts.paused));
            Arc::new(Live {
                experiments: Arc::new(config.experiments.clone()),
                arms: arms.beside(&next.snapshot),
                ..next
            })
        });
        self.rollout()
            .respecify(config.rollout, &config.experiments);
        if let Some(keeper) = &self.keeper {
            keeper.relearnt(&config, learnt);
        }
        self.config.store(Arc::new(config));
        self.phases.unsettle();
        Ok(())
    }
}
