#![allow(clippy::unwrap_used)]

use super::{Followed, Lives, part_of};
use crate::ope::Estimate;
use crate::ope::interval::student::{standard_error, student};
use crate::ope::study::{Log, Reminding, truth};

fn world(seed: u64, customers: u32, policy: Reminding) -> (Lives, Followed) {
    let log = Log::draw(seed, customers);
    let followed = log.follow(policy);
    (log.lives, followed)
}

#[test]
fn the_truth_is_found_and_the_model_saves_variance() {
    let target = Reminding([0.8, 0.4]);
    let (lives, followed) = world(11, 20_000, target);
    let worth = &lives.value(&followed).unwrap()[0];
    let error = |estimate| standard_error(estimate, Some(lives.customers())).unwrap().0;
    for estimate in [
        &worth.per_decision,
        &worth.doubly_robust,
        worth.weighted.as_ref().unwrap(),
    ] {
        let distance = (estimate.value - truth(target)).abs();
        assert!(distance < 4.0 * error(estimate), "{distance}");
    }
    assert!(error(&worth.doubly_robust) < error(&worth.per_decision));
}

#[test]
fn the_log_itself_is_worth_its_mean() {
    let (lives, followed) = world(5, 500, Reminding([0.8, 0.4]));
    let own = lives.as_logged(followed.averaged.clone());
    let worth = &lives.value(&own).unwrap()[0];
    let total: f64 = lives.rewards.iter().step_by(lives.metrics).sum();
    let count = lives.len() as f64;
    assert!((worth.per_decision.value - total / count).abs() < 1e-12);
    assert!((lives.overlap(&own).ess - count).abs() < 1e-9);
}

#[test]
fn intervals_cover_when_customers_hang_together() {
    let target = Reminding([0.7, 0.4]);
    let mut covered = 0;
    for seed in 0..300 {
        let (lives, followed) = world(seed, 600, target);
        let worth = lives.value(&followed).unwrap().remove(0);
        let interval = student(&worth.doubly_robust, Some(lives.customers()), 0.95).unwrap();
        covered += u32::from(interval.covers(truth(target)));
    }
    let share = f64::from(covered) / 300.0;
    assert!((share - 0.95).abs() <= 0.04, "{share}");
}

#[test]
fn segments_average_to_the_whole() {
    let (lives, followed) = world(9, 800, Reminding([0.7, 0.4]));
    let whole = lives.value(&followed).unwrap().remove(0).doubly_robust;
    let part = |odd: bool| part_of(&whole, lives.customers(), |life| (life % 2 == 1) == odd);
    let (odd, even) = (part(true).unwrap().0, part(false).unwrap().0);
    let count = lives.len() as f64;
    let weigh = |part: &Estimate| part.value * part.influence.len() as f64 / count;
    assert!((weigh(&odd) + weigh(&even) - whole.value).abs() < 1e-12);
    assert!(part_of(&whole, lives.customers(), |_| false).is_err());
}

#[test]
fn a_policy_of_other_decisions_is_refused() {
    let (lives, _) = world(1, 10, Reminding([0.5, 0.4]));
    let other = Followed {
        weights: vec![1.0; 2],
        averaged: Vec::new(),
    };
    assert!(
        lives
            .value(&other)
            .unwrap_err()
            .to_string()
            .contains("the policy has 2 rows")
    );
}
