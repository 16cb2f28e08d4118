//! SLOPE: trust the least variable estimate that the others do not contradict.

use super::Family;
use crate::{
    ope::{
        error::OpeError,
        numeric::{real, sum},
        terms::Terms,
    },
    statistics::special::student_t,
};

/// The parameter of the narrowest interval reached before one contradicts.
///
/// With `θ` the value and `c` the half width of each candidate, sorted from the
/// widest to the narrowest, a candidate is kept while for every one before it
///
/// ```text
/// |θᵢ − θⱼ| ≤ cᵢ + (√6 − 1) cⱼ,     c = t_{n−1, 1−δ} √(var(z) / (n − 1))
/// ```
///
/// Su, Srinath and Krishnamurthy (ICML 2020, arXiv 2002.07729), with the
/// relaxed constant of Tucker and Lee (SLOPE++, 2021). `var` divides by `n`.
pub(super) fn choose(
    family: Family,
    grid: &[f64],
    terms: &Terms,
    delta: f64,
) -> Result<f64, OpeError> {
    let degrees = real(terms.len()) - 1.0;
    let critical = student_t::isf(delta, degrees);
    let mut candidates = Vec::with_capacity(grid.len());
    for &parameter in grid {
        let estimate = family.member(parameter).estimate(terms)?;
        let squares = sum(estimate.influence.iter().map(|z| z * z));
        let width = critical * (squares / real(terms.len()) / degrees).sqrt();
        candidates.push((parameter, estimate.value, width));
    }
    candidates.sort_by(|left, right| right.2.total_cmp(&left.2));
    let constant = 6.0_f64.sqrt() - 1.0;
    let contradicts = |position: usize| {
        let (_, value, width) = candidates[position];
        candidates[..position]
            .iter()
            .any(|(_, before, wider)| (before - value).abs() > width + constant * wider)
    };
    let last = (1..candidates.len())
        .find(|&position| contradicts(position))
        .unwrap_or(candidates.len());
    Ok(candidates[last - 1].0)
}
