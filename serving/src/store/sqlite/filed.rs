//! Whether the indexes lead to the records and to nothing else.
//!
//! An index that has lost a key makes the log forget what it answered, and no checksum of a record
//! would show it. So the rows that the log asks for and the rows that are there are both summed up:
//! the sums of a hash of each row do not depend on the order, and are equal if the rows are.

use super::writer::{INDEXES, Key};
use crate::store::{Entry, StoreError};
use rusqlite::Connection;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Number and sum of the rows that each index should have.
#[derive(Debug, Default)]
pub(super) struct Filed([(u64, u64); INDEXES.len()]);

fn hash(key: &str, seq: i64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (key, seq).hash(&mut hasher);
    hasher.finish()
}

impl Filed {
    /// One more record of the log.
    pub(super) fn add(&mut self, seq: i64, entry: &Entry) {
        for (index, key) in Key::of(entry).rows() {
            let place = INDEXES.iter().position(|one| std::ptr::eq(*one, index));
            let (count, sum) = &mut self.0[place.expect("every index is in the list")];
            *count += 1;
            *sum = sum.wrapping_add(hash(key, seq));
        }
    }

    /// Compares with what is in the file.
    pub(super) fn check(&self, connection: &Connection) -> Result<(), StoreError> {
        for (index, expected) in INDEXES.iter().zip(self.0) {
            let found = summed(connection, index.all)
                .map_err(|error| StoreError::io("reading an index of the log", &error))?;
            if found != expected {
                return Err(StoreError::Misfiled { index: index.table });
            }
        }
        Ok(())
    }
}

fn summed(connection: &Connection, all: &str) -> rusqlite::Result<(u64, u64)> {
    let (mut count, mut sum) = (0, 0_u64);
    let mut select = connection.prepare(all)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str()?;
        count += 1;
        sum = sum.wrapping_add(hash(key, row.get(1)?));
    }
    Ok((count, sum))
}
