//! What moved rows leave behind.
//!
//! `secure_delete` overwrites a row where it lies when it is deleted. But when a tree of pages is
//! balanced, rows move to other pages, and what they were stays readable in the unused space of the page
//! that they came from until something else is written there. So that an erased customer is in no byte of
//! the file, an erasure ends by zeroing the unused space of every page of every tree.

use crate::store::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

/// Pages cleared in one commit; whoever else writes waits for no more than these.
const TOGETHER: usize = 64;
/// How often the truncation of the write-ahead log is tried, and how long it is waited between.
const TRUNCATIONS: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(20);
/// From so many pages on (128 GiB) the first byte of a page no longer tells a tree's page from one that
/// begins with another's number.
const AMBIGUOUS: i64 = 2 << 24;

/// Refuses an SQLite without the table of its pages.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let sql = "SELECT sqlite_compileoption_used('ENABLE_DBPAGE_VTAB')";
    let asking = |error: rusqlite::Error| StoreError::io("preparing the store", &error);
    let has: bool = connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(asking)?;
    if has {
        return Ok(());
    }
    Err(StoreError::io(
        "preparing the store",
        &"this lagom was built with an SQLite that cannot erase without a trace; build it in its \
          repository, or with LIBSQLITE3_FLAGS=-DSQLITE_ENABLE_DBPAGE_VTAB in the environment",
    ))
}

/// Zeroes the unused space of all pages, then empties the write-ahead log, which holds what the pages
/// were before.
///
/// # Errors
/// [`StoreError::Io`], also where a reader keeps the write-ahead log open; to repeat it is safe.
pub(crate) fn clear(path: &Path) -> Result<(), StoreError> {
    let clearing = |error: rusqlite::Error| StoreError::io("clearing unused space", &error);
    let mut connection = Connection::open(path).map_err(clearing)?;
    let pages = dirty(&connection).map_err(clearing)?;
    for some in pages.chunks(TOGETHER) {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(clearing)?;
        for page in some {
            clear_page(&transaction, *page).map_err(clearing)?;
        }
        transaction.commit().map_err(clearing)?;
    }
    truncate(&connection)
}

/// Numbers of the pages with something in their unused space.
fn dirty(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    if pages >= AMBIGUOUS {
        tracing::warn!(
            pages,
            "the file is too large for its unused space to be cleared; VACUUM it to be rid of what was erased"
        );
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut select = connection.prepare("SELECT pgno, data FROM sqlite_dbpage")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        let page = row.get_ref(1)?.as_blob()?;
        let is_zero = |range: Range<usize>| page[range].iter().all(|byte| *byte == 0);
        if !unused(number, page).into_iter().all(is_zero) {
            found.push(number);
        }
    }
    Ok(found)
}

fn clear_page(transaction: &Transaction<'_>, number: i64) -> rusqlite::Result<()> {
    let sql = "SELECT data FROM sqlite_dbpage WHERE pgno = ?1";
    let mut page: Vec<u8> = transaction
        .prepare_cached(sql)?
        .query_row([number], |row| row.get(0))?;
    let mut changed = false;
    for range in unused(number, &page) {
        let space = &mut page[range];
        changed |= space.iter().any(|byte| *byte != 0);
        space.fill(0);
    }
    if changed {
        transaction
            .prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?
            .execute(rusqlite::params![number, page])?;
    }
    Ok(())
}

/// Where a page of a tree holds nothing: between the places of its cells and the cells, and in the blocks
/// that deleted cells have left (after the four bytes that chain them). Of any other page nothing; neither
/// of one that is no longer in use, which may look like anything.
/// Form: <https://www.sqlite.org/fileformat2.html#b_tree_pages>.
fn unused(number: i64, page: &[u8]) -> Vec<Range<usize>> {
    let start = if number == 1 { 100 } else { 0 };
    let cells_from = match page.get(start) {
        Some(2 | 5) => start + 12,
        Some(10 | 13) => start + 8,
        _ => return Vec::new(),
    };
    let two = |at: usize| {
        let bytes = page.get(at..at + 2)?;
        Some(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
    };
    let gap = || {
        let from = cells_from + 2 * two(start + 3)?;
        // Zero stands for 65,536.
        let upto = two(start + 5).map(|at| if at == 0 { 1 << 16 } else { at })?;
        (from <= upto && upto <= page.len()).then_some(from..upto)
    };
    let Some(gap) = gap() else {
        return Vec::new();
    };
    let mut block = two(start + 1).unwrap_or(0);
    let mut free_from = gap.end;
    let mut ranges = vec![gap];
    while block >= free_from {
        let Some((next, size)) = two(block).zip(two(block + 2)) else {
            return Vec::new();
        };
        free_from = block + size;
        if size < 4 || free_from > page.len() {
            return Vec::new();
        }
        ranges.push(block + 4..free_from);
        block = next;
    }
    ranges
}

/// Empties the write-ahead log. Whoever reads keeps it open for as long.
fn truncate(connection: &Connection) -> Result<(), StoreError> {
    let emptying = "emptying the write-ahead log after an erasure";
    for _ in 0..TRUNCATIONS {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(|error| StoreError::io(emptying, &error))?;
        if busy == 0 {
            return Ok(());
        }
        std::thread::sleep(BETWEEN);
    }
    Err(StoreError::io(
        emptying,
        &"a reader, perhaps an export, has kept it open; erase again when it has ended",
    ))
}

#[cfg(test)]
mod tests;
