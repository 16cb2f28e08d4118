//! Several servers on one database: budgets, keys and learning are one; nothing that was
//! acknowledged is lost or doubled when a server, the database or the network between them fails.

#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stdout, reason = "a long run says what it has done")]

#[path = "replicas/copy.rs"]
mod copy;
#[path = "replicas/failures.rs"]
mod failures;
#[path = "replicas/rolling.rs"]
mod rolling;
#[path = "replicas/tls.rs"]
mod tls;

use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::model_service_client::ModelServiceClient;
use lagom_proto::v1::privacy_service_client::PrivacyServiceClient;
use lagom_proto::v1::{
    ConfirmActionRequest, ConfirmStatus, EraseCustomerRequest, EventType, NextBestActionResponse,
    PausePolicyRequest, RecordEventsRequest, ResumePolicyRequest,
};
use lagom_tests::company::{DAY, MONDAY, at, fact, opening, owing, question};
use lagom_tests::postgres::Postgres;
use lagom_tests::{Server, lagom, on};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tonic::Code;
use tonic::transport::Channel;

const CALLERS: usize = 64;
const LADDER: &str = "[clock]\nsource = \"events\"\n[bandit]\npolicy = \"ladder\"\n";
/// Windows close after a day, and the policy learns from the twentieth outcome on.
const QUICK: &str = "[clock]\nsource = \"events\"\n[learning]\nwindow_days = 1\ngrace_hours = 1\n\
                     [bandit.cold_start]\nrounds = 20\n";

/// A server with a folder of its own.
struct Replica {
    server: Option<Server>,
    channel: Channel,
    folder: TempDir,
}

/// What a server had to say is wanted where a test fails.
impl Drop for Replica {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("server.log"));
            println!("{}", log.unwrap_or_default());
        }
    }
}

impl Replica {
    async fn start(config: &str) -> Self {
        Self::start_by(config, Command::new(lagom())).await
    }

    /// Answers for a second after it was asked to end.
    async fn lingering(config: &str) -> Self {
        let mut command = Command::new(lagom());
        command.env("LAGOM__SERVER__DRAIN_SECONDS", "1");
        Self::start_by(config, command).await
    }

    async fn start_by(config: &str, command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_by(folder.path(), config, command);
        let channel = server.channel().await;
        Self {
            server: Some(server),
            channel,
            folder,
        }
    }

    fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    fn decisions(&self) -> DecisionServiceClient<Channel> {
        DecisionServiceClient::new(self.channel.clone())
    }

    fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel.clone())
    }

    fn models(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel.clone())
    }
}

/// Advice to contact customer `n` about each of 64 invoices, asked for at both.
async fn advised(replicas: &[Replica; 2], n: usize) -> Vec<NextBestActionResponse> {
    let request = owing(n, CALLERS);
    replicas[0].events().record_events(request).await.unwrap();
    let mut calls = JoinSet::new();
    for caller in 0..CALLERS {
        let mut client = replicas[caller % 2].decisions();
        let mut ask = question(n);
        ask.request_id = format!("r{n}-{caller}");
        ask.invoice_id = format!("i{n}-{caller}");
        calls.spawn(async move { client.next_best_action(ask).await.unwrap().into_inner() });
    }
    calls.join_all().await
}

async fn confirmed(replicas: &[Replica; 2], advice: &[NextBestActionResponse]) -> BTreeSet<String> {
    let mut calls = JoinSet::new();
    for (caller, one) in advice.iter().enumerate() {
        // Not where it was decided.
        let mut client = replicas[(caller + 1) % 2].decisions();
        let request = ConfirmActionRequest {
            decision_id: one.decision_id.clone(),
            as_of: one.action.as_ref().unwrap().send_at,
        };
        calls.spawn(async move {
            let id = request.decision_id.clone();
            let answer = client.confirm_action(request).await.unwrap().into_inner();
            (answer.status() == ConfirmStatus::Proceed).then_some(id)
        });
    }
    calls.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_callers_at_two_replicas_exactly_one_proceeds() {
    let Some(database) = Postgres::start() else {
        return;
    };
    let config = on(&database.url()) + LADDER;
    let replicas = [Replica::start(&config).await, Replica::start(&config).await];
    for round in 0..8 {
        let advice = advised(&replicas, round).await;
        let proceeding = confirmed(&replicas, &advice).await;
        assert_eq!(proceeding.len(), 1, "round {round}: {proceeding:?}");
        assert_eq!(confirmed(&replicas, &advice).await, proceeding);
    }
}

/// While a new strategy is rolled out, both give the answer that was given under the old one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_the_same_at_a_replica_with_another_strategy() {
    let Some(database) = Postgres::start() else {
        return;
    };
    let config = on(&database.url()) + LADDER;
    let other = Replica::start(&format!("{config}[strategy]\ncurrency = \"EUR\"\n")).await;
    let own = Replica::start(&config).await;
    own.events().record_events(opening(5)).await.unwrap();
    for n in 0..5 {
        let answer = own.decisions().next_best_action(question(n)).await;
        let answer = answer.unwrap().into_inner();
        let template = &answer.action.as_ref().unwrap().template_key;
        assert!(!template.is_empty(), "{answer:?}");
        let again = other.decisions().next_best_action(question(n)).await;
        assert_eq!(again.unwrap().into_inner(), answer);
    }
    let mut anew = question(0);
    anew.request_id = "anew".to_owned();
    let anew = other.decisions().next_best_action(anew).await.unwrap();
    let first = own.decisions().next_best_action(question(0)).await.unwrap();
    assert_ne!(
        anew.into_inner().strategy_id,
        first.into_inner().strategy_id
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_at_one_is_known_at_the_other() {
    let Some(database) = Postgres::start() else {
        return;
    };
    let config = on(&database.url()) + QUICK;
    let a = Replica::start(&config).await;
    let b = Replica::start(&config).await;
    a.events().record_events(opening(60)).await.unwrap();

    // The same request, the same decision; asked at both at once too.
    for n in 0..30 {
        let (mut at_a, mut at_b) = (a.decisions(), b.decisions());
        let (one, two) = tokio::join!(
            at_a.next_best_action(question(n)),
            at_b.next_best_action(question(n)),
        );
        assert_eq!(one.unwrap().into_inner(), two.unwrap().into_inner());
    }
    // An event is recorded once, wherever it is reported.
    let seen = || RecordEventsRequest {
        events: vec![fact(3, EventType::InvoiceViewed, MONDAY, None)],
        as_of: at(MONDAY),
    };
    let first = a.events().record_events(seen()).await.unwrap().into_inner();
    let again = b.events().record_events(seen()).await.unwrap().into_inner();
    assert_eq!(
        (first.accepted, again.accepted, again.duplicates),
        (1, 0, 1)
    );

    // A pause holds everywhere at once.
    let reason = "incident".to_owned();
    a.models()
        .pause_policy(PausePolicyRequest { reason })
        .await
        .unwrap();
    let mut ask = question(40);
    ask.request_id = "paused".to_owned();
    let paused = b.decisions().next_best_action(ask).await.unwrap();
    assert!(paused.get_ref().fallback.contains("paused"));
    let reason = String::new();
    b.models()
        .resume_policy(ResumePolicyRequest { reason })
        .await
        .unwrap();

    // Whoever is erased at one is unknown to the other.
    let mut privacy = PrivacyServiceClient::new(a.channel.clone());
    let customer_id = "c7".to_owned();
    privacy
        .erase_customer(EraseCustomerRequest { customer_id })
        .await
        .unwrap();
    let mut ask = question(7);
    ask.request_id = "erased".to_owned();
    let unknown = b.decisions().next_best_action(ask).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound, "{unknown}");
}

/// The generation by which `replica` decides.
async fn generation(replica: &Replica, key: &str) -> u64 {
    let mut ask = question(1);
    ask.request_id = key.to_owned();
    ask.as_of = at(MONDAY + 9 * DAY);
    let answer = replica.decisions().next_best_action(ask).await;
    answer.unwrap().into_inner().policy_generation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_learns_for_all_and_another_takes_over() {
    let Some(database) = Postgres::start() else {
        return;
    };
    let config = on(&database.url()) + QUICK;
    let a = Replica::start(&config).await;
    let mut b = Replica::start(&config).await;
    a.events().record_events(opening(120)).await.unwrap();
    let decide = async |replica: &Replica, from: usize, day: i64| {
        let mut by = 0;
        for n in from..from + 60 {
            let mut ask = question(n);
            ask.as_of = at(MONDAY + day * DAY);
            let answer = replica.decisions().next_best_action(ask).await.unwrap();
            by = answer.into_inner().policy_generation;
        }
        by
    };
    let before = decide(&a, 0, 0).await;
    // The windows close; the one that started last counts.
    let began = Instant::now();
    let learnt = loop {
        let key = format!("b-{}", began.elapsed().as_micros());
        let now = generation(&b, &key).await;
        if now > before {
            break now;
        }
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "nothing is learnt"
        );
    };
    let followed = loop {
        let key = format!("a-{}", began.elapsed().as_micros());
        let now = generation(&a, &key).await;
        if now >= learnt {
            break now;
        }
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "a stays at {now}"
        );
    };
    assert_eq!(followed, learnt);

    b.kill();
    decide(&a, 60, 9).await;
    let mut late = question(0);
    late.request_id = "late".to_owned();
    late.as_of = at(MONDAY + 20 * DAY);
    a.decisions().next_best_action(late).await.unwrap();
    let began = Instant::now();
    loop {
        let key = format!("c-{}", began.elapsed().as_micros());
        if generation(&a, &key).await > learnt {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "nobody takes over learning"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("taken over after {:.1} s", began.elapsed().as_secs_f64());
}
