//! How large an experiment must be, and what one of a given size can show.
//!
//! Sizes are customers **in the control arm**; the treatment arm has `ratio` times as many. The far
//! tail of a two-sided test is left out of closed forms and kept in [`power_at`].

use super::{Alpha, StatisticsError, special::normal};

/// One-sided or two-sided alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// An effect in one direction, such as non-inferiority.
    One,
    /// An effect in either direction.
    Two,
}

/// The demands on a test: its level and the power at the effect of interest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    alpha: Alpha,
    power: f64,
    sides: Sides,
}

impl Demand {
    /// A test at `alpha` that finds the effect of interest with probability `power`.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] unless `0 < power < 1`.
    pub fn new(alpha: Alpha, power: f64, sides: Sides) -> Result<Self, StatisticsError> {
        if power > 0.0 && power < 1.0 {
            Ok(Self {
                alpha,
                power,
                sides,
            })
        } else {
            Err(StatisticsError::OutOfRange {
                what: "the power",
                range: "(0, 1)",
                value: power,
            })
        }
    }

    /// The demand that leaves a decision over `guardrails` non-inferiority tests its power: each
    /// misses with probability `β/(G+1)` only.
    ///
    /// Schultzberg, Ankargren and Frånberg 2024 (arXiv 2402.11609), with a success metric present.
    #[must_use]
    pub fn with_guardrails(self, guardrails: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "guardrails are few")]
        let tests = guardrails as f64 + 1.0;
        Self {
            power: 1.0 - (1.0 - self.power) / tests,
            ..self
        }
    }

    /// `z_{1-α/2} + z_{1-β}` (or `z_{1-α}` one-sided): the effect of interest in standard errors.
    #[must_use]
    pub fn standard_errors(&self) -> f64 {
        self.critical() + normal::isf(1.0 - self.power)
    }

    /// The smallest effect found with the demanded power when its standard error is `se`.
    #[must_use]
    pub fn minimal_detectable_effect(&self, se: f64) -> f64 {
        self.standard_errors() * se
    }

    /// Control-arm size for a difference in means `delta` at standard deviation `sd`.
    ///
    /// ```text
    /// n_c = (z_{1-α/2} + z_{1-β})² sd² (1 + 1/ratio)/δ²
    /// ```
    #[must_use]
    pub fn size_for_mean(&self, sd: f64, delta: f64, ratio: f64) -> f64 {
        self.standard_errors().powi(2) * sd * sd * (1.0 + 1.0 / ratio) / (delta * delta)
    }

    /// As [`Self::size_for_mean`], with the probability of a significant effect in the *wrong*
    /// direction counted as power, as statsmodels does. Equal for one-sided tests.
    #[must_use]
    pub fn size_for_mean_both_tails(&self, sd: f64, delta: f64, ratio: f64) -> f64 {
        let se_at_one = sd * (1.0 + 1.0 / ratio).sqrt();
        let start = self.size_for_mean(sd, delta, ratio);
        let mut low = 0.0;
        let mut high = start * 1.000_1 + 1.0;
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                break;
            }
            if power_at(se_at_one / middle.sqrt(), delta, self.alpha, self.sides) < self.power {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }

    /// Control-arm size for two proportions, arms alike, variances unpooled; `difference` is
    /// `p_t - p_c`, or the margin of a non-inferiority test at `p_t = p_c`.
    #[must_use]
    pub fn size_for_proportions(&self, p_c: f64, p_t: f64, difference: f64) -> f64 {
        let variance = p_c * (1.0 - p_c) + p_t * (1.0 - p_t);
        self.standard_errors().powi(2) * variance / (difference * difference)
    }

    fn critical(&self) -> f64 {
        critical(self.alpha, self.sides)
    }
}

/// The probability that a test finds an effect `delta` with standard error `se`, both tails of a
/// two-sided test counted.
#[must_use]
pub fn power_at(se: f64, delta: f64, alpha: Alpha, sides: Sides) -> f64 {
    let (critical, shift) = (critical(alpha, sides), delta / se);
    match sides {
        Sides::One => normal::sf(critical - shift),
        Sides::Two => normal::sf(critical - shift) + normal::sf(critical + shift),
    }
}

/// Units needed for a minimal detectable effect `wanted` when `units` units reach `reached`: the
/// effect shrinks with the square root of the size.
#[must_use]
pub fn units_for_effect(units: f64, reached: f64, wanted: f64) -> f64 {
    units * (reached / wanted).powi(2)
}

/// The design effect `1 + (m-1) ICC` of clusters of mean size `m`: by how much the variance of
/// clustered invoices exceeds that of independent ones. Prefer the delta-method variance per
/// customer, measured on history.
#[must_use]
pub fn design_effect(mean_cluster_size: f64, intraclass_correlation: f64) -> f64 {
    1.0 + (mean_cluster_size - 1.0) * intraclass_correlation
}

/// The factor on the size left by a covariate with correlation `rho` to the outcome: `1 - ρ²`.
#[must_use]
pub fn adjustment_factor(rho: f64) -> f64 {
    1.0 - rho * rho
}

fn critical(alpha: Alpha, sides: Sides) -> f64 {
    match sides {
        Sides::One => normal::isf(alpha.value()),
        Sides::Two => normal::isf(alpha.half().value()),
    }
}
