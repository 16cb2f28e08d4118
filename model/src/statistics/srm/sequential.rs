//! Sample ratio mismatch that may be watched from the first customer on.

use serde::Serialize;

use super::{check_weights, count};
use crate::statistics::StatisticsError;

/// Concentration of the prior around the planned shares.
pub const CONCENTRATION: f64 = 100.0;

/// A Bayes factor against the planned shares, updated with every look.
///
/// ```text
/// ln BF_n = ln B(a₀ + n) - ln B(a₀) - Σ n_i ln θ₀_i,   a₀ = k θ₀
/// p_n     = min(p_{n-1}, 1/BF_n)
/// ```
/// with `B` the multivariate beta function. Under the planned shares the Bayes factor is a
/// martingale, so `p_n` is below `α` at *any* time with probability at most `α`. Lindon and Malek,
/// NeurIPS 2022 (arXiv 2011.03567).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SequentialSrm {
    weights: Vec<f64>,
    k: f64,
    log_bf: f64,
    running_min_p: f64,
    leak_units: u64,
}

impl SequentialSrm {
    /// Watches for departures from `weights` (they need not sum to one) with concentration `k`.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] for a negative weight or a `k` not above zero,
    /// [`StatisticsError::TooFew`] unless two arms have weight.
    pub fn new(weights: &[f64], k: f64) -> Result<Self, StatisticsError> {
        check_weights(weights.len(), weights)?;
        let arms = weights.iter().filter(|weight| **weight > 0.0).count();
        if arms < 2 {
            return Err(StatisticsError::TooFew {
                what: "a test of shares, in arms that were to get customers,",
                needed: 2,
                found: arms,
            });
        }
        if !k.is_finite() || k <= 0.0 {
            return Err(StatisticsError::OutOfRange {
                what: "the concentration k",
                range: "(0, ∞)",
                value: k,
            });
        }
        let sum: f64 = weights.iter().sum();
        Ok(Self {
            weights: weights.iter().map(|weight| weight / sum).collect(),
            k,
            log_bf: 0.0,
            running_min_p: 1.0,
            leak_units: 0,
        })
    }

    /// Looks at the arms' customers so far (cumulative) and returns `ln BF`.
    ///
    /// # Errors
    /// [`StatisticsError::Length`] unless there is a count an arm.
    pub fn look(&mut self, cumulative: &[u64]) -> Result<f64, StatisticsError> {
        if cumulative.len() != self.weights.len() {
            return Err(StatisticsError::Length {
                left_name: "the arms",
                left: self.weights.len(),
                right_name: "the counts",
                right: cumulative.len(),
            });
        }
        let mut log_bf = 0.0;
        let mut units = 0.0;
        self.leak_units = 0;
        for (weight, seen) in self.weights.iter().zip(cumulative) {
            if *weight == 0.0 {
                self.leak_units += seen;
                continue;
            }
            let n = count(*seen);
            units += n;
            log_bf +=
                libm::lgamma(self.k * weight + n) - libm::lgamma(self.k * weight) - n * weight.ln();
        }
        log_bf -= libm::lgamma(self.k + units) - libm::lgamma(self.k);
        self.log_bf = log_bf;
        self.running_min_p = self.running_min_p.min(self.p());
        Ok(log_bf)
    }

    /// `ln BF` at the last look; zero before the first.
    #[must_use]
    pub fn log_bf(&self) -> f64 {
        self.log_bf
    }

    /// `min(1, 1/BF)` at the last look.
    #[must_use]
    pub fn p(&self) -> f64 {
        (-self.log_bf).exp().min(1.0)
    }

    /// The smallest p so far: the one to act on.
    #[must_use]
    pub fn running_min_p(&self) -> f64 {
        self.running_min_p
    }

    /// Customers seen in arms of weight zero at the last look.
    #[must_use]
    pub fn leak_units(&self) -> u64 {
        self.leak_units
    }
}
