//! Events of the interface ⇄ recordings of the domain.

mod customer;
mod fact;
mod invoice;

use super::scalar::{At, FieldFault, required_time, wire_time};
use crate::recording::{Recording, What};
use lagom_features::domain::{
    CustomerId, DecisionId, EventId, Fault, InvoiceId, TenantId, Timestamp,
};
use lagom_proto::v1;
use v1::event::Body;

/// What every event has, whatever its body.
struct Envelope<'a> {
    at: &'a str,
    tenant: &'a TenantId,
    event_id: EventId,
    occurred_at: Timestamp,
    customer_id: CustomerId,
    invoice_id: Option<InvoiceId>,
    decision_id: Option<DecisionId>,
}

impl Envelope<'_> {
    fn path(&self, field: &str) -> String {
        format!("{}.{field}", self.at)
    }
}

/// An empty id is an absent one.
fn optional_id<T>(
    text: String,
    new: impl FnOnce(String) -> Result<T, lagom_features::domain::ids::IdError>,
    path: impl FnOnce() -> String,
) -> Result<Option<T>, FieldFault> {
    if text.is_empty() {
        return Ok(None);
    }
    new(text).map(Some).at(path)
}

/// Reads an event whose path is `at` (such as `events[3]`). It counts as learnt when it
/// happened until [`Recording::learnt`] says otherwise.
///
/// # Errors
/// The first field that is missing or malformed.
pub fn read(event: v1::Event, at: &str, tenant: &TenantId) -> Result<Recording, FieldFault> {
    let path = |field: &str| format!("{at}.{field}");
    let envelope = Envelope {
        at,
        tenant,
        event_id: EventId::new(event.event_id).at(|| path("event_id"))?,
        occurred_at: required_time(event.occurred_at, || path("occurred_at"))?,
        customer_id: CustomerId::new(event.customer_id).at(|| path("customer_id"))?,
        invoice_id: optional_id(event.invoice_id, InvoiceId::new, || path("invoice_id"))?,
        decision_id: optional_id(event.decision_id, DecisionId::new, || path("decision_id"))?,
    };
    let (event_id, occurred_at) = (envelope.event_id.clone(), envelope.occurred_at);
    let what = match event.body {
        Some(Body::Customer(body)) => What::Customer(customer::read(body, &envelope)?),
        Some(Body::Invoice(body)) => What::Invoice(invoice::read(body, &envelope)?),
        Some(Body::Fact(body)) => What::Fact(fact::read(body, &envelope)?),
        None => {
            return Err(FieldFault::new(
                path("body"),
                "one of customer, invoice, fact is required",
            ));
        }
    };
    Ok(Recording {
        event_id,
        occurred_at,
        recorded_at: occurred_at,
        what,
    })
}

/// What is well formed but refused at the door: a customer without a time zone, an amount below
/// zero, a field that the type of the event needs.
///
/// # Errors
/// The first such field.
pub fn check(recording: &Recording, at: &str) -> Result<(), FieldFault> {
    let (faults, wire): (Vec<Fault>, fn(&str) -> &str) = match &recording.what {
        What::Customer(one) => (customer::faults(one), customer::wire_field),
        What::Invoice(one) => (one.faults(), invoice::wire_field),
        What::Fact(one) => (one.faults(), fact::wire_field),
    };
    match faults.into_iter().next() {
        Some(fault) => {
            let path = format!("{at}.{}", wire(fault.field));
            Err(FieldFault::new(path, fault.reason))
        }
        None => Ok(()),
    }
}

/// The wire form; its instant of recording is kept beside it.
#[must_use]
pub fn write(recording: &Recording) -> v1::Event {
    let (invoice_id, decision_id, body) = match &recording.what {
        What::Customer(one) => (None, None, Body::Customer(customer::write(one))),
        What::Invoice(one) => (
            Some(&one.invoice_id),
            None,
            Body::Invoice(invoice::write(one)),
        ),
        What::Fact(one) => (
            one.invoice_id.as_ref(),
            one.decision_id.as_ref(),
            Body::Fact(fact::write(one)),
        ),
    };
    v1::Event {
        event_id: recording.event_id.to_string(),
        occurred_at: Some(wire_time(recording.occurred_at)),
        customer_id: recording.customer_id().to_string(),
        invoice_id: invoice_id.map(ToString::to_string).unwrap_or_default(),
        decision_id: decision_id.map(ToString::to_string).unwrap_or_default(),
        body: Some(body),
    }
}
