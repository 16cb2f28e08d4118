//! How lagom learns.
//!
//! * [`fit`]: fits linear-logistic models; the only caller of linfa.
//! * [`flat_table`]: any table from outside: CSV, CSV.gz, Parquet.
//! * [`simulated_log`]: a world lived under a snapshot: canonical tables and a decision log.
//! * [`simulator`]: a seeded world of customers with a known truth.
//! * [`streams`]: the bandit on streams, as published benchmarks run them.

pub mod fit;
pub mod flat_table;
pub mod simulated_log;
pub mod simulator;
pub mod streams;
