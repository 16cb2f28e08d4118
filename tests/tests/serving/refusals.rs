//! Bad requests: the right status, and the path of the field.

use crate::house::House;
use lagom_proto::v1::event::Body;
use lagom_proto::v1::{Event, EventType, NextBestActionRequest};
use lagom_tests::company::{DAY, MONDAY, at, customer, fact, invoice, opening, question};
use tempfile::TempDir;
use tonic::Code;

type Spoil = fn(&mut NextBestActionRequest);

fn spoilt_event(change: fn(&mut Event), mut event: Event) -> Event {
    change(&mut event);
    event
}

fn payment(amount_minor: i64) -> Event {
    fact(
        0,
        EventType::PaymentSucceeded,
        MONDAY - 2,
        Some(amount_minor),
    )
}

fn without_zone(event: &mut Event) {
    event.event_id = "changed".to_owned();
    if let Some(Body::Customer(body)) = &mut event.body {
        body.time_zone.clear();
    }
}

fn on_mars(event: &mut Event) {
    if let Some(Body::Customer(body)) = &mut event.body {
        body.time_zone = "Mars/Olympus".to_owned();
    }
}

fn in_euro(event: &mut Event) {
    if let Some(Body::Fact(body)) = &mut event.body
        && let Some(amount) = &mut body.amount
    {
        amount.currency = "EUR".to_owned();
    }
}

fn due_never(event: &mut Event) {
    if let Some(Body::Invoice(body)) = &mut event.body {
        body.due_on = "2026-02-30".to_owned();
    }
}

fn untyped(event: &mut Event) {
    if let Some(Body::Fact(body)) = &mut event.body {
        body.r#type = 0;
    }
}

const REQUESTS: &[(Spoil, Code, &str)] = &[
    (
        |r| r.customer_id = "c404".to_owned(),
        Code::NotFound,
        "customer `c404` is not known",
    ),
    (
        |r| r.invoice_id = "i404".to_owned(),
        Code::NotFound,
        "invoice `i404` is not known",
    ),
    (
        |r| r.customer_id.clear(),
        Code::InvalidArgument,
        "customer_id: ",
    ),
    (
        |r| r.invoice_id = "\n".to_owned(),
        Code::InvalidArgument,
        "invoice_id: ",
    ),
    (
        |r| r.request_id = "x".repeat(201),
        Code::InvalidArgument,
        "request_id: ",
    ),
    (
        |r| r.allowed_channels = vec![1, 99],
        Code::InvalidArgument,
        "allowed_channels[1]: ",
    ),
    (|r| r.as_of = at(i64::MAX), Code::InvalidArgument, "as_of: "),
    (
        |r| r.events = vec![payment(-1)],
        Code::InvalidArgument,
        "events[0].fact.amount.minor_units: -1",
    ),
    (
        |r| r.events = vec![payment(1), spoilt_event(without_zone, customer(0))],
        Code::InvalidArgument,
        "events[1].customer.time_zone: is required",
    ),
    (
        |r| r.events = vec![spoilt_event(on_mars, customer(0))],
        Code::InvalidArgument,
        "events[0].customer.time_zone: `Mars/Olympus`",
    ),
    (
        |r| r.events = vec![fact(0, EventType::InvoiceOpened, MONDAY + 1, None)],
        Code::InvalidArgument,
        "events[0].occurred_at: 2026-03-02T08:00:01Z is in the future",
    ),
    (
        |r| r.events = vec![spoilt_event(in_euro, payment(100))],
        Code::InvalidArgument,
        "events[0].fact.amount.currency: EUR does not fit invoice `i0`, which is in SEK",
    ),
    (
        |r| r.events = vec![spoilt_event(due_never, invoice(0))],
        Code::InvalidArgument,
        "events[0].invoice.due_on: ",
    ),
    (
        |r| r.events = vec![spoilt_event(untyped, payment(1))],
        Code::InvalidArgument,
        "events[0].fact.type: is required",
    ),
    (
        |r| r.events = vec![spoilt_event(|e| e.occurred_at = None, payment(1))],
        Code::InvalidArgument,
        "events[0].occurred_at: is required",
    ),
    (
        |r| r.events = vec![spoilt_event(|e| e.body = None, payment(1))],
        Code::InvalidArgument,
        "events[0].body: ",
    ),
    (
        |r| {
            r.events = vec![spoilt_event(
                |e| e.customer_id = "c1".to_owned(),
                payment(1),
            )];
        },
        Code::InvalidArgument,
        "events[0].customer_id: is not `c0`",
    ),
    (
        |r| r.events = vec![spoilt_event(|e| e.event_id.clear(), payment(1))],
        Code::InvalidArgument,
        "events[0].event_id: ",
    ),
];

#[tokio::test]
async fn a_bad_request_gets_its_status_and_the_path_of_its_field() {
    let house = House::open("").await;
    house.record(opening(2).events).await;
    for (spoil, code, message) in REQUESTS {
        let mut request = question(0);
        spoil(&mut request);
        let refused = house
            .decisions()
            .next_best_action(request)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), *code, "{message}: {refused}");
        assert!(
            refused.message().starts_with(message),
            "{message}: {refused}"
        );
    }
    assert!(
        house.server.engine().pending().is_empty(),
        "nothing was decided"
    );
}

#[tokio::test]
async fn a_bad_event_is_rejected_by_itself() {
    let house = House::open("").await;
    house.record(opening(1).events).await;
    let recorded = house
        .record(vec![
            payment(100),
            spoilt_event(|e| e.event_id = "negative".to_owned(), payment(-5)),
            spoilt_event(without_zone, customer(0)),
            spoilt_event(
                in_euro,
                fact(0, EventType::PaymentSucceeded, MONDAY - 3, Some(5)),
            ),
            payment(100),
        ])
        .await;
    assert_eq!((recorded.accepted, recorded.duplicates), (1, 1));
    let rejected: Vec<(&str, &str)> = recorded
        .rejected
        .iter()
        .map(|one| (one.event_id.as_str(), one.field.as_str()))
        .collect();
    assert_eq!(
        rejected[..2],
        [
            ("negative", "events[1].fact.amount.minor_units"),
            ("changed", "events[2].customer.time_zone"),
        ]
    );
    assert_eq!(rejected[2].1, "events[3].fact.amount.currency");
}

/// On the wall clock, tomorrow has not happened and last week cannot be decided again.
#[tokio::test]
async fn the_wall_clock_refuses_the_future_and_the_past() {
    let house = House::open_in(TempDir::new().unwrap(), "").await;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = i64::try_from(now.as_secs()).unwrap();
    let ahead = house.record(vec![
        customer(0),
        invoice(0),
        fact(0, EventType::InvoiceOpened, now + DAY, None),
    ]);
    let ahead = ahead.await;
    assert_eq!(ahead.accepted, 2);
    assert_eq!(ahead.rejected[0].field, "events[2].occurred_at");
    for (as_of, ok) in [(now + DAY, false), (now - 7 * DAY, false), (now, true)] {
        let mut request = question(0);
        request.as_of = at(as_of);
        let answer = house.decisions().next_best_action(request).await;
        assert_eq!(answer.is_ok(), ok, "{answer:?}");
        if let Err(refused) = answer {
            assert!(refused.message().starts_with("as_of: "), "{refused}");
        }
    }
}

/// Windows that would end after the last year that is accepted made the events' clock wait for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instant_near_the_end_of_time_is_refused_and_stops_nobody() {
    let house = House::open("").await;
    house.record(opening(2).events).await;
    for seconds in [7_258_118_400, 7_258_118_399, 7_200_000_000] {
        let mut late = question(0);
        late.as_of = at(seconds);
        let refused = house.decisions().next_best_action(late).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert!(refused.message().starts_with("as_of"), "{refused}");
        let event = fact(1, EventType::InvoiceViewed, seconds, None);
        let recorded = house.record(vec![event]).await;
        assert_eq!(recorded.rejected.len(), 1, "{recorded:?}");
    }
    let mut last = question(0);
    last.as_of = at(6_900_000_000);
    for n in 0..2 {
        last.request_id = format!("last-{n}");
        let asked = house.decisions().next_best_action(last.clone()).await;
        asked.unwrap();
        last.as_of = at(6_940_000_000);
    }
    house.server.shutdown().await;
}
