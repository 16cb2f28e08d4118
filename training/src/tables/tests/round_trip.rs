use super::super::{Format, Record, Tables, read_table, write_table};
use super::{folder, sample};
use lagom_features::domain::{
    Currency, CustomerId, Event, EventId, EventType, InvoiceId, MOST_MINOR_UNITS, Money, Timestamp,
    Tone,
};
use lagom_model::log::Decision;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use std::fmt::Debug;

fn survives<T: Record + PartialEq + Debug>(records: &[T]) {
    let dir = folder();
    for format in Format::ALL {
        let file = dir.path().join(format!("table.{}", format.extension()));
        write_table(&file, records).unwrap();
        assert_eq!(read_table::<T>(&file).unwrap(), records, "{format:?}");
    }
}

#[test]
fn every_table_reads_as_it_was_written() {
    let tables = sample::priced();
    for format in Format::ALL {
        let dir = folder();
        tables.write(dir.path(), format).unwrap();
        assert_eq!(Tables::read(dir.path()).unwrap(), tables, "{format:?}");
    }
}

#[test]
fn unknown_features_are_unknown_again() {
    let mut decision: Decision = sample::priced().decisions.swap_remove(0);
    decision.features = vec![f64::NAN, 2.0, f64::INFINITY];
    let dir = folder();
    for format in Format::ALL {
        let file = dir.path().join(format!("d.{}", format.extension()));
        write_table(&file, std::slice::from_ref(&decision)).unwrap();
        let features = &read_table::<Decision>(&file).unwrap()[0].features;
        assert!(features[0].is_nan(), "{format:?}");
        assert_eq!(features[1..], [2.0, f64::INFINITY], "{format:?}");
    }
}

#[test]
fn a_folder_of_files_is_one_table_in_the_order_of_names() {
    let dir = folder();
    let events = sample::priced().events;
    let part = |name: &str| dir.path().join("events").join(name);
    write_table(&part("b.csv.gz"), &events[1..]).unwrap();
    write_table(&part("a.parquet"), &events[..1]).unwrap();
    std::fs::write(part("_SUCCESS"), "").unwrap();
    assert_eq!(Tables::read(dir.path()).unwrap().events, events);
}

#[test]
fn more_records_than_a_row_group_keep_their_order() {
    let first = sample::priced().events.swap_remove(0);
    let many: Vec<Event> = (0..140_000)
        .map(|n| Event {
            event_id: EventId::new(format!("e{n}")).unwrap(),
            ..first.clone()
        })
        .collect();
    let dir = folder();
    let file = dir.path().join("events.parquet");
    write_table(&file, &many).unwrap();
    assert_eq!(read_table::<Event>(&file).unwrap(), many);
}

/// Any text that is not empty, which would be unknown.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,12}",
        "[ ,;\"'\n\r\t\\\\#åäö\u{1F600}]{1,8}",
        "[0-9]{1,5}",
        "(null|NaN|true)"
    ]
}

fn id() -> impl Strategy<Value = String> {
    "[ ,\"'#a-zå0-9\u{1F600}]{1,12}"
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (Timestamp::MIN.micros()..=Timestamp::MAX.micros())
        .prop_map(|micros| Timestamp::from_micros(micros).unwrap())
}

fn event() -> impl Strategy<Value = Event> {
    let known = (id(), id(), instant(), option::of(id()));
    let told = (
        option::of(text()),
        option::of(text()),
        option::of(any::<u32>()),
    );
    let rest = (
        option::of(prop_oneof![Just(Tone::Final), Just(Tone::Friendly)]),
        option::of(0..=MOST_MINOR_UNITS),
        option::of(instant()),
    );
    (known, told, rest).prop_map(
        |((event, customer, at, invoice), (method, reason, dwell), rest)| {
            let (tone, amount, until) = rest;
            Event {
                invoice_id: invoice.map(|id| InvoiceId::new(id).unwrap()),
                tone,
                amount: amount.map(|amount| Money::new(amount, Currency::SEK)),
                method,
                reason,
                dwell_ms: dwell,
                until,
                ..Event::new(
                    EventId::new(event).unwrap(),
                    EventType::LinkClicked,
                    CustomerId::new(customer).unwrap(),
                    at,
                    at,
                )
            }
        },
    )
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    #[test]
    fn any_event_survives(events in vec(event(), 0..20)) {
        survives(&events);
    }

    #[test]
    fn any_list_survives(
        reals in vec(any::<f64>().prop_filter("NaN equals nothing", |real| !real.is_nan()), 0..9),
        rules in vec(text(), 0..5),
        reason in text(),
        probability in 0.0..=1.0_f64,
    ) {
        let mut decision: Decision = sample::priced().decisions.swap_remove(0);
        let blocked = decision.blocked[0].clone();
        decision.blocked = rules
            .into_iter()
            .map(|rule| lagom_model::log::Blocked { rule: rule.into(), ..blocked.clone() })
            .collect();
        decision.features = reals;
        decision.reason = reason;
        decision.probability = probability;
        survives(&[decision]);
    }
}
