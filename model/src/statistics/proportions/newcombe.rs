//! Newcombe's interval of a difference of proportions.

use super::TwoProportions;
use crate::statistics::{Alpha, Interval, special::normal};

/// The hybrid score interval (method 10) of Newcombe, *Statistics in Medicine* 17 (1998) 873: from
/// Wilson's limits `l`, `u` of each proportion,
/// ```text
/// low  = d - √((p_t - l_t)² + (u_c - p_c)²)
/// high = d + √((u_t - p_t)² + (p_c - l_c)²)
/// ```
#[must_use]
pub fn newcombe_interval(arms: &TwoProportions, alpha: Alpha) -> Interval {
    let z = normal::isf(alpha.half().value());
    let control = wilson(arms.p_c(), arms.n_c, z);
    let treatment = wilson(arms.p_t(), arms.n_t, z);
    Interval {
        low: arms.diff() - (arms.p_t() - treatment.low).hypot(control.high - arms.p_c()),
        high: arms.diff() + (treatment.high - arms.p_t()).hypot(arms.p_c() - control.low),
    }
}

/// Wilson's score interval of one proportion.
fn wilson(p: f64, n: f64, z: f64) -> Interval {
    let shrink = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / shrink;
    let half = z / shrink * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    Interval::around(centre, half)
}
