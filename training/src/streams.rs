//! The bandit measured on streams that other programs were measured on, as `lagom bench bandit` does.
//!
//! * [`run_stream`]: a table of labelled rows turned into a bandit: each round shows the features, the policy
//!   draws a class, and only the cost of that class is revealed (progressive validation).
//! * [`run_delayed`]: structured actions, constraints, and outcomes that arrive hundreds of rounds late.
//! * [`measure_latency`]: what a decision and an update cost.
//!
//! The streams run the bandit as it is served: the default configuration, draws keyed by the round's name and the
//! generation, learning from what has matured and from nothing else. No setting depends on the stream.

mod cpu_time;
mod delayed;
mod delayed_world;
mod error;
mod labelled;
mod latency;
mod progressive;

pub use delayed::{DelayedReport, WarmStart, run_delayed};
pub use delayed_world::DelayedWorld;
pub use error::StreamError;
pub use labelled::LabelledStream;
pub use latency::{LatencyReport, measure_latency};
pub use progressive::{FixedAction, FloorResult, StreamReport, run_stream};

/// Share of the base measure mixed in where a comparison with another program fixes it at 1 %.
pub const COMPARISON_FLOOR: f64 = 0.01;

#[cfg(test)]
mod tests;
