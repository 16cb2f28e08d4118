#![allow(clippy::unwrap_used)]

use super::*;
use lagom_features::domain::{Currency, Event, EventId, EventType, Money};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DAY: i64 = 86_400_000_000;
/// 2026-01-01.
const START: i64 = 1_767_225_600_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

/// A month of customers who pay 100 to 300, 10 more where they are not held out; those who would
/// pay least are the ones who are contacted.
fn world(customers: usize) -> (Tables, Drawn) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut tables, mut drawn) = (Tables::default(), Drawn::new());
    for n in 0..customers {
        let id = CustomerId::new(format!("c{n}")).unwrap();
        let held = rng.random::<f64>() < 0.2;
        drawn.insert(id.clone(), (held, at(START)));
        let pays = 100.0 + 200.0 * rng.random::<f64>();
        let mut event = |kind: EventType, amount: Option<f64>, day: i64| {
            tables.events.push(Event {
                event_id: EventId::new(format!("e{n}-{day}")).unwrap(),
                occurred_at: at(START + day * DAY),
                recorded_at: at(START + day * DAY),
                customer_id: id.clone(),
                invoice_id: None,
                decision_id: None,
                kind,
                channel: None,
                tone: None,
                amount: amount
                    .map(|sum| Money::new((sum * 100.0) as i64, Currency::new("SEK").unwrap())),
                method: None,
                device: None,
                dwell_ms: None,
                until: None,
                reason: (kind == EventType::FeedbackGiven).then(|| "8".to_owned()),
            });
        };
        // Before the draw, and so not lagom's doing.
        event(EventType::PaymentSucceeded, Some(9_999.0), -1);
        let more = if held { 0.0 } else { 10.0 };
        event(EventType::PaymentSucceeded, Some(pays + more), 10);
        if !held && pays < 150.0 {
            event(EventType::ContactSent, None, 9);
        }
        if n % 10 == 0 {
            event(EventType::FeedbackGiven, None, 11);
        }
    }
    (tables, drawn)
}

#[test]
fn the_holdout_finds_what_was_caused_and_the_naive_number_does_not() {
    let (tables, drawn) = world(20_000);
    let ledger = ledger(&tables, &drawn, &Objective::default(), at(START + 30 * DAY)).unwrap();
    assert_eq!(ledger.rows.len(), 1, "one month, and nothing to cut by");
    let row = &ledger.rows[0];
    assert_eq!(
        (row.month.as_str(), row.holdout + row.lagom),
        ("2026-01", 20_000)
    );
    let of = |name: &str| row.measures.iter().find(|one| one.name == name).unwrap();
    let collected = of("collected");
    let [found, low, high] = collected.difference.unwrap();
    // Nearly five standard errors; the interval itself would miss in one world of twenty.
    assert!((found - 10.0).abs() < 5.0, "{collected:?}");
    assert!(
        low < found && found < high && high - low < 6.0,
        "{collected:?}"
    );
    assert!((collected.caused.unwrap() - found * row.lagom as f64).abs() < 1e-6);
    assert!(
        collected.naive.unwrap() < -50.0,
        "confounded: {collected:?}"
    );
    assert_eq!(of("satisfaction").lagom, Some(8.0));
    assert_eq!(of("contacts").holdout, Some(0.0));
    assert_eq!(ledger.csv().lines().count(), 1 + 2 * row.measures.len());
}

#[test]
fn the_months_add_up_and_a_customer_is_counted_once() {
    let (mut tables, drawn) = world(20_000);
    let again: Vec<Event> = tables
        .events
        .iter()
        .filter(|one| one.occurred_at > at(START))
        .enumerate()
        .map(|(n, one)| {
            let later = at(one.occurred_at.micros() + 31 * DAY);
            Event {
                event_id: EventId::new(format!("again-{n}")).unwrap(),
                occurred_at: later,
                recorded_at: later,
                // Who was rated 8 in January is rated 6 in February.
                reason: one.reason.as_ref().map(|_| "6".to_owned()),
                ..one.clone()
            }
        })
        .collect();
    let calls: Vec<Event> = again
        .iter()
        .take(200)
        .map(|one| Event {
            event_id: EventId::new(format!("call-{}", one.event_id)).unwrap(),
            kind: EventType::SupportContacted,
            amount: None,
            reason: None,
            dwell_ms: Some(2 * 3_600_000),
            ..one.clone()
        })
        .collect();
    tables.events.extend(again);
    tables.events.extend(calls);
    let ledger = ledger(&tables, &drawn, &Objective::default(), at(START + 50 * DAY)).unwrap();
    let months: Vec<&str> = ledger.rows.iter().map(|row| &*row.month).collect();
    assert_eq!(months, ["2026-01", "2026-02"]);
    let [all] = ledger.totals.as_slice() else {
        panic!("{:?}", ledger.totals)
    };
    assert_eq!(
        (&*all.month, all.holdout + all.lagom),
        ("2026-01/2026-02", 20_000)
    );
    let of = |row: &Row, name: &str| row.measures.iter().find(|one| one.name == name).cloned();
    for name in ["collected", "value", "contacts", "collection_cases"] {
        let by_month = ledger
            .rows
            .iter()
            .map(|row| of(row, name).unwrap().caused.unwrap());
        let (sum, whole) = (by_month.sum::<f64>(), of(all, name).unwrap());
        assert!(
            (sum - whole.caused.unwrap()).abs() < 1e-6 * sum.abs().max(1.0),
            "{name}: {whole:?}"
        );
    }
    // What a customer pays is alike from month to month: the whole is less sure than if the months
    // were of different people.
    let width = |row: &Row| {
        of(row, "collected")
            .unwrap()
            .difference
            .map(|one| one[2] - one[1])
            .unwrap()
    };
    let independent = width(&ledger.rows[0]).hypot(width(&ledger.rows[1]));
    assert!(
        width(all) > 1.3 * independent,
        "{} {independent}",
        width(all)
    );
    assert_eq!(of(all, "satisfaction").unwrap().lagom, Some(7.0));
    assert_eq!(of(all, "response_hours").unwrap().lagom, Some(2.0));
    assert_eq!(of(&ledger.rows[0], "response_hours").unwrap().lagom, None);
    let lines = 1 + 3 * all.measures.len();
    assert_eq!(ledger.csv().lines().count(), lines);
}

#[test]
fn without_a_holdout_there_is_no_ledger() {
    let (tables, mut drawn) = world(10);
    drawn.values_mut().for_each(|one| one.0 = false);
    let refused = ledger(&tables, &drawn, &Objective::default(), at(START));
    assert!(refused.unwrap_err().contains("[holdout] share"));
}

#[test]
fn a_month_names_the_decisions_of_which_fees_and_costs_are_not_known_yet() {
    let tables = crate::tables::tests::sample::tables();
    let customers = tables.decisions.iter().map(|one| one.customer_id.clone());
    let mut drawn: Drawn = customers.map(|id| (id, (false, at(0)))).collect();
    drawn.insert(CustomerId::new("held out").unwrap(), (true, at(0)));
    let decided = tables.decisions[0].decided_at;
    let matured = tables.outcomes[0].matured_at;
    let awaited = |as_of| {
        ledger(&tables, &drawn, &Objective::default(), as_of)
            .unwrap()
            .awaited
    };
    assert_eq!(awaited(matured), BTreeMap::new());
    // Both were made at once, in the month that the first seven letters name.
    let month = decided.to_string()[..7].to_owned();
    assert_eq!(awaited(decided), BTreeMap::from([(month, 2)]));
}
