//! The log: everything that was recorded, decided, reserved, learnt and published, in one order.
//!
//! What is believed of the disk: a commit that was reported is there after a crash or a power
//! cut; one that was not may or may not be, but whole. Bytes may rot, and files may be cut short,
//! so that every record carries a number one above its predecessor's and a checksum chained
//! over everything before it: damage and gaps are reported, never read past in silence.

mod catalogue;
mod chain;
mod copy;
pub mod entry;
mod filed;
mod jobs;
mod keys;
mod own;
pub mod postgres;
mod record;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod samples;
mod shared;
pub mod sqlite;
#[cfg(test)]
mod suite;
mod url;

pub use catalogue::{Catalogue, Message, Terms, Wording};
pub use copy::{Copied, CopyError, copy};
pub use entry::{Entry, Kind, PolicyChange, Publication, Reservation};
pub use own::{Depth, Own, Tail};
pub(crate) use own::{from_record, to_record};
pub use postgres::PostgresStore;
pub use shared::{Reading, Shared};
pub use sqlite::SqliteStore;
pub use url::{ReadStore, StoreUrl};

use lagom_features::domain::{DecisionId, RequestId};
use lagom_model::log::Decision;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use thiserror::Error;

/// Why the store could not do what was asked.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// Too much waits to be written; nothing was.
    #[error("{waiting} writes wait for the disk; try again in a moment")]
    Full {
        /// How many writes wait.
        waiting: usize,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// The disk or the database refused; nothing was written.
    #[error("{doing}: {reason}")]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// What the system said.
        reason: String,
    },
    /// A decision or an outcome with this key is there already; nothing was written.
    #[error("{key} is recorded already")]
    Duplicate {
        /// The key that was used before.
        key: String,
    },
    /// A record does not read as it was written.
    #[error("record {seq} of the log is damaged: {reason}; restore the store from a backup")]
    Damaged {
        /// Its number.
        seq: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// Keys do not lead to the records that they belong to.
    #[error(
        "the index `{index}` of the log does not fit its records, so that answers could be \
         forgotten; restore the store from a backup"
    )]
    Misfiled {
        /// Which table.
        index: &'static str,
    },
    /// What is kept beside the log is not what was written, or cannot be.
    #[error(
        "the state kept beside the log: {reason}; if it stays so, stop the server, remove the file \
         `…-state` beside the log and start again: it is made anew"
    )]
    State {
        /// What is wrong with it.
        reason: String,
    },
    /// The file was written by another version.
    #[error(
        "the store has format {found}, this lagom reads format {expected}; use the version that wrote it"
    )]
    Format {
        /// Format of the file.
        found: String,
        /// Format of this program.
        expected: u32,
    },
    /// Another process has written about the same customers since this one read of them; nothing
    /// was written. Whoever catches up and tries again may succeed.
    #[error("another replica has written about the same; try again")]
    Overtaken,
    /// Only the replica that holds the lease may write what was learnt; nothing was written.
    #[error("another replica has taken over learning")]
    NotLeading,
    /// Another process has the store open.
    #[error("{path} is in use by another process; stop it, or give [store] url another path")]
    InUse {
        /// Which file.
        path: String,
    },
}

impl StoreError {
    fn io(doing: &'static str, error: &dyn std::fmt::Display) -> Self {
        Self::Io {
            doing,
            reason: error.to_string(),
        }
    }
}

/// Completes when the entries are on disk, or reports why they are not.
pub type Appending = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// Completes with a decision, if there is one of that key.
pub type Finding = Pin<Box<dyn Future<Output = Result<Option<Decision>, StoreError>> + Send>>;

/// What a scan of the log visits: the number of a record and what it says.
pub type Visit<'a> = &'a mut dyn FnMut(i64, Entry) -> Result<(), StoreError>;

/// A durable log with the few look-ups that serving needs.
pub trait Store: Send + Sync + 'static {
    /// Appends `entries` together: all of them or, on any error, none. They keep their order, and
    /// appends keep the order in which this is called.
    ///
    /// On a [`Self::shared`] log, whoever appends holds the locks of what the entries are about from
    /// reading it to the end of the append: [`StoreError::Overtaken`] then says that others have
    /// written about it.
    fn append(&self, entries: Vec<Entry>) -> Appending;

    /// Erases the contents of records for good; their numbers and checksums stay, so that the
    /// rest can still be checked. Complete once nothing of them is left in any file of the store; on a
    /// log of one's [`own`](Self::own) that takes, after the last of them, a [`scrub`](Own::scrub).
    ///
    /// Takes the records as [`Self::scan`] gave them.
    fn erase(&self, records: Vec<(i64, Entry)>) -> Appending;

    /// The decision of this id.
    ///
    /// # Errors
    /// [`StoreError::Io`] and [`StoreError::Damaged`].
    fn decision(&self, id: &DecisionId) -> Finding;

    /// The decision that answered this request.
    ///
    /// # Errors
    /// [`StoreError::Io`] and [`StoreError::Damaged`].
    fn answered(&self, id: &RequestId) -> Finding;

    /// What the log says of a strategy, if it has named it and this process has read that.
    fn catalogue(&self, strategy_id: &str) -> Option<Arc<Catalogue>>;

    /// Visits every record that was not erased, in order, checks all of them, and returns the number
    /// of the last. Blocks the thread.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] at the first record that does not read as it was written, and
    /// whatever the visitor returns.
    fn scan(&self, visit: Visit<'_>) -> Result<i64, StoreError> {
        self.scan_to(Depth::Whole, visit)
    }

    /// The same, of decisions as much as is asked for.
    ///
    /// # Errors
    /// As [`Self::scan`].
    fn scan_to(&self, depth: Depth, visit: Visit<'_>) -> Result<i64, StoreError>;

    /// How many appends wait for the disk.
    fn waiting(&self) -> usize;

    /// What there is to do about other processes that write the same log, where there may be any.
    fn shared(&self) -> Option<&dyn Shared> {
        None
    }

    /// What there is to keep state beside the log with, where no other process writes it.
    fn own(&self) -> Option<&dyn Own> {
        None
    }
}
