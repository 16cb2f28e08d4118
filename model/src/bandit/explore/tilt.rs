//! Another policy's distribution, tilted towards what is better.
//!
//! What a log can prove of a policy falls with the variance of its importance weights. Of all changes to
//! the logging policy `μ` of equal variance, the one that gains most is linear in the advantage:
//!
//! ```text
//! max_q  Σ q(a) A(a) − (tilt / 2) Σ μ(a) (q(a) / μ(a) − 1)²
//! q(a) = μ(a) max(0, 1 + (A(a) − b) / tilt),      b such that Σ q = 1
//! ```
//! So it deviates first where most is to be gained, and a single number says how far. A large `tilt`
//! leaves `μ`, a small one leaves only the best; where `μ(a) = 0`, `q(a) = 0`: what was never tried is not
//! promised. The trust region in the χ² divergence; compare Schulman and others, "Trust region policy
//! optimization", ICML 2015 (in the KL divergence), and Swaminathan and Joachims, "Counterfactual risk
//! minimization", ICML 2015 (the variance as a penalty).

/// Writes the tilted distribution.
///
/// `advantages` are finite, `anchor` sums to 1, `tilt` is positive, in the unit of the advantages; all of
/// one length, which is at least 1. The sum of what is written is 1 within rounding.
///
/// `b` is found exactly, as for the projection onto a simplex: among the first `k` actions by advantage,
/// with mass `M` and mean advantage `m` under the anchor, `b = m − tilt (1/M − 1)`; `k` is the largest for
/// which its own last action keeps a positive chance.
pub fn tilt(tilt: f64, advantages: &[f64], anchor: &[f64], probabilities: &mut [f64]) {
    let mut order: Vec<usize> = (0..anchor.len()).filter(|&at| anchor[at] > 0.0).collect();
    order.sort_by(|&a, &b| advantages[b].total_cmp(&advantages[a]).then(a.cmp(&b)));
    let (mut mass, mut sum) = (0.0, 0.0);
    let mut level = f64::NEG_INFINITY;
    for &at in &order {
        mass += anchor[at];
        sum += anchor[at] * advantages[at];
        let next = sum / mass - tilt * (1.0 / mass - 1.0);
        if 1.0 + (advantages[at] - next) / tilt <= 0.0 {
            break;
        }
        level = next;
    }
    let chances = anchor.iter().zip(advantages).zip(&mut *probabilities);
    for ((&anchor, advantage), probability) in chances {
        *probability = anchor * (1.0 + (advantage - level) / tilt).max(0.0);
    }
    // The first action by advantage always passes, so the sum is positive; this only takes off rounding.
    let total: f64 = probabilities.iter().sum();
    for probability in probabilities {
        *probability /= total;
    }
}

#[cfg(test)]
mod tests {
    use super::tilt;
    use proptest::prelude::*;

    fn of(scale: f64, advantages: &[f64], anchor: &[f64]) -> Vec<f64> {
        let mut probabilities = vec![0.0; anchor.len()];
        tilt(scale, advantages, anchor, &mut probabilities);
        probabilities
    }

    /// What is gained less the penalty, the quantity that is to be largest.
    fn objective(scale: f64, advantages: &[f64], anchor: &[f64], q: &[f64]) -> f64 {
        let terms = q.iter().zip(anchor).zip(advantages);
        terms
            .map(|((q, mu), advantage)| q * advantage - 0.5 * scale * mu * (q / mu - 1.0).powi(2))
            .sum()
    }

    #[test]
    fn a_large_tilt_leaves_the_anchor_and_a_small_one_the_best() {
        let (advantages, anchor) = ([0.0, 200.0, -50.0], [0.9, 0.04, 0.06]);
        let far = of(1e9, &advantages, &anchor);
        assert!(far.iter().zip(anchor).all(|(q, mu)| (q - mu).abs() < 1e-6));
        assert_eq!(of(1e-6, &advantages, &anchor), [0.0, 1.0, 0.0]);
        // By hand: 1 + (A − b)/100 with b = 5 leaves every chance positive.
        let between = of(100.0, &advantages, &anchor);
        let expected = [0.9 * 0.95, 0.04 * 2.95, 0.06 * 0.45];
        let close = |(q, expected): (&f64, f64)| (q - expected).abs() < 1e-12;
        assert!(between.iter().zip(expected).all(close));
    }

    #[test]
    fn what_the_anchor_never_does_is_never_done() {
        assert_eq!(of(1.0, &[0.0, 1e6], &[1.0, 0.0]), [1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn it_is_a_distribution_that_no_other_beats(
            raw in prop::collection::vec((0.01..1.0_f64, -300.0..300.0_f64, 0.0..1.0_f64), 1..30),
            scale in 1.0..1e4_f64,
        ) {
            let normed = |values: Vec<f64>| {
                let total: f64 = values.iter().sum();
                values.into_iter().map(|value| value / total).collect::<Vec<f64>>()
            };
            let anchor = normed(raw.iter().map(|one| one.0).collect());
            let advantages: Vec<f64> = raw.iter().map(|one| one.1).collect();
            let q = of(scale, &advantages, &anchor);
            prop_assert!((q.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(q.iter().all(|&q| q >= 0.0));
            let best = objective(scale, &advantages, &anchor, &q);
            // Any point between it and another distribution is worse.
            let other = normed(raw.iter().map(|one| one.2 + 1e-9).collect());
            for share in [1e-3, 0.1, 1.0] {
                let mixed: Vec<f64> =
                    q.iter().zip(&other).map(|(q, p)| (1.0 - share) * q + share * p).collect();
                let worse = objective(scale, &advantages, &anchor, &mixed);
                prop_assert!(worse <= best + 1e-9 * best.abs().max(1.0), "{} beats {}", worse, best);
            }
        }
    }
}
