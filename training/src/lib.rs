//! How lagom learns.
//!
//! * [`simulator`]: a seeded world of customers with a known truth.

pub mod simulator;
