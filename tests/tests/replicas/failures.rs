//! Load on two replicas while connections are cut in the middle of transactions, the database falls
//! silent and is restarted, and one replica is killed.

use super::{LADDER, Replica};
use lagom_features::domain::TenantId;
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::{ConfirmActionRequest, ConfirmStatus, EventType, RecordEventsRequest};
use lagom_serving::store::{Entry, StoreUrl};
use lagom_tests::company::{MONDAY, at, customer, fact, invoice, opening, question};
use lagom_tests::on;
use lagom_tests::postgres::{self, Postgres};
use lagom_tests::proxy::Proxy;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Status};

const CUSTOMERS: usize = 60;
const CALLERS: usize = 12;
/// The customer whose one contact everybody wants, and how many want it.
const WANTED: usize = 900;
const WANTING: usize = 24;

/// What was acknowledged, and how many calls failed.
#[derive(Default)]
struct Seen {
    /// Decision by request.
    decisions: Mutex<BTreeMap<String, String>>,
    events: Mutex<Vec<String>>,
    answers: AtomicUsize,
    failures: AtomicUsize,
}

/// A call may fail only so that it can be repeated, and says when.
fn may_fail(status: &Status) {
    let gone = status.code() == Code::Unavailable || status.code() == Code::DeadlineExceeded;
    let transport = matches!(
        status.code(),
        Code::Unknown | Code::Cancelled | Code::Internal
    ) && (status.message().contains("transport")
        || status.message().contains("canceled"));
    assert!(gone || transport, "{status}");
    if status.message().contains("database") {
        let advice = status.metadata().get("grpc-retry-pushback-ms");
        assert!(advice.is_some(), "{status}");
    }
}

/// Asks, confirms and reports, each until it is answered, or until its server is gone for good.
async fn call(channel: Channel, caller: usize, seen: Arc<Seen>, stop: Arc<AtomicBool>) {
    let mut decisions = DecisionServiceClient::new(channel.clone());
    let mut events = EventServiceClient::new(channel);
    for n in 0.. {
        let mut ask = question((caller + n * CALLERS) % CUSTOMERS);
        ask.request_id = format!("r{caller}-{n}");
        let answer = loop {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            match decisions.next_best_action(ask.clone()).await {
                Ok(answer) => break answer.into_inner(),
                Err(status) => {
                    may_fail(&status);
                    seen.failures.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        seen.answers.fetch_add(1, Ordering::Relaxed);
        let id = answer.decision_id.clone();
        seen.decisions
            .lock()
            .unwrap()
            .insert(ask.request_id.clone(), id.clone());
        let confirm = ConfirmActionRequest {
            decision_id: id,
            as_of: at(MONDAY),
        };
        if let Err(status) = decisions.confirm_action(confirm).await {
            may_fail(&status);
        }
        let mut viewed = fact(caller, EventType::InvoiceViewed, MONDAY, None);
        viewed.event_id = format!("e{caller}-{n}");
        let request = RecordEventsRequest {
            events: vec![viewed.clone()],
            as_of: at(MONDAY),
        };
        match events.record_events(request).await {
            Ok(recorded) => {
                let recorded = recorded.into_inner();
                assert_eq!(recorded.accepted + recorded.duplicates, 1);
                seen.events.lock().unwrap().push(viewed.event_id);
            }
            Err(status) => may_fail(&status),
        }
    }
}

/// One contact left, and advice for everybody to take it: all confirm until answered; how many
/// proceed.
async fn contended(replicas: &[Replica; 2]) -> usize {
    let mut facts = vec![customer(WANTED)];
    for n in 0..WANTING {
        let mut one = invoice(WANTED);
        one.event_id = format!("wanted-{n}");
        one.invoice_id = format!("wanted-{n}");
        facts.push(one);
    }
    let request = RecordEventsRequest {
        events: facts,
        as_of: at(MONDAY),
    };
    while let Err(status) = replicas[0].events().record_events(request.clone()).await {
        may_fail(&status);
    }
    let mut calls = JoinSet::new();
    for n in 0..WANTING {
        let mut client = replicas[n % 2].decisions();
        calls.spawn(async move {
            let mut ask = question(WANTED);
            ask.request_id = format!("wanted-{n}");
            ask.invoice_id = format!("wanted-{n}");
            loop {
                match client.next_best_action(ask.clone()).await {
                    Ok(answer) => return answer.into_inner(),
                    Err(status) => may_fail(&status),
                }
            }
        });
    }
    let advice = calls.join_all().await;
    let mut calls = JoinSet::new();
    for (n, one) in advice.into_iter().enumerate() {
        let mut client = replicas[(n + 1) % 2].decisions();
        let action = one.action.unwrap();
        assert_ne!(action.channel, 0, "{}", one.reason);
        let confirm = ConfirmActionRequest {
            decision_id: one.decision_id,
            as_of: action.send_at,
        };
        calls.spawn(async move {
            loop {
                match client.confirm_action(confirm.clone()).await {
                    Ok(answer) => return answer.get_ref().status() == ConfirmStatus::Proceed,
                    Err(status) => may_fail(&status),
                }
            }
        });
    }
    let proceeding = calls.join_all().await;
    proceeding.into_iter().filter(|proceed| *proceed).count()
}

/// How long it takes until something is answered again.
async fn recovery(seen: &Seen) -> Duration {
    let (began, before) = (Instant::now(), seen.answers.load(Ordering::Relaxed));
    while seen.answers.load(Ordering::Relaxed) <= before + CALLERS {
        assert!(began.elapsed() < Duration::from_secs(15), "no recovery");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_servers_database_and_network_fail() {
    let Some(mut database) = Postgres::start() else {
        return;
    };
    let proxies = [Proxy::start(database.port()), Proxy::start(database.port())];
    let config = |proxy: &Proxy| on(&postgres::url(proxy.port())) + LADDER;
    let replicas = [
        Replica::start(&config(&proxies[0])).await,
        Replica::start(&config(&proxies[1])).await,
    ];
    let opened = replicas[0].events().record_events(opening(CUSTOMERS)).await;
    opened.unwrap();
    let (seen, stop) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let channel = replicas[caller % 2].channel.clone();
        callers.spawn(call(channel, caller, Arc::clone(&seen), Arc::clone(&stop)));
    }
    recovery(&seen).await;

    for (proxy, bytes) in proxies.iter().zip([60_000, 90_000]) {
        proxy.cut_after(bytes);
    }
    let proceeding = contended(&replicas).await;
    assert_eq!(proceeding, 1, "of those who want the one contact");
    tokio::time::sleep(Duration::from_millis(500)).await;
    proxies.iter().for_each(|proxy| proxy.cut_after(0));
    let cuts: u64 = proxies.iter().map(Proxy::cuts).sum();
    assert!(cuts > 0, "no connection was cut");
    let after_cuts = recovery(&seen).await;

    proxies.iter().for_each(|proxy| proxy.silence(true));
    tokio::time::sleep(Duration::from_secs(6)).await;
    proxies.iter().for_each(|proxy| proxy.silence(false));
    let after_silence = recovery(&seen).await;

    database.stop();
    tokio::time::sleep(Duration::from_millis(300)).await;
    database.run();
    let after_restart = recovery(&seen).await;

    let [mut first, second] = replicas;
    first.kill();
    let after_kill = recovery(&seen).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    drop(second);

    let mut logged: [HashMap<String, usize>; 4] = Default::default();
    let mut answered = BTreeMap::new();
    let store = StoreUrl::read(&database.url(), None, Path::new("")).unwrap();
    let log = store.read_only(&TenantId::default()).unwrap();
    let mut wanted = 0;
    log.scan(&mut |_, entry| {
        let mut count = |of: usize, id: &str| *logged[of].entry(id.to_owned()).or_default() += 1;
        match entry {
            Entry::Decided(one) => {
                count(0, one.decision_id.as_str());
                count(1, one.request_id.as_str());
                answered.insert(one.request_id.to_string(), one.decision_id.to_string());
            }
            Entry::Recorded(one) => count(2, one.event_id.as_str()),
            Entry::Reserved(one) => {
                count(3, one.decision_id.as_str());
                wanted += usize::from(one.customer_id.as_str() == format!("c{WANTED}"));
            }
            _ => {}
        }
        Ok(())
    })
    .unwrap();
    for counts in &logged {
        assert!(
            counts.values().all(|times| *times == 1),
            "something is doubled"
        );
    }
    assert_eq!(wanted, 1, "one contact is reserved");
    let decisions = seen.decisions.lock().unwrap();
    for (request, decision) in decisions.iter() {
        assert_eq!(answered.get(request), Some(decision), "{request}");
    }
    let events = seen.events.lock().unwrap();
    for event in events.iter() {
        assert!(logged[2].contains_key(event), "{event}");
    }
    println!(
        "{} decisions and {} events acknowledged, {} calls failed, {cuts} connections cut; answers \
         again after {:.2} s (cuts), {:.2} s (silence), {:.2} s (restart), {:.2} s (kill)",
        decisions.len(),
        events.len(),
        seen.failures.load(Ordering::Relaxed),
        after_cuts.as_secs_f64(),
        after_silence.as_secs_f64(),
        after_restart.as_secs_f64(),
        after_kill.as_secs_f64(),
    );
}
