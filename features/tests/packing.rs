//! A history keeps events packed; whoever reads them gets back what was recorded.
#![allow(clippy::unwrap_used)]

use lagom_features::domain::{
    Channel, Currency, CustomerId, DecisionId, Event, EventId, EventType, InvoiceId, Money,
    Timestamp, Tone,
};
use lagom_features::{History, HistoryBuilder, Inserted, Known};
use proptest::prelude::*;
use proptest::sample::select;

fn instant() -> impl Strategy<Value = Timestamp> {
    // Few enough that many events share both of theirs.
    prop_oneof![
        9 => (0_i64..40).prop_map(|micros| Timestamp::from_micros(micros).unwrap()),
        1 => select(&[Timestamp::MIN, Timestamp::MAX][..]),
        1 => (-(1_i64 << 50)..1 << 50).prop_map(|micros| Timestamp::from_micros(micros).unwrap()),
    ]
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        3 => select(&["", "mobile", "desktop"][..]).prop_map(|text| Some(text.to_owned())),
        1 => "\\PC{0,30}".prop_map(Some),
    ]
}

fn money() -> impl Strategy<Value = Option<Money>> {
    let minor = prop_oneof![
        select(&[0, -1, i64::MIN, i64::MAX, 4_294_967_295, 4_294_967_296][..]),
        0_i64..1_000_000,
    ];
    let currency = select(&["SEK", "EUR", "JPY"][..]);
    let money = (minor, currency)
        .prop_map(|(minor, currency)| Money::new(minor, Currency::new(currency).unwrap()));
    prop::option::of(money)
}

fn event() -> impl Strategy<Value = Event> {
    let when = (instant(), instant());
    let what = (
        0_u32..200,
        select(EventType::ALL),
        prop_oneof![9 => Just("c"), 1 => Just("another")],
        prop::option::of(0_u8..5),
        prop::option::of(0_u8..5),
    );
    let how = (
        prop::option::of(select(Channel::ALL)),
        prop::option::of(select(Tone::ALL)),
        money(),
        prop::option::of(any::<u32>()),
        prop::option::of(instant()),
    );
    let words = (text(), text(), text());
    (when, what, how, words).prop_map(|((occurred, recorded), what, how, words)| {
        let (id, kind, customer, invoice, decision) = what;
        let customer = CustomerId::new(customer).unwrap();
        let id = EventId::new(format!("e{id}")).unwrap();
        let mut event = Event::new(id, kind, customer, occurred, recorded);
        event.invoice_id = invoice.map(|n| InvoiceId::new(format!("i{n}")).unwrap());
        event.decision_id = decision.map(|n| DecisionId::new(format!("d{n}")).unwrap());
        (
            event.channel,
            event.tone,
            event.amount,
            event.dwell_ms,
            event.until,
        ) = how;
        (event.method, event.device, event.reason) = words;
        event
    })
}

fn unpacked(history: &History) -> Vec<Event> {
    history.events().map(Known::to_event).collect()
}

/// What a history of wide events would hold: ordered, and of each id the first.
fn first_of_each(events: &[Event]) -> Vec<Event> {
    let mut all = events.to_vec();
    all.sort_by(|a, b| {
        (a.occurred_at, a.recorded_at, &a.event_id).cmp(&(
            b.occurred_at,
            b.recorded_at,
            &b.event_id,
        ))
    });
    let mut ids = std::collections::HashSet::new();
    all.retain(|event| ids.insert(event.event_id.clone()));
    all
}

proptest! {
    #[test]
    fn events_come_back_as_they_were_recorded(events in prop::collection::vec(event(), 0..120)) {
        let history = History::from_records(Vec::new(), Vec::new(), &events);
        prop_assert_eq!(unpacked(&history), first_of_each(&events));

        let mut rows = HistoryBuilder::new();
        events.iter().for_each(|event| rows.push(&event.row()).unwrap());
        prop_assert_eq!(unpacked(&rows.finish()), unpacked(&history));

        let mut one_by_one = History::new();
        let mut taken = Vec::new();
        for event in &events {
            let known = one_by_one.contains_event(&event.event_id);
            let inserted = one_by_one.record_event(event);
            prop_assert_eq!(inserted == Inserted::Duplicate, known);
            if !known {
                taken.push(event.clone());
            }
        }
        prop_assert_eq!(unpacked(&one_by_one), first_of_each(&taken));
    }
}

#[test]
fn more_manners_than_a_byte_counts_are_kept() {
    let at = |n| Timestamp::from_micros(n).unwrap();
    let events: Vec<_> = (0..700)
        .map(|n| {
            let id = EventId::new(format!("e{n}")).unwrap();
            let customer = CustomerId::new("c").unwrap();
            let mut event = Event::new(id, EventType::InvoiceOpened, customer, at(n), at(n));
            event.device = Some(format!("device {}", n % 350));
            event.dwell_ms = Some(7);
            event
        })
        .collect();
    let history = History::from_records(Vec::new(), Vec::new(), &events);
    assert_eq!(unpacked(&history), events);
}

#[test]
fn more_invoices_than_an_event_has_bits_for_are_kept() {
    let at = |n| Timestamp::from_micros(n).unwrap();
    let events: Vec<_> = (0..2_500)
        .map(|n| {
            let id = EventId::new(format!("e{n}")).unwrap();
            let customer = CustomerId::new("c").unwrap();
            let mut event = Event::new(id, EventType::InvoiceOpened, customer, at(n), at(n));
            event.invoice_id = Some(InvoiceId::new(format!("i{}", n % 1_250)).unwrap());
            event
        })
        .collect();
    let history = History::from_records(Vec::new(), Vec::new(), &events);
    assert_eq!(unpacked(&history), events);
    let last = InvoiceId::new("i1249").unwrap();
    let view = history.as_of(Timestamp::MAX);
    assert_eq!(view.events_of(&last).count(), 2);
}

/// The delays at which the bits of an event end.
#[test]
fn every_delay_of_a_recording_is_kept() {
    let longest = (1_i64 << 49) - 1;
    let at = |n| Timestamp::from_micros(n).unwrap();
    for delay in [-1, 0, 1, longest - 1, longest, longest + 1] {
        let (id, customer) = (EventId::new("e").unwrap(), CustomerId::new("c").unwrap());
        let event = Event::new(id, EventType::ComplaintMade, customer, at(7), at(7 + delay));
        let history = History::from_records(Vec::new(), Vec::new(), std::slice::from_ref(&event));
        assert_eq!(unpacked(&history), [event]);
        let seen = |t| history.as_of(at(t)).events().count();
        assert_eq!((seen(7 + delay), seen(8 + delay.max(0))), (0, 1));
    }
}

#[test]
fn a_row_whose_ids_cannot_be_ids_is_refused() {
    let at = Timestamp::from_micros(0).unwrap();
    let (id, customer) = (EventId::new("e").unwrap(), CustomerId::new("c").unwrap());
    let event = Event::new(id, EventType::ComplaintMade, customer, at, at);
    let mut builder = HistoryBuilder::new();
    let long = "x".repeat(201);
    for wrong in ["", "a\nb", &long] {
        let mut row = event.row();
        row.event_id = wrong;
        assert!(builder.push(&row).is_err());
        let mut row = event.row();
        row.invoice_id = Some(wrong);
        assert!(builder.push(&row).is_err());
    }
    builder.push(&event.row()).unwrap();
    assert_eq!(unpacked(&builder.finish()), [event]);
}
