//! What the file says of itself: how far it is, and what it should hold.

use crate::store::Tail;
use serde::{Deserialize, Serialize};

/// Number and sum of keys, whatever their order: a lookup that has lost one is noticed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) count: u64,
    hashes: u64,
}

impl Sum {
    fn hash(key: &str, value: i64) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&value.to_le_bytes());
        hasher.update(key.as_bytes());
        let digest = hasher.finalize();
        let first: [u8; 8] = std::array::from_fn(|i| digest.as_bytes()[i]);
        u64::from_le_bytes(first)
    }

    pub(super) fn add(&mut self, key: &str, value: i64) {
        self.count += 1;
        self.hashes = self.hashes.wrapping_add(Self::hash(key, value));
    }

    pub(super) fn remove(&mut self, key: &str, value: i64) {
        // Of rows that are not those that were written the next start will not go on.
        self.count = self.count.saturating_sub(1);
        self.hashes = self.hashes.wrapping_sub(Self::hash(key, value));
    }
}

/// The part that says what the others are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// Whether everything up to the position is here.
    pub(super) complete: bool,
    /// The last record of the log that is in it.
    pub(super) position: Tail,
    /// How often something had been erased from the log: whoever was since is still in here.
    #[serde(default)]
    pub(super) erasures: i64,
    pub(super) customers: Sum,
    pub(super) open: Sum,
}

impl Head {
    pub(super) const NOTHING: Self = Self {
        complete: false,
        position: Tail::EMPTY,
        erasures: 0,
        customers: Sum {
            count: 0,
            hashes: 0,
        },
        open: Sum {
            count: 0,
            hashes: 0,
        },
    };
}
