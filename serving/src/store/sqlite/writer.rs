//! The one thread that writes: it takes whatever waits, up to a bound, commits it with one sync,
//! and only then answers. Many callers share the cost of the sync; nobody is told of a write
//! that is not on disk.

use super::chain::Tail;
use crate::store::{Entry, Kind, StoreError};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
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
    /// The rows that lead from a key to its record.
    fn rows(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::None => Vec::new(),
            Self::Decision {
                decision_id,
                request_id,
            } => vec![
                ("INSERT INTO decision VALUES (?1, ?2)", decision_id.as_str()),
                ("INSERT INTO request VALUES (?1, ?2)", request_id),
            ],
            Self::Outcome { decision_id } => {
                vec![("INSERT INTO outcome VALUES (?1, ?2)", decision_id)]
            }
            Self::Catalogue { strategy_id } => {
                vec![("INSERT INTO catalogue VALUES (?1, ?2)", strategy_id)]
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
struct Job {
    records: Vec<Encoded>,
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
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(Job { records, reply }).map_err(|refused| {
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
            let (records, replies): (Vec<_>, Vec<_>) =
                batch.drain(..).map(|job| (job.records, job.reply)).unzip();
            let answers = self.commit(&records);
            waiting.fetch_sub(replies.len(), Ordering::Relaxed);
            for (reply, answer) in replies.into_iter().zip(answers) {
                // A caller that has gone away needs no answer; its records are written.
                let _ = reply.send(answer);
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
        for (sql, key) in record.key.rows() {
            transaction
                .prepare_cached(sql)?
                .execute(params![key, tail.seq])?;
        }
    }
    Ok(tail)
}
