//! How lagom learns.
//!
//! * [`flat_table`]: any table from outside: CSV, CSV.gz, Parquet.
//! * [`simulator`]: a seeded world of customers with a known truth.

pub mod flat_table;
pub mod simulator;
