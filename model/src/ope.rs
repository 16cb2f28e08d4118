//! Off-policy evaluation: what a policy would have been worth, from the log of another.
//!
//! Data take one path:
//!
//! ```text
//! Round ──check──> Rounds ──Terms::of──> Terms ──Method::estimate──> Estimate ──interval──> Interval
//!                     │                    │
//!                     │                    └──> Overlap (effective sample size, tails)
//!                     ├──> Support, Calibration of the logged probabilities
//!                     └──> confidence sequences (valid under continuous looking)
//! ```
//!
//! [`Rounds`] hold whole distributions over the actions; [`Terms`] are the few
//! columns that every estimator shares (weights, rewards, model terms), so that
//! twenty estimators read the distributions once. [`report`](report::report)
//! runs the whole catalogue and gives one serialisable document.
//!
//! The estimand is the one-step value: each logged decision replaced by the
//! target policy's, everything else as logged. The value of following a policy
//! over an invoice's life is the subject of [`episode`], and the two are never mixed.
//!
//! What this module refuses to do: to clip silently (a clipped estimator has a
//! name that says so), to take rows of one customer for independent when
//! customers are known, and to give a number where the log cannot support one.

pub mod calibration;
pub mod catalogue;
pub mod confounding;
pub mod cressie_read;
pub mod direct;
pub mod empirical_likelihood;
pub mod episode;
mod error;
mod estimate;
mod estimator;
mod facets;
pub mod gate;
pub mod interval;
pub mod lives;
mod numeric;
pub mod overlap;
mod replay;
pub mod replication;
pub mod report;
mod round;
mod rounds;
pub mod sequence;
mod shrinkage;
pub mod study;
pub mod support;
mod terms;
pub mod tuning;
pub mod valuation;

pub use catalogue::{Method, catalogue};
pub use error::OpeError;
pub use estimate::Estimate;
pub use estimator::{Estimator, Weights};
pub use facets::{Facets, Partition};
pub use interval::Interval;
pub use overlap::Overlap;
pub use replay::replay;
pub use round::{Role, Round};
pub use rounds::Rounds;
pub use shrinkage::Shrinkage;
pub use terms::{Terms, TermsBuilder};
