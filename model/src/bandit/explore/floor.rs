//! The exploration floor.

/// Mixes the base measure in.
///
/// ```text
/// q(a) = (1 − ε) p(a) + ε μ(a)        ≥ ε μ(a)
/// ```
/// Mixing keeps the sum at 1 and every importance weight at or below `1 / (ε μ(a))`. Raising small
/// probabilities to a floor and dividing by the new sum does neither.
pub fn mix(epsilon: f64, base: &[f64], probabilities: &mut [f64]) {
    for (probability, &base) in probabilities.iter_mut().zip(base) {
        *probability = (1.0 - epsilon) * *probability + epsilon * base;
    }
}
