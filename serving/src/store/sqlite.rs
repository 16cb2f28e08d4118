//! The log in one SQLite file: write-ahead log, `synchronous = FULL`, one writer thread, many
//! callers to a commit.
//!
//! The number of the last row is kept in `meta`, in the same commit, so that lost last rows are noticed too.

mod backup;
mod checkpoint;
mod lock;
pub(crate) mod readers;
pub(crate) mod residue;
mod rows;
mod writer;

use super::filed::Filed;
use super::keys::{Encoded, Key};
use super::record::{Catalogues, Naming};
use super::{Appending, Catalogue, Depth, Entry, Finding, Own, Store, StoreError, Tail, Visit};
use checkpoint::Checkpoints;
use lagom_features::domain::{DecisionId, RequestId};
use lagom_model::log::Decision;
use lock::Lock;
use readers::Readers;
use rusqlite::{Connection, OptionalExtension, params};
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use writer::Writer;

/// Records that are checked in one view of the file, and the pause after them.
const CHECKED: usize = 20_000;
const BETWEEN: Duration = Duration::from_millis(5);

/// Version of the file's form.
pub const FORMAT: u32 = 2;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS meta (
        key TEXT PRIMARY KEY, value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS log (
        seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS catalogue (
        strategy_id TEXT PRIMARY KEY, seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS decision (
        decision_id TEXT PRIMARY KEY, seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS request (
        request_id TEXT PRIMARY KEY, seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS outcome (
        decision_id TEXT PRIMARY KEY, seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// A [`Store`] in one file. Fields are dropped in order: the writer has ended before the lock goes.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    catalogues: Arc<Catalogues>,
    path: PathBuf,
    _checkpoints: Checkpoints,
    _lock: Lock,
}

impl SqliteStore {
    /// Opens the file, or makes it together with its folder, and reads the catalogues.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process has it, [`StoreError::Format`] if another version
    /// wrote it, [`StoreError::Damaged`] where the end of the log does not fit, [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = Lock::take(path)?;
        let opening = |error: rusqlite::Error| StoreError::io("opening the store", &error);
        let connection = Connection::open(path).map_err(opening)?;
        prepare(&connection)?;
        let last = rows::last(&connection)?;
        let catalogues = Arc::new(Catalogues::default());
        let store = Self {
            writer: Writer::start(connection, last)?,
            readers: Readers::new(path.to_owned()),
            catalogues,
            path: path.to_owned(),
            _checkpoints: Checkpoints::start(path)?,
            _lock: lock,
        };
        store.remember_catalogues()?;
        Ok(store)
    }

    /// Opens an existing file for reading alone, beside a server that writes it.
    ///
    /// # Errors
    /// As [`Self::open`], and [`StoreError::Io`] if there is no such file.
    pub fn read_only(path: &Path) -> Result<ReadOnly, StoreError> {
        let reader = ReadOnly {
            readers: Readers::new(path.to_owned()),
            catalogues: Catalogues::default(),
        };
        reader.readers.with(check_format)?;
        Ok(reader)
    }

    fn remember_catalogues(&self) -> Result<(), StoreError> {
        self.readers.with(|connection| {
            for seq in rows::catalogues(connection)? {
                let entry = rows::one(connection, seq)?.entry(&self.catalogues)?;
                self.catalogues.learn(&entry);
            }
            Ok(())
        })
    }

    /// The decision to which `sql` leads from `key`, which must be what `is_it` knows.
    fn decided(
        &self,
        sql: &str,
        key: &str,
        is_it: impl Fn(&Decision) -> bool,
    ) -> Result<Option<Decision>, StoreError> {
        self.readers.with(|connection| {
            let reading = |error: rusqlite::Error| StoreError::io("reading a decision", &error);
            let mut find = connection.prepare_cached(sql).map_err(reading)?;
            let found: Option<i64> = find
                .query_row(params![key], |row| row.get(0))
                .optional()
                .map_err(reading)?;
            let Some(seq) = found else { return Ok(None) };
            match rows::one(connection, seq)?.entry(&self.catalogues)? {
                Entry::Decided(decision) if is_it(&decision) => {
                    Ok(Some(Arc::unwrap_or_clone(decision)))
                }
                other => Err(StoreError::Damaged {
                    seq,
                    reason: format!(
                        "the decision under `{key}` was expected, not this {:?}",
                        other.kind()
                    ),
                }),
            }
        })
    }
}

impl Store for SqliteStore {
    fn append(&self, entries: Vec<Entry>) -> Appending {
        let encoded = entries.iter();
        let encoded = encoded.map(|one| Encoded::of(one, &self.catalogues));
        let committed = self.writer.submit(encoded.collect());
        let catalogues = Arc::clone(&self.catalogues);
        let naming = Naming::of(entries);
        Box::pin(async move {
            let committed = committed?.await.unwrap_or(Err(StoreError::Closed));
            catalogues.committed(&naming, &committed);
            committed
        })
    }

    fn erase(&self, records: Vec<(i64, Entry)>) -> Appending {
        let records = records.iter().map(|(seq, entry)| (*seq, Key::of(entry)));
        let records = records.collect();
        let erased = self.writer.erase(records);
        Box::pin(async move { erased?.await.unwrap_or(Err(StoreError::Closed)) })
    }

    fn decision(&self, id: &DecisionId) -> Finding {
        Box::pin(ready(self.find(id)))
    }

    fn answered(&self, id: &RequestId) -> Finding {
        let found = self.decided(
            "SELECT seq FROM request WHERE request_id = ?1",
            id.as_str(),
            |found| &found.request_id == id,
        );
        Box::pin(ready(found))
    }

    fn catalogue(&self, strategy_id: &str) -> Option<Arc<Catalogue>> {
        self.catalogues.get(strategy_id)
    }

    fn scan_to(&self, depth: Depth, visit: Visit<'_>) -> Result<i64, StoreError> {
        self.readers
            .with(|connection| rows::scan(connection, &self.catalogues, depth, visit))
    }

    fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    fn own(&self) -> Option<&dyn Own> {
        Some(self)
    }
}

impl Own for SqliteStore {
    fn beside(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push("-state");
        name.into()
    }

    fn tail(&self, seq: Option<i64>) -> Result<Option<Tail>, StoreError> {
        self.readers.with(|connection| match seq {
            Some(seq) => rows::at(connection, seq),
            None => rows::last(connection).map(|tail| (tail != Tail::EMPTY).then_some(tail)),
        })
    }

    fn erasures(&self) -> Result<i64, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = 'erasures'";
        let count = |connection: &Connection| {
            let found = connection.query_row(sql, [], |row| row.get(0)).optional();
            found.map_err(|error| StoreError::io("reading how much was erased", &error))
        };
        Ok(self.readers.with(count)?.unwrap_or(0))
    }

    fn scrub(&self) -> Result<(), StoreError> {
        residue::clear(&self.path)
    }

    fn scan_after(
        &self,
        after: i64,
        most: usize,
        depth: Depth,
        visit: Visit<'_>,
    ) -> Result<i64, StoreError> {
        self.readers.with(|connection| {
            rows::scan_after(connection, &self.catalogues, after, most, depth, visit)
        })
    }

    fn check(&self, stop: &dyn Fn() -> bool) -> Result<(), StoreError> {
        let (mut upto, mut filed) = (0, Filed::default());
        loop {
            let last = self.scan_after(upto, CHECKED, Depth::Whole, &mut |seq, entry| {
                filed.add(seq, &entry);
                Ok(())
            })?;
            if stop() {
                return Ok(());
            }
            if last == upto {
                break;
            }
            upto = last;
            std::thread::sleep(BETWEEN);
        }
        let found = self.readers.with(|connection| {
            let transaction = connection.unchecked_transaction();
            let transaction = transaction.map_err(|error| StoreError::io("checking", &error))?;
            filed.check(|index| rows::summed(&transaction, index, upto))
        });
        match found {
            // Somebody may have been erased since his records were read.
            Err(StoreError::Misfiled { .. }) => self.scan(&mut |_, _| Ok(())).map(drop),
            found => found,
        }
    }

    fn find(&self, id: &DecisionId) -> Result<Option<Decision>, StoreError> {
        self.decided(
            "SELECT seq FROM decision WHERE decision_id = ?1",
            id.as_str(),
            |found| &found.decision_id == id,
        )
    }
}

/// A store that another process may be writing.
#[derive(Debug)]
pub struct ReadOnly {
    readers: Readers,
    catalogues: Catalogues,
}

impl ReadOnly {
    /// Visits every record that is committed now, in order, and checks all of them.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn scan(&self, visit: Visit<'_>) -> Result<i64, StoreError> {
        self.readers.with(|connection| {
            rows::scan(
                connection,
                &self.catalogues,
                Depth::Whole,
                &mut |seq, entry| {
                    self.catalogues.learn(&entry);
                    visit(seq, entry)
                },
            )
        })
    }
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    residue::check(connection)?;
    let preparing = |error: rusqlite::Error| StoreError::io("preparing the store", &error);
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .and_then(|()| connection.pragma_update(None, "synchronous", "FULL"))
        .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", 0))
        .and_then(|()| connection.pragma_update(None, "journal_size_limit", checkpoint::KEPT))
        .and_then(|()| connection.pragma_update(None, "secure_delete", true))
        .and_then(|()| connection.execute_batch(SCHEMA))
        .and_then(|()| {
            let sql = "INSERT OR IGNORE INTO meta VALUES ('format', ?1), ('last', 0)";
            connection.execute(sql, [FORMAT]).map(drop)
        })
        .map_err(preparing)?;
    check_format(connection)
}

fn check_format(connection: &Connection) -> Result<(), StoreError> {
    let sql = "SELECT CAST(value AS TEXT) FROM meta WHERE key = 'format'";
    let found: String = connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(|error| StoreError::io("reading the store's format", &error))?;
    if found == FORMAT.to_string() {
        return Ok(());
    }
    Err(StoreError::Format {
        found,
        expected: FORMAT,
    })
}

#[cfg(test)]
mod tests;
