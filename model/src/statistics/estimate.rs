//! What one arm says about one metric.

use serde::Serialize;

use super::{Moments, StatisticsError};

/// An arm's estimate of a metric: how many units, the estimate, and the variance a unit
/// contributes, so that the estimate's own variance is `variance / n`.
///
/// Means, ratios of sums and adjusted means all take this form; what follows (differences, lifts,
/// confidence sequences) needs no more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ArmEstimate {
    /// Units (customers).
    pub n: f64,
    /// Mean, or ratio of sums.
    pub mean: f64,
    /// Variance per unit: the sample variance (divisor n - 1), or the linearised variance of a ratio.
    pub variance: f64,
}

impl ArmEstimate {
    /// The mean of dimension `i` of `moments`.
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] below two units.
    pub fn mean(moments: &Moments, i: usize) -> Result<Self, StatisticsError> {
        at_least_two(moments)?;
        Ok(Self {
            n: moments.n(),
            mean: moments.mean(i),
            variance: moments.variance(i),
        })
    }

    /// The ratio of the sums of two dimensions by the delta method, units as clusters.
    ///
    /// ```text
    /// R = Σ M / Σ D
    /// v = (s²_M - 2 R s_MD + R² s²_D) / mean(D)²
    /// ```
    /// Deng, Knoblich and Lu, KDD 2018 (arXiv 1803.06336). `v/n` equals the cluster-robust (CR0)
    /// variance of the weighted regression of M/D on a constant with weights D, times n/(n-1).
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] below two units, [`StatisticsError::ZeroDenominator`] when the
    /// denominators sum to zero.
    pub fn ratio(
        moments: &Moments,
        numerator: usize,
        denominator: usize,
    ) -> Result<Self, StatisticsError> {
        at_least_two(moments)?;
        let size = moments.mean(denominator);
        if size == 0.0 {
            return Err(StatisticsError::ZeroDenominator {
                what: "the sum of a ratio's denominators",
            });
        }
        let ratio = moments.mean(numerator) / size;
        let spread = moments.variance(numerator)
            - 2.0 * ratio * moments.covariance(numerator, denominator)
            + ratio * ratio * moments.variance(denominator);
        Ok(Self {
            n: moments.n(),
            mean: ratio,
            // Rounding may leave a tiny negative number where M is proportional to D.
            variance: spread.max(0.0) / (size * size),
        })
    }

    /// Variance of the estimate itself.
    #[must_use]
    pub fn variance_of_mean(&self) -> f64 {
        self.variance / self.n
    }
}

fn at_least_two(moments: &Moments) -> Result<(), StatisticsError> {
    if moments.count() < 2 {
        return Err(StatisticsError::TooFew {
            what: "the variance of an arm",
            needed: 2,
            found: usize::try_from(moments.count()).unwrap_or(usize::MAX),
        });
    }
    Ok(())
}
