//! A statistic and what follows from it.

use serde::Serialize;

use super::{
    Alpha,
    special::{normal, student_t},
};

/// An interval, written `[low, high]` in JSON; an unbounded side is infinite (`null` in JSON).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "[f64; 2]")]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Interval {
    /// `centre ± half`.
    #[must_use]
    pub fn around(centre: f64, half: f64) -> Self {
        Self {
            low: centre - half,
            high: centre + half,
        }
    }

    /// Whether `value` lies inside or on the border.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The part common to both; empty (low above high) when they are disjoint.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }
}

impl From<Interval> for [f64; 2] {
    fn from(interval: Interval) -> Self {
        [interval.low, interval.high]
    }
}

/// A test of "no effect": its statistic, p-values for each alternative and the interval of the
/// effect that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestResult {
    /// Effect over its standard error.
    pub stat: f64,
    /// Degrees of freedom of Student's t; absent for a normal test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dof: Option<f64>,
    /// Two-sided p-value.
    pub p: f64,
    /// p-value of the alternative "the effect is above zero".
    pub p_greater: f64,
    /// p-value of the alternative "the effect is below zero".
    pub p_less: f64,
    /// `log10 p`, exact where `p` itself underflows.
    pub log10_p: f64,
    /// Two-sided interval of the effect at level `1 - alpha`.
    pub ci: Interval,
}

impl TestResult {
    /// Normal test of `effect` with standard error `se`; `None` unless both are finite, `se > 0`.
    #[must_use]
    pub fn normal(effect: f64, se: f64, alpha: Alpha) -> Option<Self> {
        if !testable(effect, se) {
            return None;
        }
        let stat = effect / se;
        Some(Self {
            stat,
            dof: None,
            p: normal::two_sided_p(stat),
            p_greater: normal::sf(stat),
            p_less: normal::sf(-stat),
            log10_p: log10_of_two_tails(normal::ln_sf(stat.abs())),
            ci: Interval::around(effect, se * normal::isf(alpha.half().value())),
        })
    }

    /// Student test of `effect` with standard error `se` and `dof` degrees of freedom; `None`
    /// unless the numbers are finite, `se > 0` and `dof > 0`.
    #[must_use]
    pub fn student(effect: f64, se: f64, dof: f64, alpha: Alpha) -> Option<Self> {
        if !testable(effect, se) || !dof.is_finite() || dof <= 0.0 {
            return None;
        }
        let stat = effect / se;
        Some(Self {
            stat,
            dof: Some(dof),
            p: student_t::two_sided_p(stat, dof),
            p_greater: student_t::sf(stat, dof),
            p_less: student_t::sf(-stat, dof),
            log10_p: log10_of_two_tails(student_t::ln_sf(stat.abs(), dof)),
            ci: Interval::around(effect, se * student_t::isf(alpha.half().value(), dof)),
        })
    }
}

fn testable(effect: f64, se: f64) -> bool {
    effect.is_finite() && se.is_finite() && se > 0.0
}

fn log10_of_two_tails(ln_tail: f64) -> f64 {
    ((ln_tail + std::f64::consts::LN_2) / std::f64::consts::LN_10).min(0.0)
}
