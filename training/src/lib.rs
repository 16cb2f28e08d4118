//! How lagom learns.
//!
//! * [`contexts`]: columns of any table as the context of a decision.
//! * [`dataset`]: features and labels at decision points.
//! * [`drift`]: whether features have moved between two periods.
//! * [`evaluation_speed`]: off-policy evaluation timed on a log of any size.
//! * [`fit`]: fits linear-logistic models; the only caller of linfa.
//! * [`fit_speed`]: a matrix to time fits on.
//! * [`fit_table`]: a model of any flat table, with predictions and metrics.
//! * [`flat_table`]: any table from outside: CSV, CSV.gz, Parquet.
//! * [`forecast`]: expected cash by week from a folder of tables.
//! * [`import`]: any billing export into the canonical tables, by a mapping file.
//! * [`labels`]: what is to be predicted, without seeing past it.
//! * [`logged_table`]: a learnt policy on any table of logged decisions, valued on rows it has not seen.
//! * [`matrix`]: the feature matrix of a folder, in bounded memory.
//! * [`parity`]: served features against the same recomputed from the log.
//! * [`pipeline`]: from tables to a model version.
//! * [`progress`]: how far long work has come, told to whoever watches.
//! * [`registry`]: model versions on disk: immutable, by content, promoted by a pointer.
//! * [`replay`]: logged decisions made again under another strategy or other rules.
//! * [`review`]: an experiment review from one row a customer.
//! * [`review_speed`]: a year of a company to time reviews on.
//! * [`rounds`]: logged rounds from anywhere, valued off-policy.
//! * [`simulated_log`]: a world lived under a snapshot: canonical tables and a decision log.
//! * [`simulator`]: a seeded world of customers with a known truth.
//! * [`steps`]: what a channel and tone add inside a policy that decides by chance.
//! * [`streams`]: the bandit on streams, as published benchmarks run them.
//! * [`tables`]: the canonical tables, read and written.
//! * [`trial`]: policies tried in a world whose truth is known.
//! * [`valuation`]: policies valued on lagom's own log, with the gate's verdict.

pub mod contexts;
pub mod dataset;
pub mod drift;
pub mod evaluation_speed;
pub mod fit;
pub mod fit_speed;
pub mod fit_table;
pub mod flat_table;
pub mod forecast;
pub mod import;
mod keys;
pub mod labels;
pub mod logged_table;
pub mod matrix;
pub mod nightly;
pub mod parity;
pub mod pipeline;
pub mod progress;
pub mod registry;
pub mod replay;
pub mod review;
pub mod review_speed;
pub mod rounds;
mod segments;
pub mod simulated_log;
pub mod simulator;
pub mod steps;
pub mod streams;
pub mod tables;
pub mod trial;
pub mod uplift;
pub mod valuation;
