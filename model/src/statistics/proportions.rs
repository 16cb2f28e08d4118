//! Two proportions: complaints and churn, where counts may be small.

use serde::Serialize;

use super::{Alpha, Interval, StatisticsError, special::normal};

pub mod miettinen_nurminen;
mod newcombe;

pub use newcombe::newcombe_interval;

/// Events out of units in both arms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoProportions {
    x_c: f64,
    n_c: f64,
    x_t: f64,
    n_t: f64,
}

impl TwoProportions {
    /// `events_c` of `units_c` in the control, `events_t` of `units_t` in the treatment.
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] for an arm without units, [`StatisticsError::OutOfRange`] when an
    /// arm has more events than units.
    pub fn new(
        events_c: u64,
        units_c: u64,
        events_t: u64,
        units_t: u64,
    ) -> Result<Self, StatisticsError> {
        for (events, units) in [(events_c, units_c), (events_t, units_t)] {
            if units == 0 {
                return Err(StatisticsError::TooFew {
                    what: "a proportion",
                    needed: 1,
                    found: 0,
                });
            }
            if events > units {
                return Err(StatisticsError::OutOfRange {
                    what: "the events of an arm",
                    range: "[0, its units]",
                    value: float(events),
                });
            }
        }
        Ok(Self {
            x_c: float(events_c),
            n_c: float(units_c),
            x_t: float(events_t),
            n_t: float(units_t),
        })
    }

    /// Proportion of the control arm.
    #[must_use]
    pub fn p_c(&self) -> f64 {
        self.x_c / self.n_c
    }

    /// Proportion of the treatment arm.
    #[must_use]
    pub fn p_t(&self) -> f64 {
        self.x_t / self.n_t
    }

    /// Treatment minus control.
    #[must_use]
    pub fn diff(&self) -> f64 {
        self.p_t() - self.p_c()
    }

    /// `√(p_c(1-p_c)/n_c + p_t(1-p_t)/n_t)`.
    #[must_use]
    pub fn se_unpooled(&self) -> f64 {
        let (c, t) = (self.p_c(), self.p_t());
        (c * (1.0 - c) / self.n_c + t * (1.0 - t) / self.n_t).sqrt()
    }

    /// The classic test statistic of equality, with the pooled proportion in its variance.
    #[must_use]
    pub fn z_pooled(&self) -> f64 {
        let pooled = (self.x_c + self.x_t) / (self.n_c + self.n_t);
        self.diff() / (pooled * (1.0 - pooled) * (1.0 / self.n_c + 1.0 / self.n_t)).sqrt()
    }

    /// The comparison with its three intervals.
    #[must_use]
    pub fn compare(&self, alpha: Alpha) -> ProportionComparison {
        let z = normal::isf(alpha.half().value());
        let z_pooled = self.z_pooled();
        ProportionComparison {
            p_c: self.p_c(),
            p_t: self.p_t(),
            diff: self.diff(),
            se_unpooled: self.se_unpooled(),
            z_pooled,
            p_pooled: normal::two_sided_p(z_pooled),
            wald_ci: Interval::around(self.diff(), z * self.se_unpooled()),
            newcombe_ci: newcombe_interval(self, alpha),
            miettinen_nurminen_ci: miettinen_nurminen::interval(self, alpha),
        }
    }

    /// Tests "the treatment's proportion is less than `margin` above the control's", three ways.
    #[must_use]
    pub fn not_above(&self, margin: f64) -> NonInferiority {
        let of = |z: f64| ScoreTest {
            z,
            p: normal::cdf(z),
        };
        NonInferiority {
            ni_margin: margin,
            ni_wald: of((self.diff() - margin) / self.se_unpooled()),
            ni_farrington_manning: of(miettinen_nurminen::farrington_manning_z(self, margin)),
            ni_miettinen_nurminen: of(miettinen_nurminen::score_z(self, margin)),
        }
    }
}

/// Two proportions compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ProportionComparison {
    /// Proportion of the control arm.
    pub p_c: f64,
    /// Proportion of the treatment arm.
    pub p_t: f64,
    /// Treatment minus control.
    pub diff: f64,
    /// Standard error without pooling.
    pub se_unpooled: f64,
    /// Test statistic of equality with pooling.
    pub z_pooled: f64,
    /// Its two-sided p-value.
    pub p_pooled: f64,
    /// `diff ± z se_unpooled`; poor for rare events, shown for comparison.
    pub wald_ci: Interval,
    /// Newcombe's interval, a check on the next.
    pub newcombe_ci: Interval,
    /// Miettinen and Nurminen's score interval: the one to report.
    pub miettinen_nurminen_ci: Interval,
}

/// A score and its one-sided p-value; small means shown to be within the margin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoreTest {
    /// `(diff - margin)` over the standard error; negative is good.
    pub z: f64,
    /// `Φ(z)`.
    pub p: f64,
}

/// Non-inferiority of a proportion of which less is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NonInferiority {
    /// The margin, in proportion points.
    pub ni_margin: f64,
    /// With the unrestricted standard error.
    pub ni_wald: ScoreTest,
    /// With the restricted standard error.
    pub ni_farrington_manning: ScoreTest,
    /// With the restricted standard error and the factor N/(N-1): the one to report.
    pub ni_miettinen_nurminen: ScoreTest,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no experiment has 2^53 customers"
)]
fn float(count: u64) -> f64 {
    count as f64
}
