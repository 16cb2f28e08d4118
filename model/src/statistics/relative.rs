//! The relative lift of one arm over another, three ways.
//!
//! The lift is `r = (m_t - m_c)/|m_c|`. Its interval by the delta method is symmetric and may be
//! wrong when the control mean is uncertain; Fieller's is exact for normal means and says so when
//! the control mean cannot be told from zero. Fieller's is the default of the review.

use serde::Serialize;

use super::{Alpha, ArmEstimate, Interval, TestResult, difference::welch_dof, special::normal};

/// The lift by the delta method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RelativeDelta {
    /// `(m_t - m_c)/|m_c|`.
    pub lift: f64,
    /// Standard error of the lift.
    pub se: f64,
    /// Student's test with Welch's degrees of freedom.
    pub welch: Option<TestResult>,
    /// The normal test.
    pub z: Option<TestResult>,
}

impl RelativeDelta {
    /// ```text
    /// se_r² = s²_t/(n_t m_c²) + s²_c m_t²/(n_c m_c⁴)
    /// ```
    /// `None` when the control mean is zero.
    #[must_use]
    pub fn between(control: &ArmEstimate, treatment: &ArmEstimate, alpha: Alpha) -> Option<Self> {
        if control.mean == 0.0 {
            return None;
        }
        let lift = (treatment.mean - control.mean) / control.mean.abs();
        let ratio = treatment.mean / control.mean;
        let se = (treatment.variance_of_mean() + ratio * ratio * control.variance_of_mean()).sqrt()
            / control.mean.abs();
        Some(Self {
            lift,
            se,
            welch: TestResult::student(lift, se, welch_dof(control, treatment), alpha),
            z: TestResult::normal(lift, se, alpha),
        })
    }
}

/// The lift through the logarithm of the ratio of means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RelativeLogDelta {
    /// `ln(m_t/m_c)`.
    pub log_ratio: f64,
    /// Standard error of `log_ratio`.
    pub se: f64,
    /// Interval of the lift, `exp(log_ratio ± z se) - 1`.
    pub ci: Interval,
}

impl RelativeLogDelta {
    /// ```text
    /// se² = s²_t/(n_t m_t²) + s²_c/(n_c m_c²)
    /// ```
    /// `None` unless both means have the same sign and differ from zero.
    #[must_use]
    pub fn between(control: &ArmEstimate, treatment: &ArmEstimate, alpha: Alpha) -> Option<Self> {
        let ratio = treatment.mean / control.mean;
        if !(ratio.is_finite() && ratio > 0.0) {
            return None;
        }
        let log_ratio = ratio.ln();
        let se = (treatment.variance_of_mean() / treatment.mean.powi(2)
            + control.variance_of_mean() / control.mean.powi(2))
        .sqrt();
        let half = normal::isf(alpha.half().value()) * se;
        Some(Self {
            log_ratio,
            se,
            ci: Interval {
                low: (log_ratio - half).exp_m1(),
                high: (log_ratio + half).exp_m1(),
            },
        })
    }
}

/// The lift by Fieller's theorem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RelativeFieller {
    /// `z² (s²_c/n_c)/m_c²`: below 1 the interval is bounded.
    pub g: f64,
    /// Interval of the lift; absent when `g ≥ 1`, since the control mean cannot be told from zero
    /// and every lift beyond some bound is compatible with the data.
    pub ci: Option<Interval>,
}

impl RelativeFieller {
    /// ```text
    /// ((m_t/m_c) ∓ (z/m_c) √((m_t/m_c)² s²_c/n_c + (1-g) s²_t/n_t)) / (1-g) - 1
    /// ```
    /// Fieller, *J. R. Stat. Soc. B* 16 (1954) 175, for independent arms. For a negative control
    /// mean the lift is mirrored, to be over `|m_c|`. `None` when the control mean is zero.
    #[must_use]
    pub fn between(control: &ArmEstimate, treatment: &ArmEstimate, alpha: Alpha) -> Option<Self> {
        if control.mean == 0.0 {
            return None;
        }
        let z = normal::isf(alpha.half().value());
        let g = z * z * control.variance_of_mean() / control.mean.powi(2);
        if g.is_nan() || g >= 1.0 {
            return Some(Self { g, ci: None });
        }
        let ratio = treatment.mean / control.mean;
        let half = z / control.mean.abs()
            * (ratio * ratio * control.variance_of_mean()
                + (1.0 - g) * treatment.variance_of_mean())
            .sqrt();
        let low = (ratio - half) / (1.0 - g) - 1.0;
        let high = (ratio + half) / (1.0 - g) - 1.0;
        let ci = if control.mean > 0.0 {
            Interval { low, high }
        } else {
            Interval {
                low: -high,
                high: -low,
            }
        };
        Some(Self { g, ci: Some(ci) })
    }
}
