//! Serving asks for a vector on every decision: after the first nothing is allocated any more.
#![allow(clippy::unwrap_used)]

use lagom_features::domain::{
    Channel, Currency, Customer, CustomerId, Days, Event, EventId, EventType, Invoice, InvoiceId,
    Money, TenantId, Timestamp, Tone, Zone,
};
use lagom_features::{Extractor, FeatureSpec, History, Ledger, LedgerMemory, Scratch};

/// Two years of monthly invoices, eight events each, of a customer in Stockholm.
fn two_years() -> (History, InvoiceId, Timestamp) {
    const STORY: [(EventType, i64); 8] = [
        (EventType::InvoiceDelivered, 0),
        (EventType::InvoiceOpened, 1),
        (EventType::InvoiceViewed, 1),
        (EventType::LinkClicked, 2),
        (EventType::ContactSent, 28),
        (EventType::PaymentFailed, 30),
        (EventType::ContactSent, 33),
        (EventType::PaymentSucceeded, 35),
    ];
    let customer_id = CustomerId::new("c").unwrap();
    let start = Timestamp::parse("2024-01-03T07:00:00Z").unwrap();
    let mut customer = Customer::unknown(TenantId::default(), customer_id.clone(), start);
    customer.time_zone = Some(Zone::parse("Europe/Stockholm").unwrap());
    let mut history = History::new();
    history.record_customer(start, customer);
    let invoice_id = |month: i64| InvoiceId::new(format!("invoice-{month}")).unwrap();
    for month in 0..25 {
        let issued_at = start + Days::whole(30 * month);
        history.record_invoice(
            issued_at,
            Invoice {
                invoice_id: invoice_id(month),
                customer_id: customer_id.clone(),
                issued_at,
                due_on: issued_at.date(&Zone::utc()).plus_days(30),
                amount: Money::new(49_900, Currency::SEK),
                terms_days: None,
                payment_method: None,
                billing_channel: Some("email".into()),
                product: None,
            },
        );
        for (number, (kind, days)) in STORY.into_iter().enumerate() {
            let at = issued_at + Days::whole(days);
            let id = EventId::new(format!("{month}-{number}")).unwrap();
            let mut event = Event::new(id, kind, customer_id.clone(), at, at);
            event.invoice_id = Some(invoice_id(month));
            event.channel = Some(Channel::Email);
            event.tone = Some(Tone::Friendly);
            event.amount = Some(Money::new(49_900, Currency::SEK));
            event.device = Some("mobile".to_owned());
            history.record_event(&event);
        }
    }
    (history, invoice_id(24), start + Days::whole(24 * 30 + 34))
}

#[test]
fn nothing_is_allocated_after_the_first_vector() {
    let (history, invoice_id, now) = two_years();
    let extractor = Extractor::new(&FeatureSpec::built_in());
    let (mut scratch, mut memory, mut out) = (Scratch::new(), LedgerMemory::default(), Vec::new());
    let mut vector = || {
        let view = history.as_of(now);
        let ledger = Ledger::in_memory(&view, &mut memory);
        let made = extractor.extract_with(&mut scratch, &view, &ledger, &invoice_id, &mut out);
        ledger.recycle(&mut memory);
        made.unwrap();
    };
    let first = allocation_counter::measure(&mut vector);
    assert!(first.count_total > 0, "the counter counts");
    let second = allocation_counter::measure(&mut vector);
    assert_eq!(second.count_total, 0);
    assert!(out.iter().any(|value| *value > 0.0));
}
