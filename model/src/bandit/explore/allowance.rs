//! A cap on what exploring may cost.

use super::Situation;

/// Moves a distribution towards the most valuable action, the floor kept, until what it is expected to
/// forgo is within `allowance`.
///
/// ```text
/// cost(p) = Σ p(a) (max v − v(a))
/// g       = (1 − ε) 1[best] + ε μ                                  greedy above the floor ε
/// q       = m p + (1 − m) g,     m = (allowance − cost(g)) / (cost(p) − cost(g)) within [0, 1]
/// ```
/// Closed form, so that the logged probabilities stay exact. The floor is not given up: where it alone
/// costs more than the allowance, `q = g`. `values` and `allowance` are in the same unit.
pub fn cap(allowance: f64, values: &[f64], epsilon: f64, base: &[f64], probabilities: &mut [f64]) {
    let valued = Situation {
        scores: values,
        base,
        deviations: &[],
    };
    let best = valued.best();
    let highest = values[best];
    let forgone = |weights: &[f64]| -> f64 {
        let pairs = weights.iter().zip(values);
        pairs
            .map(|(weight, value)| weight * (highest - value))
            .sum()
    };
    let (own, floor) = (forgone(probabilities), epsilon * forgone(base));
    if own <= allowance || own <= floor {
        return;
    }
    let share = ((allowance - floor) / (own - floor)).clamp(0.0, 1.0);
    for (at, (probability, &base)) in probabilities.iter_mut().zip(base).enumerate() {
        let greedy = epsilon * base + if at == best { 1.0 - epsilon } else { 0.0 };
        *probability = share * *probability + (1.0 - share) * greedy;
    }
}
