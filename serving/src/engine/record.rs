//! Events in: of many customers at once, on disk before the answer.

use super::{Engine, Failure};
use crate::convert::FieldFault;
use crate::customers::{Customer, CustomerState};
use crate::intake::{Intake, Offered};
use crate::recording::{Recording, What};
use crate::rollout::is_watched;
use crate::store::{Entry, StoreError};
use lagom_features::domain::{CustomerId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;
use tracing::Instrument;

/// An event that was read from a request, or what is wrong with it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its key, as far as it was given.
    pub event_id: String,
    /// Its path in the request, such as `events[3]`.
    pub path: String,
    /// The event.
    pub event: Result<Recording, FieldFault>,
}

/// An event that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its key, as far as it was given.
    pub event_id: String,
    /// Which field, and why.
    pub fault: FieldFault,
}

/// What became of events.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// How many were new.
    pub accepted: u64,
    /// How many had been recorded before.
    pub duplicates: u64,
    /// Those that were refused, in the order of the request.
    pub rejected: Vec<Rejected>,
}

type Group = Vec<(usize, Offer, Recording)>;

impl Engine {
    /// Records what can be recorded of `offers`; the rest is rejected one by one.
    ///
    /// # Errors
    /// A bad `as_of`, or [`Failure::Store`]: then nothing was recorded.
    pub async fn record(
        self: &Arc<Self>,
        offers: Vec<Offer>,
        as_of: Option<Timestamp>,
    ) -> Result<Recorded, Failure> {
        let at = self.recording_instant(&offers, as_of)?;
        let (groups, refused) = self.by_customer(offers, at);
        if self.store.shared().is_none() {
            return self.record_apart(groups, refused, at).await;
        }
        self.caught_up(|| self.record_apart(groups.clone(), refused.clone(), at))
            .await
    }

    async fn record_apart(
        self: &Arc<Self>,
        groups: BTreeMap<CustomerId, Group>,
        refused: Vec<(usize, Rejected)>,
        at: Timestamp,
    ) -> Result<Recorded, Failure> {
        let engine = Arc::clone(self);
        let work = async move { engine.record_groups(groups, refused, at).await };
        let work = tokio::spawn(work.in_current_span());
        work.await
            .map_err(|error| Failure::Internal(error.to_string()))?
    }

    /// Without `as_of`, the events' clock is moved by the events themselves.
    fn recording_instant(
        &self,
        offers: &[Offer],
        as_of: Option<Timestamp>,
    ) -> Result<Timestamp, FieldFault> {
        if as_of.is_none() {
            let events = offers.iter().filter_map(|offer| offer.event.as_ref().ok());
            self.seen(events.map(|event| event.occurred_at));
        }
        self.instant(as_of, false)
    }

    fn by_customer(
        &self,
        offers: Vec<Offer>,
        at: Timestamp,
    ) -> (BTreeMap<CustomerId, Group>, Vec<(usize, Rejected)>) {
        let mut groups: BTreeMap<CustomerId, Group> = BTreeMap::new();
        let mut refused = Vec::new();
        for (place, mut offer) in offers.into_iter().enumerate() {
            let read = std::mem::replace(&mut offer.event, Err(FieldFault::new("", "")));
            let checked = read.and_then(|event| {
                self.not_future(&event, at, &offer.path)?;
                Ok(event)
            });
            match checked {
                Ok(event) => {
                    let group = groups.entry(event.customer_id().clone()).or_default();
                    group.push((place, offer, event));
                }
                Err(fault) => refused.push((place, rejected(offer.event_id, fault))),
            }
        }
        (groups, refused)
    }

    /// The customer, which may have been erased while its lock was waited for.
    pub(super) async fn locked(
        &self,
        id: &CustomerId,
    ) -> Result<OwnedMutexGuard<CustomerState>, StoreError> {
        loop {
            let customer: Customer = self.customers.get_or_insert(id)?;
            let state = customer.lock_owned().await;
            if !state.is_erased() {
                return Ok(state);
            }
        }
    }

    /// Tells the guard of a canary what was recorded.
    pub(super) fn watched(&self, recordings: &[Recording]) {
        let moves = |one: &&Recording| match &one.what {
            What::Fact(event) => is_watched(event.kind),
            What::Customer(_) | What::Invoice(_) => false,
        };
        for recording in recordings.iter().filter(moves) {
            self.rollout().recorded(recording);
        }
    }

    /// Customers are locked in the order of their ids, so that no two requests wait for each
    /// other.
    async fn record_groups(
        &self,
        groups: BTreeMap<CustomerId, Group>,
        mut refused: Vec<(usize, Rejected)>,
        at: Timestamp,
    ) -> Result<Recorded, Failure> {
        let mut recorded = Recorded::default();
        let mut staged: Vec<(OwnedMutexGuard<CustomerState>, Vec<Recording>)> = Vec::new();
        for (id, group) in groups {
            let state = self.locked(&id).await?;
            let mut intake = Intake::new(&state, at);
            for (place, offer, event) in group {
                match intake.offer(event, &offer.path) {
                    Ok(Offered::New) => recorded.accepted += 1,
                    Ok(Offered::Duplicate) => recorded.duplicates += 1,
                    Err(fault) => refused.push((place, rejected(offer.event_id, fault))),
                }
            }
            let accepted = intake.accepted();
            staged.push((state, accepted));
        }
        let all = staged.iter().flat_map(|(_, accepted)| accepted);
        let entries: Vec<Entry> = all
            .map(|one| Entry::Recorded(Box::new(one.clone())))
            .collect();
        if !entries.is_empty() {
            self.append(entries).await?;
        }
        for (mut state, accepted) in staged {
            self.watched(&accepted);
            for recording in accepted {
                state.apply(recording);
            }
        }
        refused.sort_by_key(|(place, _)| *place);
        recorded.rejected = refused.into_iter().map(|(_, one)| one).collect();
        self.metrics.events(&recorded);
        Ok(recorded)
    }
}

fn rejected(event_id: String, fault: FieldFault) -> Rejected {
    Rejected { event_id, fault }
}
