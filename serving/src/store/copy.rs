//! A log written anew in another store, counted and compared.

use super::record::{self, Catalogues};
use super::{Entry, Kind, ReadStore, Store, StoreError};
use std::collections::BTreeMap;
use thiserror::Error;

/// Records in one append.
const TOGETHER: usize = 1_000;

/// Why a log was not copied.
#[derive(Debug, Error)]
pub enum CopyError {
    /// One of them cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a log already.
    #[error("there are {0} records in the other store already; copy to an empty one")]
    NotEmpty(i64),
    /// What was read is not what was written.
    #[error(
        "the copy differs: {read} records were read, {written} are in the copy, and their contents \
         are {}; was the log written meanwhile? stop its servers, empty the copy, and copy again",
        if *.same { "equal" } else { "not equal" }
    )]
    Differs {
        /// Records of the source when it was read again at the end.
        read: u64,
        /// Records of the copy.
        written: u64,
        /// Whether digests over all of them are equal.
        same: bool,
    },
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Records of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// BLAKE3 over all records in order, equal for source and copy.
    pub digest: String,
}

/// Appends every record of `from` to `to`, which must be empty, and reads both again: their records
/// must be equal, one by one and in order. What was erased is left out, so numbers may differ.
/// `wait` blocks until an append has ended; `each` is called for every record that was appended.
///
/// # Errors
/// [`CopyError`].
pub fn copy(
    from: &ReadStore,
    to: &dyn Store,
    wait: &dyn Fn(super::Appending) -> Result<(), StoreError>,
    each: &mut dyn FnMut(),
) -> Result<Copied, CopyError> {
    let there = to.scan(&mut |_, _| Ok(()))?;
    if there > 0 {
        return Err(CopyError::NotEmpty(there));
    }
    let mut together = Vec::with_capacity(TOGETHER);
    from.scan(&mut |_, entry| {
        each();
        together.push(entry);
        if together.len() < TOGETHER {
            return Ok(());
        }
        wait(to.append(std::mem::take(&mut together)))
    })?;
    wait(to.append(together))?;
    let (mut read, mut written) = (Summary::default(), Summary::default());
    from.scan(&mut |_, entry| read.add(&entry))?;
    to.scan(&mut |_, entry| written.add(&entry))?;
    let same = read.hasher.finalize() == written.hasher.finalize();
    if !same || read.kinds != written.kinds {
        return Err(CopyError::Differs {
            read: read.kinds.values().sum(),
            written: written.kinds.values().sum(),
            same,
        });
    }
    Ok(Copied {
        digest: read.hasher.finalize().to_hex().to_string(),
        kinds: read.kinds,
    })
}

#[derive(Default)]
struct Summary {
    kinds: BTreeMap<&'static str, u64>,
    hasher: blake3::Hasher,
    /// None: so that every name is written out.
    catalogues: Catalogues,
}

impl Summary {
    fn add(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let kind = entry.kind();
        let body = record::encode(entry, &self.catalogues);
        *self.kinds.entry(name(kind)).or_default() += 1;
        self.hasher.update(&[kind as u8]);
        self.hasher.update(&(body.len() as u64).to_le_bytes());
        self.hasher.update(&body);
        Ok(())
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Recorded => "events",
        Kind::Catalogue => "catalogues",
        Kind::Decided => "decisions",
        Kind::Reserved => "reservations",
        Kind::Matured => "outcomes",
        Kind::Published => "publications",
        Kind::Policy => "pauses",
        Kind::Assigned => "assignments",
        Kind::Phase => "phases",
        Kind::Shadowed => "shadows",
        Kind::Staged => "stages",
        Kind::Forgotten => "erasures",
    }
}
