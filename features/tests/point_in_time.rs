//! Nothing recorded after the instant of a decision can change its vector, and neither can the
//! order in which records arrived. The check that says so is shown to catch planted leaks.
#![allow(clippy::unwrap_used)]

mod records;

use lagom_features::domain::{
    Channel, Currency, Customer, CustomerId, CustomerKind, Date, Days, Event, EventId, EventType,
    Invoice, InvoiceId, Money, TenantId, Timestamp, Tone, Zone,
};
use lagom_features::{Extractor, FeatureSpec, History, Ledger, Recorded, Scratch};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use records::Records;
use std::sync::LazyLock;

static EXTRACTOR: LazyLock<Extractor> = LazyLock::new(|| Extractor::new(&FeatureSpec::built_in()));

/// The history of `records`, one record after the other.
fn one_by_one(records: &Records) -> History {
    let mut history = History::new();
    for event in &records.events {
        history.record_event(event);
    }
    for one in &records.customers {
        history.record_customer(one.recorded_at, one.value.clone());
    }
    for one in &records.invoices {
        history.record_invoice(one.recorded_at, one.value.clone());
    }
    history
}

/// Around a daylight-saving change, so that local days have 23 hours too.
fn instant() -> impl Strategy<Value = Timestamp> {
    let from = Timestamp::parse("2026-01-20").unwrap();
    (0_i64..24 * 120).prop_map(move |hours| from + Days::hours(hours))
}

/// Mostly learnt at once, sometimes days or months later.
fn delay() -> impl Strategy<Value = Days> {
    prop_oneof![
        5 => Just(Days::hours(0)),
        2 => (1_i64..72).prop_map(Days::hours),
        1 => (3_i64..90).prop_map(Days::whole),
    ]
}

fn invoice_id(number: usize) -> InvoiceId {
    InvoiceId::new(format!("i{number}")).unwrap()
}

fn event() -> impl Strategy<Value = Event> {
    let what = (
        select(EventType::ALL),
        instant(),
        delay(),
        prop::option::of(0_usize..4),
    );
    let over = (
        prop::option::of(select(Channel::ALL)),
        prop::option::of(select(Tone::ALL)),
        prop::option::of(select(&["mobile", "desktop"][..])),
        1_i64..2_000,
        0_i64..30,
    );
    (0_u32..10_000, what, over).prop_map(|(id, (kind, at, delay, invoice), over)| {
        let (channel, tone, device, amount, ahead) = over;
        // The id holds all that varies, so that equal ids are true duplicates.
        let id = format!("{id}-{kind}-{at}-{}-{amount}", delay.micros());
        let customer = CustomerId::new("c").unwrap();
        let mut event = Event::new(EventId::new(id).unwrap(), kind, customer, at, at + delay);
        event.invoice_id = invoice.map(invoice_id);
        (event.channel, event.tone) = (channel, tone);
        event.device = device.map(str::to_owned);
        event.amount = Some(Money::new(amount, Currency::SEK));
        event.dwell_ms = Some(amount as u32);
        event.until = Some(at + Days::whole(ahead));
        event
    })
}

fn invoice(number: usize) -> impl Strategy<Value = Recorded<Invoice>> {
    (instant(), delay(), 1_i32..40, 100_i64..2_000).prop_map(move |(at, delay, terms, amount)| {
        let due_on: Date = at.date(&Zone::utc()).plus_days(terms);
        Recorded {
            // A microsecond of its own, so that no two corrections arrive at one instant.
            recorded_at: Timestamp::from_micros((at + delay).micros() + number as i64).unwrap(),
            value: Invoice {
                invoice_id: invoice_id(number % 4),
                customer_id: CustomerId::new("c").unwrap(),
                issued_at: at,
                due_on,
                amount: Money::new(amount, Currency::SEK),
                terms_days: None,
                payment_method: None,
                billing_channel: Some("paper".into()),
                product: None,
            },
        }
    })
}

fn customer() -> impl Strategy<Value = Recorded<Customer>> {
    let zones = select(&["Europe/Stockholm", "America/New_York"][..]);
    let kind = prop::option::of(select(CustomerKind::ALL));
    (instant(), prop::option::of(zones), kind).prop_map(|(at, zone, kind)| {
        let id = CustomerId::new("c").unwrap();
        let mut value = Customer::unknown(TenantId::default(), id, at);
        value.time_zone = zone.map(|name| Zone::parse(name).unwrap());
        value.kind = kind;
        Recorded {
            recorded_at: at,
            value,
        }
    })
}

fn records() -> impl Strategy<Value = Records> {
    // Six recordings of four invoices: two are corrections.
    let invoices: Vec<_> = (0..6).map(invoice).collect();
    (customer(), invoices, prop::collection::vec(event(), 0..60)).prop_map(
        |(customer, invoices, events)| Records {
            customers: vec![customer],
            invoices,
            events,
        },
    )
}

/// The vector's bits for each invoice, or the refusal: what must not change.
fn served(history: &History, now: Timestamp) -> Vec<Result<Vec<u64>, String>> {
    let extractor = &*EXTRACTOR;
    let view = history.as_of(now);
    let ledger = Ledger::of(&view);
    let (mut out, mut scratch) = (Vec::new(), Scratch::new());
    (0..4)
        .map(|number| {
            extractor
                .extract_with(&mut scratch, &view, &ledger, &invoice_id(number), &mut out)
                .map_err(|error| error.to_string())?;
            Ok(out.iter().map(|value| value.to_bits()).collect())
        })
        .collect()
}

/// Whether `vectors` stay the same, bit for bit, when everything recorded from `now` on is
/// replaced by something else.
fn blind_to_the_future<V: PartialEq>(
    vectors: impl Fn(&History, Timestamp) -> V,
    records: &Records,
    other: &Records,
    now: Timestamp,
) -> bool {
    let changed = records.with_future_of(other, now);
    vectors(&records.history(), now) == vectors(&changed.history(), now)
}

proptest! {
    #[test]
    fn nothing_recorded_later_changes_a_vector(
        records in records(),
        other in records(),
        now in instant(),
    ) {
        prop_assert!(blind_to_the_future(served, &records, &other, now));
    }

    #[test]
    fn the_order_of_arrival_changes_nothing(
        (records, shuffled, again) in records().prop_flat_map(|records| {
            let events = records.events.clone();
            let last = events.len();
            (
                Just(records),
                Just(events.clone()).prop_shuffle(),
                subsequence(events, 0..=last),
            )
        }),
        now in instant(),
    ) {
        let expected = served(&records.history(), now);
        let mut other = records.clone();
        other.events = shuffled;
        other.events.extend(again);
        other.invoices.reverse();
        prop_assert_eq!(&expected, &served(&one_by_one(&other), now));
        prop_assert_eq!(&expected, &served(&other.history(), now));
    }

    #[test]
    fn kept_memory_leaves_no_trace(first in records(), second in records(), now in instant()) {
        let extractor = &*EXTRACTOR;
        let mut scratch = Scratch::new();
        for records in [&first, &second] {
            let history = records.history();
            let view = history.as_of(now);
            let ledger = Ledger::of(&view);
            let (mut kept, mut fresh) = (Vec::new(), Vec::new());
            let id = invoice_id(0);
            let with = extractor.extract_with(&mut scratch, &view, &ledger, &id, &mut kept);
            prop_assert_eq!(with, extractor.extract(&view, &ledger, &id, &mut fresh));
            let bits = |vector: &[f64]| vector.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&kept), bits(&fresh));
        }
    }
}

/// Ignores when things were recorded: the commonest leak.
fn by_occurrence_alone(history: &History, now: Timestamp) -> Vec<Result<Vec<u64>, String>> {
    let events = history.events().map(|event| {
        let mut event = event.to_event();
        event.recorded_at = event.occurred_at;
        event
    });
    let (customers, invoices) = (history.customers().to_vec(), history.invoices().to_vec());
    served(
        &History::from_records(customers, invoices, &events.collect::<Vec<_>>()),
        now,
    )
}

/// Looks a day ahead, as a join on the date alone does.
fn a_day_ahead(history: &History, now: Timestamp) -> Vec<Result<Vec<u64>, String>> {
    served(history, now + Days::whole(1))
}

#[test]
fn a_planted_leak_is_caught() {
    let leaks = [by_occurrence_alone, a_day_ahead];
    for leak in leaks {
        let config = Config {
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = TestRunner::new(config);
        let caught = runner.run(
            &(records(), records(), instant()),
            |(records, other, now)| {
                prop_assert!(blind_to_the_future(leak, &records, &other, now));
                Ok(())
            },
        );
        assert!(caught.is_err(), "the check did not see the leak");
    }
}
