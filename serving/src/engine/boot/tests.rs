//! What is kept beside the log, and the rest of the log, add up to what the whole log adds up to.

#![allow(clippy::unwrap_used)]

use super::Booted;
use crate::config::Config;
use crate::engine::{Ask, Confirmation, Engine, Offer};
use crate::recording::{Recording, What};
use crate::rollout::SIDES;
use crate::server::Server;
use crate::store::{SqliteStore, Store, StoreError};
use lagom_features::domain::{
    Currency, Customer, CustomerId, Date, Event, EventId, EventType, Invoice, InvoiceId, Money,
    RequestId, TenantId, Timestamp,
};
use lagom_model::rollout::guard::Guard;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// 2026-03-02, a Monday.
const MONDAY: i64 = 1_772_409_600_000_000;
const DAY: i64 = 86_400_000_000;
pub(super) const CUSTOMERS: usize = 25;
/// A round of keeping every few records, and far fewer customers in memory than there are.
pub(super) const KEEPING: &str = "state_every = 40\nin_memory = 5\n";

pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

pub(super) fn config(folder: &Path, keeping: &str) -> Config {
    learning(folder, keeping, "")
}

pub(super) fn learning(folder: &Path, keeping: &str, learning: &str) -> Config {
    let text = format!(
        "[server]\ngrpc = \"127.0.0.1:0\"\nhttp = \"\"\n[clock]\nsource = \"events\"\n[store]\n\
         {keeping}[learning]\nwindow_days = 2\n{learning}[bandit.cold_start]\nrounds = 10\n[holdout]\n\
         share = 0.1\n[[experiments]]\nname = \"spring\"\nshare = 0.5\narms = [{{name = \"ladder\", \
         share = 0.5, policy = \"ladder\"}}, {{name = \"bandit\", share = 0.5, policy = \"bandit\"}}]\n"
    );
    Config::parse(&text, folder, HashMap::new()).unwrap()
}

pub(super) async fn boot(folder: &Path, keeping: &str) -> Booted {
    boot_as(&config(folder, keeping)).await
}

pub(super) async fn boot_as(config: &Config) -> Booted {
    let store = config.store.open(&config.tenant).unwrap();
    Engine::boot(config, store, None).await.unwrap()
}

pub(super) fn id(n: usize) -> CustomerId {
    CustomerId::new(format!("customer-{n}")).unwrap()
}

fn invoice_id(n: usize) -> InvoiceId {
    InvoiceId::new(format!("invoice-{n}")).unwrap()
}

fn recorded(key: String, when: i64, what: What) -> (String, Recording) {
    let recording = Recording {
        event_id: EventId::new(key).unwrap(),
        occurred_at: at(when),
        recorded_at: at(when),
        what,
    };
    ("events".to_owned(), recording)
}

/// Customer and invoice, or a correction of it.
fn opening(n: usize, when: i64) -> Vec<(String, Recording)> {
    let invoice = Invoice {
        invoice_id: invoice_id(n),
        customer_id: id(n),
        issued_at: at(MONDAY - 10 * DAY),
        due_on: Date::parse("2026-02-28").unwrap(),
        amount: Money::new(45_000 + when % 7, Currency::SEK),
        terms_days: None,
        payment_method: Some("card".into()),
        billing_channel: None,
        product: None,
    };
    let customer = Customer::unknown(TenantId::default(), id(n), at(MONDAY - 10 * DAY));
    vec![
        recorded(format!("c{n}-{when}"), when, What::Customer(customer)),
        recorded(format!("i{n}-{when}"), when, What::Invoice(invoice)),
    ]
}

fn fact(n: usize, when: i64, kind: EventType) -> Recording {
    let key = EventId::new(format!("f{n}-{when}")).unwrap();
    let mut event = Event::new(key.clone(), kind, id(n), at(when), at(when));
    event.invoice_id = Some(invoice_id(n));
    event.amount = kind.needs_amount().then(|| Money::new(100, Currency::SEK));
    recorded(key.to_string(), when, What::Fact(event)).1
}

async fn ask(engine: &Arc<Engine>, n: usize, when: i64) -> Ask {
    let events = if engine.knows(&id(n)) && !n.is_multiple_of(5) {
        Vec::new()
    } else {
        opening(n, when)
    };
    let ask = Ask {
        request_id: Some(RequestId::new(format!("r{n}-{when}")).unwrap()),
        customer_id: id(n),
        invoice_id: invoice_id(n),
        as_of: Some(at(when)),
        allowed_channels: None,
        events,
        dry_run: false,
    };
    let decision = engine.next_best_action(ask.clone()).await.unwrap();
    let confirmed = engine.confirm(&decision.decision_id, Some(at(when))).await;
    assert!(matches!(
        confirmed.unwrap(),
        Confirmation::Proceed | Confirmation::Cancel(_)
    ));
    ask
}

/// A day of the company: everybody is asked about and most of them do something.
pub(super) async fn live(engine: &Arc<Engine>, day: usize) {
    let when = MONDAY + DAY * day as i64;
    for n in 0..CUSTOMERS {
        let ask = ask(engine, n, when + n as i64).await;
        let kind = match (n + day) % 6 {
            0 => EventType::PaymentSucceeded,
            1 => EventType::ComplaintMade,
            _ => EventType::InvoiceViewed,
        };
        let event = fact(n, when + 1_000 + n as i64, kind);
        let offer = Offer {
            event_id: event.event_id.to_string(),
            path: "events[0]".to_owned(),
            event: Ok(event),
        };
        engine.record(vec![offer], None).await.unwrap();
        if n == 3 {
            // A repetition finds what was answered, whether its customer is in memory or not.
            let again = engine.next_best_action(ask).await.unwrap();
            assert_eq!(again.customer_id, id(3));
        }
    }
    if day % 3 == 1 {
        engine.pause(true, format!("day {day}")).await.unwrap();
        engine.pause(false, String::new()).await.unwrap();
    }
}

/// Everything that the log adds up to.
pub(super) fn state(booted: &Booted) -> Vec<String> {
    let customers = (0..CUSTOMERS).map(|n| customer(booted, n).unwrap());
    customers.chain(of_all(booted)).collect()
}

/// What is known of one customer.
pub(super) fn customer(booted: &Booted, n: usize) -> Result<String, StoreError> {
    let customer = booted.engine.customers.get(&id(n))?;
    let bytes = customer.map(|one| one.try_lock().unwrap().to_bytes());
    Ok(format!("{n}: {bytes:?}"))
}

/// Everything else.
pub(super) fn of_all(booted: &Booted) -> Vec<String> {
    let engine = &booted.engine;
    let mut said = Vec::new();
    said.push(format!("{} customers", engine.customers()));
    said.push(format!("{:?}", engine.pending.all()));
    said.push(format!("{:?}", engine.phases()));
    said.push(format!("{:?}", engine.policy_change()));
    said.push(format!("{:?}", engine.clock().now()));
    said.push(format!("{:?}", engine.rollout().standing()));
    for side in 0..SIDES {
        let mut known = engine.rollout().guard(side).map(Guard::known);
        if let Some(known) = &mut known {
            known.sort_by(|a, b| a.customer.cmp(&b.customer));
        }
        said.push(format!("{side}: {known:?}"));
    }
    said.push(serde_json::to_string(&booted.learning.learned()).unwrap());
    said
}

pub(super) fn copy(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
}

pub(super) fn without_state(folder: &Path) -> TempDir {
    let copy = copy(folder);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(copy.path().join(format!("lagom.db-state{suffix}")));
    }
    copy
}

/// Of the state that is kept: up to which record, if it can be gone on from.
pub(super) fn kept_upto(folder: &Path) -> Option<i64> {
    let copy = copy(folder);
    let store = SqliteStore::open(&copy.path().join("lagom.db")).unwrap();
    let opened = crate::kept::start(&config(copy.path(), KEEPING), store.own().unwrap());
    let start = opened.unwrap().start?;
    assert!(start.learnt.is_some(), "what was learnt is kept too");
    Some(start.position)
}

pub(super) async fn both_ways(folder: &Path) {
    let (with, whole) = (copy(folder), without_state(folder));
    let with = boot(with.path(), KEEPING).await;
    let whole = boot(whole.path(), KEEPING).await;
    for (kept, read) in state(&with).iter().zip(&state(&whole)) {
        assert_eq!(kept, read);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_and_the_rest_add_up_to_the_whole_log() {
    let folder = TempDir::new().unwrap();
    let mut positions = Vec::new();
    for wave in 0..3 {
        let server = Server::start(config(folder.path(), KEEPING), None)
            .await
            .unwrap();
        for day in 0..4 {
            live(server.engine(), wave * 4 + day).await;
        }
        server.settle().await;
        if wave == 1 {
            let engine = Arc::clone(server.engine());
            let kept = tokio::task::spawn_blocking(move || engine.keep_now()).await;
            kept.unwrap().unwrap();
        }
        server.shutdown().await;
        positions.extend(kept_upto(folder.path()));
        both_ways(folder.path()).await;
    }
    assert!(
        positions.len() >= 2 && positions.is_sorted(),
        "{positions:?}"
    );
}

/// Learning that fits another configuration is learnt anew; histories are not read again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_configuration_is_learnt_from_the_whole_log() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(config(folder.path(), KEEPING), None)
        .await
        .unwrap();
    for day in 0..5 {
        live(server.engine(), day).await;
    }
    server.settle().await;
    let engine = Arc::clone(server.engine());
    let kept = tokio::task::spawn_blocking(move || engine.keep_now()).await;
    kept.unwrap().unwrap();
    server.shutdown().await;
    let (with, whole) = (copy(folder.path()), without_state(folder.path()));
    let other = |folder: &Path| learning(folder, KEEPING, "half_life_days = 30\n");
    let before = kept_upto(with.path());
    let with = boot_as(&other(with.path())).await;
    let whole = boot_as(&other(whole.path())).await;
    assert_eq!(state(&with), state(&whole));
    let learned = |booted: &Booted| serde_json::to_string(&booted.learning.learned()).unwrap();
    let same = boot(folder.path(), KEEPING).await;
    assert!(before.is_some() && learned(&same) != learned(&with));
}

/// A long log of which nothing is kept is kept all at once, while its server works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_is_kept_while_its_server_works() {
    let folder = TempDir::new().unwrap();
    let never = "state_every = 1000000\nin_memory = 5\n";
    let server = Server::start(config(folder.path(), never), None)
        .await
        .unwrap();
    for day in 0..4 {
        live(server.engine(), day).await;
    }
    server.shutdown().await;
    assert!(kept_upto(folder.path()).is_none());
    let server = Server::start(config(folder.path(), KEEPING), None)
        .await
        .unwrap();
    let engine = Arc::clone(server.engine());
    for day in 4..9 {
        live(&engine, day).await;
    }
    server.settle().await;
    // Whoever changed since the last round stays until the next, which comes with enough records.
    for n in 0..300 {
        if engine.customers_in_memory() <= 5 {
            break;
        }
        ask(&engine, 0, MONDAY + DAY * 9 + n).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(engine.customers_in_memory() <= 5, "others have gone");
    assert_eq!(engine.customers(), CUSTOMERS);
    server.shutdown().await;
    assert!(kept_upto(folder.path()).is_some());
    both_ways(folder.path()).await;
}

/// Whoever is erased is gone from what is kept, and from what was learnt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_customer_is_gone_from_what_is_kept() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(config(folder.path(), KEEPING), None)
        .await
        .unwrap();
    let engine = Arc::clone(server.engine());
    for day in 0..5 {
        live(&engine, day).await;
    }
    server.settle().await;
    let keep = |engine: &Arc<Engine>| {
        let engine = Arc::clone(engine);
        tokio::task::spawn_blocking(move || engine.keep_now())
    };
    keep(&engine).await.unwrap().unwrap();
    engine.erase(&id(7)).await.unwrap();
    assert!(!engine.knows(&id(7)));
    drop(engine);
    server.shutdown().await;
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap_or_default();
    let needle = b"customer-7";
    for name in [
        "lagom.db",
        "lagom.db-wal",
        "lagom.db-state",
        "lagom.db-state-wal",
    ] {
        let there = read(name);
        // customer-7 begins no other's id.
        assert!(
            !there.windows(needle.len()).any(|bytes| bytes == needle),
            "{name} still says who was erased"
        );
    }
    both_ways(folder.path()).await;
    let again = boot(folder.path(), KEEPING).await;
    assert!(!again.engine.knows(&id(7)));
    assert_eq!(again.engine.customers(), CUSTOMERS - 1);
}
