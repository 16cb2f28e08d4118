//! Miettinen and Nurminen's score test and interval of a difference of proportions.
//!
//! The variance is taken at the maximum likelihood estimate **restricted** to the hypothesised
//! difference, which keeps the error rate right where the Wald interval fails: few events.
//! *Statistics in Medicine* 4 (1985) 213; Farrington and Manning, ibid. 9 (1990) 1447.

use std::f64::consts::PI;

use super::TwoProportions;
use crate::statistics::{Alpha, Interval, special::normal};

/// `(d - δ)/√(V(δ) N/(N-1))` with the restricted variance `V`.
#[must_use]
pub fn score_z(arms: &TwoProportions, delta: f64) -> f64 {
    let units = arms.n_c + arms.n_t;
    farrington_manning_z(arms, delta) / (units / (units - 1.0)).sqrt()
}

/// The score without the factor N/(N-1).
#[must_use]
pub fn farrington_manning_z(arms: &TwoProportions, delta: f64) -> f64 {
    let p_c = restricted_control(arms, delta);
    let p_t = (p_c + delta).clamp(0.0, 1.0);
    let variance = p_c * (1.0 - p_c) / arms.n_c + p_t * (1.0 - p_t) / arms.n_t;
    let distance = arms.diff() - delta;
    if variance > 0.0 {
        distance / variance.sqrt()
    } else if distance == 0.0 {
        0.0
    } else {
        distance.signum() * f64::INFINITY
    }
}

/// All differences that a two-sided score test at `alpha` does not refuse.
#[must_use]
pub fn interval(arms: &TwoProportions, alpha: Alpha) -> Interval {
    let z = normal::isf(alpha.half().value());
    let diff = arms.diff();
    Interval {
        low: crossing(arms, -1.0, diff, z),
        high: crossing(arms, diff, 1.0, -z),
    }
}

/// Where the score, which falls in `δ`, crosses `level` between `low` and `high`; the border when it
/// does not cross.
fn crossing(arms: &TwoProportions, mut low: f64, mut high: f64, level: f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if score_z(arms, middle) > level {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The control proportion that maximises the likelihood when the treatment's is `δ` above it.
///
/// The root in range of
/// ```text
/// N p³ + ((n_t + 2n_c)δ - N - X) p² + ((n_c δ - N - 2x_c)δ + X) p + x_c δ(1-δ) = 0
/// ```
/// by the trigonometric formula, polished by Newton since the arc cosine loses half its digits
/// near a double root.
fn restricted_control(arms: &TwoProportions, delta: f64) -> f64 {
    let (n_c, n_t, x_c) = (arms.n_c, arms.n_t, arms.x_c);
    let events = arms.x_c + arms.x_t;
    let units = n_c + n_t;
    let l2 = (n_t + 2.0 * n_c) * delta - units - events;
    let l1 = (n_c * delta - units - 2.0 * x_c) * delta + events;
    let l0 = x_c * delta * (1.0 - delta);
    let shift = l2 / (3.0 * units);
    let q = shift.powi(3) - l1 * l2 / (6.0 * units * units) + l0 / (2.0 * units);
    let size = (shift * shift - l1 / (3.0 * units)).max(0.0).sqrt();
    let (low, high) = ((-delta).max(0.0), (1.0 - delta).min(1.0));
    if size == 0.0 {
        return (-shift).clamp(low, high);
    }
    let p = if q < 0.0 { -size } else { size };
    let angle = (PI + (q / p.powi(3)).clamp(-1.0, 1.0).acos()) / 3.0;
    let mut root = (2.0 * p * angle.cos() - shift).clamp(low, high);
    for _ in 0..3 {
        let value = ((units * root + l2) * root + l1) * root + l0;
        let slope = (3.0 * units * root + 2.0 * l2) * root + l1;
        let next = root - value / slope;
        if !next.is_finite() || next <= low || next >= high {
            break;
        }
        root = next;
    }
    root
}
