//! Is the treatment not worse than a margin agreed beforehand?

use serde::{Deserialize, Serialize};

use super::{
    Alpha, ArmEstimate, Interval, StatisticsError,
    difference::welch_dof,
    special::{normal, student_t},
};

/// Which way of a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better: collected cash.
    Higher,
    /// Less is better: complaints, days to pay.
    Lower,
}

impl Direction {
    /// The effect turned so that positive is good.
    #[must_use]
    pub fn good(self, effect: f64) -> f64 {
        match self {
            Self::Higher => effect,
            Self::Lower => -effect,
        }
    }

    /// The interval turned so that positive is good.
    #[must_use]
    pub fn good_interval(self, interval: Interval) -> Interval {
        match self {
            Self::Higher => interval,
            Self::Lower => Interval {
                low: -interval.high,
                high: -interval.low,
            },
        }
    }
}

/// Non-inferiority of a mean within a share of the control mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RelativeMargin {
    /// The margin, a share of the control mean.
    pub rel_margin: f64,
    /// `L`: positive when the treatment is within the margin.
    pub contrast: f64,
    /// Standard error of the contrast.
    pub se: f64,
    /// `contrast/se`.
    pub z: f64,
    /// One-sided normal p-value; small means shown to be within the margin.
    pub p_z: f64,
    /// Welch's degrees of freedom of the contrast.
    pub dof: f64,
    /// One-sided Student p-value.
    pub p_t: f64,
}

impl RelativeMargin {
    /// ```text
    /// higher is better: L = m_t - (1-δ) m_c,   se² = s²_t/n_t + (1-δ)² s²_c/n_c
    /// lower is better:  L = (1+δ) m_c - m_t,   se² = s²_t/n_t + (1+δ)² s²_c/n_c
    /// ```
    /// The margin moves with the *true* control mean; a margin fixed at its observed value would
    /// pretend to know it.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] unless the margin is above zero and finite.
    pub fn test(
        control: &ArmEstimate,
        treatment: &ArmEstimate,
        rel_margin: f64,
        direction: Direction,
    ) -> Result<Self, StatisticsError> {
        check_margin(rel_margin)?;
        let scale = 1.0 - direction.good(rel_margin);
        let scaled = ArmEstimate {
            n: control.n,
            mean: scale * control.mean,
            variance: scale * scale * control.variance,
        };
        let contrast = direction.good(treatment.mean - scaled.mean);
        let se = (scaled.variance_of_mean() + treatment.variance_of_mean()).sqrt();
        let z = contrast / se;
        let dof = welch_dof(&scaled, treatment);
        Ok(Self {
            rel_margin,
            contrast,
            se,
            z,
            p_z: normal::sf(z),
            dof,
            p_t: student_t::sf(z, dof),
        })
    }
}

/// Non-inferiority within a margin in the metric's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AbsoluteMargin {
    /// The margin, above zero.
    pub margin: f64,
    /// `(d + δ)/se` when higher is better, `(d - δ)/se` when lower is (negative is then good).
    pub z: f64,
    /// One-sided p-value; small means shown to be within the margin.
    pub p: f64,
}

impl AbsoluteMargin {
    /// Tests an effect with standard error `se > 0`.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] unless the margin is above zero and finite.
    pub fn test(
        effect: f64,
        se: f64,
        margin: f64,
        direction: Direction,
    ) -> Result<Self, StatisticsError> {
        check_margin(margin)?;
        let (z, p) = match direction {
            Direction::Higher => {
                let z = (effect + margin) / se;
                (z, normal::sf(z))
            }
            Direction::Lower => {
                let z = (effect - margin) / se;
                (z, normal::cdf(z))
            }
        };
        Ok(Self { margin, z, p })
    }
}

/// What a guardrail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardrailState {
    /// The one-sided bound lies inside the margin.
    Safe,
    /// The data allow neither.
    NotYetShownSafe,
    /// The whole interval is on the bad side of zero, and the margin is not kept.
    Harmful,
}

impl GuardrailState {
    /// Judges a guardrail.
    ///
    /// `bound` is the one-sided confidence bound towards harm and `interval` the two-sided interval,
    /// both of the effect in its own unit and sign; `margin ≥ 0` is the loss allowed.
    #[must_use]
    pub fn of(bound: f64, interval: Interval, margin: f64, direction: Direction) -> Self {
        if direction.good(bound) > -margin {
            Self::Safe
        } else if direction.good_interval(interval).high < 0.0 {
            Self::Harmful
        } else {
            Self::NotYetShownSafe
        }
    }
}

/// The one-sided fixed-sample bound towards harm, `d - z_{1-α} se` when higher is better and
/// `d + z_{1-α} se` when lower is.
#[must_use]
pub fn fixed_bound(effect: f64, se: f64, alpha: Alpha, direction: Direction) -> f64 {
    effect - direction.good(se * normal::isf(alpha.value()))
}

fn check_margin(margin: f64) -> Result<(), StatisticsError> {
    if margin.is_finite() && margin > 0.0 {
        Ok(())
    } else {
        Err(StatisticsError::OutOfRange {
            what: "a non-inferiority margin",
            range: "(0, ∞)",
            value: margin,
        })
    }
}
