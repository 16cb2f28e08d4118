#![allow(clippy::unwrap_used)]

use super::super::prior::Firmness;
use super::*;
use crate::bandit::fixture::{Owned, layout, rounds, space, sums, unit_ridge};
use crate::bandit::{ActionSpace, Facet};

/// Solves a square system by Gaussian elimination with partial pivoting.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for k in 0..n {
        let pivot = (k..n)
            .max_by(|&a, &b| matrix[a][k].abs().total_cmp(&matrix[b][k].abs()))
            .unwrap();
        matrix.swap(k, pivot);
        right.swap(k, pivot);
        for i in k + 1..n {
            let factor = matrix[i][k] / matrix[k][k];
            let pivot_row = matrix[k].clone();
            for (value, above) in matrix[i].iter_mut().zip(pivot_row).skip(k) {
                *value -= factor * above;
            }
            right[i] -= factor * right[k];
        }
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| matrix[i][j] * right[j]).sum();
        right[i] = (right[i] - known) / matrix[i][i];
    }
    right
}

#[test]
fn the_coefficients_are_the_ridge_solution() {
    let layout = layout(space(), 2, 2);
    let rounds = rounds(&layout, 150, 9);
    let sums = sums(&layout, &rounds);
    let generation = Generation::fit(&sums, &unit_ridge(), 1, 1.0, 1.0).unwrap();
    let equations = NormalEquations::assemble(&sums, 0, 1.0);
    let n = equations.gram.dimension();
    let variance = context_variance(&sums);
    let penalties = unit_ridge()
        .prior
        .penalties(&layout, 0, variance, Firmness::PLAIN);
    let mut matrix = vec![vec![0.0; n]; n];
    for i in 0..n {
        for (j, &value) in equations.gram.row(i).iter().enumerate() {
            matrix[i][j] = value;
            matrix[j][i] = value;
        }
        matrix[i][i] += penalties[i];
    }
    for head in 0..2 {
        let expected = solve(matrix.clone(), equations.moments[head].clone());
        for (found, expected) in generation.weights(0, head).iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}

#[test]
fn equal_sums_publish_equal_generations() {
    let layout = layout(space(), 3, 2);
    let mut rounds = rounds(&layout, 120, 2);
    let config = BanditConfig::default();
    let publish =
        |rounds: &[Owned]| Generation::fit(&sums(&layout, rounds), &config, 4, 1.0, 1.0).unwrap();
    let one = publish(&rounds);
    rounds.reverse();
    assert_eq!(publish(&rounds).digest(), one.digest());
    rounds.pop();
    assert_ne!(publish(&rounds).digest(), one.digest());
}

#[test]
fn the_stored_form_keeps_every_bit_and_notices_a_change() {
    for space in [space(), ActionSpace::plain(3).unwrap()] {
        let layout = layout(space, 2, 1);
        let sums = sums(&layout, &rounds(&layout, 80, 4));
        let generation = Generation::fit(&sums, &BanditConfig::default(), 7, 1.0, 1.0).unwrap();
        let text = serde_json::to_string(&generation).unwrap();
        let back: Generation = serde_json::from_str(&text).unwrap();
        assert_eq!(back, generation);
        let altered = text.replacen("\"labels\":", "\"labels\":1", 1);
        let refused = serde_json::from_str::<Generation>(&altered).unwrap_err();
        assert!(refused.to_string().contains("was published"), "{refused}");
    }
}

#[test]
fn discounted_sums_weigh_less_against_the_prior() {
    let layout = layout(ActionSpace::plain(1).unwrap(), 0, 1);
    let round = Owned {
        context: Vec::new(),
        action: 0,
        heads: vec![1.0],
        weight: 1.0,
    };
    let sums = sums(&layout, &[round.clone(), round.clone(), round]);
    let value = |discount| {
        let generation = Generation::fit(&sums, &unit_ridge(), 1, discount, 1.0).unwrap();
        assert!((generation.labels() - 3.0 * discount).abs() < 1e-12);
        generation.predict(&[], 0).unwrap()[0]
    };
    assert!((value(1.0) - 0.75).abs() < 1e-12);
    assert!((value(0.5) - 0.6).abs() < 1e-12);
}

#[test]
fn a_new_action_starts_from_its_parts() {
    let facets = vec![
        Facet::contextual("channel", ["email", "sms"]),
        Facet::contextual("timing", ["morning", "evening"]),
    ];
    let actions = vec![vec![0, 0], vec![0, 1], vec![1, 0], vec![1, 1]];
    let layout = layout(ActionSpace::new(facets, actions, None).unwrap(), 0, 1);
    // SMS and evening each pay; SMS in the evening was never tried.
    let rewards = [0.0, 1.0, 1.0];
    let rounds: Vec<Owned> = (0..3000)
        .map(|at| Owned {
            context: Vec::new(),
            action: at % 3,
            heads: vec![rewards[at % 3]],
            weight: 1.0,
        })
        .collect();
    let generation = Generation::fit(
        &sums(&layout, &rounds),
        &BanditConfig::default(),
        1,
        1.0,
        1.0,
    )
    .unwrap();
    let value = |action| generation.predict(&[], action).unwrap()[0];
    assert!(
        value(3) > value(1) + 0.1 && value(3) > value(2) + 0.1,
        "{}",
        value(3)
    );
}

#[test]
fn the_reference_has_no_effect_of_its_own() {
    let layout = layout(space(), 2, 1);
    let generation = Generation::fit(
        &sums(&layout, &rounds(&layout, 100, 6)),
        &BanditConfig::default(),
        1,
        1.0,
        1.0,
    )
    .unwrap();
    let parts = generation.explain(&[0.4, -0.2], 0).unwrap();
    assert!(
        parts[0]
            .contributions
            .iter()
            .all(|part| part.part == "baseline")
    );
}

#[test]
fn the_prior_follows_the_signal() {
    // Strong effects of the context ask for less shrinkage than none at all.
    let layout = layout(ActionSpace::plain(2).unwrap(), 3, 1);
    let strong = rounds(&layout, 600, 8);
    let mut noise = strong.clone();
    for (at, round) in noise.iter_mut().enumerate() {
        round.heads[0] = f64::from(at % 7 == 0);
    }
    let config = BanditConfig::default();
    let factor = |rounds: &[Owned]| {
        Generation::fit(&sums(&layout, rounds), &config, 1, 1.0, 1.0)
            .unwrap()
            .shrinkage()
    };
    assert!(
        factor(&strong) < factor(&noise),
        "{} {}",
        factor(&strong),
        factor(&noise)
    );
}
