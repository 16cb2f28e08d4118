//! How lagom learns.
//!
//! * [`contexts`]: columns of any table as the context of a decision.

//! * [`evaluation_speed`]: how fast off-policy evaluation is.
//! * [`fit`]: fits linear-logistic models; the only caller of linfa.
//! * [`fit_table`]: a model of any flat table, with predictions and metrics.
//! * [`flat_table`]: any table from outside: CSV, CSV.gz, Parquet.
//! * [`import`]: tables of any shape into the canonical ones, by a mapping file.
//! * [`logged_table`]: a learnt policy on any table of logged decisions, valued on rows it has not seen.
//! * [`review`]: an experiment review from one row a customer.
//! * [`rounds`]: logged rounds from anywhere, valued off-policy.
//! * [`simulated_log`]: a world lived under a snapshot: canonical tables and a decision log.
//! * [`simulator`]: a seeded world of customers with a known truth.
//! * [`streams`]: the bandit on streams, as published benchmarks run them.
//! * [`tables`]: the canonical tables, read and written.

pub mod contexts;
pub mod evaluation_speed;
pub mod fit;
pub mod fit_table;
pub mod flat_table;
pub mod import;
pub mod logged_table;
pub mod review;
pub mod rounds;
pub mod simulated_log;
pub mod simulator;
pub mod streams;
pub mod tables;
