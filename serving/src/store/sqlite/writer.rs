//! The one thread that writes: it takes whatever waits, up to a bound, commits it with one sync,
//! and only then answers. Many callers share the cost of the sync; nobody is told of a write
//! that is not on disk.

use super::chain::{self, Tail};
use crate::store::{Entry, Kind, StoreError};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait; a caller that comes later is told to come back.
const WAITING: usize = 4_096;
/// Jobs that share a commit.
const TOGETHER: usize = 256;

/// A key under which a record can be found, and only once.
#[derive(Debug)]
pub(super) enum Key {
    None,
    Decision {
        decision_id: String,
        request_id: String,
    },
    Outcome {
        decision_id: String,
    },
    Catalogue {
        strategy_id: String,
    },
}

impl Key {
    pub(super) fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Decided(one) => Self::Decision {
                decision_id: one.decision_id.to_string(),
                request_id: one.request_id.to_string(),
            },
            Entry::Matured(one) => Self::Outcome {
                decision_id: one.decision_id.to_string(),
            },
            Entry::Catalogue { strategy_id, .. } => Self::Catalogue {
                strategy_id: strategy_id.clone(),
            },
            _ => Self::None,
        }
    }
}

impl Key {
    /// Table, column and value of the rows that lead from a key to its record.
    fn rows(&self) -> Vec<(&'static str, &'static str, &str)> {
        match self {
            Self::None => Vec::new(),
            Self::Decision {
                decision_id,
                request_id,
            } => vec![
                ("decision", "decision_id", decision_id.as_str()),
                ("request", "request_id", request_id),
            ],
            Self::Outcome { decision_id } => {
                vec![("outcome", "decision_id", decision_id)]
            }
            Self::Catalogue { strategy_id } => {
                vec![("catalogue", "strategy_id", strategy_id)]
            }
        }
    }
}

/// A record ready to be written.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) kind: Kind,
    pub(super) body: Vec<u8>,
    pub(super) key: Key,
}

type Answer = Result<(), StoreError>;

#[derive(Debug)]
enum Work {
    Append(Vec<Encoded>),
    Erase(Vec<(i64, Key)>),
}

#[derive(Debug)]
struct Job {
    work: Work,
    reply: oneshot::Sender<Answer>,
}

/// Handle of the thread; dropping it writes what waits and ends the thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    waiting: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, tail: Tail) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel(WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut log = Log { connection, tail };
        let counter = Arc::clone(&waiting);
        let thread = std::thread::Builder::new()
            .name("lagom-store".to_owned())
            .spawn(move || log.serve(jobs, &counter))
            .map_err(|error| StoreError::io("starting the writer", &error))?;
        Ok(Self {
            queue: Some(queue),
            waiting,
            thread: Some(thread),
        })
    }

    /// Queues records that belong together. The answer comes after their sync.
    pub(super) fn submit(
        &self,
        records: Vec<Encoded>,
    ) -> Result<oneshot::Receiver<Answer>, StoreError> {
        self.queue(Work::Append(records))
    }

    /// Queues an erasure.
    pub(super) fn erase(
        &self,
        records: Vec<(i64, Key)>,
    ) -> Result<oneshot::Receiver<Answer>, StoreError> {
        self.queue(Work::Erase(records))
    }

    fn queue(&self, work: Work) -> Result<oneshot::Receiver<Answer>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(Job { work, reply }).map_err(|refused| {
            let waiting = self.waiting.fetch_sub(1, Ordering::Relaxed) - 1;
            match refused {
                mpsc::error::TrySendError::Full(_) => StoreError::Full { waiting },
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            }
        })?;
        Ok(answer)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been answered by dropping its replies.
            let _ = thread.join();
        }
    }
}

struct Log {
    connection: Connection,
    tail: Tail,
}

impl Log {
    fn serve(&mut self, mut jobs: mpsc::Receiver<Job>, waiting: &AtomicUsize) {
        let mut batch = Vec::with_capacity(TOGETHER);
        while jobs.blocking_recv_many(&mut batch, TOGETHER) > 0 {
            let (mut appends, mut erasures) = (Vec::new(), Vec::new());
            for Job { work, reply } in batch.drain(..) {
                match work {
                    Work::Append(records) => appends.push((records, reply)),
                    Work::Erase(records) => erasures.push((records, reply)),
                }
            }
            let (records, replies): (Vec<_>, Vec<_>) = appends.into_iter().unzip();
            let answers = self.commit(&records);
            waiting.fetch_sub(replies.len(), Ordering::Relaxed);
            for (reply, answer) in replies.into_iter().zip(answers) {
                // A caller that has gone away needs no answer; its records are written.
                let _ = reply.send(answer);
            }
            for (records, reply) in erasures {
                let erased = erase(&mut self.connection, &records);
                waiting.fetch_sub(1, Ordering::Relaxed);
                let _ = reply.send(erased);
            }
        }
    }

    /// One answer a job. The tail moves only if the commit succeeds.
    fn commit(&mut self, jobs: &[Vec<Encoded>]) -> Vec<Answer> {
        match write(&mut self.connection, self.tail, jobs) {
            Ok((tail, answers)) => {
                self.tail = tail;
                answers
            }
            Err(error) => {
                tracing::error!(%error, jobs = jobs.len(), "nothing was written");
                let failed = StoreError::io("writing the log", &error);
                vec![Err(failed); jobs.len()]
            }
        }
    }
}

fn write(
    connection: &mut Connection,
    mut tail: Tail,
    jobs: &[Vec<Encoded>],
) -> rusqlite::Result<(Tail, Vec<Answer>)> {
    // Immediate: a transaction that reads first and writes later can be refused at once when a
    // reader's checkpoint has moved the log meanwhile, without waiting for it.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for records in jobs {
        match taken(&transaction, records)? {
            Some(key) => answers.push(Err(StoreError::Duplicate { key })),
            None => {
                tail = insert(&transaction, tail, records)?;
                answers.push(Ok(()));
            }
        }
    }
    transaction
        .prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'last'")?
        .execute([tail.seq])?;
    transaction.commit()?;
    Ok((tail, answers))
}

/// The first key of `records` that is in use.
fn taken(transaction: &Transaction<'_>, records: &[Encoded]) -> rusqlite::Result<Option<String>> {
    for record in records {
        let (sql, what, key) = match &record.key {
            Key::None => continue,
            Key::Decision { request_id, .. } => (
                "SELECT 1 FROM request WHERE request_id = ?1",
                "request",
                request_id,
            ),
            Key::Outcome { decision_id } => (
                "SELECT 1 FROM outcome WHERE decision_id = ?1",
                "the outcome of decision",
                decision_id,
            ),
            Key::Catalogue { strategy_id } => (
                "SELECT 1 FROM catalogue WHERE strategy_id = ?1",
                "the catalogue of strategy",
                strategy_id,
            ),
        };
        if transaction.prepare_cached(sql)?.exists([key])? {
            return Ok(Some(format!("{what} `{key}`")));
        }
    }
    Ok(None)
}

/// How often the truncation of the write-ahead log is tried, and how long it is waited between.
const TRUNCATIONS: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(20);

/// Replaces bodies by their tombstones and removes the keys that lead there, in one commit; then
/// empties the write-ahead log, which holds what the pages were before. Freed pages are
/// overwritten by `secure_delete`.
fn erase(connection: &mut Connection, records: &[(i64, Key)]) -> Answer {
    let erasing = |error: rusqlite::Error| StoreError::io("erasing records", &error);
    blank(connection, records).map_err(erasing)?;
    for _ in 0..TRUNCATIONS {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(erasing)?;
        if busy == 0 {
            return Ok(());
        }
        std::thread::sleep(BETWEEN);
    }
    Err(StoreError::io(
        "emptying the write-ahead log after an erasure",
        &"a reader, perhaps an export, has kept it open; erase again when it has ended",
    ))
}

fn blank(connection: &mut Connection, records: &[(i64, Key)]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (seq, key) in records {
        let read: Option<(u8, Vec<u8>)> = transaction
            .prepare_cached("SELECT kind, body FROM log WHERE seq = ?1")?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((kind, body)) = read.filter(|(kind, _)| *kind != chain::ERASED) else {
            continue;
        };
        transaction
            .prepare_cached("UPDATE log SET kind = ?2, body = ?3 WHERE seq = ?1")?
            .execute(params![seq, chain::ERASED, chain::tombstone(kind, &body)])?;
        for (table, column, value) in key.rows() {
            transaction
                .prepare_cached(&format!("DELETE FROM {table} WHERE {column} = ?1"))?
                .execute([value])?;
        }
    }
    transaction.commit()
}

fn insert(
    transaction: &Transaction<'_>,
    mut tail: Tail,
    records: &[Encoded],
) -> rusqlite::Result<Tail> {
    let mut log = transaction.prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4)")?;
    for record in records {
        let kind = record.kind as u8;
        tail = tail.extended(kind, &record.body);
        log.execute(params![tail.seq, kind, tail.crc, record.body])?;
        for (table, _, key) in record.key.rows() {
            transaction
                .prepare_cached(&format!("INSERT INTO {table} VALUES (?1, ?2)"))?
                .execute(params![key, tail.seq])?;
        }
    }
    Ok(tail)
}
