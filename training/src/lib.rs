//! How lagom learns.
//!
//! * [`flat_table`]: any table from outside as named columns.
//! * [`simulator`]: a seeded world of customers with a known truth.
//! * [`streams`]: the bandit measured on streams that other programs were measured on.

pub mod flat_table;
pub mod simulator;
pub mod streams;
