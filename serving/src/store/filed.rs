//! Whether the indexes lead to the records and to nothing else.
//!
//! An index that has lost a key makes the log forget what it answered, and no checksum of a record
//! would show it. So the rows that the log asks for and the rows that are there are both summed up:
//! the sums of a hash of each row do not depend on the order, and are equal if the rows are.

use super::keys::{Index, Key};
use super::{Entry, StoreError};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Number and sum of the rows of an index.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    count: u64,
    hashes: u64,
}

impl Sum {
    /// One more row.
    pub(super) fn add(&mut self, key: &str, seq: i64) {
        let mut hasher = DefaultHasher::new();
        (key, seq).hash(&mut hasher);
        self.count += 1;
        self.hashes = self.hashes.wrapping_add(hasher.finish());
    }
}

/// The rows that each index should have.
#[derive(Debug, Default)]
pub(super) struct Filed([Sum; Index::ALL.len()]);

impl Filed {
    /// One more record of the log.
    pub(super) fn add(&mut self, seq: i64, entry: &Entry) {
        for (index, key) in Key::of(entry).rows() {
            self.0[index.place()].add(key, seq);
        }
    }

    /// Compares with what is stored.
    pub(super) fn check(
        &self,
        mut stored: impl FnMut(Index) -> Result<Sum, StoreError>,
    ) -> Result<(), StoreError> {
        for index in Index::ALL {
            if stored(index)? != self.0[index.place()] {
                return Err(StoreError::Misfiled {
                    index: index.name(),
                });
            }
        }
        Ok(())
    }
}
