//! Thompson sampling whose probabilities are integrated, not sampled.

use serde::{Deserialize, Serialize};

use super::{ExplorationRule, Situation};
use crate::statistics::special::normal;

/// Cells of the integral.
const CELLS: usize = 256;
/// Standard deviations beyond which nothing is expected.
const REACH: f64 = 8.0;

/// `p(a) = P(θ_a is the largest)` for independent `θ_a ~ N(f(a), s(a)²)`.
///
/// ```text
/// G(t) = Π_a F_a(t)          F_a(t) = Φ((t − f(a)) / s(a))
/// p(a) = ∫ G(t) d ln F_a(t)
///      ≈ Σ_k (G(t_{k+1}) − G(t_k)) · Δ_k ln F_a / Σ_b Δ_k ln F_b
/// ```
/// `ln G = Σ ln F_a`, so that the cells' shares add up to 1 exactly whatever their width: the numbers
/// logged are a distribution, and the one that is drawn from, to the last bit. `s(a)` is the posterior
/// deviation of the score against waiting, times `noise`; waiting itself is certain (`s = 0`) and is
/// chosen where all others fall below it. The posteriors of actions that share parts go together, which
/// this rule leaves out of account: it explores somewhat more than a joint draw.
///
/// Thompson, "On the likelihood that one unknown probability exceeds another in view of the evidence of
/// two samples", Biometrika 25, 1933, doi:10.1093/biomet/25.3-4.285.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thompson {
    /// Standard deviation of a reward of unit scale about its mean, above zero.
    pub noise: f64,
}

impl ExplorationRule for Thompson {
    fn distribution(&self, situation: Situation<'_>, probabilities: &mut [f64]) {
        let deviation = |at: usize| {
            let own = situation.deviations.get(at).copied().unwrap_or(0.0);
            self.noise * own.max(0.0)
        };
        let scores = situation.scores;
        probabilities.fill(0.0);
        // Of certain scores only the first of the largest can be the largest of all.
        let mut certain: Option<usize> = None;
        let mut uncertain: Vec<(usize, f64, f64)> = Vec::with_capacity(scores.len());
        for (at, &score) in scores.iter().enumerate() {
            let own = deviation(at);
            if own > 0.0 {
                uncertain.push((at, score, own));
            } else if certain.is_none_or(|best| score > scores[best]) {
                certain = Some(at);
            }
        }
        let lowest = uncertain.iter().map(|&(_, score, own)| score - REACH * own);
        let low = lowest.fold(f64::NEG_INFINITY, f64::max);
        let low = certain.map_or(low, |at| low.max(scores[at]));
        let highest = uncertain.iter().map(|&(_, score, own)| score + REACH * own);
        let high = highest.fold(low, f64::max);
        let at_edge = |t: f64| -> Vec<f64> {
            let logs = uncertain.iter();
            logs.map(|&(_, score, own)| normal::ln_sf((score - t) / own))
                .collect()
        };
        let mut before = at_edge(low);
        let mut reached = libm::exp(before.iter().sum());
        // What lies below the grid belongs to the certain action, or is nothing.
        probabilities[certain.unwrap_or_else(|| situation.best())] += reached;
        for cell in 1..=CELLS {
            let t = low + (high - low) * cell as f64 / CELLS as f64;
            let after = at_edge(t);
            let grown = libm::exp(after.iter().sum());
            let steps = after.iter().zip(&before).map(|(new, old)| new - old);
            let total: f64 = steps.clone().sum();
            if total > 0.0 {
                for (&(at, ..), step) in uncertain.iter().zip(steps) {
                    probabilities[at] += (grown - reached) * step / total;
                }
            }
            (before, reached) = (after, grown);
        }
        // What lies above the grid is rounding.
        let rest = 1.0 - probabilities.iter().sum::<f64>();
        let best = situation.best();
        probabilities[best] = (probabilities[best] + rest).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chances(scores: &[f64], deviations: &[f64]) -> Vec<f64> {
        let base = vec![1.0 / scores.len() as f64; scores.len()];
        let mut chances = vec![0.0; scores.len()];
        let situation = Situation {
            scores,
            base: &base,
            deviations,
        };
        Thompson { noise: 1.0 }.distribution(situation, &mut chances);
        chances
    }

    #[test]
    fn of_two_the_first_wins_with_the_probability_of_their_difference() {
        for (f, s) in [([0.3, 0.1], [0.2, 0.4]), ([0.0, 1.0], [0.5, 0.1])] {
            let exact = normal::cdf((f[0] - f[1]) / f64::hypot(s[0], s[1]));
            assert!((chances(&f, &s)[0] - exact).abs() < 1e-4, "{f:?} {s:?}");
        }
        let exact = normal::cdf(-1.5);
        let found = chances(&[0.5, 0.2], &[0.0, 0.2]);
        assert!((found[1] - exact).abs() < 1e-12 && (found[0] + exact - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_order_statistics_of_three_as_numerical_integration_gives_them() {
        // Simpson's rule in Python, 200,000 steps, of each density times the other distributions:
        // f = (0.1, 0, -0.2, 0.05), s = (0.1, 0.2, 0.4, 0).
        let found = chances(&[0.1, 0.0, -0.2, 0.05], &[0.1, 0.2, 0.4, 0.0]);
        let expected = [
            0.427305570824,
            0.244388619379,
            0.192716178582,
            0.135589631214,
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 2e-4, "{found} {expected}");
        }
    }

    #[test]
    fn alike_actions_are_equally_likely_and_certain_ones_are_not_explored() {
        let found = chances(&[0.4; 5], &[0.3; 5]);
        assert!(found.iter().all(|p| (p - 0.2).abs() < 1e-12));
        assert_eq!(chances(&[0.1, 0.3, 0.3], &[0.0; 3]), [0.0, 1.0, 0.0]);
        assert_eq!(chances(&[0.1, 0.3], &[]), [0.0, 1.0]);
    }
}
