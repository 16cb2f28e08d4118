//! What lagom knows.
//!
//! * [`domain`]: the words of the trade as types.
//! * [`history`]: everything recorded about a customer, and what of it was known when.
//! * [`ledger`]: the state of each invoice at an instant.
//!
//! This crate reads no clock, no file and no environment, and starts no thread.

pub mod domain;
pub mod history;
pub mod ledger;

pub use history::{History, Inserted, Recorded, View};
pub use ledger::{InvoiceState, Ledger};
