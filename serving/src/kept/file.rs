//! The file: customers by their ids, decisions whose windows are open, and a few parts by name.

use super::head::Sum;
use crate::customers::CustomerState;
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Version of the file's form.
const FORMAT: i64 = 2;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS part (
        name TEXT PRIMARY KEY, crc INTEGER NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS customer (
        place INTEGER PRIMARY KEY, customer_id TEXT NOT NULL UNIQUE, crc INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS open (
        decision_id TEXT PRIMARY KEY, decided_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS watched (
        side INTEGER NOT NULL, customer_id TEXT NOT NULL, canary INTEGER NOT NULL,
        since INTEGER NOT NULL, contacts INTEGER NOT NULL, happened INTEGER NOT NULL, open TEXT,
        PRIMARY KEY (side, customer_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS watched_open ON watched (open, side) WHERE open IS NOT NULL;";

pub(super) const WRONG_CHECKSUM: &str = "the checksum of a customer does not fit";

/// What is wrong with a file, or what the system said.
pub(super) type Fault = String;

pub(super) fn said(error: impl std::fmt::Display) -> Fault {
    error.to_string()
}

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct File {
    pub(super) connection: Connection,
}

impl File {
    /// Opens the file; one that cannot be used is removed and made anew.
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        match Self::try_open(path) {
            Ok(file) => Ok(file),
            Err(fault) => {
                tracing::warn!(%fault, "what was kept beside the log is made anew");
                remove(path)?;
                Self::try_open(path)
            }
        }
    }

    fn try_open(path: &Path) -> Result<Self, Fault> {
        let connection = Connection::open(path).map_err(said)?;
        let prepare = || -> rusqlite::Result<i64> {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "secure_delete", true)?;
            connection.pragma_update(None, "journal_size_limit", 1 << 20)?;
            let found = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            if found == 0 {
                connection.execute_batch(SCHEMA)?;
                connection.pragma_update(None, "user_version", FORMAT)?;
                return Ok(FORMAT);
            }
            Ok(found)
        };
        match prepare().map_err(said)? {
            FORMAT => Ok(Self { connection }),
            found => Err(format!("it has form {found}, this lagom reads {FORMAT}")),
        }
    }

    /// A part that was written, if it is there.
    pub(super) fn part<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Fault> {
        let sql = "SELECT crc, body FROM part WHERE name = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?));
        let found = self.connection.query_row(sql, [name], read).optional();
        let Some((crc, body)) = found.map_err(said)? else {
            return Ok(None);
        };
        if crc != checksum(name, &body) {
            return Err(format!("the checksum of `{name}` does not fit"));
        }
        serde_json::from_slice(&body)
            .map(Some)
            .map_err(|error| format!("`{name}`: {error}"))
    }

    /// Whether every customer that should be there can be found.
    pub(super) fn finds_all(&self, expected: Sum) -> Result<bool, Fault> {
        let mut sum = Sum::default();
        self.each(
            "SELECT customer_id, place FROM customer ORDER BY customer_id",
            |id, place| {
                sum.add(id, place);
                Ok(())
            },
        )?;
        Ok(sum == expected)
    }

    /// Decisions whose windows are open, and when they were made.
    pub(super) fn open_decisions(
        &self,
        expected: Sum,
    ) -> Result<Vec<(DecisionId, Timestamp)>, Fault> {
        let mut sum = Sum::default();
        let mut open = Vec::with_capacity(usize::try_from(expected.count).unwrap_or(0));
        self.each("SELECT decision_id, decided_at FROM open", |id, at| {
            sum.add(id, at);
            open.push((
                DecisionId::new(id).map_err(said)?,
                Timestamp::from_micros(at).map_err(said)?,
            ));
            Ok(())
        })?;
        if sum != expected {
            return Err("the open decisions are not those that were written".to_owned());
        }
        Ok(open)
    }

    fn each(
        &self,
        sql: &str,
        mut visit: impl FnMut(&str, i64) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut rows = self.connection.prepare(sql).map_err(said)?;
        let mut rows = rows.query([]).map_err(said)?;
        while let Some(row) = rows.next().map_err(said)? {
            let key = row.get_ref(0).map_err(said)?;
            visit(key.as_str().map_err(said)?, row.get(1).map_err(said)?)?;
        }
        Ok(())
    }

    /// Begins a change of the file; dropped, nothing has changed.
    pub(super) fn change(&mut self) -> Result<Change<'_>, Fault> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate);
        Ok(Change(transaction.map_err(said)?))
    }
}

/// Removes the file and what SQLite keeps beside it.
pub(super) fn remove(path: &Path) -> Result<(), Fault> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(said(error)),
            _ => {}
        }
    }
    Ok(())
}

/// A change of the file: all of it or nothing.
pub(super) struct Change<'a>(pub(super) Transaction<'a>);

impl Change<'_> {
    pub(super) fn put_part(&self, name: &str, part: &impl Serialize) -> Result<(), Fault> {
        let body = serde_json::to_vec(part).map_err(said)?;
        let sql = "INSERT OR REPLACE INTO part VALUES (?1, ?2, ?3)";
        let crc = checksum(name, &body);
        let put = self.0.prepare_cached(sql);
        let put = put.and_then(|mut put| put.execute(params![name, crc, body]));
        put.map(drop).map_err(said)
    }

    pub(super) fn drop_part(&self, name: &str) -> Result<(), Fault> {
        let gone = self.0.execute("DELETE FROM part WHERE name = ?1", [name]);
        gone.map(drop).map_err(said)
    }

    /// A customer's state, and its place in the file.
    pub(super) fn customer(&self, id: &CustomerId) -> Result<Option<(i64, CustomerState)>, Fault> {
        customer(&self.0, id)
    }

    pub(super) fn put_customer(
        &self,
        id: &CustomerId,
        place: Option<i64>,
        state: &CustomerState,
        sum: &mut Sum,
    ) -> Result<(), Fault> {
        let body = state.to_bytes();
        if let Some(place) = place {
            let crc = checksum(id.as_str(), &body);
            let sql = "UPDATE customer SET crc = ?2, body = ?3 WHERE place = ?1";
            let put = self.0.prepare_cached(sql);
            let put = put.and_then(|mut put| put.execute(params![place, crc, body]));
            return put.map(drop).map_err(said);
        }
        self.put_bytes(id, &body, sum)
    }

    /// Puts a customer who is not there.
    pub(super) fn put_bytes(
        &self,
        id: &CustomerId,
        body: &[u8],
        sum: &mut Sum,
    ) -> Result<(), Fault> {
        let crc = checksum(id.as_str(), body);
        let sql = "INSERT INTO customer (customer_id, crc, body) VALUES (?1, ?2, ?3)";
        let put = self.0.prepare_cached(sql);
        let place = put.and_then(|mut put| put.insert(params![id.as_str(), crc, body]));
        sum.add(id.as_str(), place.map_err(said)?);
        Ok(())
    }

    pub(super) fn drop_customer(&self, id: &CustomerId, sum: &mut Sum) -> Result<(), Fault> {
        let sql = "DELETE FROM customer WHERE customer_id = ?1 RETURNING place";
        let gone = self.0.query_row(sql, [id.as_str()], |row| row.get(0));
        if let Some(place) = gone.optional().map_err(said)? {
            sum.remove(id.as_str(), place);
        }
        Ok(())
    }

    pub(super) fn put_open(
        &self,
        id: &DecisionId,
        at: Timestamp,
        sum: &mut Sum,
    ) -> Result<(), Fault> {
        let sql = "INSERT OR IGNORE INTO open VALUES (?1, ?2)";
        let put = self.0.prepare_cached(sql);
        let put = put.and_then(|mut put| put.execute(params![id.as_str(), at.micros()]));
        if put.map_err(said)? == 1 {
            sum.add(id.as_str(), at.micros());
        }
        Ok(())
    }

    pub(super) fn drop_open(&self, id: &DecisionId, sum: &mut Sum) -> Result<(), Fault> {
        let sql = "DELETE FROM open WHERE decision_id = ?1 RETURNING decided_at";
        let gone = self.0.prepare_cached(sql);
        let gone =
            gone.and_then(|mut gone| gone.query_row([id.as_str()], |row| row.get(0)).optional());
        if let Some(at) = gone.map_err(said)? {
            sum.remove(id.as_str(), at);
        }
        Ok(())
    }

    /// Removes everything.
    pub(super) fn clear(&self) -> Result<(), Fault> {
        let sql = "DELETE FROM part; DELETE FROM customer; DELETE FROM open; \
                   DELETE FROM watched;";
        self.0.execute_batch(sql).map_err(said)
    }

    pub(super) fn commit(self) -> Result<(), Fault> {
        self.0.commit().map_err(said)
    }
}

pub(super) fn checksum(key: &str, body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key.as_bytes()), body)
}

/// A customer's state, and its place in the file.
pub(super) fn customer(
    connection: &Connection,
    id: &CustomerId,
) -> Result<Option<(i64, CustomerState)>, Fault> {
    let sql = "SELECT place, crc, body FROM customer WHERE customer_id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, u32>(1)?,
            row.get::<_, Vec<u8>>(2)?,
        ))
    };
    let find = connection.prepare_cached(sql);
    let found = find.and_then(|mut find| find.query_row([id.as_str()], read).optional());
    let Some((place, crc, body)) = found.map_err(said)? else {
        return Ok(None);
    };
    if crc != checksum(id.as_str(), &body) {
        return Err(WRONG_CHECKSUM.to_owned());
    }
    Ok(Some((place, CustomerState::from_bytes(&body)?)))
}
