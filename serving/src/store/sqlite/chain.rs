//! Rows of the log and the chain of their checksums.

use super::filed::Filed;
use crate::store::record::{self, Catalogues};
use crate::store::{Entry, Kind, StoreError, Visit};
use rusqlite::{Connection, OptionalExtension, Row};

/// The end of a chain: number and checksum of its last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) seq: i64,
    pub(super) crc: u32,
}

impl Tail {
    /// Before the first row.
    pub(super) const EMPTY: Self = Self { seq: 0, crc: 0 };

    /// The tail after one more row.
    pub(super) fn extended(self, kind: u8, body: &[u8]) -> Self {
        self.linked(kind, crc32c::crc32c(body))
    }

    fn linked(self, kind: u8, body: u32) -> Self {
        let seq = self.seq + 1;
        let mut crc = crc32c::crc32c_append(self.crc, &[kind]);
        crc = crc32c::crc32c_append(crc, &seq.to_le_bytes());
        crc = crc32c::crc32c_append(crc, &body.to_le_bytes());
        Self { seq, crc }
    }
}

/// Kind of a row whose body was erased.
pub(super) const ERASED: u8 = 0;

/// What stands in place of an erased body: what the chain needs of it.
pub(super) fn tombstone(kind: u8, body: &[u8]) -> [u8; 5] {
    let [a, b, c, d] = crc32c::crc32c(body).to_le_bytes();
    [kind, a, b, c, d]
}

/// One row as it is in the file.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) seq: i64,
    kind: u8,
    crc: u32,
    body: Vec<u8>,
}

impl Link {
    /// Of a row `seq, kind, crc, body`.
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            kind: row.get(1)?,
            crc: row.get(2)?,
            body: row.get(3)?,
        })
    }

    /// Whether it follows `tail`.
    fn follows(&self, tail: Tail) -> Result<Tail, StoreError> {
        let expected = match (self.kind, self.body.as_slice()) {
            (ERASED, &[kind, a, b, c, d]) => tail.linked(kind, u32::from_le_bytes([a, b, c, d])),
            _ => tail.extended(self.kind, &self.body),
        };
        if self.seq != expected.seq {
            return Err(StoreError::Damaged {
                seq: expected.seq,
                reason: format!("it is missing; the next one is record {}", self.seq),
            });
        }
        if self.crc != expected.crc {
            return Err(StoreError::Damaged {
                seq: self.seq,
                reason: format!(
                    "its checksum is {:08x}, its bytes give {:08x}",
                    self.crc, expected.crc
                ),
            });
        }
        Ok(expected)
    }

    /// Whether its body was erased.
    fn erased(&self) -> bool {
        self.kind == ERASED
    }

    /// What it says.
    pub(super) fn entry(&self, catalogues: &Catalogues) -> Result<Entry, StoreError> {
        let damaged = |reason| StoreError::Damaged {
            seq: self.seq,
            reason,
        };
        let kind =
            Kind::of(self.kind).ok_or_else(|| damaged(format!("kind {} is unknown", self.kind)))?;
        record::decode(kind, &self.body, catalogues).map_err(damaged)
    }
}

fn reading<T>(read: rusqlite::Result<T>) -> Result<T, StoreError> {
    read.map_err(|error| StoreError::io("reading the log", &error))
}

fn tail(row: &Row<'_>) -> rusqlite::Result<Tail> {
    Ok(Tail {
        seq: row.get(0)?,
        crc: row.get(1)?,
    })
}

/// The end of the log, which must be where the last commit left it.
pub(super) fn last(connection: &Connection) -> Result<Tail, StoreError> {
    let sql = "SELECT seq, crc FROM log ORDER BY seq DESC LIMIT 1";
    let found = reading(connection.query_row(sql, [], tail).optional())?.unwrap_or(Tail::EMPTY);
    ends_at(connection, found.seq)?;
    Ok(found)
}

fn ends_at(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    let sql = "SELECT value FROM meta WHERE key = 'last'";
    let committed: i64 = reading(connection.query_row(sql, [], |row| row.get(0)))?;
    if committed == seq {
        return Ok(());
    }
    Err(StoreError::Damaged {
        seq: committed.min(seq) + 1,
        reason: format!("{committed} records were committed, the log ends at {seq}"),
    })
}

/// The rows that name catalogues.
pub(super) fn catalogues(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let find = connection.prepare("SELECT seq FROM catalogue ORDER BY seq");
    let seqs = find.and_then(|mut find| find.query_map([], |row| row.get(0))?.collect());
    reading(seqs)
}

/// One row, checked against the one before it.
pub(super) fn one(connection: &Connection, seq: i64) -> Result<Link, StoreError> {
    let sql = "SELECT seq, crc FROM log WHERE seq = ?1";
    let find = connection.prepare_cached(sql);
    let before = find.and_then(|mut find| find.query_row([seq - 1], tail).optional());
    let before = reading(before)?.unwrap_or(Tail::EMPTY);
    let sql = "SELECT seq, kind, crc, body FROM log WHERE seq = ?1";
    let find = connection.prepare_cached(sql);
    let link = find.and_then(|mut find| find.query_row([seq], Link::of).optional());
    let link = reading(link)?.ok_or_else(|| StoreError::Damaged {
        seq,
        reason: "it is missing".to_owned(),
    })?;
    link.follows(before)?;
    Ok(link)
}

/// Every row in order, within one consistent view of the file.
pub(super) fn scan(
    connection: &Connection,
    catalogues: &Catalogues,
    visit: Visit<'_>,
) -> Result<(), StoreError> {
    let transaction = reading(connection.unchecked_transaction())?;
    let sql = "SELECT seq, kind, crc, body FROM log ORDER BY seq";
    let mut rows = reading(transaction.prepare(sql))?;
    let mut rows = reading(rows.query([]))?;
    let mut tail = Tail::EMPTY;
    let mut filed = Filed::default();
    while let Some(row) = reading(rows.next())? {
        let link = reading(Link::of(row))?;
        tail = link.follows(tail)?;
        if !link.erased() {
            let entry = link.entry(catalogues)?;
            filed.add(link.seq, &entry);
            visit(link.seq, entry)?;
        }
    }
    ends_at(&transaction, tail.seq)?;
    filed.check(&transaction)
}
