//! The log in a PostgreSQL database that several replicas write.
//!
//! One row a tenant, the head, holds number and checksum of the last record. Whoever appends locks
//! it, many appends to a transaction: so numbers have no gaps, and their order is the order of the
//! commits. Under that lock it is also seen whether a key is in use, and whether others have
//! written about the same customers meanwhile. Records, checksums and keys are those of the file.
//!
//! Plain SQL: the tenant comes first in every key, keys are made by the client, and there are no
//! notifications, sequences or advisory locks. What is believed of the database: a commit that was
//! reported is there after a crash (`synchronous_commit = on`); one whose report was lost may or may
//! not be, which is found out under the same lock before its callers are answered.

mod connect;
mod lookups;
mod reader;
mod scan;
mod schema;
#[cfg(test)]
#[allow(clippy::unwrap_used, dead_code, unreachable_pub)]
#[path = "../../../tests/src/postgres.rs"]
mod server;
mod writer;

pub use connect::Database;

use super::jobs::{Queue, Work};
use super::keys::{Encoded, Index, Key};
use super::record::{Catalogues, Naming};
use super::shared::{Reading, Shared, Taken};
use super::{Appending, Catalogue, Depth, Entry, Finding, Store, StoreError, Visit};
use lagom_features::domain::{CustomerId, DecisionId, RequestId, TenantId};
use reader::Reader;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

/// How long the end of the writer is waited for.
const ENDING: Duration = Duration::from_secs(5);

/// What the tasks of one open log share.
#[derive(Debug)]
struct Base {
    database: Database,
    tenant: String,
    /// Name of this process in the lease.
    me: String,
    catalogues: Catalogues,
    taken: Mutex<Taken>,
    leads: AtomicBool,
}

impl Base {
    fn new(database: &Database, tenant: &TenantId) -> Arc<Self> {
        Arc::new(Self {
            database: database.clone(),
            tenant: tenant.to_string(),
            me: Uuid::now_v7().to_string(),
            catalogues: Catalogues::default(),
            taken: Mutex::default(),
            leads: AtomicBool::new(false),
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections live on a thread of their own, so that whoever calls may block and need not.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("lagom-postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::io("starting the store", &error))?;
        Ok(Self(Some(runtime)))
    }

    fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Reading<T> {
        let running = self.0.as_ref().map(|runtime| runtime.spawn(work));
        Box::pin(async move {
            let ended = running.ok_or(StoreError::Closed)?.await;
            ended.unwrap_or(Err(StoreError::Closed))
        })
    }

    /// Blocks the calling thread, which may be one that other tasks run on.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let runtime = self.0.as_ref().ok_or(StoreError::Closed)?;
        let (done, answer) = std::sync::mpsc::sync_channel(1);
        runtime.spawn(async move {
            // Whoever waited may have gone away.
            let _ = done.send(work.await);
        });
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A [`Store`] in a database.
#[derive(Debug)]
pub struct PostgresStore {
    base: Arc<Base>,
    reader: Arc<Reader>,
    queue: Queue,
    ended: Mutex<std::sync::mpsc::Receiver<()>>,
    threads: Threads,
}

impl PostgresStore {
    /// Connects, brings the tables to this version, and reads the catalogues of the tenant.
    ///
    /// # Errors
    /// [`StoreError::Io`] where the database cannot be reached or refuses, [`StoreError::Format`]
    /// where a later version has changed the tables.
    pub fn open(database: &Database, tenant: &TenantId) -> Result<Self, StoreError> {
        let threads = Threads::start()?;
        let base = Base::new(database, tenant);
        let own = Arc::clone(&base);
        threads.wait(async move { schema::prepare(&own).await })?;
        let reader = Arc::new(Reader::new(Arc::clone(&base)));
        let own = Arc::clone(&reader);
        threads.wait(async move { own.learn_catalogues().await })?;
        let (queue, jobs, waiting) = Queue::new();
        let (end, ended) = std::sync::mpsc::sync_channel(1);
        let own = Arc::clone(&base);
        drop(threads.spawn(async move {
            writer::serve(own, jobs, &waiting).await;
            // Nobody waits if the store was not dropped.
            let _ = end.send(());
            Ok(())
        }));
        Ok(Self {
            base,
            reader,
            queue,
            ended: Mutex::new(ended),
            threads,
        })
    }

    /// Opens a log for reading alone; a standby will do.
    ///
    /// # Errors
    /// As [`Self::open`], and [`StoreError::Io`] where there are no tables yet.
    pub fn read_only(database: &Database, tenant: &TenantId) -> Result<ReadOnly, StoreError> {
        let threads = Threads::start()?;
        let base = Base::new(database, tenant);
        let own = Arc::clone(&base);
        threads.wait(async move { schema::check(&own).await })?;
        Ok(ReadOnly { base, threads })
    }

    fn find(&self, index: Index, key: String) -> Finding {
        let reader = Arc::clone(&self.reader);
        self.threads
            .spawn(async move { reader.decision(index, &key).await })
    }
}

impl Drop for PostgresStore {
    /// What waits is written first.
    fn drop(&mut self) {
        self.queue.close();
        // The writer has a bound of its own for each thing that it does.
        if let Ok(ended) = self.ended.get_mut() {
            let _ = ended.recv_timeout(ENDING);
        }
    }
}

impl Store for PostgresStore {
    fn append(&self, entries: Vec<Entry>) -> Appending {
        if entries.is_empty() {
            return Box::pin(std::future::ready(Ok(())));
        }
        let encoded = entries.iter();
        let encoded = encoded.map(|one| Encoded::of(one, &self.base.catalogues));
        let committed = self.queue.submit(Work::Append(encoded.collect()));
        let base = Arc::clone(&self.base);
        let naming = Naming::of(entries);
        Box::pin(async move {
            let committed = committed?.await.unwrap_or(Err(StoreError::Closed));
            base.catalogues.committed(&naming, &committed);
            committed
        })
    }

    fn erase(&self, records: Vec<(i64, Entry)>) -> Appending {
        let records = records.iter().map(|(seq, entry)| (*seq, Key::of(entry)));
        let erased = self.queue.submit(Work::Erase(records.collect()));
        Box::pin(async move { erased?.await.unwrap_or(Err(StoreError::Closed)) })
    }

    fn decision(&self, id: &DecisionId) -> Finding {
        self.find(Index::Decision, id.to_string())
    }

    fn answered(&self, id: &RequestId) -> Finding {
        self.find(Index::Request, id.to_string())
    }

    fn catalogue(&self, strategy_id: &str) -> Option<Arc<Catalogue>> {
        self.base.catalogues.get(strategy_id)
    }

    fn scan_to(&self, depth: Depth, visit: Visit<'_>) -> Result<i64, StoreError> {
        scan::scan(&self.base, &self.threads, depth, visit)
    }

    fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    fn shared(&self) -> Option<&dyn Shared> {
        Some(self)
    }
}

impl Shared for PostgresStore {
    fn news(&self) -> Reading<Vec<(i64, Entry)>> {
        let reader = Arc::clone(&self.reader);
        self.threads.spawn(async move { reader.news().await })
    }

    fn has(&self, seq: i64) -> bool {
        self.base.taken().has(seq)
    }

    fn took(&self, seq: i64) {
        self.base.taken().add(seq, seq);
    }

    fn took_all(&self, seq: i64) {
        self.base.taken().add(1, seq);
    }

    fn unchanged(&self, customer: &CustomerId) -> Appending {
        let (reader, id) = (Arc::clone(&self.reader), customer.to_string());
        self.threads
            .spawn(async move { reader.unchanged(&id).await })
    }

    fn lead(&self, from_others: bool) -> Reading<bool> {
        let reader = Arc::clone(&self.reader);
        self.threads
            .spawn(async move { reader.lead(from_others).await })
    }

    fn leads(&self) -> bool {
        self.base.leads.load(Ordering::Acquire)
    }
}

/// A log that is only read.
#[derive(Debug)]
pub struct ReadOnly {
    base: Arc<Base>,
    threads: Threads,
}

impl ReadOnly {
    /// Visits every record that is committed now, in order, and checks all of them.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn scan(&self, visit: Visit<'_>) -> Result<i64, StoreError> {
        scan::scan(&self.base, &self.threads, Depth::Whole, visit)
    }
}

#[cfg(test)]
mod tests;
