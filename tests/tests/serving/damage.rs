//! Bytes that rot: a damaged file gives the answers of the whole one, or says that it is damaged.
//!
//! `LAGOM_FAULT_STEP=1` damages every byte, where otherwise some are left out.

use crate::house::House;
use lagom_features::domain::{DecisionId, RequestId};
use lagom_proto::v1::{ConfirmActionRequest, EventType};
use lagom_serving::store::{SqliteStore, Store, StoreError};
use lagom_tests::company::{DAY, MONDAY, at, fact, opening, question};
use std::path::Path;
use tempfile::TempDir;

/// Customers of the small store.
const CUSTOMERS: usize = 3;

/// How far apart the damaged bytes lie.
fn step() -> usize {
    let asked = std::env::var("LAGOM_FAULT_STEP").ok();
    asked.and_then(|step| step.parse().ok()).unwrap_or(331)
}

/// Everything that can be read of a store, by record and by key.
async fn read(path: &Path, decisions: &[String]) -> Result<Vec<String>, StoreError> {
    let store = SqliteStore::open(path)?;
    let mut said = Vec::new();
    store.scan(&mut |seq, entry| {
        said.push(format!("{seq} {entry:?}"));
        Ok(())
    })?;
    for (n, id) in decisions.iter().enumerate() {
        let id = DecisionId::new(id).unwrap();
        said.push(format!("{:?}", store.decision(&id).await?));
        let id = RequestId::new(format!("r{n}")).unwrap();
        said.push(format!("{:?}", store.answered(&id).await?));
    }
    Ok(said)
}

/// A closed store in which everything has happened, what it says, and its decisions.
struct Whole {
    bytes: Vec<u8>,
    said: Vec<String>,
    decisions: Vec<String>,
}

async fn whole() -> Whole {
    let house = House::open("[learning]\nwindow_days = 1\n[bandit.cold_start]\nrounds = 2\n").await;
    house.record(opening(CUSTOMERS).events).await;
    let mut decisions = Vec::new();
    for n in 0..CUSTOMERS {
        let answer = house.decisions().next_best_action(question(n)).await;
        let decision_id = answer.unwrap().into_inner().decision_id;
        let confirm = ConfirmActionRequest {
            decision_id: decision_id.clone(),
            as_of: at(MONDAY),
        };
        house.decisions().confirm_action(confirm).await.unwrap();
        decisions.push(decision_id);
    }
    // The windows close: outcomes and a publication follow.
    let later = fact(
        0,
        EventType::PaymentSucceeded,
        MONDAY + 5 * DAY,
        Some(45_000),
    );
    house.record(vec![later]).await;
    house.server.settle().await;
    let House { server, folder, .. } = house;
    server.shutdown().await;
    let path = folder.path().join("lagom.db");
    let said = read(&path, &decisions).await.unwrap();
    Whole {
        bytes: std::fs::read(&path).unwrap(),
        said,
        decisions,
    }
}

/// Whether the damage was noticed; if not, every answer must be that of the whole store.
async fn noticed(bytes: &[u8], whole: &Whole, what: &str) -> bool {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lagom.db");
    std::fs::write(&path, bytes).unwrap();
    match read(&path, &whole.decisions).await {
        Ok(read) => {
            assert!(read == whole.said, "{what} gave other answers");
            false
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "{what}");
            true
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_damaged_byte_gives_a_wrong_answer() {
    let whole = whole().await;
    let mut flips = 0;
    for place in (0..whole.bytes.len()).step_by(step()) {
        let mut damaged = whole.bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        let what = format!("bit {} of byte {place}", place % 8);
        flips += usize::from(noticed(&damaged, &whole, &what).await);
    }
    assert!(flips > 0, "none of the flipped bits was noticed");
    // Nothing at all is a new store, and so is one byte, which SQLite writes to lock an empty file.
    for length in (2..whole.bytes.len()).step_by(step()) {
        let what = format!("a file of {length} bytes");
        noticed(&whole.bytes[..length], &whole, &what).await;
    }
}
