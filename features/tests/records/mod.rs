//! A customer's records, for tests of what was known when.
#![allow(unreachable_pub, reason = "each test is a crate of its own")]

use lagom_features::domain::{Customer, Event, EventId, Invoice, Timestamp};
use lagom_features::{History, Recorded};

/// Everything about one customer, in some order of arrival.
#[derive(Debug, Clone)]
pub struct Records {
    pub customers: Vec<Recorded<Customer>>,
    pub invoices: Vec<Recorded<Invoice>>,
    pub events: Vec<Event>,
}

impl Records {
    /// All of them.
    pub fn history(&self) -> History {
        let records = self.clone();
        History::from_records(records.customers, records.invoices, &records.events)
    }

    /// What was recorded before `now` of these, and what is recorded from then on of `other`.
    pub fn with_future_of(&self, other: &Self, now: Timestamp) -> Self {
        fn spliced<T: Clone>(past: &[T], future: &[T], known: impl Fn(&T) -> bool) -> Vec<T> {
            let past = past.iter().filter(|one| known(one));
            past.chain(future.iter().filter(|one| !known(one)))
                .cloned()
                .collect()
        }
        let events = other.events.iter().map(|event| {
            let mut event = event.clone();
            event.event_id = EventId::new(format!("x-{}", event.event_id)).unwrap();
            event
        });
        Self {
            customers: spliced(&self.customers, &other.customers, |c| c.recorded_at < now),
            invoices: spliced(&self.invoices, &other.invoices, |i| i.recorded_at < now),
            events: spliced(&self.events, &events.collect::<Vec<_>>(), |e| {
                e.recorded_at < now
            }),
        }
    }
}
