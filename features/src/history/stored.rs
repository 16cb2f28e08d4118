//! A history as bytes, to be kept and read back: its form has a version and a golden file.
//!
//! Everything stands in the order in which the history has it. Texts that repeat stand once and are
//! named by their number; times of events are told from the event before; ids of events leave out
//! what they begin with as the one before did. Bytes that were not written here give an error, never
//! another history than they say and never a panic.

mod read;
mod write;

use super::History;
use thiserror::Error;

/// Version of the form.
const VERSION: u8 = 1;

/// Why bytes are not a history.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoredError {
    /// Another version wrote them.
    #[error("a stored history of form {found}; this lagom reads form {VERSION}")]
    Version {
        /// Which.
        found: u8,
    },
    /// They end too early or go on too long, or a number or text is out of range.
    #[error("a stored history cannot be read at byte {at}: {what}")]
    Malformed {
        /// Where.
        at: usize,
        /// What was expected.
        what: &'static str,
    },
}

impl History {
    /// The history as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write::history(self)
    }

    /// The history that [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        read::history(bytes)
    }
}

/// What an event has beside what all have; one bit each.
mod has {
    pub(super) const INVOICE: u64 = 1;
    pub(super) const DECISION: u64 = 1 << 1;
    pub(super) const CHANNEL: u64 = 1 << 2;
    pub(super) const AMOUNT: u64 = 1 << 3;
    pub(super) const METHOD: u64 = 1 << 4;
    pub(super) const DEVICE: u64 = 1 << 5;
    pub(super) const DWELL: u64 = 1 << 6;
    pub(super) const TONE: u64 = 1 << 7;
    pub(super) const UNTIL: u64 = 1 << 8;
    pub(super) const REASON: u64 = 1 << 9;
    pub(super) const ALL: u64 = (1 << 10) - 1;
}

#[cfg(test)]
mod tests;
