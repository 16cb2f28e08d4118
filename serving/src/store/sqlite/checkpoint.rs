//! Moving what is committed from the write-ahead log into the file, on a thread of its own, so that no
//! commit waits for it.
//!
//! A passive checkpoint neither waits for anybody nor makes anybody wait, but the pages it moves are
//! synced beside the commits' own, and pages that change all the time are moved every time. So it waits
//! until enough has come together. Under steady writing there is always something left that came in
//! meanwhile, and the log grows; when it has grown far, one that makes the writer wait finishes what
//! little the passive one has left, and the log begins anew in the same blocks of the disk: to overwrite
//! them costs a commit less than to lengthen the file.

use crate::store::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often is looked how much waits in the write-ahead log.
const LOOK: Duration = Duration::from_millis(50);
/// Pages that wait from which on they are moved: 8 MiB.
const MOVE: i64 = 2_048;
/// Pages of the log from which on the writer has to wait: 32 MiB.
const FAR: i64 = 8_192;
/// Bytes that the log keeps of the disk when it begins anew.
pub(super) const KEPT: i64 = 48 << 20;
/// How long the writer waits at most for readers who keep the log open; then it goes on growing.
const PATIENCE: Duration = Duration::from_millis(20);

/// The thread; dropped, it ends.
#[derive(Debug)]
pub(super) struct Checkpoints {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: &dyn std::fmt::Display| StoreError::io("starting checkpoints", error);
        let connection = Connection::open(path).map_err(|error| failed(&error))?;
        connection
            .busy_timeout(PATIENCE)
            .map_err(|error| failed(&error))?;
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("lagom-checkpoint".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    look(&connection);
                }
            })
            .map_err(|error| failed(&error))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Pages of the log, and how many of them are in the file.
#[derive(Debug, Clone, Copy)]
struct Pages {
    length: i64,
    moved: i64,
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Pages> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection.query_row(&sql, [], |row| {
        Ok(Pages {
            length: row.get(1)?,
            moved: row.get(2)?,
        })
    })
}

fn look(connection: &Connection) {
    let moved = checkpoint(connection, "NOOP").and_then(|found| {
        if found.length - found.moved < MOVE {
            return Ok(());
        }
        let found = checkpoint(connection, "PASSIVE")?;
        if found.length >= FAR {
            checkpoint(connection, "RESTART")?;
        }
        Ok(())
    });
    if let Err(error) = moved {
        // A disk that refuses is reported by the commits that it refuses.
        tracing::debug!(%error, "the write-ahead log is not moved");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_are_moved_once_enough_wait_and_a_long_log_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let writer = Connection::open(&path).unwrap();
        super::super::prepare(&writer).unwrap();
        let beside = Connection::open(&path).unwrap();
        let page = vec![7_u8; 4_000];
        let mut seq = 0;
        let mut write = |pages: i64| {
            writer.execute_batch("BEGIN IMMEDIATE").unwrap();
            for _ in 0..pages {
                seq += 1;
                let sql = "INSERT INTO log VALUES (?1, 1, 0, ?2)";
                writer.execute(sql, rusqlite::params![seq, page]).unwrap();
            }
            writer.execute_batch("COMMIT").unwrap();
        };
        let found = || checkpoint(&beside, "NOOP").unwrap();
        write(MOVE / 2);
        let before = found();
        look(&beside);
        assert_eq!(found().moved, before.moved, "too few to move");
        write(MOVE);
        look(&beside);
        let after = found();
        assert!(after.length > MOVE);
        assert_eq!(after.length, after.moved);
        write(FAR + MOVE);
        look(&beside);
        write(1);
        assert!(found().length < MOVE, "it has begun anew: {:?}", found());
        let kept = std::fs::metadata(dir.path().join("store.db-wal"))
            .unwrap()
            .len();
        assert!(kept > (FAR as u64) << 12, "{kept} bytes are kept of it");
        assert!(kept <= KEPT as u64, "{kept} bytes are kept of it");
    }
}
