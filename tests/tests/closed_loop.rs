//! The loop closes: decide, pay or not, mature, learn, export, train, and decide with the model.

#![allow(clippy::unwrap_used)]

use lagom_features::domain::Event;
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::{EventType, RecordEventsRequest};
use lagom_tests::company::{DAY, MONDAY, at, fact, opening, question};
use lagom_tests::postgres::Postgres;
use lagom_tests::{Server, lagom, on};
use lagom_training::tables::{Format, Tables};
use std::path::Path;
use std::process::Command;

const CUSTOMERS: usize = 200;
const CLOCK: &str = "[clock]\nsource = \"events\"\n";

fn succeed(folder: &Path, args: &[&str]) -> String {
    let output = Command::new(lagom())
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "lagom {args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Even customers open the invoice and pay within the week; odd ones do neither.
fn payments() -> RecordEventsRequest {
    let paid = |n: usize| {
        let when = MONDAY + (1 + n as i64 % 6) * DAY;
        [
            fact(n, EventType::InvoiceOpened, MONDAY - 20 * DAY, None),
            fact(n, EventType::PaymentSucceeded, when, Some(45_000)),
        ]
    };
    RecordEventsRequest {
        events: (0..CUSTOMERS).step_by(2).flat_map(paid).collect(),
        as_of: at(MONDAY + 8 * DAY),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_is_learnt_from_and_decides_again() {
    the_loop_closes(CLOCK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_is_learnt_from_and_decides_again_on_postgres() {
    let Some(database) = Postgres::start() else {
        return;
    };
    the_loop_closes(&(on(&database.url()) + CLOCK)).await;
}

async fn the_loop_closes(clock: &str) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), clock);
    let mut events = EventServiceClient::new(server.channel().await);
    let mut decisions = DecisionServiceClient::new(server.channel().await);
    events.record_events(opening(CUSTOMERS)).await.unwrap();
    for n in 0..CUSTOMERS {
        let decision = decisions
            .next_best_action(question(n))
            .await
            .unwrap()
            .into_inner();
        assert!(decision.probability > 0.0 && decision.probability <= 1.0);
        assert_eq!(decision.model_id, "", "nothing is trained yet");
    }
    events.record_events(payments()).await.unwrap();

    // Later than every window: the clock of the events closes them all.
    let mut later = question(1);
    later.request_id = "later".to_owned();
    later.as_of = at(MONDAY + 40 * DAY);
    decisions.next_best_action(later).await.unwrap();
    server.kill();

    let config = folder.path().join("lagom.toml");
    let config = config.to_str().unwrap();
    succeed(
        folder.path(),
        &["export", "--config", config, "--out", "export"],
    );
    let tables = Tables::read(&folder.path().join("export")).unwrap();
    assert_eq!(tables.decisions.len(), CUSTOMERS + 1);
    assert_eq!(
        tables.outcomes.len(),
        CUSTOMERS,
        "each window closed, each once"
    );
    let paid = tables
        .outcomes
        .iter()
        .filter(|outcome| outcome.paid)
        .count();
    assert_eq!(paid, CUSTOMERS / 2);
    for decision in &tables.decisions {
        let sum: f64 = decision
            .eligible
            .iter()
            .map(|choice| choice.probability)
            .sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }

    // What was served is what the log gives; a record that the log has lost shows.
    let check = ["features", "--data", "export", "--check"];
    let told = succeed(folder.path(), &check);
    assert!(told.contains("201 decisions compared"), "{told}");
    assert!(told.contains("equal to the bit"), "{told}");
    let mut damaged = tables.clone();
    damaged
        .invoices
        .retain(|one| one.value.invoice_id.as_str() != "i0");
    let opened = |event: &Event| event.kind == lagom_features::domain::EventType::InvoiceOpened;
    damaged.events.retain(|event| !opened(event));
    damaged
        .write(&folder.path().join("damaged"), Format::Csv)
        .unwrap();
    let output = Command::new(lagom())
        .args(["features", "--data", "damaged", "--check"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("1 of invoices not known then"), "{told}");

    // Nothing happened after the payments, but it is known that nothing did.
    let args = [
        "train",
        "--data",
        "export",
        "--models",
        "models",
        "--as-of",
        "2026-04-12",
        "--json",
    ];
    let report: serde_json::Value = serde_json::from_str(&succeed(folder.path(), &args)).unwrap();
    let id = report["model_id"].as_str().unwrap();
    let listed = succeed(folder.path(), &["models", "--models", "models"]);
    assert!(listed.contains(id), "{listed}");
    let models = folder.path().join("models");
    lagom_serving::registry::promote(&models, id, "the first").unwrap();

    let server = Server::start(folder.path(), clock);
    let mut decisions = DecisionServiceClient::new(server.channel().await);
    let mut again = question(3);
    again.request_id = "again".to_owned();
    again.as_of = at(MONDAY + 41 * DAY);
    let decision = decisions
        .next_best_action(again)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(decision.model_id, id);
    let propensity = decision.payment_propensity.unwrap();
    assert!((0.0..=1.0).contains(&propensity));
}
