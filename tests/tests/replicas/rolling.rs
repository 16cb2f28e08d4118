//! Both replicas are replaced one by one while they are called: callers who go where health says that
//! they are served see no error.

use super::{LADDER, Replica};
use lagom_proto::v1::ConfirmActionRequest;
use lagom_proto::v1::{EventType, RecordEventsRequest};
use lagom_tests::company::{MONDAY, at, fact, opening, question};
use lagom_tests::on;
use lagom_tests::postgres::Postgres;
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const CUSTOMERS: usize = 40;
const CALLERS: usize = 8;
/// How late a balancer hears that a replica does not want to be called any more.
const LATE: Duration = Duration::from_millis(300);

/// A replica, and whether its health says that it serves.
struct Backend {
    replica: Replica,
    serves: AtomicBool,
}

/// Those that callers choose among, as a load balancer keeps them.
#[derive(Default)]
struct Balancer {
    backends: Mutex<Vec<Arc<Backend>>>,
    turn: AtomicUsize,
}

impl Balancer {
    async fn add(&self, replica: Replica) -> Arc<Backend> {
        let mut health = HealthClient::new(replica.channel.clone());
        let watch = health.watch(HealthCheckRequest::default()).await;
        let mut said = watch.unwrap().into_inner();
        let first = said.message().await.unwrap().unwrap();
        assert_eq!(first.status(), ServingStatus::Serving);
        let backend = Arc::new(Backend {
            replica,
            serves: AtomicBool::new(true),
        });
        let own = Arc::clone(&backend);
        tokio::spawn(async move {
            while let Ok(Some(now)) = said.message().await {
                if now.status() != ServingStatus::Serving {
                    break;
                }
            }
            tokio::time::sleep(LATE).await;
            own.serves.store(false, Ordering::Release);
        });
        self.backends.lock().unwrap().push(Arc::clone(&backend));
        backend
    }

    fn remove(&self, backend: &Arc<Backend>) {
        let mut backends = self.backends.lock().unwrap();
        backends.retain(|one| !Arc::ptr_eq(one, backend));
    }

    fn next(&self) -> Arc<Backend> {
        let backends = self.backends.lock().unwrap();
        let serving: Vec<_> = (backends.iter())
            .filter(|one| one.serves.load(Ordering::Acquire))
            .collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        Arc::clone(serving[turn % serving.len()])
    }
}

/// Asks, confirms and reports, each at another replica; any error fails the test.
async fn call(balancer: Arc<Balancer>, caller: usize, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut answered = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let n = answered.len();
        let mut ask = question((caller + n * CALLERS) % CUSTOMERS);
        ask.request_id = format!("r{caller}-{n}");
        let mut decisions = balancer.next().replica.decisions();
        let answer = decisions.next_best_action(ask).await.unwrap();
        let decision_id = answer.into_inner().decision_id;
        let confirm = ConfirmActionRequest {
            decision_id: decision_id.clone(),
            as_of: at(MONDAY),
        };
        let mut decisions = balancer.next().replica.decisions();
        decisions.confirm_action(confirm).await.unwrap();
        let mut viewed = fact(caller, EventType::InvoiceViewed, MONDAY, None);
        viewed.event_id = format!("e{caller}-{n}");
        let request = RecordEventsRequest {
            events: vec![viewed],
            as_of: at(MONDAY),
        };
        let mut events = balancer.next().replica.events();
        let recorded = events.record_events(request).await.unwrap();
        assert_eq!(recorded.get_ref().accepted, 1);
        answered.push(decision_id);
    }
    answered
}

fn terminate(backend: &Backend) {
    let pid = backend.replica.server.as_ref().unwrap().pid();
    let sent = Command::new("kill").arg(pid.to_string()).status();
    assert!(sent.unwrap().success());
}

/// Takes the replica out, once nobody calls it any more, and waits until it has ended.
async fn retire(balancer: &Balancer, backend: Arc<Backend>) {
    terminate(&backend);
    while backend.serves.load(Ordering::Acquire) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    balancer.remove(&backend);
    let mut backend = backend;
    let ended = loop {
        match Arc::try_unwrap(backend) {
            Ok(mut alone) => break alone.replica.server.take().unwrap(),
            Err(shared) => backend = shared,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let ended = tokio::task::spawn_blocking(move || ended.ended_well());
    assert!(ended.await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_are_replaced_one_by_one_without_an_error_for_callers() {
    let Some(database) = Postgres::start() else {
        return;
    };
    let before = on(&database.url()) + LADDER;
    let after = format!("{before}[strategy]\ncurrency = \"EUR\"\n");
    let balancer = Arc::new(Balancer::default());
    let mut old = Vec::new();
    for _ in 0..2 {
        old.push(balancer.add(Replica::lingering(&before).await).await);
    }
    let events = old[0]
        .replica
        .events()
        .record_events(opening(CUSTOMERS))
        .await;
    events.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(call(Arc::clone(&balancer), caller, Arc::clone(&stop)));
    }
    for one in old {
        tokio::time::sleep(Duration::from_millis(500)).await;
        balancer.add(Replica::lingering(&after).await).await;
        retire(&balancer, one).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let mut answered = BTreeSet::new();
    let mut count = 0;
    while let Some(theirs) = callers.join_next().await {
        let theirs = theirs.unwrap();
        assert!(theirs.len() > 5, "a caller had {}", theirs.len());
        count += theirs.len();
        answered.extend(theirs);
    }
    assert_eq!(answered.len(), count, "a decision was given twice");
    println!("{count} decisions while both were replaced");
}
