//! A store that refuses: nothing is answered that is not on disk, and nothing half.

use crate::house::{config, connect};
use lagom_features::domain::{DecisionId, RequestId};
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_serving::server::Server;
use lagom_serving::store::sqlite::SqliteStore;
use lagom_serving::store::{Appending, Catalogue, Depth, Entry, Finding, Store, StoreError, Visit};
use lagom_tests::company::{opening, question};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// A store that appends nothing while an error is set.
struct Refusing {
    store: SqliteStore,
    error: Mutex<Option<StoreError>>,
    reading: Mutex<()>,
}

impl Store for Refusing {
    fn append(&self, entries: Vec<Entry>) -> Appending {
        match self.error.lock().unwrap().clone() {
            Some(error) => Box::pin(async move { Err(error) }),
            None => self.store.append(entries),
        }
    }

    fn erase(&self, records: Vec<(i64, Entry)>) -> Appending {
        self.store.erase(records)
    }

    fn decision(&self, id: &DecisionId) -> Finding {
        self.store.decision(id)
    }

    fn answered(&self, id: &RequestId) -> Finding {
        self.store.answered(id)
    }

    fn catalogue(&self, strategy_id: &str) -> Option<Arc<Catalogue>> {
        self.store.catalogue(strategy_id)
    }

    fn scan_to(&self, depth: Depth, visit: Visit<'_>) -> Result<i64, StoreError> {
        let _wait = self.reading.lock().unwrap();
        self.store.scan_to(depth, visit)
    }

    fn waiting(&self) -> usize {
        self.store.waiting()
    }
}

#[tokio::test]
async fn a_decision_that_cannot_be_kept_is_not_given() {
    let folder = TempDir::new().unwrap();
    let config = config(folder.path(), "[clock]\nsource = \"events\"\n");
    let store = Arc::new(Refusing {
        store: SqliteStore::open(config.store.file().unwrap()).unwrap(),
        error: Mutex::new(None),
        reading: Mutex::new(()),
    });
    let shared: Arc<dyn Store> = Arc::<Refusing>::clone(&store);
    let server = Server::start_on(config, shared, None).await.unwrap();
    let channel = connect(&server).await;
    let mut decisions = DecisionServiceClient::new(channel.clone());
    let mut events = EventServiceClient::new(channel);
    events.record_events(opening(1)).await.unwrap();

    let disk_full = StoreError::Io {
        doing: "writing the log",
        reason: "disk full".to_owned(),
    };
    for (error, code) in [
        (disk_full, Code::Unavailable),
        (StoreError::Full { waiting: 4_096 }, Code::ResourceExhausted),
        (StoreError::Closed, Code::Unavailable),
    ] {
        *store.error.lock().unwrap() = Some(error);
        let refused = decisions.next_best_action(question(0)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
        let refused = events.record_events(opening(2)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
        assert!(server.engine().pending().is_empty());
    }
    *store.error.lock().unwrap() = None;
    decisions.next_best_action(question(0)).await.unwrap();
    let recorded = events.record_events(opening(2)).await.unwrap().into_inner();
    assert_eq!(
        (recorded.accepted, recorded.duplicates),
        (2, 2),
        "nothing was kept in memory"
    );
    server.shutdown().await;
}

/// Health over a socket of its own, because the one before it may have been ended.
async fn health(address: std::net::SocketAddr) -> Option<ServingStatus> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.ok()?);
    let request = HealthCheckRequest {
        service: "lagom.v1.DecisionService".to_owned(),
    };
    Some(client.check(request).await.ok()?.into_inner().status())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_says_not_serving_while_the_log_is_read() {
    let folder = TempDir::new().unwrap();
    let mut config = config(folder.path(), "");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    config.grpc = free.local_addr().unwrap();
    drop(free);
    let address = config.grpc;
    let store = Arc::new(Refusing {
        store: SqliteStore::open(config.store.file().unwrap()).unwrap(),
        error: Mutex::new(None),
        reading: Mutex::new(()),
    });
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let (taken, holder) = (tokio::sync::oneshot::channel(), Arc::clone(&store));
    let holding = std::thread::spawn(move || {
        let _reading = holder.reading.lock().unwrap();
        taken.0.send(()).unwrap();
        held.recv().unwrap();
    });
    taken.1.await.unwrap();
    let shared: Arc<dyn Store> = Arc::<Refusing>::clone(&store);
    let starting = tokio::spawn(Server::start_on(config, shared, None));
    let mut seen = None;
    for _ in 0..200 {
        seen = health(address).await;
        if seen.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(seen, Some(ServingStatus::NotServing));
    hold.send(()).unwrap();
    holding.join().unwrap();
    let server = starting.await.unwrap().unwrap();
    assert_eq!(health(server.grpc_addr).await, Some(ServingStatus::Serving));
    server.shutdown().await;
}

/// The learner's timers went with the runtime of whoever dropped the server, and it panicked.
#[test]
fn a_server_that_is_dropped_ends_without_a_panic() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let own = std::thread::current();
        let of_server = own.name().is_some_and(|name| name.starts_with("lagom-"));
        PANICS.fetch_add(usize::from(of_server), Ordering::Relaxed);
        before(panic);
    }));
    let folder = TempDir::new().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = config(folder.path(), "");
    let server = runtime.block_on(Server::start(config, None)).unwrap();
    drop(server);
    drop(runtime);
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

/// A store whose disk takes its time.
struct Slow {
    store: SqliteStore,
    takes: std::sync::atomic::AtomicU64,
}

impl Store for Slow {
    fn append(&self, entries: Vec<Entry>) -> Appending {
        let takes = self.takes.load(std::sync::atomic::Ordering::Relaxed);
        let appended = self.store.append(entries);
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_millis(takes)).await;
            appended.await
        })
    }

    fn erase(&self, records: Vec<(i64, Entry)>) -> Appending {
        self.store.erase(records)
    }

    fn decision(&self, id: &DecisionId) -> Finding {
        self.store.decision(id)
    }

    fn answered(&self, id: &RequestId) -> Finding {
        self.store.answered(id)
    }

    fn catalogue(&self, strategy_id: &str) -> Option<Arc<Catalogue>> {
        self.store.catalogue(strategy_id)
    }

    fn scan_to(&self, depth: Depth, visit: Visit<'_>) -> Result<i64, StoreError> {
        self.store.scan_to(depth, visit)
    }

    fn waiting(&self) -> usize {
        self.store.waiting()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_is_slow_the_ladder_decides_and_says_so() {
    use std::sync::atomic::Ordering;
    let folder = TempDir::new().unwrap();
    let config = config(folder.path(), "[bandit.cold_start]\nrounds = 0\n");
    let store = Arc::new(Slow {
        store: SqliteStore::open(config.store.file().unwrap()).unwrap(),
        takes: 0.into(),
    });
    let shared: Arc<dyn Store> = Arc::<Slow>::clone(&store);
    let server = Server::start_on(config, shared, None).await.unwrap();
    let channel = connect(&server).await;
    let mut decisions = DecisionServiceClient::new(channel.clone());
    let mut opened = opening(3);
    opened.as_of = None;
    EventServiceClient::new(channel)
        .record_events(opened)
        .await
        .unwrap();
    let mut n = 0;
    let mut ask = async || {
        n += 1;
        let mut question = question(n % 3);
        question.request_id = format!("slow-{n}");
        question.as_of = None;
        let answer = decisions.next_best_action(question).await.unwrap();
        answer.into_inner()
    };
    assert_eq!(ask().await.fallback, "");
    store.takes.store(900, Ordering::Relaxed);
    for _ in 0..4 {
        ask().await;
    }
    let degraded = ask().await;
    assert_eq!(degraded.policy, "ladder");
    assert_eq!(degraded.fallback, "the store is slow; the ladder decides");
    assert!(
        degraded.reason.contains("the store is slow"),
        "{degraded:?}"
    );
    store.takes.store(0, Ordering::Relaxed);
    for _ in 0..20 {
        ask().await;
    }
    let again = ask().await;
    assert_eq!(
        (again.policy.as_str(), again.fallback.as_str()),
        ("bandit", "")
    );
    server.shutdown().await;
}
