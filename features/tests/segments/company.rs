//! Customers of a company, drawn at random, and what they are pooled to.

use super::records::Records;
use lagom_features::domain::{
    Currency, Customer, CustomerId, Days, Event, EventId, EventType, Invoice, InvoiceId, Money,
    TenantId, Timestamp, Zone,
};
use lagom_features::{Extractor, FeatureSpec, Pooling, PoolingMemory, Recorded, Segments, Week};
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::{Arc, LazyLock};

pub(super) const SPEC: &str = r#"
[[feature]]
name = "segment_opened_60d"
source = "events"
types = ["invoice_opened", "invoice_viewed"]
key = "segment"
window = "60d"
op = "count"

[[feature]]
name = "own_opened_60d"
source = "events"
types = ["invoice_opened", "invoice_viewed"]
window = "60d"
op = "count"

[[feature]]
name = "segment_clicked"
source = "events"
types = ["link_clicked"]
key = "segment"
window = "lifetime"
op = "any"
missing = -1

[[feature]]
name = "segment_paid"
source = "events"
types = ["payment_succeeded"]
key = "segment"
window = "lifetime"
op = "sum"
column = "amount"

[[feature]]
name = "segment_paid_on_average"
source = "events"
types = ["payment_succeeded"]
key = "segment"
window = "lifetime"
op = "mean"
column = "amount"

[[feature]]
name = "segment_dwell"
source = "events"
types = ["invoice_viewed"]
key = "segment"
window = "90d"
op = "mean"
column = "dwell_seconds"

[[feature]]
name = "segment_late_share"
source = "dues"
key = "segment"
window = "365d"
op = "mean"
column = "late"
prior = 0.25
strength = 4

[[feature]]
name = "segment_on_mobile"
source = "events"
types = ["invoice_opened", "invoice_viewed", "link_clicked"]
key = "segment"
window = "lifetime"
op = "rate"
of = { device = "mobile" }
"#;
pub(super) const COLUMNS: usize = 8;

pub(super) static PARSED: LazyLock<FeatureSpec> =
    LazyLock::new(|| FeatureSpec::parse(SPEC).unwrap());
pub(super) static EXTRACTOR: LazyLock<Extractor> = LazyLock::new(|| Extractor::new(&PARSED));
pub(super) static POOLING: LazyLock<Pooling> = LazyLock::new(|| Pooling::new(&PARSED).unwrap());

pub(super) fn instant() -> impl Strategy<Value = Timestamp> {
    let from = Timestamp::parse("2026-01-20").unwrap();
    (0_i64..24 * 90).prop_map(move |hours| from + Days::hours(hours))
}

/// Mostly learnt at once, sometimes days or months later.
pub(super) fn delay() -> impl Strategy<Value = Days> {
    prop_oneof![
        5 => Just(Days::hours(0)),
        2 => (1_i64..72).prop_map(Days::hours),
        1 => (3_i64..60).prop_map(Days::whole),
    ]
}

pub(super) fn invoice_id(number: usize) -> InvoiceId {
    InvoiceId::new(format!("i{number}")).unwrap()
}

/// Amounts of one invoice are of one currency.
pub(super) fn currency(invoice: Option<usize>) -> Currency {
    match invoice {
        Some(number) if number % 3 == 2 => Currency::new("EUR").unwrap(),
        _ => Currency::SEK,
    }
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    let kinds = [
        EventType::InvoiceOpened,
        EventType::InvoiceViewed,
        EventType::LinkClicked,
        EventType::PaymentSucceeded,
        EventType::PaymentRefunded,
        EventType::DueDateChanged,
        EventType::ContactSent,
    ];
    let what = (
        select(kinds.to_vec()),
        instant(),
        delay(),
        prop::option::of(0_usize..3),
    );
    let over = (
        prop::option::of(select(&["mobile", "desktop"][..])),
        1_i64..2_000,
        0_i64..30,
    );
    (0_u32..10_000, what, over).prop_map(
        |(id, (kind, at, delay, invoice), (device, amount, ahead))| {
            // The id holds all that varies, so that equal ids are true duplicates.
            let id = format!("{id}-{kind}-{at}-{}-{amount}", delay.micros());
            let customer = CustomerId::new("c").unwrap();
            let mut event = Event::new(EventId::new(id).unwrap(), kind, customer, at, at + delay);
            event.invoice_id = invoice.map(invoice_id);
            event.device = device.map(str::to_owned);
            event.amount = Some(Money::new(amount, currency(invoice)));
            event.dwell_ms = (amount % 3 > 0).then_some(amount as u32);
            event.until = Some(at + Days::whole(ahead));
            event
        },
    )
}

pub(super) fn invoice() -> impl Strategy<Value = Recorded<Invoice>> {
    let numbered = (0_usize..3, instant(), delay(), 1_i32..40, 100_i64..2_000);
    numbered.prop_map(move |(number, at, delay, terms, amount)| Recorded {
        recorded_at: at + delay,
        value: Invoice {
            invoice_id: invoice_id(number),
            customer_id: CustomerId::new("c").unwrap(),
            issued_at: at,
            due_on: at.date(&Zone::utc()).plus_days(terms),
            amount: Money::new(amount, currency(Some(number))),
            terms_days: None,
            payment_method: None,
            billing_channel: None,
            product: None,
        },
    })
}

pub(super) fn customer() -> impl Strategy<Value = Recorded<Customer>> {
    let zones = select(&["Europe/Stockholm", "America/New_York"][..]);
    let segments = prop::option::of(select(&["small", "large"][..]));
    (instant(), prop::option::of(zones), segments).prop_map(|(at, zone, segment)| {
        let id = CustomerId::new("c").unwrap();
        let mut value = Customer::unknown(TenantId::default(), id, at);
        value.time_zone = zone.map(|name| Zone::parse(name).unwrap());
        value.segment = segment.map(str::to_owned);
        Recorded {
            recorded_at: at,
            value,
        }
    })
}

/// A customer whose segment may change, who may never be described, with corrections and with events
/// that come twice.
pub(super) fn records() -> impl Strategy<Value = Records> {
    (
        prop::collection::vec(customer(), 0..4),
        prop::collection::vec(invoice(), 0..6),
        prop::collection::vec(event(), 0..30),
    )
        .prop_map(|(customers, invoices, mut events)| {
            let again: Vec<Event> = events.iter().step_by(7).cloned().collect();
            events.extend(again);
            Records {
                customers,
                invoices,
                events,
            }
        })
}

pub(super) fn company() -> impl Strategy<Value = Vec<Records>> {
    prop::collection::vec(records(), 1..6)
}

pub(super) fn week<'a>(customers: impl IntoIterator<Item = &'a Records>, at: Timestamp) -> Week {
    let (mut week, mut memory) = (POOLING.begin(at), PoolingMemory::default());
    for records in customers {
        POOLING.add(&mut memory, &records.history(), &mut week);
    }
    week
}

pub(super) fn segments(week: Week) -> Segments {
    let mut segments = Segments::of(&POOLING);
    segments.put(Arc::new(week));
    segments
}

pub(super) fn segment_at(records: &Records, at: Timestamp) -> Option<String> {
    let history = records.history();
    let view = history.as_of(at);
    view.customer().and_then(|one| one.segment.clone())
}
