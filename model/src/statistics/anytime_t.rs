//! The anytime-valid t test and regression coefficient.

use serde::Serialize;

use super::{Alpha, ArmEstimate, Interval, special::root::decreasing_root};

/// A least-squares comparison with a pooled variance: what Student's t test uses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PooledComparison {
    /// Treatment minus control.
    pub diff: f64,
    /// `√(s²_pooled (1/n_c + 1/n_t))`.
    pub se_ols: f64,
    /// `diff/se_ols`.
    pub t: f64,
    /// Residual degrees of freedom, `n_c + n_t - 2`.
    pub nu: f64,
}

impl PooledComparison {
    /// Compares two arms as if their variances were equal.
    #[must_use]
    pub fn between(control: &ArmEstimate, treatment: &ArmEstimate) -> Self {
        let nu = control.n + treatment.n - 2.0;
        let pooled =
            (control.variance * (control.n - 1.0) + treatment.variance * (treatment.n - 1.0)) / nu;
        let se_ols = (pooled * (1.0 / control.n + 1.0 / treatment.n)).sqrt();
        let diff = treatment.mean - control.mean;
        Self {
            diff,
            se_ols,
            t: diff / se_ols,
            nu,
        }
    }
}

/// What the anytime-valid t test says at one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AnytimeT {
    /// Precision of the mixture: large values look for small effects.
    pub g: f64,
    /// Logarithm of the e-value.
    pub log_e: f64,
    /// `min(1, 1/E)`; report the running minimum.
    pub p: f64,
    /// The interval that holds at all times.
    pub ci: Interval,
}

impl AnytimeT {
    /// Looks at a comparison of `units` customers with mixture precision `g > 0`.
    ///
    /// ```text
    /// r    = g/(g+n)
    /// ln E = ½ ln r + (ν+1)/2 · (ln(1 + t²/ν) - ln(1 + r t²/ν))
    /// half = se · √( ν (1-q)/(q-r) ),   q = (r α²)^{1/(ν+1)}
    /// ```
    /// Lindon, Ham, Tingley and Bojinov (arXiv 2210.08589). The interval is unbounded while
    /// `q ≤ r`, that is with very few units.
    #[must_use]
    pub fn look(comparison: &PooledComparison, units: f64, g: f64, alpha: Alpha) -> Self {
        let nu = comparison.nu;
        let r = g / (g + units);
        let t2 = comparison.t * comparison.t / nu;
        let log_e = 0.5 * r.ln() + 0.5 * (nu + 1.0) * (t2.ln_1p() - (r * t2).ln_1p());
        let exponent = (r.ln() + 2.0 * alpha.value().ln()) / (nu + 1.0);
        let room = exponent.exp() - r;
        let half = if room > 0.0 {
            comparison.se_ols * (nu * -exponent.exp_m1() / room).sqrt()
        } else {
            f64::INFINITY
        };
        Self {
            g,
            log_e,
            p: (-log_e).exp().min(1.0),
            ci: Interval::around(comparison.diff, half),
        }
    }
}

/// The mixture precision whose interval is narrowest after `units` customers.
///
/// With `L = ln r` the squared half width `(1-q)/(q-r)` has its minimum where
/// ```text
/// r (1-q) = q (1-r)/(ν+1)
/// ```
#[must_use]
pub fn tuned_g(units: f64, alpha: Alpha) -> f64 {
    let m = units - 1.0;
    let level = 2.0 * alpha.value().ln();
    let log_r = decreasing_root(-80.0, -1e-9, -units.ln(), |log_r| {
        let r = log_r.exp();
        let exponent = (log_r + level) / m;
        let (q, gap) = (exponent.exp(), -exponent.exp_m1());
        let value = q / m * (1.0 - r) - r * gap;
        (value, q / (m * m) * (1.0 - r) - r * gap)
    });
    let r = log_r.exp();
    units * r / (1.0 - r)
}
