//! A copy of the log beside a working server is whole, and a server goes on from it.

use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::{NextBestActionRequest, NextBestActionResponse};
use lagom_tests::{Server, company, lagom};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const KEEPING: &str = "[clock]\nsource = \"events\"\n[store]\nstate_every = 100\nin_memory = 10\n";

type Answered = Arc<Mutex<Vec<(NextBestActionRequest, NextBestActionResponse)>>>;

fn backup(config: &Path, to: &Path) -> (Option<i32>, Value, String) {
    let ran = Command::new(lagom())
        .args(["backup", "--json", "--config"])
        .arg(config)
        .arg("--out")
        .arg(to)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let report = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    (ran.status.code(), report, said)
}

async fn ask_until(server: &Server, answered: Answered, stop: Arc<AtomicBool>) {
    let mut client = DecisionServiceClient::new(server.channel().await);
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut question = company::question(n % 40);
        question.request_id = format!("r{n}");
        let answer = client.next_best_action(question.clone()).await.unwrap();
        answered
            .lock()
            .unwrap()
            .push((question, answer.into_inner()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_beside_a_working_server_is_whole_and_is_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let server = Arc::new(Server::start(folder.path(), KEEPING));
    let mut events = EventServiceClient::new(server.channel().await);
    events.record_events(company::opening(40)).await.unwrap();
    let (answered, stop) = (Answered::default(), Arc::new(AtomicBool::new(false)));
    let asking = tokio::spawn({
        let (server, answered, stop) = (Arc::clone(&server), answered.clone(), stop.clone());
        async move { ask_until(&server, answered, stop).await }
    });
    while answered.lock().unwrap().len() < 200 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let before = answered.lock().unwrap().clone();
    let config = folder.path().join("lagom.toml");
    let copy = folder.path().join("copy.db");
    let (status, report, said) = backup(&config, &copy);
    assert_eq!(status, Some(0), "{said}");
    assert!(report["records"].as_u64().unwrap() >= before.len() as u64);
    let (status, _, said) = backup(&config, &copy);
    assert_eq!(status, Some(2));
    assert!(said.contains("is there already"), "{said}");
    stop.store(true, Ordering::Relaxed);
    asking.await.unwrap();
    drop(server);

    // Restored beside what was kept of the longer log: that is left aside.
    let log = folder.path().join("lagom.db");
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path().join(format!("lagom.db{suffix}")));
    }
    std::fs::rename(&copy, &log).unwrap();
    let server = Server::start(folder.path(), KEEPING);
    let mut client = DecisionServiceClient::new(server.channel().await);
    for (question, answer) in before {
        let again = client.next_best_action(question).await.unwrap();
        assert_eq!(again.into_inner(), answer);
    }
    server.kill();
}
