//! How lagom learns.
//!
//! * [`flat_table`]: any table from outside: CSV, CSV.gz, Parquet.
//! * [`simulator`]: a seeded world of customers with a known truth.
//! * [`tables`]: the canonical tables, read and written as Parquet and CSV.

pub mod flat_table;
pub mod simulator;
pub mod tables;
