//! What is kept beside the log, damaged or of another time or place: a start adds up to what the whole log
//! adds up to all the same, or says of a customer that he cannot be read and does so after a restart.
//!
//! `LAGOM_FAULT_STEP=1` damages every byte, where otherwise some are left out.

#![allow(clippy::unwrap_used)]

use super::Booted;
use super::tests::{
    CUSTOMERS, KEEPING, boot, config, copy, customer, id, kept_upto, live, of_all, without_state,
};
use super::watched::version;
use crate::server::Server;
use crate::store::StoreError;
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const STATE: &str = "lagom.db-state";
/// So that everybody has to be found in the file.
const NOBODY: &str = "state_every = 40\nin_memory = 0\n";

/// How far apart the damaged bytes lie.
fn step(otherwise: usize) -> usize {
    let asked = std::env::var("LAGOM_FAULT_STEP").ok();
    asked
        .and_then(|step| step.parse().ok())
        .unwrap_or(otherwise)
}

/// What a log adds up to.
struct Whole {
    customers: Vec<String>,
    all: Vec<String>,
}

impl Whole {
    async fn of(folder: &Path) -> Self {
        let alone = without_state(folder);
        let booted = boot(alone.path(), KEEPING).await;
        let customers = (0..CUSTOMERS).map(|n| customer(&booted, n).unwrap());
        Self {
            customers: customers.collect(),
            all: of_all(&booted),
        }
    }

    /// How many customers cannot be read; everything else is as it should be.
    fn unread(&self, booted: &Booted, what: &str) -> usize {
        let mut unread = 0;
        for (n, whole) in self.customers.iter().enumerate() {
            match customer(booted, n) {
                Ok(found) => assert!(found == *whole, "{what}: customer {n} is another one"),
                Err(StoreError::State { .. }) => unread += 1,
                Err(other) => panic!("{what}: {other}"),
            }
        }
        for (found, whole) in of_all(booted).iter().zip(&self.all) {
            assert!(found == whole, "{what}: {found} is not {whole}");
        }
        unread
    }

    /// Starts in `folder`, goes on keeping, and starts again; whether anything was noticed.
    async fn survives(&self, folder: &Path, what: &str) -> bool {
        let booted = boot(folder, NOBODY).await;
        let unread = self.unread(&booted, what);
        let engine = Arc::clone(&booted.engine);
        let kept = tokio::task::spawn_blocking(move || {
            let kept = engine.keep_now();
            if unread > 0 || kept.is_err() {
                // One look of whoever keeps in the background.
                let looked = Cell::new(false);
                engine.keep(&|| looked.replace(true));
            }
            kept
        });
        let kept = kept.await.unwrap();
        drop(booted);
        let again = boot(folder, NOBODY).await;
        assert_eq!(self.unread(&again, what), 0, "{what}: a restart mends it");
        unread > 0 || kept.is_err()
    }
}

/// What a server leaves that has kept its state and then worked for another `more` days: when it is shut
/// down, and when it is killed.
async fn worked(days: std::ops::Range<usize>, more: usize) -> (TempDir, TempDir) {
    let folder = TempDir::new().unwrap();
    let config = config(folder.path(), "state_every = 1000000\n");
    let version = version(&config);
    let server = Server::start(config, version).await.unwrap();
    let engine = Arc::clone(server.engine());
    for day in days.clone() {
        live(&engine, day).await;
    }
    server.settle().await;
    let keeping = Arc::clone(&engine);
    let kept = tokio::task::spawn_blocking(move || keeping.keep_now()).await;
    kept.unwrap().unwrap();
    for day in days.end..days.end + more {
        live(&engine, day).await;
    }
    server.settle().await;
    let killed = copy(folder.path());
    drop(engine);
    server.shutdown().await;
    (folder, killed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_damaged_byte_of_what_is_kept_gives_another_state() {
    let damaged = |name: &str, bytes: &[u8], folder: &TempDir| {
        let copy = copy(folder.path());
        std::fs::write(copy.path().join(name), bytes).unwrap();
        copy
    };
    // With news of everybody, who is read when it starts, and with none.
    for (more, some_unread) in [(1, false), (0, true)] {
        let (folder, _) = worked(0..3, more).await;
        let whole = Whole::of(folder.path()).await;
        assert!(kept_upto(folder.path()).is_some());
        let bytes = std::fs::read(folder.path().join(STATE)).unwrap();
        let mut noticed = 0;
        for place in (0..bytes.len()).step_by(step(2_311)) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (place % 8);
            let copy = damaged(STATE, &flipped, &folder);
            let what = format!("bit {} of byte {place}", place % 8);
            noticed += usize::from(whole.survives(copy.path(), &what).await);
        }
        assert!(noticed > 0 || !some_unread, "no customer was damaged");
        for length in (0..bytes.len()).step_by(step(9_973)) {
            let copy = damaged(STATE, &bytes[..length], &folder);
            let what = format!("a file of {length} bytes");
            whole.survives(copy.path(), &what).await;
        }
    }
    // After a kill the last round is in the write-ahead log.
    let (_, killed) = worked(0..3, 1).await;
    let whole = Whole::of(killed.path()).await;
    let log = format!("{STATE}-wal");
    let bytes = std::fs::read(killed.path().join(&log)).unwrap();
    assert!(bytes.len() > 10_000, "{} bytes", bytes.len());
    for place in (0..bytes.len()).step_by(step(20_011)) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << (place % 8);
        let copies = [
            damaged(&log, &flipped, &killed),
            damaged(&log, &bytes[..place], &killed),
        ];
        for copy in copies {
            let what = format!("byte {place} of the write-ahead log");
            whole.survives(copy.path(), &what).await;
        }
    }
}

/// Whoever keeps finds damage too, and not only who answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_keeps_sets_aside_what_he_cannot_read() {
    let (folder, _) = worked(0..3, 1).await;
    let server = Server::start(config(folder.path(), "state_every = 1\n"), None)
        .await
        .unwrap();
    // Everybody is in memory from now on.
    live(server.engine(), 4).await;
    let file = rusqlite::Connection::open(folder.path().join(STATE)).unwrap();
    let sql = "UPDATE customer SET crc = crc + 1 WHERE customer_id = 'customer-3'";
    assert_eq!(file.execute(sql, []).unwrap(), 1);
    live(server.engine(), 5).await;
    let set_aside = || {
        let sql =
            "SELECT CAST(body AS TEXT) LIKE '%\"complete\":false%' FROM part WHERE name = 'head'";
        let read: bool = file.query_row(sql, [], |row| row.get(0)).unwrap();
        read
    };
    let mut looks = 0;
    while !set_aside() {
        looks += 1;
        assert!(looks < 200, "not within twenty seconds");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    drop(file);
    server.shutdown().await;
    assert_eq!(kept_upto(folder.path()), None, "it is not gone on from");
    let whole = Whole::of(folder.path()).await;
    let again = boot(folder.path(), KEEPING).await;
    assert_eq!(whole.unread(&again, "after a restart"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_of_another_time_or_place_is_made_anew_or_gone_on_from() {
    let (folder, killed) = worked(0..3, 1).await;
    let whole = Whole::of(folder.path()).await;
    let put = |from: &Path| {
        let put = without_state(folder.path());
        std::fs::copy(from.join(STATE), put.path().join(STATE)).unwrap();
        put
    };
    let missing = without_state(folder.path());
    assert!(!whole.survives(missing.path(), "no file").await);

    let former = put(folder.path());
    let file = rusqlite::Connection::open(former.path().join(STATE)).unwrap();
    file.pragma_update(None, "user_version", 1).unwrap();
    drop(file);
    assert_eq!(kept_upto(former.path()), None, "of a former version");
    assert!(!whole.survives(former.path(), "of a former version").await);

    // Of as many records, and of more.
    for days in [1..4, 0..5] {
        let what = format!("the state of another store, of days {days:?}");
        let (foreign, _) = worked(days, 1).await;
        let foreign = put(foreign.path());
        assert_eq!(kept_upto(foreign.path()), None, "{what}");
        assert!(!whole.survives(foreign.path(), &what).await);
    }

    // The log goes on, and the state is that of a week before.
    let server = Server::start(config(killed.path(), KEEPING), None)
        .await
        .unwrap();
    for day in 4..8 {
        live(server.engine(), day).await;
    }
    server.settle().await;
    let whole = {
        let engine = Arc::clone(server.engine());
        let kept = tokio::task::spawn_blocking(move || engine.keep_now()).await;
        kept.unwrap().unwrap();
        server.shutdown().await;
        Whole::of(killed.path()).await
    };
    let older = without_state(killed.path());
    std::fs::copy(folder.path().join(STATE), older.path().join(STATE)).unwrap();
    let (before, now) = (kept_upto(older.path()), kept_upto(killed.path()));
    assert!(before.is_some() && before < now, "{before:?} and {now:?}");
    assert!(
        !whole
            .survives(older.path(), "the state of a week before")
            .await
    );
}

/// A copy of the state from before an erasure brings nobody back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_erased_does_not_come_back_with_an_older_state() {
    let (folder, _) = worked(0..3, 1).await;
    let before = std::fs::read(folder.path().join(STATE)).unwrap();
    let server = Server::start(config(folder.path(), KEEPING), None)
        .await
        .unwrap();
    server.engine().erase(&id(7)).await.unwrap();
    server.shutdown().await;
    let whole = Whole::of(folder.path()).await;
    std::fs::write(folder.path().join(STATE), before).unwrap();
    let booted = boot(folder.path(), NOBODY).await;
    assert!(!booted.engine.knows(&id(7)), "he is there again");
    assert_eq!(whole.unread(&booted, "the state from before an erasure"), 0);
}
