//! What the services call: decide, confirm, record, over one store, one clock, one live snapshot.
//!
//! ```text
//! lock customer → stamp → stage events → decide (pure) → append, synced → apply → unlock
//! ```
//! The part between lock and unlock runs in a task of its own, so that a caller who goes away
//! cannot leave memory behind the disk.

mod arms;
mod boot;
mod change;
mod confirm;
mod erase;
mod everybody;
mod explained;
mod failure;
mod follow;
mod learnt;
mod next;
mod phases;
mod pressure;
mod record;
mod reservations;
mod retire;
mod rollout;
mod time;
mod ways;

use arms::Arms;
pub use boot::{BootError, Booted};
pub use change::ChangeError;
pub(crate) use change::{Learnt, relearn};
pub use confirm::Confirmation;
use everybody::Everybody;
use explained::Recent;
pub use failure::Failure;
pub(crate) use learnt::StoredLearnt;
pub use next::Ask;
use pressure::Pressure;
pub use record::{Offer, Recorded, Rejected};
pub use rollout::FollowError;
use rollout::Trial;

use crate::clock::{Clock, Source};
use crate::config::Config;
use crate::customers::Customers;
use crate::experiment::{Experiments, Phase};
use crate::kept::Keeper;
use crate::learner::{Lesson, Pending, Request};
use crate::metrics::Metrics;
use crate::rollout::Rollout;
use crate::store::{Entry, PolicyChange, Store, StoreError, Wording};
use crate::telemetry;
use arc_swap::ArcSwap;
use lagom_features::domain::{CustomerId, DecisionId, TenantId};
use lagom_model::decide::Snapshot;
use lagom_model::log::Decision;
use lagom_model::rollout::Candidate;
use lagom_model::strategy::Strategy;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tracing::Instrument;

/// What a decision depends on beside its history, replaced whole.
#[derive(Debug)]
struct Live {
    /// Since when, by this machine's clock.
    since: SystemTime,
    snapshot: Arc<Snapshot>,
    /// The same, by which the ladder decides while the store is slow.
    degraded: Arc<Snapshot>,
    experiments: Arc<Experiments>,
    /// Its arms that have strategies of their own.
    arms: Arms,
    /// What decides in shadow, or for some of the customers.
    trial: Option<Trial>,
}

impl Live {
    /// The strategy of this id, if it is one of those in force; else that of everybody.
    fn strategy(&self, id: &str) -> &Strategy {
        let mut own = self.arms.strategies();
        own.find(|one| one.id() == id)
            .unwrap_or_else(|| self.snapshot.strategy())
    }

    /// The same by another snapshot, and the candidate beside that one.
    fn with(&self, snapshot: Snapshot) -> Self {
        Self {
            since: SystemTime::now(),
            trial: self.trial.as_ref().and_then(|one| one.beside(&snapshot)),
            degraded: Arc::new(snapshot.with_stand_in(pressure::REASON)),
            arms: self.arms.beside(&snapshot),
            snapshot: Arc::new(snapshot),
            experiments: Arc::clone(&self.experiments),
        }
    }
}

/// Everything that decides.
pub struct Engine {
    tenant: TenantId,
    store: Arc<dyn Store>,
    clock: Clock,
    customers: Arc<Customers>,
    /// What they add up to.
    everybody: Everybody,
    /// Keeps what the log adds up to beside it, where nobody else writes it.
    keeper: Option<Arc<Keeper>>,
    /// Whether a part of the log was not read at the start.
    unread: bool,
    live: ArcSwap<Live>,
    /// What was configured at the start, or by the last reload.
    config: ArcSwap<Config>,
    requests: mpsc::Sender<Request>,
    /// What other replicas have counted and published, in order.
    lessons: mpsc::UnboundedSender<Lesson>,
    catching_up: tokio::sync::Mutex<()>,
    pending: Pending,
    metrics: Metrics,
    pressure: Pressure,
    policy: Mutex<Option<PolicyChange>>,
    phases: phases::Phases,
    recent: Recent,
    rollout: Mutex<Rollout>,
    /// Held while the registry is followed.
    following: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("clock", &self.clock)
            .field("customers", &self.customers.len())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// The namespace in which everything happens.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What decides now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.live.load().snapshot)
    }

    /// When what decides now was put in force, in seconds since 1970.
    #[must_use]
    pub fn loaded_at(&self) -> f64 {
        let since = self.live.load().since.duration_since(UNIX_EPOCH);
        since.map_or(0.0, |since| since.as_secs_f64())
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    /// Counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether anything was ever recorded of a customer.
    #[must_use]
    pub fn knows(&self, id: &CustomerId) -> bool {
        // Who cannot be read is known: whoever asks for more is told.
        !matches!(self.customers.get(id), Ok(None))
    }

    /// How many customers anything is known of.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.customers.len()
    }

    /// How many of them are in memory.
    #[must_use]
    pub fn customers_in_memory(&self) -> usize {
        self.customers.held()
    }

    /// Checks the whole log, where not all of it was read at the start. What is found is said and
    /// counted; answers are given on what is kept, which was made of the records when they were whole.
    pub(crate) fn check(&self, stop: &dyn Fn() -> bool) {
        let Some(log) = self.store.own().filter(|_| self.unread) else {
            return;
        };
        match log.check(stop) {
            Ok(()) => tracing::info!("every record of the log has been checked"),
            Err(error) => {
                self.metrics.damaged();
                tracing::error!(%error, "the log is damaged");
            }
        }
    }

    /// Keeps what the log adds up to, until `stop`, where nobody else writes it.
    pub(crate) fn keep(&self, stop: &dyn Fn() -> bool) {
        if let Some((keeper, log)) = self.keeper.as_ref().zip(self.store.own()) {
            keeper.run(log, &self.customers, || self.is_slow(), stop);
        }
    }

    /// Keeps everything that is in the log by now, where nobody else writes it. Blocks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_now(&self) -> Result<(), StoreError> {
        match self.keeper.as_ref().zip(self.store.own()) {
            Some((keeper, log)) => keeper.keep(log, &self.customers, || false).map(drop),
            None => Ok(()),
        }
    }

    /// Decisions whose windows have not closed.
    #[must_use]
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// The experiments that run.
    #[must_use]
    pub fn experiments(&self) -> Arc<Experiments> {
        Arc::clone(&self.live.load().experiments)
    }

    /// What was agreed of experiments, and when, in order.
    #[must_use]
    pub fn phases(&self) -> Vec<Phase> {
        self.phases.all()
    }

    /// The log.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// A decision by its id.
    ///
    /// # Errors
    /// [`Failure::Unknown`] where there is none.
    pub async fn decision(&self, id: &DecisionId) -> Result<Decision, Failure> {
        self.store
            .decision(id)
            .await?
            .ok_or_else(|| Failure::unknown("decision", id))
    }

    /// What the chosen action of a decision says to the customer, by the strategy that made it: the one
    /// in force, or as the log names it. Logs of versions that did not name it have neither template nor
    /// discount of another strategy, and the currency in force.
    #[must_use]
    pub fn wording(&self, decision: &Decision) -> Wording {
        let snapshot = self.snapshot();
        let strategy = snapshot.strategy();
        if decision.strategy_id != strategy.id()
            && let Some(named) = self.store.catalogue(&decision.strategy_id)
            && let Some(wording) = named.wording(decision)
        {
            return wording;
        }
        Wording::of(decision, strategy)
    }

    /// When and why the policy was paused or resumed last.
    #[must_use]
    pub fn policy_change(&self) -> Option<PolicyChange> {
        let change = self.policy.lock();
        change.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets the ladder decide from now on, or the configured policy again. Survives a restart.
    ///
    /// # Errors
    /// [`Failure::Store`] where it cannot be written down; nothing changes then.
    pub async fn pause(&self, paused: bool, reason: String) -> Result<PolicyChange, Failure> {
        let change = PolicyChange {
            at: self.clock.now(),
            paused,
            reason,
        };
        self.caught_up(|| async {
            let _house = self.phases.writing().await;
            self.append(vec![Entry::Policy(change.clone())]).await?;
            self.put_policy(change.clone());
            Ok(())
        })
        .await?;
        Ok(change)
    }

    /// Decides by a change that is on disk.
    fn put_policy(&self, change: PolicyChange) {
        self.rollout().watch_anew();
        self.swap(|snapshot| snapshot.with_paused(change.paused));
        let mut last = self.policy.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(change);
    }

    /// Appends, and counts it where the disk refuses.
    async fn append(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let began = Instant::now();
        self.pressure.begun(began);
        let append = self.store.append(entries);
        let appended = append.instrument(telemetry::step("append")).await;
        self.pressure.ended(began, Instant::now());
        if matches!(appended, Err(StoreError::Io { .. })) {
            self.metrics.write_error();
        }
        appended
    }

    /// Whether learning should wait until the store keeps up again.
    pub(crate) fn is_slow(&self) -> bool {
        self.clock.source() == Source::Wall && self.pressure.is_slow(Instant::now())
    }

    /// Whether the ladder decides until the store keeps up again.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.clock.source() == Source::Wall && self.pressure.is_degraded(Instant::now())
    }

    /// Decides with another snapshot from now on.
    pub(crate) fn swap(&self, make: impl Fn(&Snapshot) -> Snapshot) {
        self.live
            .rcu(|live| Arc::new(live.with(make(&live.snapshot))));
    }

    /// Lets a candidate decide beside the live snapshot from now on, or none.
    fn try_beside(&self, trial: Option<&Trial>) {
        self.live.rcu(|live| {
            Arc::new(Live {
                since: live.since,
                snapshot: Arc::clone(&live.snapshot),
                degraded: Arc::clone(&live.degraded),
                experiments: Arc::clone(&live.experiments),
                arms: live.arms.clone(),
                trial: trial.and_then(|one| one.beside(&live.snapshot)),
            })
        });
    }

    /// The candidate that decides beside the version in force.
    #[must_use]
    pub fn candidate(&self) -> Option<Candidate> {
        let live = self.live.load();
        live.trial.as_ref().map(|trial| trial.candidate.clone())
    }
}
