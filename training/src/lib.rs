//! How lagom learns.
//!
//! * [`flat_table`]: any table from outside as named columns.
//! * [`review`]: the review of an experiment from one row a customer.
//! * [`simulator`]: a seeded world of customers with a known truth.

pub mod flat_table;
pub mod review;
pub mod simulator;
