//! One-sided lower bounds of a mean, by concentration inequalities.

use crate::{
    ope::{
        error::OpeError,
        estimate::Estimate,
        numeric::{real, sum},
    },
    statistics::special::student_t,
};

/// Lower bounds of a value, each missing the truth with probability `delta`.
///
/// They take rounds for independent and the largest row for the largest
/// possible one, as the papers' reference code does; with weights that may be
/// larger than any seen, prefer [`crate::ope::sequence`].
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LowerBounds {
    /// `mean − max(z) √(ln(1/δ) / (2n))` (Hoeffding 1963).
    pub hoeffding: f64,
    /// `mean − 7 max(z) ln(2/δ) / (3(n−1)) − √(2 ln(2/δ) var(z) / (n−1))`
    /// (Maurer and Pontil 2009, arXiv 0907.3740).
    pub bernstein: f64,
    /// `mean − t_{n−1, 1−δ} √(var(z) / (n−1))` (Thomas, Theocharous and
    /// Ghavamzadeh, ICML 2015).
    pub student_t: f64,
}

/// All three lower bounds of a mean estimate; `var` divides by `n`.
///
/// # Errors
/// Fewer than two rounds, or `delta` outside (0, 1).
pub fn lower_bounds(estimate: &Estimate, delta: f64) -> Result<LowerBounds, OpeError> {
    let rounds = estimate.influence.len();
    if rounds < 2 {
        return Err(OpeError::TooFew {
            what: "a lower bound",
            needed: 2,
            found: rounds,
            unit: "rounds",
        });
    }
    if !(delta > 0.0 && delta < 1.0) {
        return Err(OpeError::Parameter {
            name: "the failure probability of a bound",
            value: delta,
            allowed: "between 0 and 1",
        });
    }
    let n = real(rounds);
    let mean = estimate.value;
    let largest = mean
        + estimate
            .influence
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
    let variance = sum(estimate.influence.iter().map(|z| z * z)) / n;
    let log = (2.0 / delta).ln();
    Ok(LowerBounds {
        hoeffding: mean - largest * ((1.0 / delta).ln() / (2.0 * n)).sqrt(),
        bernstein: mean
            - 7.0 * largest * log / (3.0 * (n - 1.0))
            - (2.0 * log * variance / (n - 1.0)).sqrt(),
        student_t: mean - (variance / (n - 1.0)).sqrt() * student_t::isf(delta, n - 1.0),
    })
}
