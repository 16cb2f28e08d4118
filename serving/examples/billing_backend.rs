//! Upsert, decide, confirm, report: the four calls of a billing backend, in Rust.
//!
//! Against a running `lagom serve`; `LAGOM_TARGET` names another address than 127.0.0.1:50051.

#![allow(
    clippy::print_stdout,
    reason = "an example tells the reader what came back"
)]

use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event::Body;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::{
    ConfirmActionRequest, ConfirmStatus, CustomerKind, CustomerUpsert, Event, EventType, Fact,
    InvoiceUpsert, Money, NextBestActionRequest, RecordEventsRequest,
};
use prost_types::Timestamp;
use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::var("LAGOM_TARGET").unwrap_or_else(|_| "127.0.0.1:50051".to_owned());
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{target}"))?
        .timeout(std::time::Duration::from_secs(10))
        .connect()
        .await?;
    let mut events = EventServiceClient::new(channel.clone());
    let mut decisions = DecisionServiceClient::new(channel);
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;

    // 1. Who owes what. The same event_id again changes nothing.
    let customer = CustomerUpsert {
        kind: CustomerKind::Consumer.into(),
        country: "SE".to_owned(),
        time_zone: "Europe/Stockholm".to_owned(),
        ..CustomerUpsert::default()
    };
    let due = jiff::Timestamp::from_second(now - 10 * DAY)?.to_zoned(jiff::tz::TimeZone::UTC);
    let invoice = InvoiceUpsert {
        issued_at: at(now - 40 * DAY),
        due_on: due.date().to_string(),
        amount: sek(45_000),
        ..InvoiceUpsert::default()
    };
    let opening = vec![
        event("customer-rs1", now, "", Body::Customer(customer)),
        event("invoice-rs1", now, "", Body::Invoice(invoice)),
    ];
    record(&mut events, opening).await?;

    // 2. What to do about it. The request_id is the idempotency key.
    let question = NextBestActionRequest {
        request_id: "rs1-tonight".to_owned(),
        customer_id: "rs1".to_owned(),
        invoice_id: "rs-i1".to_owned(),
        ..NextBestActionRequest::default()
    };
    let advice = decisions.next_best_action(question).await?.into_inner();
    let action = advice.action.ok_or("advice without an action")?;
    println!(
        "{} with probability {}",
        action.action_id, advice.probability
    );

    // 3. Right before sending: does it still hold? 4. Then say what was done, and what came of it.
    if action.channel != 0 {
        let request = ConfirmActionRequest {
            decision_id: advice.decision_id.clone(),
            as_of: None,
        };
        let answer = decisions.confirm_action(request).await?.into_inner();
        if answer.status() == ConfirmStatus::Proceed {
            let sent = Fact {
                r#type: EventType::ContactSent.into(),
                channel: action.channel,
                ..Fact::default()
            };
            let id = format!("sent-{}", advice.decision_id);
            let sent = event(&id, now, &advice.decision_id, Body::Fact(sent));
            record(&mut events, vec![sent]).await?;
        }
    }
    let paid = Fact {
        r#type: EventType::PaymentSucceeded.into(),
        amount: sek(45_000),
        ..Fact::default()
    };
    let paid = event("paid-rs-i1", now, "", Body::Fact(paid));
    record(&mut events, vec![paid]).await
}

async fn record(
    client: &mut EventServiceClient<tonic::transport::Channel>,
    events: Vec<Event>,
) -> Result<(), Box<dyn Error>> {
    let request = RecordEventsRequest {
        events,
        as_of: None,
    };
    let answer = client.record_events(request).await?.into_inner();
    match answer.rejected.first() {
        None => Ok(()),
        Some(first) => Err(format!("{}: {}", first.field, first.reason).into()),
    }
}

fn event(id: &str, seconds: i64, decision_id: &str, body: Body) -> Event {
    Event {
        event_id: id.to_owned(),
        occurred_at: at(seconds),
        customer_id: "rs1".to_owned(),
        invoice_id: match &body {
            Body::Customer(_) => String::new(),
            Body::Invoice(_) | Body::Fact(_) => "rs-i1".to_owned(),
        },
        decision_id: decision_id.to_owned(),
        body: Some(body),
    }
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn sek(minor_units: i64) -> Option<Money> {
    Some(Money {
        minor_units,
        currency: "SEK".to_owned(),
    })
}
