//! From a log to a running engine: one scan rebuilds histories, reservations, what is pending and
//! what was learnt.

mod rebuild;

use super::arms::Arms;
use super::change::Learnt;
use super::everybody::Everybody;
use super::explained::Recent;
use super::phases::Phases;
use super::pressure::{self, Pressure};
use super::ways::Unproven;
use super::{Engine, Live};
use crate::clock::Clock;
use crate::config::Config;
use crate::kept::{self, Keeper};
use crate::learner::{Lesson, Pending, Request, publication};
use crate::metrics::Metrics;
use crate::store::{Catalogue, Entry, PolicyChange, Store, StoreError};
use arc_swap::ArcSwap;
use lagom_features::History;
use lagom_features::domain::{CustomerId, Timestamp};
use lagom_model::bandit::{BanditError, Generation};
use lagom_model::decide::{Predictor, Snapshot, SnapshotError};
use lagom_model::policy::learning::Learning;
use rebuild::Rebuild;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};
use thiserror::Error;
use tokio::sync::mpsc;

/// Reloads and erasures that may wait for the learner.
const REQUESTS: usize = 16;

/// Why an engine cannot start.
#[derive(Debug, Clone, Error)]
pub enum BootError {
    /// The log cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bandit cannot start from its configuration.
    #[error("[bandit]: {0}")]
    Bandit(#[from] BanditError),
    /// The parts do not fit together.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Other ways of the bandit that nothing speaks for.
    #[error(transparent)]
    Unproven(#[from] Unproven),
}

/// An engine, and what its learner has learnt so far.
#[derive(Debug)]
pub struct Booted {
    /// The engine.
    pub engine: Arc<Engine>,
    pub(crate) learning: Learning,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) lessons: mpsc::UnboundedReceiver<Lesson>,
}

impl Engine {
    /// Reads the whole log, checks it, and goes on from its end.
    ///
    /// # Errors
    /// [`BootError`].
    pub async fn boot(
        config: &Config,
        store: Arc<dyn Store>,
        model: Option<Arc<dyn Predictor>>,
    ) -> Result<Booted, BootError> {
        let mut anew = false;
        loop {
            match Self::boot_once(config, Arc::clone(&store), model.clone()).await {
                // Somebody was erased after the log was read.
                Err(BootError::Store(StoreError::Overtaken)) => {}
                // Somebody of whom the log says more cannot be read where he was kept.
                Err(BootError::Store(StoreError::State { reason })) if !anew => {
                    tracing::warn!(
                        reason,
                        "what was kept beside the log is damaged and made anew"
                    );
                    anew = true;
                    if let Some(log) = store.own() {
                        kept::remove(log)?;
                    }
                }
                done => return done,
            }
        }
    }

    async fn boot_once(
        config: &Config,
        store: Arc<dyn Store>,
        model: Option<Arc<dyn Predictor>>,
    ) -> Result<Booted, BootError> {
        let tenant = config.tenant.clone();
        let mut opened = store.own().and_then(|log| kept::start(config, log));
        let start = opened.as_mut().and_then(|opened| opened.start.as_mut());
        let known = start.as_ref().map_or(0, |start| start.customers);
        let mut rebuild = Rebuild::from(config, start)?;
        let last = rebuild.read(&*store)?;
        if let Some(shared) = store.shared() {
            shared.took_all(last);
        }
        let keeper = match opened.zip(store.own()) {
            Some((opened, log)) => Some(opened.keeper(config, rebuild.begin_keeping(log, last)?)),
            None => None,
        };
        let (snapshot, arms) = rebuild.begin(config, &model, &*store).await?;
        let generation = Arc::clone(&snapshot.parts().generation);
        let pending = Pending::new(config.learning.window_days, config.learning.grace_hours);
        for (id, at) in &rebuild.pending {
            pending.add_made(id, *at);
        }
        let reader = keeper.as_ref().and_then(Keeper::reader);
        let customers = rebuild.customers(reader.map(|reader| (reader, known)))?;
        tracing::info!(
            customers = customers.len(),
            in_memory = customers.held(),
            pending = pending.len(),
            generation = generation.number(),
            records = last,
            read = last - rebuild.after.min(last),
            "the log is read"
        );
        let (requests, received) = mpsc::channel(REQUESTS);
        let (lessons, taught) = mpsc::unbounded_channel();
        let engine = Self {
            tenant,
            store,
            clock: Clock::new(config.clock, rebuild.house.last),
            customers: Arc::new(customers),
            everybody: Everybody::default(),
            keeper: keeper.map(Arc::new),
            unread: rebuild.after > 0,
            live: ArcSwap::from_pointee(Live {
                since: SystemTime::now(),
                degraded: Arc::new(snapshot.with_stand_in(pressure::REASON)),
                snapshot: Arc::new(snapshot),
                experiments: Arc::new(config.experiments.clone()),
                arms,
                trial: None,
            }),
            config: ArcSwap::from_pointee(config.clone()),
            requests,
            lessons,
            catching_up: tokio::sync::Mutex::default(),
            pending,
            metrics: Metrics::default(),
            pressure: Pressure::new(Instant::now()),
            policy: Mutex::new(rebuild.house.policy),
            phases: Phases::new(rebuild.house.phases),
            recent: Recent::starting_with(generation),
            rollout: Mutex::new(rebuild.rollout),
            following: tokio::sync::Mutex::default(),
        };
        Ok(Booted {
            engine: Arc::new(engine),
            learning: rebuild.learnt.learning,
            requests: received,
            lessons: taught,
        })
    }

    /// Decides by a later generation from now on.
    pub(crate) fn publish(&self, generation: &Arc<Generation>) {
        self.recent.remember(generation);
        self.swap(|snapshot| {
            let next = snapshot.with_generation(Arc::clone(generation));
            next.unwrap_or_else(|error| {
                // The learner was made for this strategy and context; another shape is a bug.
                tracing::error!(%error, "a generation does not fit; the last one decides on");
                snapshot.clone()
            })
        });
    }

    /// Looks at a customer's history.
    pub(crate) async fn with_history<T>(
        &self,
        id: &CustomerId,
        look: impl FnOnce(&History) -> T,
    ) -> Option<T> {
        let customer = self.customers.get(id).ok()??;
        let state = customer.lock().await;
        Some(look(&state.history))
    }
}

/// The snapshot that a configuration and what was trained and learnt make.
pub(super) fn snapshot(
    config: &Config,
    model: Option<Arc<dyn Predictor>>,
    generation: Arc<Generation>,
    policy: Option<&PolicyChange>,
) -> Result<Snapshot, SnapshotError> {
    let snapshot = Snapshot::new(config.parts(model, generation))?;
    Ok(snapshot.with_paused(policy.is_some_and(|change| change.paused)))
}

/// The catalogues and the generation are in the log before anything is decided by them.
pub(super) async fn announce(
    store: &dyn Store,
    (snapshot, arms): (&Snapshot, &Arms),
    learnt: &Learnt,
    at: Timestamp,
) -> Result<(), StoreError> {
    for strategy in [snapshot.strategy()].into_iter().chain(arms.strategies()) {
        let catalogue = Arc::new(Catalogue::of(strategy));
        match store.append(vec![Entry::Catalogue(catalogue)]).await {
            Ok(()) | Err(StoreError::Duplicate { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let generation = &snapshot.parts().generation;
    let now = publication(generation, learnt.learning.rounds(), &learnt.isolated, at);
    let said = learnt
        .published
        .as_ref()
        .is_some_and(|last| last.state == now.state && last.excluded == now.excluded);
    if !said {
        store.append(vec![Entry::Published(now)]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod damaged;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod watched;
