//! The chain of checksums through the rows of a log.
//!
//! Every row carries a checksum chained over all rows before it,
//!
//! ```text
//! crc(n) = crc32c(crc(n − 1), kind ‖ n ‖ crc32c(body))
//! ```
//! so that a changed, missing, swapped or foreign row breaks the chain where it lies. Of an erased
//! row kind and checksum of the body stay, and with them the chain.

use super::record::{self, Catalogues};
use super::{Depth, Entry, Kind, StoreError};
use serde::{Deserialize, Serialize};

/// The end of a chain: number and checksum of its last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail {
    /// The number.
    pub seq: i64,
    /// The checksum.
    pub crc: u32,
}

impl Tail {
    /// Before the first row.
    pub const EMPTY: Self = Self { seq: 0, crc: 0 };

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

/// One row as it is stored.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) seq: i64,
    pub(super) kind: u8,
    pub(super) crc: u32,
    pub(super) body: Vec<u8>,
}

impl Link {
    /// The tail that it makes, if it follows `tail`.
    pub(super) fn follows(&self, tail: Tail) -> Result<Tail, StoreError> {
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
    pub(super) fn erased(&self) -> bool {
        self.kind == ERASED
    }

    /// What it says.
    pub(super) fn entry(&self, catalogues: &Catalogues) -> Result<Entry, StoreError> {
        self.entry_to(Depth::Whole, catalogues)
    }

    /// What it says, of decisions as much as is asked for.
    pub(super) fn entry_to(
        &self,
        depth: Depth,
        catalogues: &Catalogues,
    ) -> Result<Entry, StoreError> {
        let damaged = |reason| StoreError::Damaged {
            seq: self.seq,
            reason,
        };
        let kind =
            Kind::of(self.kind).ok_or_else(|| damaged(format!("kind {} is unknown", self.kind)))?;
        record::decode_to(depth, kind, &self.body, catalogues).map_err(damaged)
    }
}

/// Refuses a log that ends elsewhere than its last commit says.
pub(super) fn ends_at(found: i64, committed: i64) -> Result<(), StoreError> {
    if committed == found {
        return Ok(());
    }
    Err(StoreError::Damaged {
        seq: committed.min(found) + 1,
        reason: format!("{committed} records were committed, the log ends at {found}"),
    })
}

/// A row that should be there.
pub(super) fn missing(seq: i64) -> StoreError {
    StoreError::Damaged {
        seq,
        reason: "it is missing".to_owned(),
    }
}
