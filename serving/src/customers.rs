//! Every customer's history in memory or, where the state of the log is kept beside it, within reach,
//! each behind its own lock.
//!
//! Whoever holds a customer's lock from reading the history to the end of the append decides on
//! what is on disk and nothing else: memory is changed only after the append has succeeded.

mod each;
mod form;

use crate::experiment::Assignment;
use crate::kept::Reader;
use crate::recording::{Recording, What};
use crate::store::{Reservation, StoreError};
use lagom_features::domain::{CustomerId, EventId, Timestamp};
use lagom_features::{History, Recorded};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockWriteGuard};
use tokio::sync::Mutex;

const SHARDS: usize = 64;

/// What is kept of one customer.
#[derive(Debug, Default)]
pub(crate) struct CustomerState {
    pub(crate) history: History,
    pub(crate) reservations: Vec<Reservation>,
    /// Arms into which the customer was drawn.
    pub(crate) assignments: Vec<Assignment>,
    /// Keys of customer and invoice records; the history knows those of events.
    described: HashSet<EventId>,
    last: Option<Timestamp>,
    /// Of the latest answer that left no record: known as long as the customer is in memory, since a log
    /// that is read again says nothing of it.
    looked: Option<Timestamp>,
    /// Rounds of keeping that had begun when it last changed; 0 where it is as it was read.
    changed: u64,
    rounds: Arc<AtomicU64>,
    /// Nobody finds this state any more: the customer was erased.
    erased: bool,
}

/// The microsecond after `at`.
pub(crate) fn after(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() + 1).unwrap_or(Timestamp::MAX)
}

impl CustomerState {
    /// What whoever still holds it finds after an erasure.
    pub(crate) fn erased() -> Self {
        Self {
            erased: true,
            ..Self::default()
        }
    }

    /// Whether the customer has to be looked up again.
    pub(crate) fn is_erased(&self) -> bool {
        self.erased
    }

    /// The first instant at or after `at` that is later than everything recorded or decided here,
    /// so that what was recorded before is seen and what comes later is not.
    pub(crate) fn stamp(&self, at: Timestamp) -> Timestamp {
        let passed = self.last.max(self.looked);
        passed.map_or(at, |passed| at.max(after(passed)))
    }

    /// Remembers that an answer at `at` left no record.
    pub(crate) fn looked(&mut self, at: Timestamp) {
        self.looked = self.looked.max(Some(at));
    }

    /// Remembers that something was recorded or decided at `at`.
    pub(crate) fn passed(&mut self, at: Timestamp) {
        self.last = self.last.max(Some(at));
        self.changed = self.rounds.load(Ordering::Acquire);
    }

    /// Whether nothing was recorded or decided at or after `before`, and something was earlier.
    pub(crate) fn is_idle(&self, before: Timestamp) -> bool {
        !self.erased && self.last.is_some_and(|last| last < before)
    }

    /// Whether a record of this key is there.
    pub(crate) fn knows(&self, id: &EventId) -> bool {
        self.described.contains(id) || self.history.contains_event(id)
    }

    /// Takes in what the log has of the customer and what may be known already, at a cost of one sort
    /// where the customer is new.
    pub(crate) fn take_in(&mut self, changes: Changes) {
        if self.last.is_none() {
            self.rebuild(changes.recordings);
        } else {
            for one in changes.recordings {
                if !self.knows(&one.event_id) {
                    self.apply(one);
                }
            }
        }
        for one in changes.reservations {
            if !self.reservations.contains(&one) {
                self.reservations.push(one);
            }
        }
        for one in changes.assignments {
            if !self.assignments.contains(&one) {
                self.assignments.push(one);
            }
        }
        if let Some(at) = changes.passed {
            self.passed(at);
        }
    }

    fn rebuild(&mut self, recordings: Vec<Recording>) {
        let (mut customers, mut invoices, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for Recording {
            event_id,
            recorded_at,
            what,
            ..
        } in recordings
        {
            self.passed(recorded_at);
            match what {
                What::Fact(event) => events.push(event),
                What::Customer(value) => {
                    self.described.insert(event_id);
                    customers.push(Recorded { recorded_at, value });
                }
                What::Invoice(value) => {
                    self.described.insert(event_id);
                    invoices.push(Recorded { recorded_at, value });
                }
            }
        }
        self.history = History::from_records(customers, invoices, &events);
    }

    /// Takes in a record that is on disk.
    pub(crate) fn apply(&mut self, recording: Recording) {
        self.passed(recording.recorded_at);
        if !matches!(recording.what, What::Fact(_)) {
            self.described.insert(recording.event_id.clone());
        }
        recording.apply(&mut self.history);
    }
}

/// What the log has of a customer, in order.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) recordings: Vec<Recording>,
    pub(crate) reservations: Vec<Reservation>,
    pub(crate) assignments: Vec<Assignment>,
    passed: Option<Timestamp>,
}

impl Changes {
    /// Something was recorded or decided at `at`.
    pub(crate) fn passed(&mut self, at: Timestamp) {
        self.passed = self.passed.max(Some(at));
    }
}

/// A customer, shared.
pub(crate) type Customer = Arc<Mutex<CustomerState>>;

#[derive(Debug)]
struct Held {
    customer: Customer,
    /// Since it was last looked at whether it may go.
    used: AtomicBool,
}

impl Held {
    fn shared(&self) -> Customer {
        self.used.store(true, Ordering::Relaxed);
        Arc::clone(&self.customer)
    }
}

type Shard = HashMap<CustomerId, Held>;

/// All customers.
#[derive(Debug)]
pub(crate) struct Customers {
    shards: Vec<RwLock<Shard>>,
    hasher: RandomState,
    /// Where those are found who are not in memory.
    kept: OnceLock<Arc<Reader>>,
    /// Rounds of keeping that have begun.
    rounds: Arc<AtomicU64>,
    known: AtomicUsize,
}

impl Customers {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            kept: OnceLock::new(),
            rounds: Arc::new(AtomicU64::new(1)),
            known: AtomicUsize::new(0),
        }
    }

    /// From now on those who are not in memory are looked for in `kept`, which holds every customer;
    /// `others` of them are not in memory.
    pub(crate) fn reach(&self, kept: Arc<Reader>, others: usize) {
        if self.kept.set(kept).is_ok() {
            self.known.fetch_add(others, Ordering::Relaxed);
        }
    }

    fn shard(&self, id: &CustomerId) -> &RwLock<Shard> {
        &self.shards[self.hasher.hash_one(id) as usize % SHARDS]
    }

    fn write(&self, id: &CustomerId) -> RwLockWriteGuard<'_, Shard> {
        let shard = self.shard(id).write();
        shard.unwrap_or_else(PoisonError::into_inner)
    }

    fn in_memory(&self, id: &CustomerId) -> Option<Customer> {
        let shard = self.shard(id).read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.get(id).map(Held::shared)
    }

    /// Under the lock of its shard, so that nobody else brings in what was there before a change.
    fn brought_in(
        &self,
        shard: &mut Shard,
        id: &CustomerId,
    ) -> Result<Option<Customer>, StoreError> {
        if let Some(held) = shard.get(id) {
            return Ok(Some(held.shared()));
        }
        let Some(kept) = self.kept.get() else {
            return Ok(None);
        };
        let read = kept.customer(id)?;
        Ok(read.map(|state| self.put(shard, id, state)))
    }

    fn put(&self, shard: &mut Shard, id: &CustomerId, mut state: CustomerState) -> Customer {
        state.rounds = Arc::clone(&self.rounds);
        let held = Held {
            customer: Arc::new(Mutex::new(state)),
            used: AtomicBool::new(true),
        };
        let customer = Arc::clone(&held.customer);
        shard.insert(id.clone(), held);
        customer
    }

    /// The customer, if anything was ever recorded.
    ///
    /// # Errors
    /// [`StoreError`] where it is kept and cannot be read.
    pub(crate) fn get(&self, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
        match self.in_memory(id) {
            Some(customer) => Ok(Some(customer)),
            None if self.kept.get().is_none() => Ok(None),
            None => self.brought_in(&mut self.write(id), id),
        }
    }

    /// The customer, made if it is new.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub(crate) fn get_or_insert(&self, id: &CustomerId) -> Result<Customer, StoreError> {
        if let Some(customer) = self.in_memory(id) {
            return Ok(customer);
        }
        let mut shard = self.write(id);
        if let Some(customer) = self.brought_in(&mut shard, id)? {
            return Ok(customer);
        }
        self.known.fetch_add(1, Ordering::Relaxed);
        Ok(self.put(&mut shard, id, CustomerState::default()))
    }

    /// The first customer in memory of whom `is_it` is true. Looks at all of them.
    pub(crate) fn find(&self, is_it: impl Fn(&CustomerId) -> bool) -> Option<CustomerId> {
        self.shards.iter().find_map(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.keys().find(|id| is_it(id)).cloned()
        })
    }

    /// Everybody in memory, one part after the other.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Vec<(CustomerId, Customer)>> {
        self.shards.iter().map(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let all = shard.iter();
            all.map(|(id, held)| (id.clone(), Arc::clone(&held.customer)))
                .collect()
        })
    }

    /// Those of whom nothing was recorded or decided since `before`; some of them may be less idle by
    /// now. Blocks, for one customer after the other.
    ///
    /// # Errors
    /// [`StoreError`] where those who are not in memory cannot be read.
    pub(crate) fn idle(&self, before: Timestamp) -> Result<Vec<CustomerId>, StoreError> {
        let mut idle = match self.kept.get() {
            Some(kept) => kept.idle(before)?,
            None => Vec::new(),
        };
        for part in self.parts() {
            let found = part.into_iter().filter_map(|(id, customer)| {
                let is_idle = customer.blocking_lock().is_idle(before);
                is_idle.then_some(id)
            });
            idle.extend(found);
        }
        idle.sort_unstable();
        idle.dedup();
        Ok(idle)
    }

    /// Forgets the customer, who is not kept any more either.
    pub(crate) fn remove(&self, id: &CustomerId) {
        if self.write(id).remove(id).is_some() {
            self.known.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A round of keeping begins: its number. What has changed by now is in the log by now.
    pub(crate) fn begin_round(&self) -> u64 {
        self.rounds.fetch_add(1, Ordering::AcqRel)
    }

    /// Lets customers go from memory until at most so many are left, those first who were not used
    /// since the last time; only who has not changed since round `kept` began and is held by nobody.
    pub(crate) fn let_go(&self, kept: u64, most: usize) {
        if self.kept.get().is_none() {
            return;
        }
        let mut excess = self.held().saturating_sub(most);
        for shard in self.shards.iter().chain(&self.shards) {
            if excess == 0 {
                return;
            }
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.retain(|_, held| {
                if excess == 0
                    || held.used.swap(false, Ordering::Relaxed)
                    || Arc::strong_count(&held.customer) > 1
                {
                    return true;
                }
                let Ok(state) = held.customer.try_lock() else {
                    return true;
                };
                if state.changed > kept || state.erased {
                    return true;
                }
                excess -= 1;
                if state.last.is_none() {
                    // Of whom nothing was ever recorded.
                    self.known.fetch_sub(1, Ordering::Relaxed);
                }
                false
            });
            let left = shard.len();
            shard.shrink_to(left * 2);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.load(Ordering::Relaxed)
    }

    /// How many are in memory.
    pub(crate) fn held(&self) -> usize {
        let count =
            |shard: &RwLock<Shard>| shard.read().unwrap_or_else(PoisonError::into_inner).len();
        self.shards.iter().map(count).sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stamps_follow_everything_before_them() {
        let t = |micros| Timestamp::from_micros(micros).unwrap();
        let mut state = CustomerState::default();
        assert_eq!(state.stamp(t(5)), t(5));
        state.passed(t(9));
        state.passed(t(7));
        assert_eq!(state.stamp(t(5)), t(10));
        assert_eq!(state.stamp(t(20)), t(20));
        let logged = state.to_bytes();
        state.looked(t(14));
        state.looked(t(12));
        assert_eq!(state.stamp(t(5)), t(15));
        assert_eq!(state.to_bytes(), logged, "what left no record is not kept");
    }

    #[test]
    fn a_customer_is_one_customer() {
        let customers = Customers::new();
        let id = CustomerId::new("c").unwrap();
        assert!(customers.get(&id).unwrap().is_none());
        let first = customers.get_or_insert(&id).unwrap();
        assert!(Arc::ptr_eq(&first, &customers.get_or_insert(&id).unwrap()));
        assert_eq!(customers.len(), 1);
    }
}
