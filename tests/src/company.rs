//! A small company that invoices: requests as a billing backend writes them.

use lagom_proto::v1::event::Body;
use lagom_proto::v1::{
    CustomerKind, CustomerUpsert, Event, EventType, Fact, InvoiceUpsert, Money,
    NextBestActionRequest, RecordEventsRequest,
};
use prost_types::Timestamp;

/// 2026-03-02T08:00:00Z, a Monday.
pub const MONDAY: i64 = 1_772_438_400;
/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// An instant.
#[must_use]
pub fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

/// Customer `n` of Sweden.
#[must_use]
pub fn customer(n: usize) -> Event {
    Event {
        event_id: format!("customer-{n}"),
        occurred_at: at(MONDAY - 100 * DAY),
        customer_id: format!("c{n}"),
        body: Some(Body::Customer(CustomerUpsert {
            created_at: at(MONDAY - 400 * DAY),
            kind: CustomerKind::Consumer.into(),
            country: "SE".to_owned(),
            time_zone: "Europe/Stockholm".to_owned(),
            autopay: Some(false),
            ..CustomerUpsert::default()
        })),
        ..Event::default()
    }
}

/// The invoice of customer `n`, due ten days before [`MONDAY`].
#[must_use]
pub fn invoice(n: usize) -> Event {
    Event {
        event_id: format!("invoice-{n}"),
        occurred_at: at(MONDAY - 40 * DAY),
        customer_id: format!("c{n}"),
        invoice_id: format!("i{n}"),
        body: Some(Body::Invoice(InvoiceUpsert {
            issued_at: at(MONDAY - 40 * DAY),
            due_on: "2026-02-20".to_owned(),
            amount: Some(Money {
                minor_units: 45_000,
                currency: "SEK".to_owned(),
            }),
            terms_days: Some(30),
            ..InvoiceUpsert::default()
        })),
        ..Event::default()
    }
}

/// Something that happened to customer `n` about the invoice.
#[must_use]
pub fn fact(n: usize, kind: EventType, seconds: i64, amount_minor: Option<i64>) -> Event {
    Event {
        event_id: format!("fact-{n}-{seconds}-{}", i32::from(kind)),
        occurred_at: at(seconds),
        customer_id: format!("c{n}"),
        invoice_id: format!("i{n}"),
        body: Some(Body::Fact(Fact {
            r#type: kind.into(),
            amount: amount_minor.map(|minor_units| Money {
                minor_units,
                currency: "SEK".to_owned(),
            }),
            ..Fact::default()
        })),
        ..Event::default()
    }
}

/// Customers and invoices `0..n`.
#[must_use]
pub fn opening(n: usize) -> RecordEventsRequest {
    RecordEventsRequest {
        events: (0..n).flat_map(|n| [customer(n), invoice(n)]).collect(),
        as_of: at(MONDAY - DAY),
    }
}

/// The question about the invoice of customer `n`, under its own key.
#[must_use]
pub fn question(n: usize) -> NextBestActionRequest {
    NextBestActionRequest {
        request_id: format!("r{n}"),
        customer_id: format!("c{n}"),
        invoice_id: format!("i{n}"),
        as_of: at(MONDAY),
        ..NextBestActionRequest::default()
    }
}

/// Customer `n`, who owes `many` invoices, `i{n}-0` and on.
#[must_use]
pub fn owing(n: usize, many: usize) -> RecordEventsRequest {
    let invoices = (0..many).map(|place| {
        let mut one = invoice(n);
        one.event_id = format!("invoice-{n}-{place}");
        one.invoice_id = format!("i{n}-{place}");
        one
    });
    RecordEventsRequest {
        events: std::iter::once(customer(n)).chain(invoices).collect(),
        as_of: at(MONDAY),
    }
}
