//! The replay method: keep the rounds where both policies did the same.

use super::{error::OpeError, estimate::Estimate, numeric::real, terms::Terms};

/// Mean reward of the rounds whose action is the target's most probable one.
///
/// ```text
/// V = Σ 1[a = argmax π(·|x)] r / Σ 1[a = argmax π(·|x)]
/// ```
///
/// Li, Chu, Langford and Wang (WSDM 2011, arXiv 1003.5956). It values the
/// *greedy* version of the target, and without bias only where the log chose
/// uniformly; it is here as the figure others print.
///
/// # Errors
/// No round agrees.
pub fn replay(terms: &Terms) -> Result<Estimate, OpeError> {
    let matches = terms.greedy.iter().filter(|same| **same).count();
    if matches == 0 {
        return Err(OpeError::NoWeight);
    }
    let agreeing = || terms.greedy.iter().zip(&terms.reward);
    let total: f64 = agreeing()
        .filter_map(|(same, reward)| same.then_some(reward))
        .sum();
    let value = total / real(matches);
    let scale = real(terms.len()) / real(matches);
    let influence = agreeing()
        .map(
            |(same, reward)| {
                if *same { (reward - value) * scale } else { 0.0 }
            },
        )
        .collect();
    Ok(Estimate { value, influence })
}
