//! The kinds whose records are their fields.

use super::super::entry::{Entry, PolicyChange, Publication, Reservation};
use super::{Unreadable, field};
use crate::convert::event;
use crate::recording::{Recording, What};
use lagom_features::domain::{Action, CustomerId, DecisionId, InvoiceId, TenantId, Timestamp};
use lagom_proto::v1;
use prost::Message;

/// An event of the interface with the instant of its recording.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Recorded {
    /// Of a customer's description; the other records have none of their own.
    #[prost(string, tag = "1")]
    tenant: String,
    #[prost(sint64, tag = "2")]
    recorded_at: i64,
    #[prost(message, optional, tag = "3")]
    event: Option<v1::Event>,
}

impl Recorded {
    pub(super) fn of(recording: &Recording) -> Self {
        let tenant = match &recording.what {
            What::Customer(customer) => customer.tenant.clone(),
            What::Invoice(_) | What::Fact(_) => TenantId::default(),
        };
        Self {
            tenant: tenant.to_string(),
            recorded_at: recording.recorded_at.micros(),
            event: Some(event::write(recording)),
        }
    }

    pub(super) fn read(self) -> Result<Recording, Unreadable> {
        let tenant = field("tenant", TenantId::new(self.tenant))?;
        let at = field("recorded_at", Timestamp::from_micros(self.recorded_at))?;
        let wire = self.event.ok_or("no event")?;
        let recording = event::read(wire, "event", &tenant).map_err(|fault| fault.to_string())?;
        Ok(recording.learnt(at))
    }
}

/// A contact that was let through.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Reserved {
    #[prost(string, tag = "1")]
    decision_id: String,
    #[prost(string, tag = "2")]
    customer_id: String,
    #[prost(sint64, tag = "3")]
    reserved_at: i64,
    #[prost(string, tag = "4")]
    invoice_id: String,
    #[prost(string, tag = "5")]
    action: String,
}

impl Reserved {
    pub(super) fn of(one: &Reservation) -> Self {
        Self {
            decision_id: one.decision_id.to_string(),
            customer_id: one.customer_id.to_string(),
            reserved_at: one.reserved_at.micros(),
            invoice_id: one.invoice_id.to_string(),
            action: one.action.to_string(),
        }
    }

    pub(super) fn read(self) -> Result<Reservation, Unreadable> {
        Ok(Reservation {
            decision_id: field("decision_id", DecisionId::new(self.decision_id))?,
            customer_id: field("customer_id", CustomerId::new(self.customer_id))?,
            invoice_id: field("invoice_id", InvoiceId::new(self.invoice_id))?,
            action: field("action", self.action.parse::<Action>())?,
            reserved_at: field("reserved_at", Timestamp::from_micros(self.reserved_at))?,
        })
    }
}

/// A publication of the learning state.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Published {
    #[prost(uint64, tag = "1")]
    generation: u64,
    #[prost(sint64, tag = "2")]
    published_at: i64,
    #[prost(uint64, tag = "3")]
    outcomes: u64,
    #[prost(bytes = "vec", tag = "4")]
    state: Vec<u8>,
    #[prost(string, repeated, tag = "5")]
    excluded: Vec<String>,
}

impl Published {
    pub(super) fn of(one: &Publication) -> Self {
        Self {
            generation: one.generation,
            published_at: one.published_at.micros(),
            outcomes: one.outcomes,
            state: one.state.clone(),
            excluded: one.excluded.clone(),
        }
    }

    pub(super) fn read(self) -> Result<Publication, Unreadable> {
        Ok(Publication {
            generation: self.generation,
            published_at: field("published_at", Timestamp::from_micros(self.published_at))?,
            outcomes: self.outcomes,
            excluded: self.excluded,
            state: self.state,
        })
    }
}

/// A pause or its end.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Policy {
    #[prost(sint64, tag = "1")]
    at: i64,
    #[prost(bool, tag = "2")]
    paused: bool,
    #[prost(string, tag = "3")]
    reason: String,
}

impl Policy {
    pub(super) fn of(one: &PolicyChange) -> Self {
        Self {
            at: one.at.micros(),
            paused: one.paused,
            reason: one.reason.clone(),
        }
    }

    pub(super) fn read(self) -> Result<PolicyChange, Unreadable> {
        Ok(PolicyChange {
            at: field("at", Timestamp::from_micros(self.at))?,
            paused: self.paused,
            reason: self.reason,
        })
    }
}

/// That a customer was erased.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Forgotten {
    #[prost(bytes = "vec", tag = "1")]
    digest: Vec<u8>,
}

impl Forgotten {
    pub(super) fn of(digest: [u8; 32]) -> Self {
        Self {
            digest: digest.to_vec(),
        }
    }

    pub(super) fn read(self) -> Result<Entry, Unreadable> {
        let digest = self.digest.try_into();
        let digest = digest.map_err(|_| "the digest has not 32 bytes".to_owned())?;
        Ok(Entry::Forgotten { digest })
    }
}
