#![allow(clippy::unwrap_used)]

use super::SqliteStore;
use crate::store::samples::{self, every_kind};
use crate::store::suite::{self, all_of};
use crate::store::{Store, StoreError};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("deep/lagom.db")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_does_what_every_store_does() {
    let folder = TempDir::new().unwrap();
    suite::all(&mut |name| {
        let path = folder.path().join(name).join("lagom.db");
        Arc::new(SqliteStore::open(&path).unwrap())
    })
    .await;
}

#[tokio::test]
async fn it_is_read_beside_its_writer() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    store.append(every_kind()).await.unwrap();
    let beside = SqliteStore::read_only(&file(&folder)).unwrap();
    let mut seen = 0;
    let last = beside.scan(&mut |_, _| {
        seen += 1;
        Ok(())
    });
    assert_eq!((seen, last.unwrap()), (16, 16));
}

#[tokio::test]
async fn a_second_server_is_kept_out() {
    let folder = TempDir::new().unwrap();
    let _first = SqliteStore::open(&file(&folder)).unwrap();
    let second = SqliteStore::open(&file(&folder)).unwrap_err();
    assert!(matches!(second, StoreError::InUse { .. }), "{second}");
}

/// A closed store of ten facts, changed by `sql`, and what reading it says.
async fn damaged_by(sql: &str) -> StoreError {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    for n in 0..10 {
        store
            .append(vec![samples::fact(&format!("e{n}"))])
            .await
            .unwrap();
    }
    drop(store);
    change(&file(&folder), sql);
    match SqliteStore::open(&file(&folder)) {
        Ok(store) => all_of(&store).unwrap_err(),
        Err(error) => error,
    }
}

fn change(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn damage_and_gaps_are_reported_where_they_lie() {
    for (sql, seq, what) in [
        (
            "UPDATE log SET body = CAST(replace(body, 'card', 'cash') AS BLOB) WHERE seq = 4",
            4,
            "checksum",
        ),
        ("UPDATE log SET crc = crc + 1 WHERE seq = 6", 6, "checksum"),
        ("UPDATE log SET kind = 2 WHERE seq = 5", 5, "checksum"),
        ("DELETE FROM log WHERE seq = 3", 3, "missing"),
        ("DELETE FROM log WHERE seq = 1", 1, "missing"),
        (
            "DELETE FROM log WHERE seq >= 9",
            9,
            "10 records were committed",
        ),
        (
            "INSERT INTO log SELECT 11, kind, crc, body FROM log WHERE seq = 10",
            11,
            "10 records",
        ),
        (
            "UPDATE log SET body = (SELECT body FROM log WHERE seq = 8) WHERE seq = 7",
            7,
            "checksum",
        ),
    ] {
        let error = damaged_by(sql).await;
        let StoreError::Damaged { seq: found, reason } = &error else {
            panic!("{sql}: {error}");
        };
        assert_eq!(*found, seq, "{sql}: {error}");
        assert!(reason.contains(what), "{sql}: {error}");
    }
}

#[tokio::test]
async fn another_format_is_refused() {
    let error = damaged_by("UPDATE meta SET value = 99 WHERE key = 'format'").await;
    assert!(
        matches!(&error, StoreError::Format { found, .. } if found == "99"),
        "{error}"
    );
}

/// The write-ahead log is cut at many places, as a power cut might: what remains is a prefix of
/// what was acknowledged, whole and in order.
#[tokio::test]
async fn a_torn_tail_leaves_a_readable_prefix() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder);
    let store = SqliteStore::open(&path).unwrap();
    for n in 0..20 {
        store
            .append(vec![samples::fact(&format!("e{n}"))])
            .await
            .unwrap();
    }
    let wal = path.with_extension("db-wal");
    let (main, log) = (std::fs::read(&path).unwrap(), std::fs::read(wal).unwrap());
    let mut lengths = Vec::new();
    for cut in (0..log.len()).step_by(log.len() / 40 + 1) {
        let torn = TempDir::new().unwrap();
        let copy = torn.path().join("lagom.db");
        std::fs::write(&copy, &main).unwrap();
        std::fs::write(copy.with_extension("db-wal"), &log[..cut]).unwrap();
        let reopened = SqliteStore::open(&copy).unwrap();
        lengths.push(all_of(&reopened).unwrap().len());
    }
    assert!(lengths.is_sorted(), "{lengths:?}");
    assert!(
        lengths.first() == Some(&0) && *lengths.last().unwrap() >= 18,
        "{lengths:?}"
    );
}

/// A deferred transaction of the writer was refused with "database is locked" when a reader's
/// checkpoint moved the log between its first read and its first write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_beside_it_does_not_refuse_the_writer() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(&file(&folder)).unwrap();
    let path = file(&folder);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let checkpoints = std::thread::spawn(move || {
        let mut rounds = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let beside = Connection::open(&path).unwrap();
            beside.busy_timeout(std::time::Duration::ZERO).unwrap();
            // That the checkpoint itself finds the log busy is no concern here.
            let _ = beside.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()));
            rounds += 1;
        }
        rounds
    });
    for n in 0..400 {
        store
            .append(vec![samples::fact(&format!("e{n}"))])
            .await
            .unwrap();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(checkpoints.join().unwrap() > 0);
    assert_eq!(all_of(&store).unwrap().len(), 400);
}

/// A key that was lost or that leads elsewhere would make the log forget what it answered.
#[tokio::test]
async fn indexes_that_do_not_fit_are_reported() {
    for (sql, index) in [
        ("DELETE FROM request", "request"),
        ("UPDATE request SET request_id = 'r9'", "request"),
        ("UPDATE decision SET seq = seq + 1", "decision"),
        ("INSERT INTO outcome VALUES ('d9', 1)", "outcome"),
        ("DELETE FROM catalogue", "catalogue"),
    ] {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(&file(&folder)).unwrap();
        for entry in every_kind() {
            store.append(vec![entry]).await.unwrap();
        }
        drop(store);
        change(&file(&folder), sql);
        let error = match SqliteStore::open(&file(&folder)) {
            Ok(store) => all_of(&store).unwrap_err(),
            Err(error) => error,
        };
        let damaged = matches!(&error, StoreError::Misfiled { index: found } if *found == index)
            || matches!(error, StoreError::Damaged { .. });
        assert!(damaged, "{sql}: {error}");
    }
}
