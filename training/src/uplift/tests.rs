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
    assert!(
        low < 10.0 && 10.0 < high && high - low < 6.0,
        "{collected:?}"
    );
    assert!((collected.caused.unwrap() - found * row.lagom as f64).abs() < 1e-6);
    assert!(
        collected.naive.unwrap() < -50.0,
        "confounded: {collected:?}"
    );
    assert_eq!(of("satisfaction").lagom, Some(8.0));
    assert_eq!(of("contacts").holdout, Some(0.0));
    assert_eq!(ledger.csv().lines().count(), 1 + row.measures.len());
}

#[test]
fn without_a_holdout_there_is_no_ledger() {
    let (tables, mut drawn) = world(10);
    drawn.values_mut().for_each(|one| one.0 = false);
    let refused = ledger(&tables, &drawn, &Objective::default(), at(START));
    assert!(refused.unwrap_err().contains("[holdout] share"));
}
