//! What one scan of the log gathers.

use super::{BootError, announce, snapshot};
use crate::config::Config;
use crate::customers::{Changes, Customers};
use crate::engine::arms::Arms;
use crate::engine::change::{Find, Learnt};
use crate::engine::ways;
use crate::kept::{Begin, House, Reader, Start};
use crate::rollout::Rollout;
use crate::store::{Depth, Entry, Own, Shared, Store, StoreError, Tail};
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use lagom_model::decide::{Predictor, Snapshot};
use std::collections::HashMap;
use std::sync::Arc;

/// How often those who start at once may take over from each other.
const STARTS: usize = 50;
/// Facts that are gathered before customers take them in.
const GATHERED: usize = 250_000;

/// What the scan gathers.
pub(super) struct Rebuild {
    /// The last record of the log that what was kept had taken in.
    pub(super) kept: i64,
    /// The last record that the rollout needs nothing of.
    pub(super) unwatched: i64,
    /// The record after which the log was read.
    pub(super) after: i64,
    pub(super) customers: Customers,
    /// What `customers` have not taken in yet.
    pub(super) changes: HashMap<CustomerId, Changes>,
    /// Facts among that.
    pub(super) waiting: usize,
    pub(super) house: House,
    pub(super) learnt: Learnt,
    pub(super) rollout: Rollout,
    /// Decisions whose windows are open, and when they were made.
    pub(super) pending: HashMap<DecisionId, Timestamp>,
}

impl Rebuild {
    /// From what was kept, or from nothing.
    pub(super) fn from(config: &Config, start: Option<&mut Start>) -> Result<Self, BootError> {
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
    pub(super) fn read(&mut self, store: &dyn Store) -> Result<i64, StoreError> {
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
    pub(super) fn begin_keeping(&self, log: &dyn Own, last: i64) -> Result<Begin, StoreError> {
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
    pub(super) async fn begin(
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
    pub(super) fn customers(
        &mut self,
        kept: Option<(Arc<Reader>, usize)>,
    ) -> Result<Customers, StoreError> {
        if let Some((reader, count)) = kept {
            self.customers.reach(reader, count);
        }
        self.settle()?;
        Ok(std::mem::replace(&mut self.customers, Customers::new()))
    }
}
