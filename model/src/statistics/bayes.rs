//! A Bayesian display of an effect, for readers who prefer it.

use serde::Serialize;

use super::{Alpha, Interval, StatisticsError, special::normal};

/// A normal prior of the effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Prior {
    /// No prior information: the posterior is the likelihood.
    Flat,
    /// Normal with this mean and standard deviation; `N(0, 0.3²)` is customary for a lift.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation, above zero.
        sd: f64,
    },
}

/// The posterior of an effect of which more is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Posterior {
    /// Posterior mean.
    pub post_mean: f64,
    /// Posterior standard deviation.
    pub post_sd: f64,
    /// `P(effect > 0)`.
    pub chance_to_win: f64,
    /// Central credible interval.
    pub ci: Interval,
    /// Expected loss of shipping, `E[max(-effect, 0)]`.
    pub risk_ship: f64,
    /// Expected loss of keeping the control, `E[max(effect, 0)]`.
    pub risk_keep: f64,
}

impl Posterior {
    /// Combines an estimate with its prior by precision weighting.
    ///
    /// ```text
    /// chance = Φ(m/s),   risk(ship) = s φ(m/s) - m Φ(-m/s),   risk(keep) = s φ(m/s) + m Φ(m/s)
    /// ```
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] for a standard error or prior deviation not above zero.
    pub fn of(effect: f64, se: f64, prior: Prior, alpha: Alpha) -> Result<Self, StatisticsError> {
        positive("the standard error", se)?;
        let (m, s) = match prior {
            Prior::Flat => (effect, se),
            Prior::Normal { mean, sd } => {
                positive("the prior's standard deviation", sd)?;
                let (data, before) = (se.powi(-2), sd.powi(-2));
                let precision = data + before;
                (
                    (effect * data + mean * before) / precision,
                    precision.sqrt().recip(),
                )
            }
        };
        let ratio = m / s;
        let bump = s * normal::pdf(ratio);
        Ok(Self {
            post_mean: m,
            post_sd: s,
            chance_to_win: normal::cdf(ratio),
            ci: Interval::around(m, s * normal::isf(alpha.half().value())),
            risk_ship: bump - m * normal::sf(ratio),
            risk_keep: bump + m * normal::cdf(ratio),
        })
    }
}

fn positive(what: &'static str, value: f64) -> Result<(), StatisticsError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(StatisticsError::OutOfRange {
            what,
            range: "(0, ∞)",
            value,
        })
    }
}
