//! A disk that is full, and a folder that cannot be written.

use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::{ExplainDecisionRequest, NextBestActionResponse};
use lagom_tests::{Server, company, lagom};
use std::process::Command;
use tonic::Code;

const CLOCK: &str = "[clock]\nsource = \"events\"\n";

/// Files may grow to 1.5 MB; the decisions below need more.
const KIBIBYTES: u32 = 1_536;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_recovered_from() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with_little_disk(folder.path(), CLOCK, KIBIBYTES);
    let channel = server.channel().await;
    let mut events = EventServiceClient::new(channel.clone());
    let mut decisions = DecisionServiceClient::new(channel);
    events.record_events(company::opening(50)).await.unwrap();
    let question = |n: usize| {
        let mut question = company::question(n % 50);
        question.request_id = format!("r{n}");
        question
    };
    let mut answers: Vec<NextBestActionResponse> = Vec::new();
    let refused = loop {
        match decisions.next_best_action(question(answers.len())).await {
            Ok(answer) => answers.push(answer.into_inner()),
            Err(status) => break status,
        }
        assert!(answers.len() < 100_000, "the disk does not fill");
    };
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert!(refused.message().contains("writing the log"), "{refused}");
    assert!(!answers.is_empty());

    // What is there can still be read.
    let decision_id = answers[0].decision_id.clone();
    let explained = decisions
        .explain_decision(ExplainDecisionRequest { decision_id })
        .await
        .unwrap();
    assert_eq!(explained.get_ref().decision.as_ref(), Some(&answers[0]));

    // With room again it goes on, without a restart.
    let lifted = Command::new("prlimit")
        .args(["--pid", &server.pid().to_string(), "--fsize=unlimited:"])
        .status()
        .unwrap();
    assert!(lifted.success());
    let next = decisions.next_best_action(question(answers.len())).await;
    answers.push(next.unwrap().into_inner());
    server.kill();

    let server = Server::start(folder.path(), CLOCK);
    let mut decisions = DecisionServiceClient::new(server.channel().await);
    for (n, answer) in answers.iter().enumerate() {
        let again = decisions.next_best_action(question(n)).await.unwrap();
        assert_eq!(again.get_ref(), answer);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lagom.toml");
    // Not even root can make files there.
    let text = "[server]\ngrpc = \"127.0.0.1:0\"\nhttp = \"\"\n\
                [store]\nurl = \"file:/proc/lagom/store.db\"\n";
    std::fs::write(&config, text).unwrap();
    let ended = Command::new(lagom())
        .args(["serve", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        said.contains("[store]") && said.contains("opening the store"),
        "{said}"
    );
}
