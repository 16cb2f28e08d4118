//! The error level of a test.

use serde::{Deserialize, Serialize};

use super::StatisticsError;

/// A level of significance, strictly between 0 and 1: the share of wrong alarms one accepts.
///
/// `Alpha::new(0.05)` belongs to 95 % intervals. Its own type, so that a level is checked once.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Alpha(f64);

impl Alpha {
    /// The customary 5 %.
    pub const FIVE_PERCENT: Self = Self(0.05);

    /// A level of `value`.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] unless `0 < value < 1`.
    pub fn new(value: f64) -> Result<Self, StatisticsError> {
        if value > 0.0 && value < 1.0 {
            Ok(Self(value))
        } else {
            Err(StatisticsError::OutOfRange {
                what: "the level alpha",
                range: "(0, 1)",
                value,
            })
        }
    }

    /// The level as a number in (0, 1).
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// Half the level: one tail of a two-sided test.
    #[must_use]
    pub fn half(self) -> Self {
        Self(self.0 / 2.0)
    }

    /// The level shared equally by `family` hypotheses (Bonferroni); a family of 0 or 1 keeps it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "families are small")]
    pub fn shared_by(self, family: usize) -> Self {
        Self(self.0 / family.max(1) as f64)
    }
}

impl TryFrom<f64> for Alpha {
    type Error = StatisticsError;

    fn try_from(value: f64) -> Result<Self, StatisticsError> {
        Self::new(value)
    }
}

impl From<Alpha> for f64 {
    fn from(alpha: Alpha) -> Self {
        alpha.0
    }
}
