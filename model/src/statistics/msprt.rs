//! The mixture sequential probability ratio test.

use serde::Serialize;

use super::{Alpha, ArmEstimate, Interval, special::normal};

/// The likelihood ratio of "some effect, normal around zero with variance τ²" to "none".
///
/// ```text
/// Λ    = √(V/(V+τ²)) exp( τ² d²/(2V(V+τ²)) )
/// half = √( V(V+τ²)/τ² · (-2 ln α - ln(V/(V+τ²))) )
/// ```
/// Johari, Pekelis and Walsh, *Operations Research* 70 (2022) 1806 (arXiv 1512.04922). The same
/// object as the two-sided confidence sequence with `τ² = ρ² N V`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Msprt {
    /// Variance of the mixture, in the effect's unit squared.
    pub tau2: f64,
    /// Variance of the effect.
    #[serde(rename = "V")]
    pub variance: f64,
    /// Likelihood ratio; infinite where it overflows.
    #[serde(rename = "lambda_")]
    pub lambda: f64,
    /// Its logarithm.
    pub log_lambda: f64,
    /// `min(1, 1/Λ)`; report the running minimum.
    pub p: f64,
    /// The always-valid interval.
    pub ci: Interval,
}

impl Msprt {
    /// Tests `effect` with standard error `se` against a mixture of variance `tau2 > 0`.
    #[must_use]
    pub fn of(effect: f64, se: f64, tau2: f64, alpha: Alpha) -> Self {
        let variance = se * se;
        let shrink = variance / (variance + tau2);
        let log_lambda =
            0.5 * shrink.ln() + tau2 * effect * effect / (2.0 * variance * (variance + tau2));
        let half =
            (variance / tau2 * (variance + tau2) * (-2.0 * alpha.value().ln() - shrink.ln()))
                .sqrt();
        Self {
            tau2,
            variance,
            lambda: log_lambda.exp(),
            log_lambda,
            p: (-log_lambda).exp().min(1.0),
            ci: Interval::around(effect, half),
        }
    }
}

/// The variant of Statsig, kept to be able to compare with its console: mixture variance
/// `z²(s²_c + s²_t)/(n_c + n_t)`, half the level inside the logarithm, and a p-value from the
/// inflated standard error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StatsigMsprt {
    /// Mixture variance.
    pub tau: f64,
    /// Half width in standard errors.
    pub z_star: f64,
    /// The interval.
    pub ci: Interval,
    /// Inflation of the standard error, `z_star/z`.
    pub sigma: f64,
    /// Two-sided p-value of the effect over the inflated standard error.
    pub p: f64,
}

impl StatsigMsprt {
    /// Compares two arms.
    #[must_use]
    pub fn between(control: &ArmEstimate, treatment: &ArmEstimate, alpha: Alpha) -> Self {
        let effect = treatment.mean - control.mean;
        let variance = control.variance_of_mean() + treatment.variance_of_mean();
        let z = normal::isf(alpha.half().value());
        let tau = z * z * (control.variance + treatment.variance) / (control.n + treatment.n);
        let shrink = variance / (variance + tau);
        let z_star =
            ((variance + tau) / tau * (-2.0 * alpha.half().value().ln() - shrink.ln())).sqrt();
        let sigma = z_star / z;
        let se = variance.sqrt();
        Self {
            tau,
            z_star,
            ci: Interval::around(effect, z_star * se),
            sigma,
            p: normal::two_sided_p(effect / (se * sigma)),
        }
    }
}
