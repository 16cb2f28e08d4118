//! Asymptotic confidence sequences: intervals that may be looked at every day.

use serde::Serialize;

use super::{Alpha, Interval, StatisticsError, special::lambert::minus_w_lower_of_minus_exp};

/// Customers an arm below which no sequence should be shown: its guarantee is asymptotic, and cash
/// has a heavy tail.
pub const FEWEST_PER_ARM: f64 = 100.0;

/// The design of a sequence, frozen in the plan: its level and the size it is tightest at.
///
/// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, *Annals of Statistics* 52 (2024) 2613
/// (arXiv 2103.06476). The two-sided sequence is the normal mixture of Robbins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AsymptoticCs {
    alpha: Alpha,
    planned: f64,
}

/// What a two-sided sequence says at one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SequenceLook {
    /// Customers in both arms.
    #[serde(rename = "N")]
    pub units: f64,
    /// Customers at which the sequence is tightest.
    pub n_star: f64,
    /// Width of the mixture.
    pub rho: f64,
    /// Half width of the interval.
    pub half: f64,
    /// The interval, in the effect's unit.
    pub ci: Interval,
    /// `min(1, 1/e)`; report the running minimum.
    pub p: f64,
    /// Logarithm of the e-value against "no effect".
    pub log_e: f64,
}

impl AsymptoticCs {
    /// A sequence at level `1 - alpha` that is tightest when `planned` customers (both arms
    /// together) have been seen.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] unless `planned ≥ 1` and `alpha < 1/2` (a one-sided bound
    /// spends twice the level).
    pub fn new(alpha: Alpha, planned: f64) -> Result<Self, StatisticsError> {
        if !planned.is_finite() || planned < 1.0 {
            return Err(StatisticsError::OutOfRange {
                what: "the planned number of customers",
                range: "[1, ∞)",
                value: planned,
            });
        }
        if alpha.value() >= 0.5 {
            return Err(StatisticsError::OutOfRange {
                what: "the level alpha of a confidence sequence",
                range: "(0, 0.5)",
                value: alpha.value(),
            });
        }
        Ok(Self { alpha, planned })
    }

    /// The level.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// Customers at which the sequence is tightest.
    #[must_use]
    pub fn planned(&self) -> f64 {
        self.planned
    }

    /// The customary approximation of the best mixture width,
    /// `√((-2 ln α + ln(-2 ln α + 1))/N*)`.
    #[must_use]
    pub fn rho(&self) -> f64 {
        approximate_rho(self.alpha.value(), self.planned)
    }

    /// The exact optimum, `√((-W₋₁(-α² e⁻¹) - 1)/N*)`.
    #[must_use]
    pub fn rho_exact(&self) -> f64 {
        let root = minus_w_lower_of_minus_exp(1.0 - 2.0 * self.alpha.value().ln());
        ((root - 1.0) / self.planned).sqrt()
    }

    /// The mixture width of the one-sided bounds: that of twice the level.
    #[must_use]
    pub fn rho_one_sided(&self) -> f64 {
        approximate_rho(2.0 * self.alpha.value(), self.planned)
    }

    /// Half the two-sided width after `units` customers, in standard errors, for mixture width `rho`.
    ///
    /// ```text
    /// √N · √( 2(Nρ²+1)/(Nρ)² · ln(√(Nρ²+1)/α) )
    /// ```
    #[must_use]
    pub fn half_width(&self, units: f64, rho: f64) -> f64 {
        let inflation = units * rho * rho + 1.0;
        (2.0 * inflation / (units * rho * rho) * (inflation.sqrt() / self.alpha.value()).ln())
            .sqrt()
    }

    /// The distance of a one-sided bound after `units` customers, in standard errors.
    ///
    /// ```text
    /// √N · √( 2(Nρ²+1)/(Nρ)² · ln(1 + √(Nρ²+1)/(2α)) )
    /// ```
    #[must_use]
    pub fn one_sided_width(&self, units: f64) -> f64 {
        let rho = self.rho_one_sided();
        let inflation = units * rho * rho + 1.0;
        let level = (inflation.sqrt() / (2.0 * self.alpha.value())).ln_1p();
        (2.0 * inflation / (units * rho * rho) * level).sqrt()
    }

    /// Looks at `effect` with standard error `se` after `units` customers in both arms.
    ///
    /// ```text
    /// e = exp( ρ²N d²/se² / (2(Nρ²+1)) ) / √(Nρ²+1)
    /// ```
    #[must_use]
    pub fn look(&self, units: f64, effect: f64, se: f64) -> SequenceLook {
        self.look_with(units, effect, se, self.rho())
    }

    /// [`Self::look`] with another mixture width, such as [`Self::rho_exact`].
    #[must_use]
    pub fn look_with(&self, units: f64, effect: f64, se: f64, rho: f64) -> SequenceLook {
        let half = se * self.half_width(units, rho);
        let inflation = units * rho * rho + 1.0;
        let stat = effect / se;
        let log_e = units * rho * rho * stat * stat / (2.0 * inflation) - 0.5 * inflation.ln();
        SequenceLook {
            units,
            n_star: self.planned,
            rho,
            half,
            ci: Interval::around(effect, half),
            p: (-log_e).exp().min(1.0),
            log_e,
        }
    }

    /// The lower confidence bound that holds at all times, for guardrails.
    #[must_use]
    pub fn lower_bound(&self, units: f64, effect: f64, se: f64) -> f64 {
        effect - se * self.one_sided_width(units)
    }

    /// The upper confidence bound that holds at all times, for guardrails.
    #[must_use]
    pub fn upper_bound(&self, units: f64, effect: f64, se: f64) -> f64 {
        effect + se * self.one_sided_width(units)
    }

    /// The level at which the lower bound of `effect` would touch zero: an always-valid p-value of
    /// "the effect is above zero", in closed form since the mixture width stays that of the plan.
    ///
    /// ```text
    /// p = min(1, √(Nρ²+1) / (2 (exp(ρ²N d²/se²/(2(Nρ²+1))) - 1)))   for d > 0, else 1
    /// ```
    #[must_use]
    pub fn one_sided_p(&self, units: f64, effect: f64, se: f64) -> f64 {
        if effect <= 0.0 {
            return 1.0;
        }
        let rho = self.rho_one_sided();
        let inflation = units * rho * rho + 1.0;
        let exponent = units * rho * rho * (effect / se).powi(2) / (2.0 * inflation);
        (inflation.sqrt() / (2.0 * exponent.exp_m1())).min(1.0)
    }
}

fn approximate_rho(alpha: f64, planned: f64) -> f64 {
    let surprise = -2.0 * alpha.ln();
    ((surprise + surprise.ln_1p()) / planned).sqrt()
}
