//! From a log to a running engine: one scan rebuilds histories, reservations, what is pending and
//! what was learnt.

use super::arms::Arms;
use super::change::{Find, Learnt};
use super::explained::Recent;
use super::phases::Phases;
use super::pressure::{self, Pressure};
use super::ways::{self, Unproven};
use super::{Engine, Live};
use crate::clock::Clock;
use crate::config::Config;
use crate::customers::{Changes, Customers};
use crate::kept::{self, Begin, House, Keeper, Reader, Start};
use crate::learner::{Lesson, Pending, Request, publication};
use crate::metrics::Metrics;
use crate::rollout::Rollout;
use crate::store::{Catalogue, Depth, Entry, Own, PolicyChange, Shared, Store, StoreError, Tail};
use arc_swap::ArcSwap;
use lagom_features::History;
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use lagom_model::bandit::{BanditError, Generation};
use lagom_model::decide::{Predictor, Snapshot, SnapshotError};
use lagom_model::policy::learning::Learning;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};
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

/// Facts that are gathered before customers take them in.
const GATHERED: usize = 250_000;

/// What the scan gathers.
struct Rebuild {
    /// The last record of the log that what was kept had taken in.
    kept: i64,
    /// The last record that the rollout needs nothing of.
    unwatched: i64,
    /// The record after which the log was read.
    after: i64,
    customers: Customers,
    /// What `customers` have not taken in yet.
    changes: HashMap<CustomerId, Changes>,
    /// Facts among that.
    waiting: usize,
    house: House,
    learnt: Learnt,
    rollout: Rollout,
    /// Decisions whose windows are open, and when they were made.
    pending: HashMap<DecisionId, Timestamp>,
}

impl Rebuild {
    /// From what was kept, or from nothing.
    fn from(config: &Config, start: Option<&mut Start>) -> Result<Self, BootError> {
        let mut rebuild = Self {
            kept: 0,
            unwatched: 0,
            after: 0,
            customers: Customers::new(),
            changes: HashMap::new(),
            waiting: 0,
            house: House::default(),
            learnt: Learnt::nothing(config)?,
            rollout: Rollout::new(config.rollout, &config.experiments),
            pending: HashMap::new(),
        };
        if let Some(start) = start {
            rebuild.kept = start.position;
            rebuild.house = start.house.clone();
            rebuild.pending = std::mem::take(&mut start.pending).into_iter().collect();
            let last = start.house.staged.as_ref().map(|(_, staged)| staged);
            let (unwatched, staged) = start
                .house
                .watched_since()
                .unwrap_or((start.position, last));
            rebuild.unwatched = unwatched.min(start.position);
            if let Some(kept) = start.rollout.take() {
                (rebuild.rollout, rebuild.unwatched) = kept;
            } else if let Some(staged) = staged {
                rebuild.rollout.staged(staged.clone());
            }
            if let Some(learnt) = start.learnt.clone() {
                rebuild.learnt = learnt;
            }
        }
        Ok(rebuild)
    }

    /// Reads the log, or what of it has not been kept; returns the number of its last record.
    fn read(&mut self, store: &dyn Store) -> Result<i64, StoreError> {
        let after = self.kept.min(self.unwatched).min(self.learnt.upto);
        self.after = after;
        let last = match store.own() {
            Some(log) if after > 0 => {
                let find = |id: &DecisionId| log.find(id);
                log.scan_after(after, usize::MAX, Depth::Choice, &mut |seq, entry| {
                    self.take(seq, entry, &find)
                })?
            }
            _ => store.scan_to(Depth::Choice, &mut |seq, entry| {
                self.take(seq, entry, &|_| Ok(None))
            })?,
        };
        self.learnt.upto = last;
        Ok(last)
    }

    /// What whoever keeps goes on from.
    fn begin_keeping(&self, log: &dyn Own, last: i64) -> Result<Begin, StoreError> {
        Ok(Begin {
            position: log.tail(Some(last))?.unwrap_or(Tail::EMPTY),
            erasures: log.erasures()?,
            house: self.house.clone(),
            learnt: self.learnt.unheld(),
            rollout: (self.kept == 0).then(|| self.rollout.clone()),
            pending: self.pending.clone(),
        })
    }

    fn take(&mut self, seq: i64, entry: Entry, find: Find<'_>) -> Result<(), StoreError> {
        if seq > self.unwatched {
            self.rollout.take(&entry);
        }
        if seq > self.learnt.upto {
            self.learnt.take(&entry, find)?;
        }
        if seq > self.kept {
            self.house.take(seq, &entry);
            self.add(entry);
        }
        // Of a log that is read whole nobody is found elsewhere, and what waits would be most of the memory.
        if self.kept == 0 && self.waiting >= GATHERED {
            self.settle()?;
        }
        Ok(())
    }

    fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Decided(one) => {
                self.pending.insert(one.decision_id.clone(), one.decided_at);
                self.of(&one.customer_id).passed(one.decided_at);
            }
            Entry::Matured(one) => {
                self.pending.remove(&one.decision_id);
            }
            Entry::Recorded(one) => {
                self.of(one.customer_id()).recordings.push(*one);
                self.waiting += 1;
            }
            Entry::Reserved(one) => {
                let changes = self.of(&one.customer_id);
                changes.passed(one.reserved_at);
                changes.reservations.push(one);
            }
            Entry::Assigned(one) => self.of(&one.customer_id).assignments.push(one),
            _ => {}
        }
    }

    fn of(&mut self, id: &CustomerId) -> &mut Changes {
        self.changes.entry(id.clone()).or_default()
    }

    /// What decides first, with its generation in the log. Whoever starts takes over learning: so the
    /// newest configuration is the one that learns.
    async fn begin(
        &mut self,
        config: &Config,
        model: &Option<Arc<dyn Predictor>>,
        store: &dyn Store,
    ) -> Result<(Snapshot, Arms), BootError> {
        let mut tries = 0;
        loop {
            if let Some(shared) = store.shared() {
                shared.lead(true).await?;
                self.catch_up(shared).await?;
            }
            self.learnt.number_after_the_last();
            ways::check(&self.learnt, config)?;
            let generation = Arc::clone(self.learnt.learning.generation());
            let policy = self.house.policy.as_ref();
            let next = snapshot(config, model.clone(), generation, policy)?;
            let arms = Arms::of::<BootError>(config, &next)?;
            match announce(store, (&next, &arms), &self.learnt, self.house.last).await {
                Ok(()) => return Ok((next, arms)),
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
                self.take(seq, entry, &|_| Ok(None))?;
            }
        }
    }

    /// Has everybody take in what waits; who was kept is read from there.
    fn settle(&mut self) -> Result<(), StoreError> {
        for (id, changes) in self.changes.drain() {
            let customer = self.customers.get_or_insert(&id)?;
            // Nobody else knows of these customers yet.
            if let Ok(mut state) = customer.try_lock() {
                state.take_in(changes);
            }
        }
        self.waiting = 0;
        Ok(())
    }

    /// Everybody of whom the log says more than what was kept; the others are reached there.
    fn customers(&mut self, kept: Option<(Arc<Reader>, usize)>) -> Result<Customers, StoreError> {
        if let Some((reader, count)) = kept {
            self.customers.reach(reader, count);
        }
        self.settle()?;
        Ok(std::mem::replace(&mut self.customers, Customers::new()))
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
