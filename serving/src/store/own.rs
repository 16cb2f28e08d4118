//! What a log that one process alone writes offers to whoever keeps, beside it, the state that it
//! adds up to.

use super::record::{self, Catalogues};
use super::{Entry, Kind, StoreError, Visit};
use lagom_features::domain::DecisionId;
use lagom_model::log::Decision;
use std::path::PathBuf;

pub use super::chain::Tail;

/// How much of a decision is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All of it.
    Whole,
    /// What learning reads: all but the refusals, which most of a catalogue can be.
    Choice,
    /// Who was advised what and when: without alternatives, refusals and features, which are most of
    /// the work.
    Head,
}

/// A log that no other process writes. Everything here blocks.
pub trait Own: Send + Sync {
    /// The file in which the state may be kept.
    fn beside(&self) -> PathBuf;

    /// The record of this number, or the last one: its number, and the checksum that is chained over
    /// everything up to it. `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError::Io`] and, of the last one, [`StoreError::Damaged`].
    fn tail(&self, seq: Option<i64>) -> Result<Option<Tail>, StoreError>;

    /// How often something was erased.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn erasures(&self) -> Result<i64, StoreError>;

    /// Leaves nothing of what was erased in any byte of its files.
    ///
    /// # Errors
    /// [`StoreError::Io`], also where a reader keeps what was erased; to repeat it is safe.
    fn scrub(&self) -> Result<(), StoreError>;

    /// Visits, in order, up to `most` records after record `after`, checks them, and returns the number
    /// of the last that was looked at; of erased ones nothing is seen.
    ///
    /// # Errors
    /// As [`super::Store::scan`].
    fn scan_after(
        &self,
        after: i64,
        most: usize,
        depth: Depth,
        visit: Visit<'_>,
    ) -> Result<i64, StoreError>;

    /// Checks every record and every key as [`super::Store::scan`] does, but in parts, so that nobody
    /// waits for it; ends early when it should `stop`.
    ///
    /// # Errors
    /// As [`super::Store::scan`].
    fn check(&self, stop: &dyn Fn() -> bool) -> Result<(), StoreError>;

    /// The decision of this id.
    ///
    /// # Errors
    /// [`StoreError::Io`] and [`StoreError::Damaged`].
    fn find(&self, id: &DecisionId) -> Result<Option<Decision>, StoreError>;
}

/// Kind and body of a record that names no catalogue: anything but a decision.
pub(crate) fn to_record(entry: &Entry) -> (u8, Vec<u8>) {
    let body = record::encode(entry, &Catalogues::default());
    (entry.kind() as u8, body)
}

/// The entry that [`to_record`] wrote.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn from_record(kind: u8, body: &[u8]) -> Result<Entry, String> {
    let known = Kind::of(kind).ok_or_else(|| format!("kind {kind} is unknown"))?;
    record::decode(known, body, &Catalogues::default())
}
