//! Reading rows of the log, each checked against the one before it.

use super::writer;
use crate::store::chain::{self, Link, Tail};
use crate::store::filed::{Filed, Sum};
use crate::store::keys::Index;
use crate::store::record::Catalogues;
use crate::store::{Depth, StoreError, Visit};
use rusqlite::{Connection, OptionalExtension, Row};

fn reading<T>(read: rusqlite::Result<T>) -> Result<T, StoreError> {
    read.map_err(|error| StoreError::io("reading the log", &error))
}

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        seq: row.get(0)?,
        kind: row.get(1)?,
        crc: row.get(2)?,
        body: row.get(3)?,
    })
}

fn tail(row: &Row<'_>) -> rusqlite::Result<Tail> {
    Ok(Tail {
        seq: row.get(0)?,
        crc: row.get(1)?,
    })
}

/// The end of the log, which must be where the last commit left it.
pub(super) fn last(connection: &Connection) -> Result<Tail, StoreError> {
    let transaction = reading(connection.unchecked_transaction())?;
    let sql = "SELECT seq, crc FROM log ORDER BY seq DESC LIMIT 1";
    let found = reading(transaction.query_row(sql, [], tail).optional())?.unwrap_or(Tail::EMPTY);
    ends_at(&transaction, found.seq)?;
    Ok(found)
}

/// Number and checksum of one row, as they stand there.
pub(super) fn at(connection: &Connection, seq: i64) -> Result<Option<Tail>, StoreError> {
    let sql = "SELECT seq, crc FROM log WHERE seq = ?1";
    let find = connection.prepare_cached(sql);
    let found = find.and_then(|mut find| find.query_row([seq], tail).optional());
    reading(found)
}

fn ends_at(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    let sql = "SELECT value FROM meta WHERE key = 'last'";
    let committed = reading(connection.query_row(sql, [], |row| row.get(0)))?;
    chain::ends_at(seq, committed)
}

/// The rows that name catalogues.
pub(super) fn catalogues(connection: &Connection) -> Result<Vec<i64>, StoreError> {
    let find = connection.prepare("SELECT seq FROM catalogue ORDER BY seq");
    let seqs = find.and_then(|mut find| find.query_map([], |row| row.get(0))?.collect());
    reading(seqs)
}

/// One row, checked against the one before it.
pub(super) fn one(connection: &Connection, seq: i64) -> Result<Link, StoreError> {
    let before = at(connection, seq - 1)?.unwrap_or(Tail::EMPTY);
    let sql = "SELECT seq, kind, crc, body FROM log WHERE seq = ?1";
    let find = connection.prepare_cached(sql);
    let link = find.and_then(|mut find| find.query_row([seq], link).optional());
    let link = reading(link)?.ok_or_else(|| chain::missing(seq))?;
    link.follows(before)?;
    Ok(link)
}

/// Every row in order, within one consistent view of the file; the number of the last.
pub(super) fn scan(
    connection: &Connection,
    catalogues: &Catalogues,
    depth: Depth,
    visit: Visit<'_>,
) -> Result<i64, StoreError> {
    let transaction = reading(connection.unchecked_transaction())?;
    let sql = "SELECT seq, kind, crc, body FROM log ORDER BY seq";
    let mut rows = reading(transaction.prepare(sql))?;
    let mut rows = reading(rows.query([]))?;
    let mut tail = Tail::EMPTY;
    let mut filed = Filed::default();
    while let Some(row) = reading(rows.next())? {
        let link = reading(link(row))?;
        tail = link.follows(tail)?;
        if !link.erased() {
            let entry = link.entry_to(depth, catalogues)?;
            filed.add(link.seq, &entry);
            visit(link.seq, entry)?;
        }
    }
    ends_at(&transaction, tail.seq)?;
    filed.check(|index| summed(&transaction, index, i64::MAX))?;
    Ok(tail.seq)
}

/// Up to `most` rows after row `after`, within one consistent view; the number of the last.
pub(super) fn scan_after(
    connection: &Connection,
    catalogues: &Catalogues,
    after: i64,
    most: usize,
    depth: Depth,
    visit: Visit<'_>,
) -> Result<i64, StoreError> {
    let transaction = reading(connection.unchecked_transaction())?;
    let mut tail = match after {
        0 => Tail::EMPTY,
        after => at(&transaction, after)?.ok_or_else(|| chain::missing(after))?,
    };
    let sql = "SELECT seq, kind, crc, body FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    let mut rows = reading(transaction.prepare_cached(sql))?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = reading(rows.query([after, limit]))?;
    let mut seen = 0;
    while let Some(row) = reading(rows.next())? {
        let link = reading(link(row))?;
        tail = link.follows(tail)?;
        seen += 1;
        if !link.erased() {
            visit(link.seq, link.entry_to(depth, catalogues)?)?;
        }
    }
    if seen < most {
        ends_at(&transaction, tail.seq)?;
    }
    Ok(tail.seq)
}

/// The rows of an index that lead to records up to one, summed up.
pub(super) fn summed(connection: &Connection, index: Index, upto: i64) -> Result<Sum, StoreError> {
    let sum = || {
        let mut sum = Sum::default();
        let mut select = connection.prepare(writer::sql(index).all)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let seq = row.get(1)?;
            if seq <= upto {
                sum.add(row.get_ref(0)?.as_str()?, seq);
            }
        }
        Ok(sum)
    };
    reading(sum())
}
