//! How lagom acts: the gRPC services of `lagom.v1`, the engine behind them, the durable store,
//! the learner and the pages.
//!
//! * [`config`]: `lagom.toml`, raw and valid.
//! * [`clock`]: what time it is, by the wall or by the events.
//! * [`store`]: the log of everything that was recorded, decided and learnt.
//! * [`recording`]: a fact on its way into a customer's history.
//!
//! Handlers convert, call and convert back. What is decided is decided in `lagom_model`, from a
//! history that only grows and an instant that is handed in.

pub mod clock;
pub mod convert;
pub mod recording;
pub mod store;
