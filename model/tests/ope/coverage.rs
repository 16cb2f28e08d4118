//! Estimators and intervals against a truth that is known.
//!
//! Customers differ in a way the policies cannot see, and each has several
//! rounds: rows of one customer hang together.

use lagom_model::ope::{
    Estimator, Facets, Rounds, Shrinkage, Terms,
    interval::{
        bootstrap::{Kind, Options, bootstrap},
        student::student,
    },
};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) const ACTIONS: usize = 4;

/// Reward probability of an action at a context in [0, 1], for a customer of
/// this temper.
pub(crate) fn chance(context: f64, action: usize, temper: f64) -> f64 {
    let liking = [0.4, 0.5, 0.6, 0.45][action] + 0.3 * context * [1.0, 0.0, -0.5, 0.8][action];
    liking + temper
}

pub(crate) fn logging(context: f64) -> [f64; ACTIONS] {
    softmax([1.0 - context, 1.0, 0.5, 0.5 * context])
}

fn target(context: f64) -> [f64; ACTIONS] {
    softmax([2.0 * context, 0.0, 1.0 - context, 1.5 * context])
}

pub(crate) fn softmax(scores: [f64; ACTIONS]) -> [f64; ACTIONS] {
    let total: f64 = scores.iter().map(|score| score.exp()).sum();
    scores.map(|score| score.exp() / total)
}

/// The target's value, by quadrature over the context; tempers average zero.
fn truth() -> f64 {
    let steps = 10_000;
    let at = |step: usize| (step as f64 + 0.5) / steps as f64;
    (0..steps)
        .map(|step| {
            let policy = target(at(step));
            (0..ACTIONS)
                .map(|a| policy[a] * chance(at(step), a, 0.0))
                .sum::<f64>()
        })
        .sum::<f64>()
        / steps as f64
}

fn log(seed: u64, customers: u32, rounds_each: usize) -> Terms {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut chosen, mut rewards, mut p, mut who) = (vec![], vec![], vec![], vec![]);
    let (mut targets, mut logged, mut predicted) = (vec![], vec![], vec![]);
    for customer in 0..customers {
        let temper = if random.random::<bool>() { 0.25 } else { -0.25 };
        // A customer's contexts resemble each other.
        let home = random.random::<f64>();
        for _ in 0..rounds_each {
            let context = home;
            let policy = logging(context);
            let draw = random.random::<f64>();
            let mut action = 0;
            let mut reached = policy[0];
            while draw > reached && action + 1 < ACTIONS {
                action += 1;
                reached += policy[action];
            }
            chosen.push(u32::try_from(action).unwrap());
            let pays = random.random::<f64>() < chance(context, action, temper);
            rewards.push(f64::from(pays));
            p.push(policy[action]);
            who.push(customer);
            targets.extend(target(context));
            logged.extend(policy);
            predicted.extend((0..ACTIONS).map(|a| 0.5 + 0.1 * context * a as f64));
        }
    }
    let shape = (chosen.len(), ACTIONS);
    let matrix = |values| Array2::from_shape_vec(shape, values).unwrap();
    let facets = Facets::new(vec![("half".to_owned(), vec![0, 0, 1, 1])]).unwrap();
    let rounds = Rounds::new(chosen, rewards, p, matrix(targets))
        .unwrap()
        .with_logging(matrix(logged))
        .unwrap()
        .with_predicted(matrix(predicted))
        .unwrap()
        .with_facets(facets)
        .unwrap()
        .with_customers(who)
        .unwrap();
    Terms::of(&rounds)
}

/// Replications: 800 unless LAGOM_REPLICATIONS asks for more (a slow job takes thousands).
fn replications() -> u64 {
    std::env::var("LAGOM_REPLICATIONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(800)
}

/// Unbiased where theory says so, and 95 % intervals by customer cover.
#[test]
fn estimators_are_unbiased_and_clustered_intervals_cover() {
    let truth = truth();
    let ips = Estimator::importance(Shrinkage::None);
    let dr = Estimator::doubly_robust(Shrinkage::None);
    let estimators = [
        ("ips", ips.clone()),
        ("dr", dr.clone()),
        ("snips", ips.self_normalised()),
        ("sndr", dr.self_normalised()),
    ];
    let mut values = vec![Vec::new(); estimators.len()];
    let mut covered = [0_u32; 4];
    let mut covered_naively = 0_u32;
    for seed in 0..replications() {
        let terms = log(seed, 250, 4);
        for (position, (_, estimator)) in estimators.iter().enumerate() {
            let estimate = estimator.estimate(&terms).unwrap();
            values[position].push(estimate.value);
            let interval = student(&estimate, terms.customers(), 0.95).unwrap();
            covered[position] += u32::from(interval.covers(truth));
            if position == 1 {
                let naive = student(&estimate, None, 0.95).unwrap();
                covered_naively += u32::from(naive.covers(truth));
            }
        }
    }
    let n = replications() as f64;
    for (position, (name, _)) in estimators.iter().enumerate() {
        let mean = values[position].iter().sum::<f64>() / n;
        let spread = values[position]
            .iter()
            .map(|v| (v - mean).powi(2))
            .sum::<f64>()
            / n;
        let error = (spread / n).sqrt();
        // Self-normalised estimators are biased by an order less than their error.
        let room = if name.starts_with("sn") { 5.0 } else { 3.5 };
        assert!(
            (mean - truth).abs() < room * error,
            "{name}: mean {mean}, truth {truth}, error {error}"
        );
        let coverage = f64::from(covered[position]) / n;
        println!("{name}: coverage {coverage:.3}");
        // 95 % ± 1.5 %, and three standard errors of the replications.
        let noise = 3.0 * (0.95 * 0.05 / n).sqrt();
        assert!(
            (coverage - 0.95).abs() < 0.015 + noise,
            "{name}: {coverage}"
        );
    }
    let naive = f64::from(covered_naively) / n;
    println!("dr without customers: coverage {naive:.3}");
    assert!(
        naive < 0.93,
        "rows are not independent here, yet {naive} covered"
    );
}

#[test]
fn the_bootstrap_by_customer_covers_and_repeats() {
    let truth = truth();
    let snips = Estimator::importance(Shrinkage::None).self_normalised();
    for kind in [Kind::Percentile, Kind::Accelerated] {
        let mut covered = 0_u32;
        for seed in 0..200 {
            let terms = log(10_000 + seed, 150, 3);
            let options = Options {
                resamples: 300,
                seed,
                kind,
            };
            let interval = bootstrap(&snips, &terms, 0.9, options).unwrap();
            assert_eq!(interval, bootstrap(&snips, &terms, 0.9, options).unwrap());
            covered += u32::from(interval.covers(truth));
        }
        let coverage = f64::from(covered) / 200.0;
        println!("{kind:?}: coverage {coverage:.3}");
        assert!((0.83..=0.97).contains(&coverage), "{kind:?}: {coverage}");
    }
}

/// Marginalised weights bring bias where the reward differs within a group,
/// and OffCEM's model takes most of it away; both vary less than IPS.
#[test]
fn groups_trade_bias_for_variance() {
    let spread = |estimator: &Estimator| {
        let values: Vec<f64> = (0..200)
            .map(|seed| estimator.value(&log(seed, 100, 2)).unwrap())
            .collect();
        let mean = values.iter().sum::<f64>() / 200.0;
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 200.0
    };
    let ips = Estimator::importance(Shrinkage::None);
    assert!(spread(&ips.clone().over("half")) < spread(&ips));
}

#[test]
fn a_difference_on_the_same_rounds_is_sharper_than_two_values() {
    let terms = log(1, 300, 2);
    let ips = Estimator::importance(Shrinkage::None)
        .estimate(&terms)
        .unwrap();
    let clipped = Estimator::importance(Shrinkage::Clip(2.0))
        .estimate(&terms)
        .unwrap();
    let difference = ips.minus(&clipped).unwrap();
    let own = student(&ips, terms.customers(), 0.95).unwrap();
    let paired = student(&difference, terms.customers(), 0.95).unwrap();
    assert!(paired.width() < 0.7 * own.width());
}
