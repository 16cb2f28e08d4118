#![allow(clippy::unwrap_used)]

use super::StoredError;
use crate::domain::{
    Channel, Country, Currency, Customer, CustomerId, CustomerKind, Date, DecisionId, Event,
    EventId, EventType, Invoice, InvoiceId, Money, TenantId, Timestamp, Tone, Zone,
};
use crate::history::{History, Known, Recorded};
use proptest::prelude::*;

/// As `History::to_bytes` wrote it first.
const GOLDEN: &[u8] = include_bytes!("golden-1.bin");

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

fn sek(minor_units: i64) -> Money {
    Money::new(minor_units, Currency::new("SEK").unwrap())
}

fn customer(id: &str, flag: Option<bool>) -> Customer {
    Customer {
        kind: flag.map(|_| CustomerKind::Consumer),
        country: flag.map(|_| Country::new("SE").unwrap()),
        time_zone: flag.map(|_| Zone::parse("Europe/Stockholm").unwrap()),
        language: flag.map(|_| "sv-SE".to_owned()),
        segment: flag.map(|_| "små".to_owned()),
        autopay: flag,
        annual_margin_minor: flag.map(|_| -120_000),
        currency: flag.map(|_| Currency::new("SEK").unwrap()),
        vulnerable: flag,
        minor: flag.map(|flag| !flag),
        ..Customer::unknown(TenantId::default(), CustomerId::new(id).unwrap(), at(7))
    }
}

fn invoice(number: u32, full: bool) -> Invoice {
    let text = |text: &str| full.then(|| text.into());
    Invoice {
        invoice_id: InvoiceId::new(format!("i-{number}")).unwrap(),
        customer_id: CustomerId::new("c").unwrap(),
        issued_at: at(1_700_000_000_000_000 + i64::from(number)),
        due_on: Date::parse("2023-12-14").unwrap(),
        amount: sek(129_900),
        terms_days: full.then_some(0),
        payment_method: text("card"),
        billing_channel: text("e_invoice"),
        product: text("el"),
    }
}

fn event(number: u32, kind: EventType, occurred: i64, late: i64, bits: u32) -> Event {
    let has = |bit: u32| bits >> bit & 1 == 1;
    let whose = if has(10) { "other" } else { "c" };
    Event {
        invoice_id: has(0).then(|| InvoiceId::new(format!("i-{}", number % 3)).unwrap()),
        decision_id: has(1).then(|| DecisionId::new(format!("d-{number}")).unwrap()),
        channel: has(2).then_some(Channel::Sms),
        amount: has(3).then(|| sek(i64::from(bits) * 1_000_003)),
        method: has(4).then(|| "card".to_owned()),
        device: has(5).then(|| format!("device {}", number % 2)),
        dwell_ms: has(6).then_some(bits),
        tone: has(7).then_some(Tone::Firm),
        until: has(8).then(|| at(occurred - 5)),
        reason: has(9).then(|| "därför".to_owned()),
        ..Event::new(
            EventId::new(format!("ev-{number}-é")).unwrap(),
            kind,
            CustomerId::new(whose).unwrap(),
            at(occurred),
            at(occurred + late),
        )
    }
}

/// Every field, used and unused.
fn full() -> History {
    let recorded = |number| Recorded::at_issue(invoice(number, number % 2 == 0));
    let kinds = EventType::ALL.iter().zip(0_u32..);
    let events: Vec<Event> = kinds
        .map(|(kind, n)| event(n, *kind, i64::from(n) * 1_000, i64::from(n % 4), n * 53))
        .collect();
    History::from_records(
        vec![
            Recorded::at_creation(customer("c", None)),
            Recorded::at_creation(customer("c", Some(true))),
        ],
        (0..3).map(recorded).collect(),
        &events,
    )
}

/// Everything that a history says.
fn said(history: &History) -> impl PartialEq + std::fmt::Debug {
    let events: Vec<Event> = history.events().map(Known::to_event).collect();
    (
        history.customers().to_vec(),
        history.invoices().to_vec(),
        events,
    )
}

#[test]
fn the_first_form_is_still_read() {
    let history = full();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/history/stored/golden-1.bin"
    );
    if std::env::var_os("LAGOM_GOLDEN").is_some() {
        std::fs::write(path, history.to_bytes()).unwrap();
    }
    assert_eq!(said(&History::from_bytes(GOLDEN).unwrap()), said(&history));
    assert_eq!(
        history.to_bytes(),
        GOLDEN,
        "a new form needs a new version; LAGOM_GOLDEN=1 writes the file"
    );
}

#[test]
fn another_form_and_torn_bytes_are_refused() {
    let bytes = full().to_bytes();
    for length in 0..bytes.len() {
        assert!(History::from_bytes(&bytes[..length]).is_err(), "{length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(History::from_bytes(&longer).is_err());
    let mut other = bytes;
    other[0] = 9;
    let refused = History::from_bytes(&other).unwrap_err();
    assert_eq!(refused, StoredError::Version { found: 9 });
}

/// Bytes that rot may say another history, for checksums are whoever's who keeps them; they never
/// panic.
#[test]
fn every_changed_byte_gives_an_answer() {
    let bytes = full().to_bytes();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut rotten = bytes.clone();
            rotten[place] ^= 1 << bit;
            if let Ok(read) = History::from_bytes(&rotten) {
                assert!(read.events().len() <= bytes.len());
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        events in prop::collection::vec(
            (0_u32..40, 0_usize..EventType::ALL.len(), -4_000_000_i64..4_000_000, 0_i64..9, 0_u32..2_048),
            0..60,
        ),
        invoices in prop::collection::vec((0_u32..5, any::<bool>()), 0..6),
        flags in prop::collection::vec(prop::option::of(any::<bool>()), 0..3),
    ) {
        let mut history = History::new();
        for flag in flags {
            let customer = customer("c", flag);
            history.record_customer(customer.created_at, customer);
        }
        for (number, full) in invoices {
            let invoice = invoice(number, full);
            history.record_invoice(invoice.issued_at, invoice);
        }
        for (number, kind, occurred, late, bits) in events {
            history.record_event(&event(number, EventType::ALL[kind], occurred, late, bits));
        }
        let bytes = history.to_bytes();
        let read = History::from_bytes(&bytes).unwrap();
        prop_assert_eq!(said(&read), said(&history));
        prop_assert_eq!(read.to_bytes(), bytes, "the same history, the same bytes");
    }
}
