//! The one thread that writes: it takes whatever waits, up to a bound, commits it with one sync,
//! and only then answers. Many callers share the cost of the sync; nobody is told of a write
//! that is not on disk.

use crate::store::StoreError;
use crate::store::chain::{self, Tail};
use crate::store::jobs::{Answer, CROWD, GATHER, Job, Queue, TOGETHER, Work};
use crate::store::keys::{Encoded, Index, Key};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// The statements of an index.
#[derive(Debug)]
pub(super) struct Sql {
    /// Every key with the number of its record.
    pub(super) all: &'static str,
    insert: &'static str,
    delete: &'static str,
    exists: &'static str,
}

macro_rules! table {
    ($table:literal, $column:literal) => {
        Sql {
            all: concat!("SELECT ", $column, ", seq FROM ", $table),
            insert: concat!("INSERT INTO ", $table, " VALUES (?1, ?2)"),
            delete: concat!("DELETE FROM ", $table, " WHERE ", $column, " = ?1"),
            exists: concat!("SELECT 1 FROM ", $table, " WHERE ", $column, " = ?1"),
        }
    };
}

/// In the order of [`Index::ALL`].
static TABLES: [Sql; Index::ALL.len()] = [
    table!("decision", "decision_id"),
    table!("request", "request_id"),
    table!("outcome", "decision_id"),
    table!("catalogue", "strategy_id"),
];

pub(super) fn sql(index: Index) -> &'static Sql {
    &TABLES[index.place()]
}

/// Handle of the thread; dropping it writes what waits and ends the thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Queue,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, tail: Tail) -> Result<Self, StoreError> {
        let (queue, jobs, waiting) = Queue::new();
        let mut log = Log { connection, tail };
        let thread = std::thread::Builder::new()
            .name("lagom-store".to_owned())
            .spawn(move || log.serve(jobs, &waiting))
            .map_err(|error| StoreError::io("starting the writer", &error))?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }

    /// Queues records that belong together. The answer comes after their sync.
    pub(super) fn submit(
        &self,
        records: Vec<Encoded>,
    ) -> Result<oneshot::Receiver<Answer>, StoreError> {
        self.queue.submit(Work::Append(records))
    }

    /// Queues an erasure.
    pub(super) fn erase(
        &self,
        records: Vec<(i64, Key)>,
    ) -> Result<oneshot::Receiver<Answer>, StoreError> {
        self.queue.submit(Work::Erase(records))
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.waiting()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
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
        let mut crowd = 0;
        while jobs.blocking_recv_many(&mut batch, TOGETHER) > 0 {
            if crowd >= CROWD && batch.len() < crowd {
                std::thread::sleep(GATHER);
                while batch.len() < TOGETHER
                    && let Ok(job) = jobs.try_recv()
                {
                    batch.push(job);
                }
            }
            crowd = batch.len();
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

/// The first key of `records` that is in use. Ids of decisions are made here, of their requests'
/// keys, so that those are enough.
fn taken(transaction: &Transaction<'_>, records: &[Encoded]) -> rusqlite::Result<Option<String>> {
    for record in records {
        for (index, key) in record.key.rows() {
            if index == Index::Decision {
                continue;
            }
            if transaction
                .prepare_cached(sql(index).exists)?
                .exists([key])?
            {
                return Ok(Some(index.said(key)));
            }
        }
    }
    Ok(None)
}

/// Replaces bodies by their tombstones and removes the keys that lead there, in one commit.
fn erase(connection: &mut Connection, records: &[(i64, Key)]) -> Answer {
    blank(connection, records).map_err(|error| StoreError::io("erasing records", &error))
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
        for (index, value) in key.rows() {
            transaction
                .prepare_cached(sql(index).delete)?
                .execute([value])?;
        }
    }
    // Counted in the same commit, so that state from before it can be told.
    let sql = "INSERT INTO meta VALUES ('erasures', 1) \
               ON CONFLICT (key) DO UPDATE SET value = value + 1";
    transaction.execute(sql, [])?;
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
        for (index, key) in record.key.rows() {
            transaction
                .prepare_cached(sql(index).insert)?
                .execute(params![key, tail.seq])?;
        }
    }
    Ok(tail)
}
