//! A server killed in the middle of its work loses nothing that it answered, and doubles nothing.

#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stdout, reason = "a long run says what it has done")]

#[path = "crash/backup.rs"]
mod backup;
#[path = "crash/full.rs"]
mod full;
#[path = "crash/rounds.rs"]
mod rounds;

use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::{ExplainDecisionRequest, NextBestActionResponse};
use lagom_tests::postgres::Postgres;
use lagom_tests::{Server, company, lagom, on};
use std::collections::{BTreeMap, HashSet};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

const DECISIONS: usize = 1_000;
const CLOCK: &str = "[clock]\nsource = \"events\"\n";

type Answers = Arc<Mutex<BTreeMap<usize, NextBestActionResponse>>>;

/// Asks every question that has no answer yet, 32 at a time; what is answered is kept.
async fn ask(server: &Server, answers: &Answers, answered: &Arc<AtomicUsize>) {
    let client = DecisionServiceClient::new(server.channel().await);
    let open: Vec<usize> = {
        let answers = answers.lock().unwrap();
        (0..DECISIONS)
            .filter(|n| !answers.contains_key(n))
            .collect()
    };
    let mut calls = JoinSet::new();
    for n in open {
        if calls.len() == 32 {
            calls.join_next().await;
        }
        let (mut client, answers) = (client.clone(), Arc::clone(answers));
        let answered = Arc::clone(answered);
        calls.spawn(async move {
            if let Ok(answer) = client.next_best_action(company::question(n)).await {
                answers.lock().unwrap().insert(n, answer.into_inner());
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while calls.join_next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_kill() {
    answers_survive_a_kill(CLOCK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_kill_on_postgres() {
    let Some(database) = Postgres::start() else {
        return;
    };
    answers_survive_a_kill(&(on(&database.url()) + CLOCK)).await;
}

async fn answers_survive_a_kill(config: &str) {
    let folder = tempfile::tempdir().unwrap();
    let answers: Answers = Arc::default();
    let answered = Arc::new(AtomicUsize::new(0));

    let server = Server::start(folder.path(), config);
    let mut events = EventServiceClient::new(server.channel().await);
    let recorded = events
        .record_events(company::opening(DECISIONS))
        .await
        .unwrap();
    assert_eq!(recorded.into_inner().accepted, 2 * DECISIONS as u64);

    let pid = server.pid();
    let (seen, killer) = (Arc::clone(&answered), std::thread::spawn);
    let killer = killer(move || {
        while seen.load(Ordering::Relaxed) < DECISIONS / 3 {
            std::thread::sleep(Duration::from_micros(200));
        }
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
        assert!(killed.unwrap().success());
    });
    ask(&server, &answers, &answered).await;
    killer.join().unwrap();
    drop(server);
    let before: BTreeMap<usize, NextBestActionResponse> = answers.lock().unwrap().clone();
    assert!(
        before.len() >= DECISIONS / 3 && before.len() < DECISIONS,
        "{}",
        before.len()
    );

    let server = Server::start(folder.path(), config);
    let mut client = DecisionServiceClient::new(server.channel().await);
    for (&n, answer) in &before {
        let again = client.next_best_action(company::question(n)).await.unwrap();
        assert_eq!(
            &again.into_inner(),
            answer,
            "the same request, the same decision"
        );
        let decision_id = answer.decision_id.clone();
        let request = ExplainDecisionRequest { decision_id };
        let explained = client.explain_decision(request).await.unwrap().into_inner();
        assert_eq!(explained.decision.as_ref(), Some(answer));
        assert_eq!(explained.request_id, format!("r{n}"));
    }
    ask(&server, &answers, &answered).await;
    let all = answers.lock().unwrap().clone();
    assert_eq!(all.len(), DECISIONS);
    let ids: HashSet<&str> = all.values().map(|one| one.decision_id.as_str()).collect();
    assert_eq!(ids.len(), DECISIONS);
    server.kill();

    let out = folder.path().join("export");
    let exported = Command::new(lagom())
        .args(["export", "--config"])
        .arg(folder.path().join("lagom.toml"))
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        exported.status.success(),
        "{}",
        String::from_utf8_lossy(&exported.stderr)
    );
    let tables = lagom_training::tables::Tables::read(&out).unwrap();
    let logged: Vec<&str> = tables
        .decisions
        .iter()
        .map(|decision| decision.decision_id.as_str())
        .collect();
    let distinct: HashSet<&str> = logged.iter().copied().collect();
    assert_eq!(distinct.len(), logged.len(), "no decision twice");
    for id in ids {
        assert!(
            distinct.contains(id),
            "{id} was answered and is not in the log"
        );
    }
}
