//! Values and intervals that use what must hold: importance weights average one.

use super::{
    error::OpeError,
    estimate::Estimate,
    interval::{Interval, check_level, student_quantile},
    numeric::{Sum, mean, real},
    terms::Terms,
};

/// Sums of powers of the weights and rewards, the only thing these methods read.
struct Moments {
    n: f64,
    w: f64,
    ww: f64,
    r: f64,
    wr: f64,
    wwr: f64,
    wwrr: f64,
    least_weight: f64,
    largest_weight: f64,
}

impl Moments {
    fn of(terms: &Terms, largest: f64) -> Self {
        let mut sums = [Sum::default(); 6];
        let (mut least_weight, mut largest_weight) = (0.0_f64, largest);
        for (&w, &r) in terms.weight.iter().zip(&terms.reward) {
            let powers = [w, w * w, r, w * r, w * w * r, w * w * r * r];
            for (sum, power) in sums.iter_mut().zip(powers) {
                sum.add(power);
            }
            least_weight = least_weight.min(w);
            largest_weight = largest_weight.max(w);
        }
        let [w, ww, r, wr, wwr, wwrr] = sums.map(|sum| sum.value());
        Self {
            n: real(terms.len()),
            w,
            ww,
            r,
            wr,
            wwr,
            wwrr,
            least_weight,
            largest_weight,
        }
    }

    /// The unseen weight that would pull the mean towards one.
    fn phantom(&self) -> f64 {
        if self.w < self.n {
            self.largest_weight
        } else {
            self.least_weight
        }
    }
}

/// The value under the reweighting of the rows that is nearest to uniform in
/// the Cressie-Read divergence of order −2 and makes the weights average one,
/// with one phantom row at the extreme weight.
///
/// ```text
/// a = (w* + Σw) / (n+1),  b = (w*² + Σw²) / (n+1)
/// γ = (b − a) / (a² − b),  β = (1 − a) / (a² − b)
/// V = (−γ Σwr − β Σw²r) / (n+1) + max(0, 1 − (−γ Σw − β Σw²) / (n+1)) · mean(r)
/// ```
///
/// With an unbounded weight (`largest = ∞`) the phantom takes no mass:
/// γ = −(n+1)/n, β = 0. Karampatziakis, Langford and Mineiro, "Empirical
/// Likelihood for Contextual Bandits" (NeurIPS 2020, arXiv 1906.03323).
/// `largest` is the largest weight that is *possible*, not the largest seen.
///
/// # Errors
/// Weights that are all the same leave nothing to reweight with.
pub fn value(terms: &Terms, largest: f64) -> Result<Estimate, OpeError> {
    check_largest(largest)?;
    let m = Moments::of(terms, largest);
    let phantom = m.phantom();
    let (gamma, beta) = if phantom.is_infinite() {
        (-(1.0 + m.n) / m.n, 0.0)
    } else {
        let a = (phantom + m.w) / (1.0 + m.n);
        let b = (phantom * phantom + m.ww) / (1.0 + m.n);
        if a * a >= b {
            return Err(OpeError::NoWeight);
        }
        ((b - a) / (a * a - b), (1.0 - a) / (a * a - b))
    };
    let seen = (-gamma * m.w - beta * m.ww) / (1.0 + m.n);
    let value = (-gamma * m.wr - beta * m.wwr) / (1.0 + m.n) + (1.0 - seen).max(0.0) * m.r / m.n;
    Ok(Estimate {
        value,
        influence: controlled_influence(terms),
    })
}

/// Influence of an estimator that knows `E[w] = 1`, to first order:
///
/// ```text
/// ψ = wr − mean(wr) − β (w − mean(w)),   β = cov(wr, w) / var(w)
/// ```
///
/// Empirical likelihood and every Cressie-Read divergence share it.
pub(super) fn controlled_influence(terms: &Terms) -> Vec<f64> {
    let products: Vec<f64> = terms
        .weight
        .iter()
        .zip(&terms.reward)
        .map(|(w, r)| w * r)
        .collect();
    let (centre, centre_weight) = (mean(&products), mean(&terms.weight));
    let (mut covariance, mut variance) = (Sum::default(), Sum::default());
    for (product, weight) in products.iter().zip(&terms.weight) {
        covariance.add((product - centre) * (weight - centre_weight));
        variance.add((weight - centre_weight) * (weight - centre_weight));
    }
    let slope = if variance.value() > 0.0 {
        covariance.value() / variance.value()
    } else {
        0.0
    };
    products
        .iter()
        .zip(&terms.weight)
        .map(|(product, weight)| product - centre - slope * (weight - centre_weight))
        .collect()
}

/// The set of values that no plausible reweighting excludes, for rewards in
/// `[least, most]`; the interval of the same paper, `confidence` in (0, 1).
///
/// The critical value is that of F(1, n), which is the square of Student's t.
///
/// # Errors
/// A reward outside the range, or a confidence outside (0, 1).
pub fn interval(
    terms: &Terms,
    largest: f64,
    (least, most): (f64, f64),
    confidence: f64,
) -> Result<Interval, OpeError> {
    check_largest(largest)?;
    check_level(confidence)?;
    check_rewards(terms, least, most)?;
    let m = Moments::of(terms, largest);
    let phantom = m.phantom();
    let unconstrained = if phantom.is_infinite() {
        1.0 + 1.0 / m.n
    } else {
        let a = (phantom + m.w) / (1.0 + m.n);
        let b = (phantom * phantom + m.ww) / (1.0 + m.n);
        (1.0 + m.n) * (a - 1.0).powi(2) / (b - a * a)
    };
    let critical = student_quantile(0.5 + confidence / 2.0, m.n).powi(2);
    let budget = (-unconstrained - critical) / (2.0 * (1.0 + m.n));
    let bound = |reward: f64, sign: f64| {
        let best = [m.least_weight, m.largest_weight]
            .into_iter()
            .filter_map(|weight| extreme(&m, weight, reward, sign, budget))
            .fold(f64::INFINITY, f64::min);
        let best = if best.is_finite() { best } else { least };
        (sign * best).clamp(least, most)
    };
    Ok(Interval {
        low: bound(least, 1.0),
        high: bound(most, -1.0),
        confidence,
    })
}

/// Below this, the product under the root is taken for zero.
const TOLERANCE: f64 = 1e-9;

/// The least value of `sign · V` within the budget when the phantom row has
/// this weight and reward; none when the budget cannot be met.
fn extreme(m: &Moments, weight: f64, reward: f64, sign: f64, budget: f64) -> Option<f64> {
    let (x, y, z) = if weight.is_infinite() {
        let x = sign * (reward + (m.wr - m.w * reward) / m.n);
        let y = (reward * m.w - m.wr).powi(2) / (m.n * (1.0 + m.n))
            - (reward * reward * m.ww - 2.0 * reward * m.wwr + m.wwrr) / (1.0 + m.n);
        (x, y, budget + 1.0 / (2.0 * m.n))
    } else {
        let n = 1.0 + m.n;
        let w = (weight + m.w) / n;
        let ww = (weight * weight + m.ww) / n;
        let wr = sign * (weight * reward + m.wr) / n;
        let wwr = sign * (weight * weight * reward + m.wwr) / n;
        let wwrr = (weight * weight * reward * reward + m.wwrr) / n;
        let spread = ww - w * w;
        if spread <= 0.0 {
            return None;
        }
        let covariance = wwr - w * wr;
        let x = wr + (1.0 - w) * covariance / spread;
        let y = covariance * covariance / spread - (wwrr - wr * wr);
        (x, y, budget + 0.5 * (1.0 - w).powi(2) / spread)
    };
    let product = y * z;
    if product.abs() <= TOLERANCE * TOLERANCE {
        return Some(x - std::f64::consts::SQRT_2 * TOLERANCE);
    }
    (z <= 0.0 && product >= 0.0).then(|| x - (2.0 * product).sqrt())
}

fn check_largest(largest: f64) -> Result<(), OpeError> {
    if largest > 1.0 {
        return Ok(());
    }
    Err(OpeError::Parameter {
        name: "the largest possible weight",
        value: largest,
        allowed: "above 1 (weights average 1)",
    })
}

pub(super) fn check_rewards(terms: &Terms, least: f64, most: f64) -> Result<(), OpeError> {
    let outside = |reward: &f64| *reward < least || *reward > most;
    match terms.reward.iter().position(outside) {
        None => Ok(()),
        Some(round) => Err(OpeError::RewardRange {
            round,
            value: terms.reward[round],
            low: least,
            high: most,
        }),
    }
}
