//! One contact left, 64 callers that want it: exactly one proceeds, also across a kill.
//!
//! `LAGOM_BUDGET_ROUNDS` asks for more rounds than the few of a quick run.

#![allow(clippy::unwrap_used)]

use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::{ConfirmActionRequest, ConfirmStatus, NextBestActionResponse};
use lagom_tests::Server;
use lagom_tests::company::{owing, question};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::transport::Channel;

const CALLERS: usize = 64;
const CONFIG: &str = "[clock]\nsource = \"events\"\n[bandit]\npolicy = \"ladder\"\n";

type Client = DecisionServiceClient<Channel>;

fn rounds(few: usize) -> usize {
    let asked = std::env::var("LAGOM_BUDGET_ROUNDS").ok();
    asked.map_or(few, |text| text.parse().unwrap())
}

/// Advice to contact customer `n` about each of 64 invoices, none of them sent yet.
async fn advised(server: &Server, n: usize) -> Vec<NextBestActionResponse> {
    let request = owing(n, CALLERS);
    let mut events = EventServiceClient::new(server.channel().await);
    let recorded = events.record_events(request).await.unwrap().into_inner();
    assert_eq!(recorded.accepted, 1 + CALLERS as u64);
    let client = DecisionServiceClient::new(server.channel().await);
    let mut calls = JoinSet::new();
    for caller in 0..CALLERS {
        let mut client = client.clone();
        let mut ask = question(n);
        ask.request_id = format!("r{n}-{caller}");
        ask.invoice_id = format!("i{n}-{caller}");
        calls.spawn(async move { client.next_best_action(ask).await.unwrap().into_inner() });
    }
    let advice = calls.join_all().await;
    for one in &advice {
        assert_ne!(one.action.as_ref().unwrap().channel, 0, "{}", one.reason);
    }
    advice
}

/// Confirms all at once; the decisions that were told to proceed. A call that fails is no answer.
async fn confirmed(client: &Client, advice: &[NextBestActionResponse]) -> BTreeSet<String> {
    let mut calls = JoinSet::new();
    for one in advice {
        let mut client = client.clone();
        let request = ConfirmActionRequest {
            decision_id: one.decision_id.clone(),
            as_of: one.action.as_ref().unwrap().send_at,
        };
        calls.spawn(async move {
            let id = request.decision_id.clone();
            let answer = client.confirm_action(request).await.ok()?.into_inner();
            (answer.status() == ConfirmStatus::Proceed).then_some(id)
        });
    }
    calls.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_callers_exactly_one_proceeds() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CONFIG);
    let client = DecisionServiceClient::new(server.channel().await);
    for round in 0..rounds(25) {
        let advice = advised(&server, round).await;
        let proceeding = confirmed(&client, &advice).await;
        assert_eq!(proceeding.len(), 1, "round {round}: {proceeding:?}");
        assert_eq!(confirmed(&client, &advice).await, proceeding, "it stays so");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_among_the_confirmations_gives_no_second_contact() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), CONFIG);
    for round in 0..rounds(25).div_ceil(5) {
        let advice = advised(&server, 10_000 + round).await;
        let client = DecisionServiceClient::new(server.channel().await);
        let pid = server.pid().to_string();
        // From before the first answer to after the last.
        let wait = Duration::from_micros(400 * (1 + round as u64 % 40));
        let killer = std::thread::spawn(move || {
            std::thread::sleep(wait);
            Command::new("kill").args(["-9", &pid]).status().unwrap()
        });
        let before = confirmed(&client, &advice).await;
        assert!(killer.join().unwrap().success());
        drop(server);
        server = Server::start(folder.path(), CONFIG);
        let client = DecisionServiceClient::new(server.channel().await);
        let after = confirmed(&client, &advice).await;
        assert_eq!(after.len(), 1, "round {round}: {after:?}");
        assert!(before.is_subset(&after), "{before:?} was told to proceed");
    }
}
