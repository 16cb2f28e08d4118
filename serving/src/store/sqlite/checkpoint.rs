//! Moving what is committed from the write-ahead log into the file, on a thread of its own, so that no
//! commit waits for it.
//!
//! A passive checkpoint neither waits for anybody nor makes anybody wait, but under steady writing there
//! is always something left that came in meanwhile, and the log grows. When it has grown far, one that
//! makes the writer wait finishes what little the passive one has left, and the log begins anew.

use crate::store::StoreError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often is looked how long the write-ahead log is.
const LOOK: Duration = Duration::from_millis(50);
/// Length from which it is moved: SQLite's own thousand pages.
const MOVE: u64 = 4 << 20;
/// Length from which the writer has to wait.
const FAR: u64 = 32 << 20;
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
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("lagom-checkpoint".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    look(&connection, &log);
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

fn look(connection: &Connection, log: &Path) {
    let length = std::fs::metadata(log).map_or(0, |file| file.len());
    if length < MOVE {
        return;
    }
    let checkpoint = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let mut done = checkpoint("PRAGMA wal_checkpoint(PASSIVE)");
    if done.is_ok() && length >= FAR {
        done = checkpoint("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    if let Err(error) = done {
        // A disk that refuses is reported by the commits that it refuses.
        tracing::debug!(%error, "the write-ahead log is not moved");
    }
}
