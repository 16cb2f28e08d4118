//! A company as large as the measurement asks for: configuration, histories, questions.

use crate::config::Config;
use lagom_proto::v1::event::Body;
use lagom_proto::v1::{
    CustomerKind, CustomerUpsert, Event, EventType, Fact, InvoiceUpsert, Money,
    NextBestActionRequest,
};
use prost_types::Timestamp;
use std::collections::HashMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;
/// Payments, openings and clicks of each customer, beside invoices.
const FACTS: usize = 36;
/// Invoices of each customer; the last one is unpaid.
const INVOICES: usize = 6;
/// Events of each customer.
pub(in crate::cli::bench) const EVENTS: usize = 1 + INVOICES + FACTS;

/// 402 actions, decided by the bandit's own scores from the first decision on.
const STRATEGY: &str = r#"
[server]
grpc = "127.0.0.1:0"
http = ""
[bandit.cold_start]
rounds = 0
[strategy]
[[strategy.steps]]
kind = "reminder"
channels = ["email", "sms", "app_push", "letter", "digital_mailbox"]
tones = ["friendly", "neutral", "firm"]
timings = ["d0-morning", "d0-midday", "d0-evening", "d1-morning", "d1-midday", "d1-evening", "d2-morning", "d2-midday", "d2-evening", "d3-morning", "d3-midday", "d3-evening", "d4-morning", "d4-midday", "d4-evening", "d5-morning", "d5-midday", "d5-evening", "d6-morning", "d6-midday"]
[[strategy.steps]]
kind = "plan_offer"
channels = ["email", "sms", "app_push", "letter", "digital_mailbox"]
tones = ["friendly"]
timings = ["d0-morning", "d0-midday", "d0-evening", "d1-morning", "d1-midday", "d1-evening", "d2-morning", "d2-midday", "d2-evening", "d3-morning"]
[[strategy.steps]]
kind = "invoice_redelivery"
channels = ["email", "letter", "digital_mailbox"]
tones = ["neutral"]
timings = ["d0-morning", "d0-midday", "d1-morning", "d1-midday", "d2-morning", "d2-midday", "d3-morning", "d3-midday", "d4-morning", "d4-midday"]
[[strategy.steps]]
kind = "due_date_notice"
channels = ["email", "sms", "app_push", "digital_mailbox"]
tones = ["friendly"]
timings = ["d0-morning", "d1-morning"]
[[strategy.steps]]
kind = "retry_debit"
timings = ["d0-morning", "d1-morning", "d2-morning", "d3-morning", "d4-morning", "d5-morning", "d6-morning", "d0-midday", "d1-midday", "d2-midday"]
[[strategy.steps]]
kind = "collection_claim"
channels = ["letter"]
tones = ["final"]
timings = ["d0-morning", "d1-morning"]
"#;

/// A valid configuration on free ports with its store in `folder`.
pub(in crate::cli::bench) fn config(folder: &Path) -> Result<Config, crate::config::ConfigError> {
    Config::parse(STRATEGY, folder, HashMap::new())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn money() -> Option<Money> {
    Some(Money {
        minor_units: 45_000,
        currency: "SEK".to_owned(),
    })
}

/// Everything that is known of customer `n`: [`EVENTS`] events.
pub(in crate::cli::bench) fn history(n: usize) -> Vec<Event> {
    let today = now() / DAY * DAY;
    let customer_id = format!("customer-{n:08}");
    let mut events = vec![Event {
        event_id: format!("{n}-customer"),
        occurred_at: at(today - 700 * DAY),
        customer_id: customer_id.clone(),
        body: Some(Body::Customer(CustomerUpsert {
            created_at: at(today - 700 * DAY),
            kind: CustomerKind::Consumer.into(),
            country: "SE".to_owned(),
            time_zone: "Europe/Stockholm".to_owned(),
            autopay: Some(n.is_multiple_of(5)),
            ..CustomerUpsert::default()
        })),
        ..Event::default()
    }];
    for k in 0..INVOICES {
        let issued = today - (40 + 30 * (INVOICES - 1 - k) as i64) * DAY;
        let due = jiff::Timestamp::from_second(issued + 30 * DAY).unwrap_or_default();
        let invoice_id = format!("invoice-{n:08}-{k}");
        events.push(Event {
            event_id: format!("{n}-{k}-invoice"),
            occurred_at: at(issued),
            customer_id: customer_id.clone(),
            invoice_id: invoice_id.clone(),
            body: Some(Body::Invoice(InvoiceUpsert {
                issued_at: at(issued),
                due_on: due.strftime("%Y-%m-%d").to_string(),
                amount: money(),
                terms_days: Some(30),
                ..InvoiceUpsert::default()
            })),
            ..Event::default()
        });
        for j in 0..FACTS / INVOICES {
            let paid = j == 5 && k + 1 < INVOICES;
            let kind = match j {
                0 => EventType::InvoiceDelivered,
                1 => EventType::InvoiceOpened,
                5 if paid => EventType::PaymentSucceeded,
                5 => EventType::LinkClicked,
                _ => EventType::InvoiceViewed,
            };
            let late = ((n + k) % 7) as i64;
            events.push(Event {
                event_id: format!("{n}-{k}-{j}"),
                occurred_at: at(issued + (j as i64 * 5 + late) * DAY / 2 + 3_600 * j as i64),
                customer_id: customer_id.clone(),
                invoice_id: invoice_id.clone(),
                body: Some(Body::Fact(Fact {
                    r#type: kind.into(),
                    amount: if paid { money() } else { None },
                    ..Fact::default()
                })),
                ..Event::default()
            });
        }
    }
    events
}

/// The question about customer `n`'s unpaid invoice under the key `key`.
pub(in crate::cli::bench) fn question(n: usize, key: String) -> NextBestActionRequest {
    NextBestActionRequest {
        request_id: key,
        customer_id: format!("customer-{n:08}"),
        invoice_id: format!("invoice-{n:08}-{}", INVOICES - 1),
        ..NextBestActionRequest::default()
    }
}
