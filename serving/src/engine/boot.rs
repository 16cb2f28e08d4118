//! From a log to a running engine: one scan rebuilds histories, reservations, what is pending and
//! what was learnt.

use super::change::Learnt;
use super::explained::Recent;
use super::phases::Phases;
use super::{Engine, Live};
use crate::clock::Clock;
use crate::config::Config;
use crate::customers::Customers;
use crate::experiment::{Assignment, Phase};
use crate::learner::{Lesson, Pending, Request, publication};
use crate::metrics::Metrics;
use crate::recording::Recording;
use crate::rollout::Rollout;
use crate::store::{Entry, PolicyChange, Reservation, Shared, Store, StoreError};
use arc_swap::ArcSwap;
use lagom_features::History;
use lagom_features::domain::{CustomerId, Timestamp};
use lagom_model::bandit::{BanditError, Generation};
use lagom_model::decide::{Predictor, Snapshot, SnapshotError};
use lagom_model::policy::learning::Learning;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use thiserror::Error;
use tokio::sync::mpsc;

/// Reloads and erasures that may wait for the learner.
const REQUESTS: usize = 16;
/// How often those who start at once may take over from each other.
const STARTS: usize = 50;

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

/// What the scan gathers.
struct Rebuild {
    customers: HashMap<CustomerId, Vec<Recording>>,
    stamps: HashMap<CustomerId, Timestamp>,
    reservations: Vec<Reservation>,
    assignments: Vec<Assignment>,
    phases: Vec<Phase>,
    learnt: Learnt,
    policy: Option<PolicyChange>,
    rollout: Rollout,
    last: Timestamp,
}

impl Rebuild {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Recorded(one) => {
                self.last = self.last.max(one.recorded_at);
                self.rollout.recorded(&one);
                let records = self.customers.entry(one.customer_id().clone()).or_default();
                records.push(*one);
            }
            Entry::Decided(one) => {
                self.passed(&one.customer_id, one.decided_at);
                self.rollout.decided(&one);
                self.learnt.take(Entry::Decided(one));
            }
            Entry::Reserved(one) => {
                self.passed(&one.customer_id, one.reserved_at);
                self.reservations.push(one);
            }
            Entry::Policy(one) => {
                self.rollout.watch_anew();
                self.policy = Some(one);
            }
            Entry::Assigned(one) => self.assignments.push(one),
            Entry::Phase(one) => self.phases.push(*one),
            Entry::Shadowed(_) => {}
            Entry::Staged(one) => {
                self.last = self.last.max(one.at);
                self.rollout.staged(*one);
            }
            Entry::Matured(one) => {
                self.rollout.matured(&one);
                self.learnt.take(Entry::Matured(one));
            }
            other => self.learnt.take(other),
        }
    }

    fn passed(&mut self, id: &CustomerId, at: Timestamp) {
        self.last = self.last.max(at);
        let stamp = self.stamps.entry(id.clone()).or_insert(at);
        *stamp = at.max(*stamp);
    }

    /// What decides first, with its generation in the log. Whoever starts takes over learning: so the
    /// newest configuration is the one that learns.
    async fn begin(
        &mut self,
        config: &Config,
        model: &Option<Arc<dyn Predictor>>,
        store: &dyn Store,
    ) -> Result<Snapshot, BootError> {
        let mut tries = 0;
        loop {
            if let Some(shared) = store.shared() {
                shared.lead(true).await?;
                self.catch_up(shared).await?;
            }
            self.learnt.number_after_the_last();
            let generation = Arc::clone(self.learnt.learning.generation());
            let next = snapshot(config, model.clone(), generation, self.policy.as_ref())?;
            match announce(store, &next, &self.learnt, self.last).await {
                Ok(()) => return Ok(next),
                // Another one that starts has taken over in between.
                Err(StoreError::NotLeading) if tries < STARTS => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn catch_up(&mut self, shared: &dyn Shared) -> Result<(), StoreError> {
        loop {
            let news = shared.news().await?;
            if news.is_empty() {
                return Ok(());
            }
            for (seq, entry) in news {
                shared.took(seq);
                if matches!(entry, Entry::Forgotten { .. }) {
                    return Err(StoreError::Overtaken);
                }
                self.take(entry);
            }
        }
    }

    fn customers(&mut self) -> Customers {
        let customers = Customers::new();
        let change =
            |id: &CustomerId, change: &mut dyn FnMut(&mut crate::customers::CustomerState)| {
                let customer = customers.get_or_insert(id);
                // Nobody else knows of these customers yet.
                if let Ok(mut state) = customer.try_lock() {
                    change(&mut state);
                }
            };
        for (id, records) in self.customers.drain() {
            let mut records = Some(records);
            change(&id, &mut |state| {
                state.rebuild(records.take().unwrap_or_default());
            });
        }
        for (id, at) in &self.stamps {
            change(id, &mut |state| state.passed(*at));
        }
        for one in &self.reservations {
            change(&one.customer_id, &mut |state| {
                state.reservations.push(one.clone());
            });
        }
        for one in self.assignments.drain(..) {
            let id = one.customer_id.clone();
            change(&id, &mut |state| state.assignments.push(one.clone()));
        }
        customers
    }
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
        loop {
            match Self::boot_once(config, Arc::clone(&store), model.clone()).await {
                // Somebody was erased after the log was read.
                Err(BootError::Store(StoreError::Overtaken)) => {}
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
        let mut rebuild = Rebuild {
            customers: HashMap::new(),
            stamps: HashMap::new(),
            reservations: Vec::new(),
            assignments: Vec::new(),
            phases: Vec::new(),
            learnt: Learnt::nothing(config)?,
            policy: None,
            rollout: Rollout::new(config.rollout, &config.experiments),
            last: Timestamp::MIN,
        };
        let last = store.scan(&mut |_, entry| {
            rebuild.take(entry);
            Ok(())
        })?;
        if let Some(shared) = store.shared() {
            shared.took_all(last);
        }
        let snapshot = rebuild.begin(config, &model, &*store).await?;
        let generation = Arc::clone(&snapshot.parts().generation);
        let pending = Pending::new(config.learning.window_days, config.learning.grace_hours);
        rebuild
            .learnt
            .open
            .values()
            .for_each(|decision| pending.add(decision));
        let customers = rebuild.customers();
        tracing::info!(
            customers = customers.len(),
            pending = pending.len(),
            generation = generation.number(),
            "the log is read"
        );
        let (requests, received) = mpsc::channel(REQUESTS);
        let (lessons, taught) = mpsc::unbounded_channel();
        let engine = Self {
            tenant,
            store,
            clock: Clock::new(config.clock, rebuild.last),
            customers,
            live: ArcSwap::from_pointee(Live {
                since: SystemTime::now(),
                snapshot: Arc::new(snapshot),
                experiments: Arc::new(config.experiments.clone()),
                trial: None,
            }),
            config: ArcSwap::from_pointee(config.clone()),
            requests,
            lessons,
            catching_up: tokio::sync::Mutex::default(),
            pending,
            metrics: Metrics::default(),
            policy: Mutex::new(rebuild.policy),
            phases: Phases::new(rebuild.phases),
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
        let customer = self.customers.get(id)?;
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

/// The catalogue and the generation are in the log before anything is decided by them.
pub(super) async fn announce(
    store: &dyn Store,
    snapshot: &Snapshot,
    learnt: &Learnt,
    at: Timestamp,
) -> Result<(), StoreError> {
    let strategy = snapshot.strategy();
    let catalogue = Entry::Catalogue {
        strategy_id: strategy.id().to_owned(),
        actions: strategy.ids().to_vec(),
    };
    match store.append(vec![catalogue]).await {
        Ok(()) | Err(StoreError::Duplicate { .. }) => {}
        Err(error) => return Err(error),
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
