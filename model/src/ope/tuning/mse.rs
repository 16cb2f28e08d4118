//! The least bound of the mean squared error.

use super::Family;
use crate::ope::{
    error::OpeError,
    estimator::Columns,
    numeric::{real, sum},
    terms::Terms,
};

/// The parameter with the least `var(z)/n + B²`, where `B` bounds the bias
/// with probability `1 − δ`:
///
/// ```text
/// B = |mean((w − ŵ)(r − q))| + √(2 mean(w²) ln(2/δ) / n) + 2 max(w) ln(2/δ) / (3 n)
/// ```
///
/// Su, Dimakopoulou, Krishnamurthy and Dudík (ICML 2020, arXiv 1907.09623),
/// section 5. The first of equal candidates is kept.
pub(super) fn choose(
    family: Family,
    grid: &[f64],
    terms: &Terms,
    delta: f64,
) -> Result<f64, OpeError> {
    let n = real(terms.len());
    let log = (2.0 / delta).ln();
    let second_moment = sum(terms.weights().iter().map(|w| w * w)) / n;
    let largest = terms.weights().iter().copied().fold(0.0, f64::max);
    let concentration = (2.0 * second_moment * log / n).sqrt() + 2.0 * largest * log / (3.0 * n);

    let mut best = (f64::NAN, f64::INFINITY);
    for &parameter in grid {
        let member = family.member(parameter);
        let estimate = member.estimate(terms)?;
        let variance = sum(estimate.influence.iter().map(|z| z * z)) / n;
        let shrunken = Columns::of(&member, terms)?;
        let lost =
            sum(terms.weights().iter().enumerate().map(|(round, weight)| {
                (weight - shrunken.shrunken(round)) * shrunken.residual(round)
            }));
        let bias = (lost / n).abs() + concentration;
        let score = variance / n + bias * bias;
        if score < best.1 {
            best = (parameter, score);
        }
    }
    Ok(best.0)
}
