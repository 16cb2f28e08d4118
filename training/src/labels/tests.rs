//! Labels of small histories, worked out by hand.
#![allow(clippy::unwrap_used)]

use super::*;
use lagom_features::History;
use lagom_features::domain::{Currency, CustomerId, Event, EventId, InvoiceId, Money};

fn t(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn event(kind: EventType, at: &str, amount: i64) -> Event {
    let id = EventId::new(format!("{kind}-{at}")).unwrap();
    let mut event = Event::new(id, kind, CustomerId::new("c").unwrap(), t(at), t(at));
    event.invoice_id = Some(InvoiceId::new("i").unwrap());
    event.amount = Some(Money::new(amount, Currency::SEK));
    event.until = Some(t("2026-02-28"));
    event
}

/// 1000 öre, due on the 31st of January.
fn settlement(events: &[Event]) -> Settlement {
    let invoice = Invoice {
        invoice_id: InvoiceId::new("i").unwrap(),
        customer_id: CustomerId::new("c").unwrap(),
        issued_at: t("2026-01-01"),
        due_on: Date::parse("2026-01-31").unwrap(),
        amount: Money::new(1_000, Currency::SEK),
        terms_days: None,
        payment_method: None,
        billing_channel: None,
        product: None,
    };
    let history = History::from_records(Vec::new(), Vec::new(), events);
    Settlement::of(&invoice, history.events(), &Zone::utc())
}

#[test]
fn late_is_known_when_the_due_date_has_passed_and_not_before() {
    let unpaid = settlement(&[]);
    assert_eq!(unpaid.late(t("2026-02-01")), None);
    assert_eq!(unpaid.late(t("2026-02-01T00:00:01Z")), Some(true));
    let last_moment = settlement(&[event(
        EventType::PaymentSucceeded,
        "2026-01-31T23:59:59Z",
        1_000,
    )]);
    assert_eq!(last_moment.late(t("2026-03-01")), Some(false));
    let too_late = settlement(&[event(EventType::PaymentSucceeded, "2026-02-01", 1_000)]);
    assert_eq!(too_late.late(t("2026-03-01")), Some(true));
    let in_part = settlement(&[event(EventType::PaymentSucceeded, "2026-01-20", 999)]);
    assert_eq!(in_part.late(t("2026-03-01")), Some(true));
}

#[test]
fn what_happens_after_the_due_date_does_not_change_whether_it_was_late() {
    let paid = event(EventType::PaymentSucceeded, "2026-01-20", 1_000);
    let refunded = settlement(&[paid, event(EventType::PaymentRefunded, "2026-02-10", 400)]);
    assert_eq!(refunded.late(t("2026-03-01")), Some(false));
    let extended_before = settlement(&[event(EventType::DueDateChanged, "2026-01-20", 0)]);
    assert_eq!(extended_before.late(t("2026-02-10")), None);
    let extended_after = settlement(&[event(EventType::DueDateChanged, "2026-02-02", 0)]);
    assert_eq!(extended_after.late(t("2026-02-10")), Some(true));
}

#[test]
fn a_window_that_is_still_open_says_nothing() {
    let paid = settlement(&[event(EventType::PaymentSucceeded, "2026-02-05", 1_000)]);
    let from = t("2026-01-31");
    assert_eq!(paid.paid_within(from, 30, t("2026-03-01")), None);
    assert_eq!(paid.paid_within(from, 30, t("2026-03-02")), Some(true));
    assert_eq!(paid.paid_within(from, 5, t("2026-03-02")), Some(false));
    assert_eq!(
        paid.paid_within(t("2026-02-06"), 5, t("2026-03-02")),
        Some(false)
    );
}

#[test]
fn who_has_left_cannot_leave_again_before_coming_back() {
    let left = event(EventType::CustomerChurned, "2026-02-01", 0);
    let back = event(EventType::CustomerReturned, "2026-05-01", 0);
    let history = History::from_records(Vec::new(), Vec::new(), &[left, back]);
    let loyalty = Loyalty::of(history.events());
    let end = t("2027-01-01");
    assert_eq!(loyalty.left_within(t("2026-01-01"), 90, end), Some(true));
    assert_eq!(loyalty.left_within(t("2026-01-01"), 31, end), Some(false));
    assert_eq!(loyalty.left_within(t("2026-03-01"), 90, end), None);
    assert_eq!(loyalty.left_within(t("2026-05-02"), 90, end), Some(false));
    assert_eq!(
        loyalty.left_within(t("2026-05-02"), 90, t("2026-06-01")),
        None
    );
}

#[test]
fn what_is_known_ends_where_all_but_a_hundredth_of_the_reports_would_be_in() {
    let as_of = t("2026-03-01");
    let reported = |delays: &[i64]| {
        let late = |(place, days): (usize, &i64)| {
            let mut paid = event(EventType::PaymentSucceeded, "2026-01-20", 10);
            paid.event_id = EventId::new(format!("e{place}")).unwrap();
            paid.recorded_at = paid.occurred_at + Days::whole(*days);
            paid
        };
        let events: Vec<Event> = delays.iter().enumerate().map(late).collect();
        let history = History::from_records(Vec::new(), Vec::new(), &events);
        let of = BTreeMap::from([(CustomerId::new("c").unwrap(), history)]);
        reported_until(&of, as_of)
    };
    assert_eq!(reported(&[]), as_of);
    assert_eq!(reported(&[0; 50]), as_of);
    // Of two hundred, one that is late is a half of a hundredth, and three are more than one.
    let mut delays = [0; 200];
    delays[0] = 9;
    assert_eq!(reported(&delays), as_of);
    delays[1..3].copy_from_slice(&[4, 5]);
    assert_eq!(reported(&delays), as_of + Days::whole(-5));
    // A report that a migration wrote years later is no bank's, and one that is not in says nothing.
    assert_eq!(reported(&[700]), as_of);
    assert_eq!(reported(&[30; 20]), as_of + Days::whole(-14));
    assert_eq!(reported(&[60; 20]), as_of);
}

#[test]
fn what_does_not_tell_of_money_or_departure_has_no_delay() {
    let mut opened = event(EventType::InvoiceOpened, "2026-01-20", 0);
    opened.recorded_at = t("2026-01-30");
    let histories = |event: Event| {
        let history = History::from_records(Vec::new(), Vec::new(), &[event]);
        BTreeMap::from([(CustomerId::new("c").unwrap(), history)])
    };
    let as_of = t("2026-03-01");
    assert_eq!(reported_until(&histories(opened), as_of), as_of);
    let mut left = event(EventType::CustomerChurned, "2026-01-20", 0);
    left.recorded_at = t("2026-01-25");
    let expected = as_of + Days::whole(-5);
    assert_eq!(reported_until(&histories(left), as_of), expected);
}
