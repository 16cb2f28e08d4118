//! The binomial interval of an importance-weighted success rate.

use super::{Interval, check_level, incomplete_beta::quantile};
use crate::ope::{
    cressie_read::check_rewards,
    error::OpeError,
    numeric::{real, sum},
    terms::Terms,
};

/// Clopper and Pearson's interval (Biometrika 26, 1934) with weights: as if
/// `s = Σ w r / max(w)` successes had been seen in `m = n / max(w)` trials.
///
/// ```text
/// low  = Beta⁻¹(α/2;     s,     m − s + 1)
/// high = Beta⁻¹(1 − α/2; s + 1, m − s)
/// ```
///
/// Wide when one weight is large, and never outside [0, 1]; a heuristic for
/// fractional counts, exact for unweighted rounds. Rewards in [0, 1].
///
/// # Errors
/// A reward outside [0, 1], weights that are all zero, or a confidence outside (0, 1).
pub fn clopper_pearson(terms: &Terms, confidence: f64) -> Result<Interval, OpeError> {
    check_level(confidence)?;
    check_rewards(terms, 0.0, 1.0)?;
    let largest = terms.weights().iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 {
        return Err(OpeError::NoWeight);
    }
    let products = terms.weights().iter().zip(terms.rewards());
    let successes = sum(products.map(|(w, r)| w * r)) / largest;
    let trials = real(terms.len()) / largest;
    let tail = (1.0 - confidence) / 2.0;
    let low = if successes > 0.0 && trials - successes + 1.0 > 0.0 {
        quantile(tail, successes, trials - successes + 1.0)
    } else {
        0.0
    };
    let high = if successes < trials {
        quantile(1.0 - tail, successes + 1.0, trials - successes)
    } else {
        1.0
    };
    Ok(Interval {
        low,
        high,
        confidence,
    })
}
