//! What lagom believes and would choose.
//!
//! * [`log`]: what is written down of a decision and its outcome, and their join.
//! * [`objective`]: what the company wants, as weights and prices.
//! * [`outcome`]: what became of a decision, once its window has closed.
//! * [`statistics`]: whether one arm of an experiment is really better than another.
//!
//! Pure functions of their arguments: this crate reads no clock, no file and no environment,
//! starts no thread, and draws no random number that was not handed to it.

pub mod log;
pub mod objective;
pub mod outcome;
pub mod statistics;
