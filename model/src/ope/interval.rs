//! Intervals for an estimated value.
//!
//! | interval | holds | for |
//! |---|---|---|
//! | [`skewed`](skewed()) | for many rounds or customers, also when skew | every estimate; the default |
//! | [`student`] | for many rounds or customers | every estimate |
//! | [`bootstrap`] | for many rounds or customers, also when skew | the linear family |
//! | [`bounds`] | always, for rewards in a known range | one-sided lower bounds |
//! | [`clopper_pearson`](clopper_pearson()) | roughly, for rewards in [0, 1] | IPS with few successes |
//! | [`super::cressie_read::interval`] | for many rounds | rewards in a known range |
//! | [`super::sequence`] | under continuous looking | gates and live pages |

pub mod bootstrap;
pub mod bounds;
mod clopper_pearson;
mod incomplete_beta;
mod skewed;
pub mod student;

pub use clopper_pearson::clopper_pearson;
pub use skewed::skewed;

use super::error::OpeError;
use crate::statistics::special::student_t;

/// A two-sided interval.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// Lower end, in units of the reward.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The probability with which the procedure covers the truth, in (0, 1).
    pub confidence: f64,
}

impl Interval {
    /// Whether the interval holds this value.
    #[must_use]
    pub fn covers(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Upper end minus lower end.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}

/// Quantile of Student's t with `degrees` degrees of freedom, `probability` in (0, 1).
pub(super) fn student_quantile(probability: f64, degrees: f64) -> f64 {
    student_t::isf(1.0 - probability, degrees)
}

pub(super) fn check_level(confidence: f64) -> Result<(), OpeError> {
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(());
    }
    Err(OpeError::Parameter {
        name: "the confidence of an interval",
        value: confidence,
        allowed: "between 0 and 1",
    })
}
