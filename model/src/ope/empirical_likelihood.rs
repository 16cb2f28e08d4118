//! The value under the most likely reweighting of the rows.

use super::{
    cressie_read::controlled_influence,
    error::OpeError,
    estimate::Estimate,
    numeric::{Sum, mean, real, sum},
    terms::Terms,
};

/// The maximum of the empirical likelihood under `E[w] = 1`.
///
/// ```text
/// Qᵢ = 1 / (n + β (wᵢ − 1)),  β the root of Σ (w − 1) / (n + β (w − 1)) = 0
/// V  = Σ Q w r + max(0, 1 − Σ Q w) · mean(r)
/// ```
///
/// β is kept where every Q is a probability and where the phantom rows at
/// weight 0 and at `largest` would have one. Karampatziakis, Langford and
/// Mineiro (NeurIPS 2020, arXiv 1906.03323). `largest` is the largest weight
/// that is *possible*; infinity where no bound is known.
///
/// # Errors
/// No rounds, or `largest` of one or less.
pub fn value(terms: &Terms, largest: f64) -> Result<Estimate, OpeError> {
    if terms.len() == 0 {
        return Err(OpeError::NoRounds);
    }
    if largest <= 1.0 {
        return Err(OpeError::Parameter {
            name: "the largest possible weight",
            value: largest,
            allowed: "above 1 (weights average 1)",
        });
    }
    let n = real(terms.len());
    let tilt = tilt(&terms.weight, n, largest);
    let share = |weight: f64| weight / ((weight - 1.0) * tilt + n);
    let seen = sum(terms.weight.iter().map(|&weight| share(weight)));
    let explained = sum(terms
        .weight
        .iter()
        .zip(&terms.reward)
        .map(|(&weight, reward)| share(weight) * reward));
    let unseen = (1.0 - seen).max(0.0) * mean(&terms.reward);
    Ok(Estimate {
        value: explained + unseen,
        influence: controlled_influence(terms),
    })
}

/// β, between the bounds that keep every probability in [0, 1].
fn tilt(weights: &[f64], n: f64, largest: f64) -> f64 {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut largest = largest;
    for &weight in weights {
        largest = largest.max(weight);
        let edge = (n - 1.0) / (1.0 - weight);
        if weight < 1.0 {
            high = high.min(edge);
        } else if weight > 1.0 {
            low = low.max(edge);
        }
    }
    // The phantom at weight zero; at `largest`, or nowhere when unbounded.
    let high = high.min(n);
    let low = low.max(if largest.is_infinite() {
        0.0
    } else {
        n / (1.0 - largest)
    });
    let slope = |beta: f64| sum(weights.iter().map(|w| (w - 1.0) / ((w - 1.0) * beta + n)));
    let (at_low, at_high) = (slope(low), slope(high));
    if at_low * at_high < 0.0 {
        return root(weights, n, low, high);
    }
    if at_low < 0.0 { low } else { high }
}

/// The root of the decreasing slope between `low` and `high`, by Newton steps
/// that may not leave the bracket.
fn root(weights: &[f64], n: f64, mut low: f64, mut high: f64) -> f64 {
    let mut beta = 0.0_f64.clamp(low, high);
    for _ in 0..200 {
        let (mut value, mut steepness) = (Sum::default(), Sum::default());
        for weight in weights {
            let term = (weight - 1.0) / ((weight - 1.0) * beta + n);
            value.add(term);
            steepness.add(term * term);
        }
        if value.value() > 0.0 {
            low = beta;
        } else {
            high = beta;
        }
        let newton = beta + value.value() / steepness.value();
        let next = if newton > low && newton < high {
            newton
        } else {
            low + (high - low) / 2.0
        };
        if (next - beta).abs() <= 1e-15 * n {
            return next;
        }
        beta = next;
    }
    beta
}
