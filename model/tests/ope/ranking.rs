//! Does the log rank policies as the truth does?

use lagom_model::ope::{
    Estimator, Rounds, Shrinkage, Terms,
    direct::{FOLDS, Sample, cross_fit},
};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::coverage::{ACTIONS, chance, logging, softmax};

const POLICIES: usize = 50;
const ROUNDS: usize = 10_000;

/// Fifty candidate policies of random preferences, valued from one log: values
/// by self-normalised importance sampling and doubly robust correlate with the
/// truth at 0.95 or more.
#[test]
fn fifty_policies_are_ranked_as_the_truth_ranks_them() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let contexts = Array2::from_shape_fn((ROUNDS, 1), |_| random.random::<f64>());
    let (mut chosen, mut rewards, mut p) = (vec![], vec![], vec![]);
    for row in 0..ROUNDS {
        let context = contexts[[row, 0]];
        let policy = logging(context);
        let draw = random.random::<f64>();
        let mut reached = 0.0;
        let taken = policy.iter().position(|share| {
            reached += share;
            draw < reached
        });
        let action = taken.unwrap_or(ACTIONS - 1);
        chosen.push(u32::try_from(action).unwrap());
        let pays = random.random::<f64>() < chance(context, action, 0.0);
        rewards.push(f64::from(pays));
        p.push(policy[action]);
    }
    let sample = Sample {
        contexts: contexts.view(),
        chosen: &chosen,
        rewards: &rewards,
        actions: ACTIONS,
        customers: None,
    };
    let predicted = cross_fit(&sample, FOLDS, 1).unwrap();

    let (mut truths, mut snips, mut dr) = (vec![], vec![], vec![]);
    for _ in 0..POLICIES {
        let weights: Vec<f64> = (0..2 * ACTIONS)
            .map(|_| 6.0 * random.random::<f64>() - 3.0)
            .collect();
        let policy = |context: f64| {
            softmax(std::array::from_fn(|a| {
                weights[a] + weights[ACTIONS + a] * context
            }))
        };
        let value = |step: u32| {
            let context = (f64::from(step) + 0.5) / 1_000.0;
            let shares = policy(context);
            (0..ACTIONS)
                .map(|a| shares[a] * chance(context, a, 0.0))
                .sum::<f64>()
        };
        truths.push((0..1_000).map(value).sum::<f64>() / 1_000.0);
        let target = Array2::from_shape_fn((ROUNDS, ACTIONS), |(row, action)| {
            policy(contexts[[row, 0]])[action]
        });
        let rounds = Rounds::new(chosen.clone(), rewards.clone(), p.clone(), target)
            .and_then(|rounds| rounds.with_predicted(predicted.clone()))
            .unwrap();
        let terms = Terms::of(&rounds);
        let ips = Estimator::importance(Shrinkage::None).self_normalised();
        snips.push(ips.value(&terms).unwrap());
        let robust = Estimator::doubly_robust(Shrinkage::None);
        dr.push(robust.value(&terms).unwrap());
    }
    for (name, values) in [("snips", &snips), ("dr", &dr)] {
        let found = correlation(values, &truths);
        println!("{name}: correlation with the truth {found:.4}");
        assert!(found >= 0.95, "{name}: {found}");
    }
}

fn correlation(left: &[f64], right: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / POLICIES as f64;
    let (x, y) = (mean(left), mean(right));
    let product = |a: &[f64], x: f64, b: &[f64], y: f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - x) * (b - y)).sum()
    };
    product(left, x, right, y) / (product(left, x, left, x) * product(right, y, right, y)).sqrt()
}
