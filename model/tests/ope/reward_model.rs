//! The cross-fitted reward model and what it does for the doubly robust value.

use lagom_model::ope::{
    Estimator, Rounds, Shrinkage, Terms,
    direct::{FOLDS, Sample, cross_fit, fit},
    interval::student::standard_error,
};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

struct World {
    contexts: Array2<f64>,
    chosen: Vec<u32>,
    rewards: Vec<f64>,
    truth: Array2<f64>,
}

/// Three actions at random; `own` is how much the slope differs by action.
fn world(seed: u64, rounds: usize, own: f64) -> World {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let contexts = Array2::from_shape_fn((rounds, 2), |_| random.random::<f64>() * 2.0 - 1.0);
    let truth = Array2::from_shape_fn((rounds, 3), |(row, action)| {
        let sign = [-1.0, 0.0, 1.0][action];
        0.5 + 0.2 * contexts[[row, 0]] + 0.05 * sign + own * sign * contexts[[row, 1]]
    });
    let chosen: Vec<u32> = (0..rounds).map(|_| random.random_range(0..3_u32)).collect();
    let rewards = (0..rounds)
        .map(|row| f64::from(random.random::<f64>() < truth[[row, chosen[row] as usize]]))
        .collect();
    World {
        contexts,
        chosen,
        rewards,
        truth,
    }
}

fn sample(world: &World) -> Sample<'_> {
    Sample {
        contexts: world.contexts.view(),
        chosen: &world.chosen,
        rewards: &world.rewards,
        actions: 3,
        customers: None,
    }
}

#[test]
fn it_recovers_slopes_that_differ_and_shares_those_that_do_not() {
    for (own, room) in [(0.25, 0.004), (0.0, 0.001)] {
        let world = world(11, 6_000, own);
        let predicted = cross_fit(&sample(&world), FOLDS, 1).unwrap();
        let error = (&predicted - &world.truth).mapv(|e| e * e).mean().unwrap();
        assert!(
            error < room,
            "mean squared error {error} with own slopes {own}"
        );
    }
}

#[test]
fn a_cross_fitted_model_keeps_dr_honest_and_makes_it_sharper() {
    let (mut inside, mut narrower) = (0, 0);
    for seed in 0..200 {
        let world = world(seed, 600, 0.25);
        // The target prefers the third action where its slope helps.
        let target = Array2::from_shape_fn((600, 3), |(row, action)| {
            let best = if world.contexts[[row, 1]] > 0.0 { 2 } else { 0 };
            if action == best { 0.8 } else { 0.1 }
        });
        let value = (&target * &world.truth).sum() / 600.0;
        let predicted = cross_fit(&sample(&world), FOLDS, seed).unwrap();
        let log = Rounds::new(
            world.chosen.clone(),
            world.rewards.clone(),
            vec![1.0 / 3.0; 600],
            target,
        )
        .unwrap()
        .with_predicted(predicted)
        .unwrap();
        let terms = Terms::of(&log);
        let dr = Estimator::doubly_robust(Shrinkage::None)
            .estimate(&terms)
            .unwrap();
        let ips = Estimator::importance(Shrinkage::None)
            .estimate(&terms)
            .unwrap();
        let (error, _) = standard_error(&dr, None).unwrap();
        let (plain, _) = standard_error(&ips, None).unwrap();
        inside += usize::from((dr.value - value).abs() < 1.96 * error);
        narrower += usize::from(error < plain);
    }
    // The truth is that of these contexts, so coverage is at least nominal;
    // 182 of 200 is 2.6 standard errors below 95 %.
    assert!(inside >= 182, "{inside} of 200 intervals held the truth");
    assert!(narrower >= 195, "{narrower} of 200");
}

#[test]
fn one_fold_never_predicts_itself() {
    // Rewards are noise: a model that saw its own rounds would follow them.
    let mut world = world(3, 90, 0.0);
    let mut random = ChaCha8Rng::seed_from_u64(9);
    for reward in &mut world.rewards {
        *reward = f64::from(random.random::<f64>() < 0.5);
    }
    let predicted = cross_fit(&sample(&world), FOLDS, 1).unwrap();
    let covariance: f64 = (0..90)
        .map(|row| {
            (predicted[[row, world.chosen[row] as usize]] - 0.5) * (world.rewards[row] - 0.5)
        })
        .sum::<f64>()
        / 90.0;
    assert!(covariance < 0.01, "{covariance}");
}

#[test]
fn the_same_seed_gives_the_same_model_and_customers_stay_together() {
    let world = world(5, 300, 0.1);
    let first = cross_fit(&sample(&world), FOLDS, 42).unwrap();
    assert_eq!(first, cross_fit(&sample(&world), FOLDS, 42).unwrap());
    assert_ne!(first, cross_fit(&sample(&world), FOLDS, 43).unwrap());
    // Every row three times under one customer: all three get one prediction.
    let customers: Vec<u32> = (0..300).map(|row| row / 3).collect();
    let contexts =
        Array2::from_shape_fn((300, 2), |(row, column)| world.contexts[[row / 3, column]]);
    let sample = Sample {
        contexts: contexts.view(),
        customers: Some(&customers),
        ..sample(&world)
    };
    let predicted = cross_fit(&sample, FOLDS, 1).unwrap();
    assert_eq!(predicted.row(0), predicted.row(2));
}

#[test]
fn a_model_is_fitted_on_everything_for_new_rounds() {
    let world = world(13, 4_000, 0.25);
    let model = fit(&sample(&world), FOLDS, 1).unwrap();
    let high = ndarray::arr1(&[0.0, 1.0]);
    assert!(model.predict(high.view(), 2) > model.predict(high.view(), 0) + 0.4);
    let bad = Sample {
        rewards: &world.rewards[1..],
        ..sample(&world)
    };
    assert!(fit(&bad, FOLDS, 1).is_err());
}
