//! Rounds of load that each end with a kill, on one store: what was acknowledged is there once,
//! answers reproduce, and what the learner knows is what the log says.

use lagom_features::domain::{CustomerId, EventId, InvoiceId, RequestId, Timestamp};
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::model_service_client::ModelServiceClient;
use lagom_proto::v1::{
    ConfirmActionRequest, ConfirmStatus, EventType, ExplainDecisionRequest, NextBestActionRequest,
    NextBestActionResponse, PausePolicyRequest, RecordEventsRequest, ResumePolicyRequest,
};
use lagom_serving::config::Config;
use lagom_serving::engine::{Ask, Engine};
use lagom_serving::store::Entry;
use lagom_tests::company::{self, DAY, MONDAY, at, fact};
use lagom_tests::postgres::Postgres;
use lagom_tests::{Server, lagom, on};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

/// Customers of the company.
const CUSTOMERS: usize = 60;
/// Callers at once.
const CALLERS: usize = 12;
/// What one caller does in a round at most.
const CALLS: usize = 40;
/// Windows close within a few rounds, and the policy learns from the twentieth outcome on.
const QUICK: &str = "[clock]\nsource = \"events\"\n[learning]\nwindow_days = 1\n\
                     [bandit.cold_start]\nrounds = 20\n";

/// The state of the log is kept a few times a round, and most customers are not in memory, so that kills
/// fall into both.
const KEEPING: &str = "[store]\nstate_every = 150\nin_memory = 10\n";

/// How many rounds; `LAGOM_CRASH_ROUNDS` says otherwise.
fn rounds() -> usize {
    let asked = std::env::var("LAGOM_CRASH_ROUNDS").ok();
    asked.and_then(|rounds| rounds.parse().ok()).unwrap_or(6)
}

/// Everything that a server has acknowledged.
#[derive(Default)]
struct Acknowledged {
    decisions: Vec<(NextBestActionRequest, NextBestActionResponse)>,
    events: Vec<String>,
    reserved: Vec<String>,
}

type Shared = Arc<Mutex<Acknowledged>>;

/// Noon of a round: twelve hours after the one before.
fn noon(round: usize) -> i64 {
    MONDAY + i64::try_from(round).unwrap() * DAY / 2
}

/// Decides, confirms and reports until the server is gone.
async fn call(server: &Server, round: usize, caller: usize, seen: Shared, done: Arc<AtomicUsize>) {
    let channel = server.channel().await;
    let mut decisions = DecisionServiceClient::new(channel.clone());
    let mut events = EventServiceClient::new(channel.clone());
    let mut models = ModelServiceClient::new(channel);
    for n in 0..CALLS {
        let customer = (caller + n * CALLERS) % CUSTOMERS;
        let mut question = company::question(customer);
        question.request_id = format!("r{round}-{caller}-{n}");
        question.as_of = at(noon(round));
        let Ok(answer) = decisions.next_best_action(question.clone()).await else {
            return;
        };
        let answer = answer.into_inner();
        let decision_id = answer.decision_id.clone();
        seen.lock().unwrap().decisions.push((question, answer));
        let confirm = ConfirmActionRequest {
            decision_id: decision_id.clone(),
            as_of: at(noon(round)),
        };
        let Ok(confirmed) = decisions.confirm_action(confirm).await else {
            return;
        };
        if confirmed.get_ref().status() == ConfirmStatus::Proceed {
            seen.lock().unwrap().reserved.push(decision_id);
        }
        let mut viewed = fact(customer, EventType::InvoiceViewed, noon(round), None);
        viewed.event_id = format!("e{round}-{caller}-{n}");
        let event_id = viewed.event_id.clone();
        let request = RecordEventsRequest {
            events: vec![viewed],
            as_of: None,
        };
        let Ok(recorded) = events.record_events(request).await else {
            return;
        };
        let recorded = recorded.into_inner();
        assert_eq!(
            (recorded.accepted, recorded.duplicates),
            (1, 0),
            "{event_id}"
        );
        seen.lock().unwrap().events.push(event_id);
        if caller == 0 && n % 10 == 9 {
            let reason = format!("round {round}");
            let paused = models.pause_policy(PausePolicyRequest { reason }).await;
            let resumed = models
                .resume_policy(ResumePolicyRequest {
                    reason: String::new(),
                })
                .await;
            if paused.is_err() || resumed.is_err() {
                return;
            }
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// A generator of its own, so that a round can be repeated by its number.
fn chance(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn kill_after(pid: u32, micros: u64) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_micros(micros));
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
        assert!(killed.unwrap().success());
    })
}

/// Load for a while that chance chooses, then a kill; every fourth time also one while the log is
/// being read.
async fn round(folder: &Path, quick: &str, round: usize, seen: &Shared) {
    let luck = chance(round as u64);
    if luck.is_multiple_of(4) {
        let starting = Server::spawn(folder, quick, Command::new(lagom()));
        std::thread::sleep(Duration::from_micros(luck >> 8 & 0x3_FFFF));
        starting.kill();
    }
    let server = Arc::new(Server::start(folder, quick));
    let killer = kill_after(server.pid(), luck >> 32 & 0x7_FFFF);
    let mut callers = JoinSet::new();
    let done = Arc::new(AtomicUsize::new(0));
    for caller in 0..CALLERS {
        let (server, seen) = (Arc::clone(&server), Arc::clone(seen));
        let done = Arc::clone(&done);
        callers.spawn(async move { call(&server, round, caller, seen, done).await });
    }
    while let Some(ended) = callers.join_next().await {
        // A caller that cannot connect any more has come too late.
        if let Err(failed) = ended
            && done.load(Ordering::Relaxed) == CALLERS * CALLS
        {
            panic!("{failed}");
        }
    }
    killer.join().unwrap();
}

/// What was acknowledged in the last round is answered the same by a new server.
async fn reproduces(
    server: &Server,
    decisions: &[(NextBestActionRequest, NextBestActionResponse)],
) {
    let mut client = DecisionServiceClient::new(server.channel().await);
    for (question, answer) in decisions {
        let again = client.next_best_action(question.clone()).await.unwrap();
        assert_eq!(again.get_ref(), answer);
        let decision_id = answer.decision_id.clone();
        let explained = client
            .explain_decision(ExplainDecisionRequest { decision_id })
            .await
            .unwrap();
        assert_eq!(explained.get_ref().decision.as_ref(), Some(answer));
    }
}

/// How often each id is in the log, and the last publication.
struct Logged {
    decisions: HashMap<String, usize>,
    requests: HashMap<String, usize>,
    events: HashMap<EventId, usize>,
    reserved: HashMap<String, usize>,
    outcomes: HashMap<String, usize>,
    generation: u64,
    state: Vec<u8>,
    publications: BTreeMap<u64, Vec<u8>>,
    last: Option<Timestamp>,
}

fn logged(config: &Config) -> Logged {
    let mut logged = Logged {
        decisions: HashMap::new(),
        requests: HashMap::new(),
        events: HashMap::new(),
        reserved: HashMap::new(),
        outcomes: HashMap::new(),
        generation: 0,
        state: Vec::new(),
        publications: BTreeMap::new(),
        last: None,
    };
    let log = config.store.read_only(&config.tenant).unwrap();
    log.scan(&mut |_, entry| {
        match entry {
            Entry::Recorded(one) => {
                logged.last = logged.last.max(Some(one.recorded_at));
                *logged.events.entry(one.event_id).or_default() += 1;
            }
            Entry::Decided(one) => {
                let id = one.decision_id.to_string();
                *logged.decisions.entry(id).or_default() += 1;
                let id = one.request_id.to_string();
                *logged.requests.entry(id).or_default() += 1;
            }
            Entry::Reserved(one) => {
                let id = one.decision_id.to_string();
                *logged.reserved.entry(id).or_default() += 1;
            }
            Entry::Matured(one) => {
                let id = one.decision_id.to_string();
                *logged.outcomes.entry(id).or_default() += 1;
            }
            Entry::Published(one) => {
                let before = logged
                    .publications
                    .insert(one.generation, one.state.clone());
                assert!(
                    before.is_none_or(|before| before == one.state),
                    "generation {} was published with two contents",
                    one.generation
                );
                logged.generation = one.generation;
                logged.state = one.state;
            }
            Entry::Catalogue(_)
            | Entry::Policy(_)
            | Entry::Assigned(_)
            | Entry::Phase(_)
            | Entry::Shadowed(_)
            | Entry::Staged(_)
            | Entry::Forgotten { .. } => {}
        }
        Ok(())
    })
    .unwrap();
    logged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_of_kills_lose_nothing_and_double_nothing() {
    kill_in_rounds(&format!("{KEEPING}{QUICK}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_of_kills_lose_nothing_and_double_nothing_on_postgres() {
    let Some(database) = Postgres::start() else {
        return;
    };
    kill_in_rounds(&(on(&database.url()) + QUICK)).await;
}

/// What would be decided about everybody now, to the bit: an unknown feature is not equal to itself.
async fn answers(engine: &Arc<Engine>) -> Vec<String> {
    let mut answers = Vec::new();
    for n in 0..CUSTOMERS {
        let question = company::question(n);
        let ask = Ask {
            request_id: Some(RequestId::new("asked-at-the-end").unwrap()),
            customer_id: CustomerId::new(question.customer_id).unwrap(),
            invoice_id: InvoiceId::new(question.invoice_id).unwrap(),
            as_of: Some(engine.clock().now()),
            allowed_channels: None,
            events: Vec::new(),
            dry_run: true,
        };
        let decision = engine.next_best_action(ask).await.unwrap();
        answers.push(format!("{decision:?}"));
    }
    answers
}

async fn kill_in_rounds(quick: &str) {
    let folder = tempfile::tempdir().unwrap();
    let seen = Shared::default();
    let server = Server::start(folder.path(), quick);
    let mut events = EventServiceClient::new(server.channel().await);
    events
        .record_events(company::opening(CUSTOMERS))
        .await
        .unwrap();
    server.kill();

    for n in 0..rounds() {
        let before = seen.lock().unwrap().decisions.len();
        round(folder.path(), quick, n, &seen).await;
        let server = Server::start(folder.path(), quick);
        let new = seen.lock().unwrap().decisions[before..].to_vec();
        reproduces(&server, &new).await;
        server.kill();
    }
    let acknowledged = std::mem::take(&mut *seen.lock().unwrap());
    assert!(
        acknowledged.decisions.len() > rounds(),
        "the kills left no time for anything"
    );

    // The last one learns what is due and ends in peace.
    let server = Server::start(folder.path(), quick);
    reproduces(&server, &acknowledged.decisions).await;
    let pid = server.pid().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    assert!(server.ended_well());

    let text = std::fs::read_to_string(folder.path().join("lagom.toml")).unwrap();
    let config = Config::parse(&text, folder.path(), HashMap::new()).unwrap();
    let log = logged(&config);
    for (question, answer) in &acknowledged.decisions {
        assert_eq!(log.decisions.get(&answer.decision_id), Some(&1));
        assert_eq!(log.requests.get(&question.request_id), Some(&1));
    }
    for id in &acknowledged.events {
        assert_eq!(log.events.get(&EventId::new(id).unwrap()), Some(&1), "{id}");
    }
    for id in &acknowledged.reserved {
        // A decision to wait spends nothing and is not reserved.
        assert!(log.reserved.get(id).is_none_or(|&times| times == 1), "{id}");
    }
    for times in [&log.decisions, &log.requests, &log.outcomes] {
        assert!(
            times.values().all(|&times| times == 1),
            "something is doubled"
        );
    }
    assert!(log.events.values().all(|&times| times == 1));
    println!(
        "{} rounds, {} decisions, {} events, {} reservations acknowledged; {} outcomes, generation {}",
        rounds(),
        acknowledged.decisions.len(),
        acknowledged.events.len(),
        log.reserved.len(),
        log.outcomes.len(),
        log.generation
    );

    // Rebuilt from the log the learner is what it was: it takes the same number and content.
    let open = config.store.open(&config.tenant).unwrap();
    let booted = Engine::boot(&config, open, None).await.unwrap();
    let snapshot = booted.engine.snapshot();
    let generation = &snapshot.parts().generation;
    assert_eq!(generation.number(), log.generation);
    let rebuilt = serde_json::to_vec(&**generation).unwrap();
    assert_eq!(rebuilt, log.state, "bit for bit");
    if config.store.file().is_none() {
        return;
    }
    let answers = answers(&booted.engine).await;
    drop(booted);
    let state = folder.path().join("lagom.db-state");
    assert!(state.exists(), "the state is kept");
    std::fs::remove_file(state).unwrap();
    let open = config.store.open(&config.tenant).unwrap();
    let whole = Engine::boot(&config, open, None).await.unwrap();
    assert_eq!(whole.engine.snapshot().parts().generation, *generation);
    assert_eq!(self::answers(&whole.engine).await, answers);
}
