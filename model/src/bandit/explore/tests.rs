#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const RULES: [Rule; 9] = [
    Rule::InverseGap(InverseGap { gamma: 0.0 }),
    Rule::InverseGap(InverseGap { gamma: 7.0 }),
    Rule::InverseGap(InverseGap { gamma: 1e6 }),
    Rule::FastCb(FastCb { gamma: 50.0 }),
    Rule::EpsilonGreedy(EpsilonGreedy { epsilon: 0.1 }),
    Rule::Softmax(Softmax { temperature: 0.05 }),
    Rule::Thompson(Thompson { noise: 0.3 }),
    Rule::Greedy(Greedy),
    Rule::Uniform(Uniform),
];

proptest! {
    /// Whatever the scores: a distribution, at least the floor everywhere, and never less on the best
    /// action than its base measure for the rules that prefer it.
    #[test]
    fn every_rule_gives_a_distribution_above_its_floor(
        scores in prop::collection::vec(-3.0_f64..3.0, 1..400),
        weights in prop::collection::vec(0.01_f64..1.0, 400),
        epsilon in 0.0_f64..1.0,
    ) {
        let weights = &weights[..scores.len()];
        let total: f64 = weights.iter().sum();
        let base: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let deviations: Vec<f64> = weights.iter().map(|weight| weight - 0.01).collect();
        let situation = Situation { scores: &scores, base: &base, deviations: &deviations };
        for rule in RULES {
            let mut probabilities = vec![0.0; scores.len()];
            rule.distribution(situation, &mut probabilities);
            prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{rule:?}");
            prop_assert!(probabilities.iter().all(|&p| (0.0..=1.0 + 1e-12).contains(&p)), "{rule:?}");
            let best = situation.best();
            let by_posterior = matches!(rule, Rule::Thompson(_));
            prop_assert!(by_posterior || probabilities[best] >= base[best] - 1e-12, "{rule:?}");
            floor::mix(epsilon, &base, &mut probabilities);
            prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{rule:?}");
            for (&probability, &share) in probabilities.iter().zip(&base) {
                prop_assert!(probability >= epsilon * share, "{rule:?}: {probability} {share}");
            }
        }
    }

    /// Whatever the values: a distribution above its floor that forgoes no more than it may, unless the
    /// floor alone does; and one that forgoes less is left alone.
    #[test]
    fn a_capped_distribution_keeps_its_floor_and_its_allowance(
        values in prop::collection::vec(-3e4_f64..3e4, 1..200),
        weights in prop::collection::vec(0.01_f64..1.0, 200),
        epsilon in 0.0_f64..0.5,
        allowance in 0.0_f64..2e4,
    ) {
        let weights = &weights[..values.len()];
        let total: f64 = weights.iter().sum();
        let base: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let forgone = |p: &[f64]| -> f64 {
            p.iter().zip(&values).map(|(p, value)| p * (highest - value)).sum()
        };
        let before = base.clone();
        let mut after = before.clone();
        allowance::cap(allowance, &values, epsilon, &base, &mut after);
        prop_assert!((after.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (&probability, &share) in after.iter().zip(&base) {
            prop_assert!(probability >= epsilon * share * (1.0 - 1e-12));
        }
        let least = epsilon * forgone(&base);
        prop_assert!(forgone(&after) <= allowance.max(least) + 1e-9 * (1.0 + least));
        if forgone(&before) <= allowance {
            prop_assert_eq!(after, before);
        }
    }

    /// With an even base measure the rule is the paper's: `p(a) = 1 / (n + γ gap)`.
    #[test]
    fn an_even_base_measure_gives_the_papers_rule(
        scores in prop::collection::vec(0.0_f64..1.0, 2..60),
        gamma in 0.0_f64..1e5,
    ) {
        let n = scores.len() as f64;
        let base = vec![1.0 / n; scores.len()];
        let situation = Situation { scores: &scores, base: &base, deviations: &[] };
        let mut probabilities = vec![0.0; scores.len()];
        InverseGap { gamma }.distribution(situation, &mut probabilities);
        let best = situation.best();
        for (at, &probability) in probabilities.iter().enumerate() {
            if at != best {
                let papers = 1.0 / (n + gamma * (scores[best] - scores[at]));
                prop_assert!((probability - papers).abs() < 1e-14);
            }
        }
        prop_assert!(probabilities[best] >= 1.0 / n - 1e-13);
    }
}

#[test]
fn fast_cb_is_the_papers_rule() {
    let scores = [0.9, 0.5, 0.2];
    let base = [1.0 / 3.0; 3];
    let mut probabilities = [0.0; 3];
    FastCb { gamma: 20.0 }.distribution(
        Situation {
            scores: &scores,
            base: &base,
            deviations: &[],
        },
        &mut probabilities,
    );
    let papers = |score: f64| 0.1 / (3.0 * 0.1 + 20.0 * (0.9 - score));
    assert!((probabilities[1] - papers(0.5)).abs() < 1e-15);
    assert!((probabilities[2] - papers(0.2)).abs() < 1e-15);
}

#[test]
fn softmax_survives_extreme_scores() {
    let mut probabilities = [0.0; 2];
    Softmax { temperature: 1e-3 }.distribution(
        Situation {
            scores: &[1e6, -1e6],
            base: &[0.5, 0.5],
            deviations: &[],
        },
        &mut probabilities,
    );
    assert!((probabilities[0] - 1.0).abs() < 1e-15 && probabilities[1] >= 0.0);
}

#[test]
fn gamma_grows_with_the_labels_of_the_generation() {
    let rule = RuleConfig::default();
    assert_eq!(rule.after(0.0), Rule::InverseGap(InverseGap { gamma: 0.0 }));
    assert_eq!(
        rule.after(100.0),
        Rule::InverseGap(InverseGap { gamma: 50_000.0 })
    );
    let refused = RuleConfig::Softmax { temperature: 0.0 }.check();
    assert!(matches!(refused, Err(BanditError::Parameter { .. })));
}
