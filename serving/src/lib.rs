//! How lagom acts: the gRPC services of `lagom.v1`, the engine behind them, the durable store,
//! the learner and the pages.
//!
//! * [`cli`]: the commands of the executable.
//! * [`config`]: `lagom.toml`, raw and valid.
//! * [`clock`]: what time it is, by the wall or by the events.
//! * [`store`]: the log of everything that was recorded, decided and learnt.
//! * [`engine`]: decide, confirm, record.
//! * [`learner`]: outcomes in, generations out, in the background.
//! * [`server`]: gRPC, pages and learner, started and stopped together.
//! * [`pages`]: what people read.
//! * [`tenants`]: who shares this process and nothing else.
//! * [`registry`]: the model version in force.
//! * [`convert`]: between the interface and the domain, with the path of every bad field.
//! * [`explain`]: why a decision was made.
//! * [`export`]: the log as the canonical tables.
//!
//! Handlers convert, call and convert back. What is decided is decided in `lagom_model`, from a
//! history that only grows and an instant that is handed in.

pub mod cli;
pub mod clock;
pub mod config;
pub mod convert;
mod customers;
pub mod engine;
pub mod experiment;
pub mod explain;
pub mod export;
mod intake;
mod kept;
pub mod learner;
pub mod metrics;
pub mod pages;
pub mod recording;
pub mod registry;
mod reviews;
pub mod rollout;
pub mod server;
mod services;
pub mod store;
mod telemetry;
pub mod tenants;
