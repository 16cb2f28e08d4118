//! Every customer's history in memory, each behind its own lock.
//!
//! Whoever holds a customer's lock from reading the history to the end of the append decides on
//! what is on disk and nothing else: memory is changed only after the append has succeeded.

use crate::experiment::Assignment;
use crate::recording::{Recording, What};
use crate::store::Reservation;
use lagom_features::domain::{CustomerId, EventId, Timestamp};
use lagom_features::{History, Recorded};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};
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
        self.last.map_or(at, |last| at.max(after(last)))
    }

    /// Remembers that something was recorded or decided at `at`.
    pub(crate) fn passed(&mut self, at: Timestamp) {
        self.last = self.last.max(Some(at));
    }

    /// Whether a record of this key is there.
    pub(crate) fn knows(&self, id: &EventId) -> bool {
        self.described.contains(id) || self.history.contains_event(id)
    }

    /// Takes in everything that the log has of a new customer, at a cost of one sort.
    pub(crate) fn rebuild(&mut self, recordings: Vec<Recording>) {
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

/// A customer, shared.
pub(crate) type Customer = Arc<Mutex<CustomerState>>;

/// All customers.
#[derive(Debug)]
pub(crate) struct Customers {
    shards: Vec<RwLock<HashMap<CustomerId, Customer>>>,
    hasher: RandomState,
}

impl Customers {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, id: &CustomerId) -> &RwLock<HashMap<CustomerId, Customer>> {
        &self.shards[self.hasher.hash_one(id) as usize % SHARDS]
    }

    /// The customer, if anything was ever recorded.
    pub(crate) fn get(&self, id: &CustomerId) -> Option<Customer> {
        let shard = self.shard(id).read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.get(id).cloned()
    }

    /// The customer, made if it is new.
    pub(crate) fn get_or_insert(&self, id: &CustomerId) -> Customer {
        if let Some(customer) = self.get(id) {
            return customer;
        }
        let shard = self.shard(id).write();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.entry(id.clone()).or_default().clone()
    }

    /// The first customer of whom `is_it` is true. Looks at all of them.
    pub(crate) fn find(&self, is_it: impl Fn(&CustomerId) -> bool) -> Option<CustomerId> {
        self.shards.iter().find_map(|shard| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.keys().find(|id| is_it(id)).cloned()
        })
    }

    /// Forgets the customer.
    pub(crate) fn remove(&self, id: &CustomerId) {
        let shard = self.shard(id).write();
        shard.unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let count = |shard: &RwLock<HashMap<_, _>>| {
            shard.read().unwrap_or_else(PoisonError::into_inner).len()
        };
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
    }

    #[test]
    fn a_customer_is_one_customer() {
        let customers = Customers::new();
        let id = CustomerId::new("c").unwrap();
        assert!(customers.get(&id).is_none());
        let first = customers.get_or_insert(&id);
        assert!(Arc::ptr_eq(&first, &customers.get_or_insert(&id)));
        assert_eq!(customers.len(), 1);
    }
}
