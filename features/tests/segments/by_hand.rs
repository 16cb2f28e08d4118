//! The same numbers, added up another way.

use super::records::Records;
use lagom_features::Ledger;
use lagom_features::domain::{Currency, Customer, Days, Event, EventType, Timestamp, Zone};
use std::collections::HashSet;

/// One customer's numbers by hand: Σ and how much it counts, by column; none where it does not count.
pub(super) fn by_hand(records: &Records, monday: Timestamp, asked: Currency) -> Vec<(f64, f64)> {
    let history = records.history();
    let view = history.as_of(monday);
    let mut seen = HashSet::new();
    let events: Vec<&Event> = (records.events.iter())
        .filter(|one| seen.insert(&one.event_id))
        .filter(|one| one.recorded_at < monday && one.occurred_at < monday)
        .collect();
    let ledger = Ledger::of(&view);
    let known = view.customer().is_some() || !events.is_empty() || !ledger.invoices().is_empty();
    let one = f64::from(u8::from(known));
    let of = |kinds: &[EventType], days: i64| -> Vec<&Event> {
        let since = monday - Days::whole(days);
        let of = |one: &&&Event| kinds.contains(&one.kind) && one.occurred_at >= since;
        events.iter().filter(of).copied().collect()
    };
    let (opened, viewed, clicked) = (
        EventType::InvoiceOpened,
        EventType::InvoiceViewed,
        EventType::LinkClicked,
    );
    let count = |events: Vec<&Event>| events.len() as f64;
    let looks = of(&[opened, viewed, clicked], 10_000);
    let mobile = |one: &&&Event| one.device.as_deref() == Some("mobile");
    let dwelt = of(&[viewed], 90).into_iter().filter_map(|one| one.dwell_ms);
    let dwelt: Vec<f64> = dwelt.map(|millis| f64::from(millis) / 1_000.0).collect();
    let billed = ledger
        .invoices()
        .iter()
        .any(|one| one.invoice.amount.currency == asked);
    let paid = of(&[EventType::PaymentSucceeded], 10_000);
    let paid = paid.into_iter().filter_map(|one| one.amount);
    let paid: Vec<f64> = paid
        .filter(|money| billed && money.currency == asked)
        .map(|money| money.minor_units as f64)
        .collect();
    let zone = view
        .customer()
        .map_or_else(Zone::utc, Customer::zone_or_utc);
    let due = ledger.invoices().iter().filter(|one| {
        let late_from = one.late_from(&zone);
        late_from < monday && late_from >= monday - Days::whole(365)
    });
    let late: Vec<bool> = due
        .map(|one| one.settled_at.is_none_or(|at| at >= one.late_from(&zone)))
        .collect();
    vec![
        (count(of(&[opened, viewed], 60)), one),
        (0.0, 0.0),
        (f64::from(u8::from(!of(&[clicked], 10_000).is_empty())), one),
        (paid.iter().sum(), f64::from(u8::from(billed))),
        (paid.iter().sum(), paid.len() as f64),
        (dwelt.iter().sum(), dwelt.len() as f64),
        (
            late.iter().filter(|late| **late).count() as f64,
            late.len() as f64,
        ),
        (
            looks.iter().filter(mobile).count() as f64,
            looks.len() as f64,
        ),
    ]
}
