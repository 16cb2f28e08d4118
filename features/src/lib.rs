//! What lagom knows.
//!
//! * [`domain`]: the words of the trade as types.
//! * [`history`]: everything recorded about a customer, and what of it was known when.
//! * [`ledger`]: the state of each invoice at an instant.
//! * [`spec`]: features as declared, with a fingerprint.
//! * [`segments`]: what all customers of a segment add up to at the beginning of a week.
//! * [`extract`]: the only way from a view to a feature vector.
//! * [`sql`]: the same features as a query, for engines that hold the tables already.
//!
//! This crate reads no clock, no file and no environment, and starts no thread.

pub mod domain;
pub mod extract;
pub mod history;
pub mod ledger;
pub mod segments;
pub mod spec;
pub mod sql;

pub use extract::{ExtractError, Extractor, Scratch};
pub use history::{History, HistoryBuilder, Inserted, Known, Recorded, View};
pub use ledger::{InvoiceState, Ledger, LedgerMemory};
pub use segments::{Pooling, PoolingMemory, Segments, Week, week_of};
pub use spec::{FeatureSpec, SpecError};
