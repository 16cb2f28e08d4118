//! Time decay that keeps the sums additive.

use serde::{Deserialize, Serialize};

use super::fixed_point::WEIGHT_LIMIT;
use crate::bandit::error::BanditError;

/// Exponential decay seen forwards from a fixed landmark.
///
/// ```text
/// weight(t)      = 2^((t − landmark) / half_life)       when a round of time t is folded in
/// discount(now)  = 2^(−(now − landmark) / half_life)    once, when a generation is fitted
/// ```
/// Their product is the familiar `2^(−age / half_life)`, but the weight of a round never changes after it
/// was folded in, so that sums merge, forget and rebuild exactly. Weights reach the fixed-point limit 18
/// half-lives after the landmark; then the sums are rebuilt from the log with a later one.
///
/// Cormode, Shkapenyuk, Srivastava, Xu, "Forward decay", ICDE 2009, doi:10.1109/ICDE.2009.65.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardDecay {
    /// The time at which a round weighs 1, in seconds since the Unix epoch.
    pub landmark_seconds: i64,
    /// Days after which a round counts half; none keeps everything for ever.
    pub half_life_days: Option<f64>,
}

impl ForwardDecay {
    /// No decay.
    pub const NONE: Self = Self {
        landmark_seconds: 0,
        half_life_days: None,
    };

    fn half_lives(&self, seconds: i64) -> f64 {
        const DAY: f64 = 86_400.0;
        self.half_life_days.map_or(0.0, |days| {
            (seconds - self.landmark_seconds) as f64 / (days * DAY)
        })
    }

    /// The weight with which a round of this time is folded in.
    ///
    /// # Errors
    /// When the half-life is not positive, or the time is more than 18 half-lives from the landmark.
    pub fn weight(&self, seconds: i64) -> Result<f64, BanditError> {
        if let Some(days) = self
            .half_life_days
            .filter(|&days| days.is_nan() || days <= 0.0)
        {
            return Err(BanditError::Parameter {
                name: "half_life_days",
                value: days,
                expected: "above zero",
            });
        }
        let weight = libm::exp2(self.half_lives(seconds));
        if !(1.0 / WEIGHT_LIMIT..=WEIGHT_LIMIT).contains(&weight) {
            return Err(BanditError::SumsFull);
        }
        Ok(weight)
    }

    /// What the sums are multiplied with when a generation is fitted as of `now`.
    #[must_use]
    pub fn discount(&self, now_seconds: i64) -> f64 {
        libm::exp2(-self.half_lives(now_seconds))
    }
}
