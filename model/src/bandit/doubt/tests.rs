#![allow(clippy::unwrap_used)]

use super::super::fixture::{layout, rounds, space, sums, unit_ridge};
use super::super::normal_equations::NormalEquations;
use super::super::prior::{Firmness, context_variance};
use super::super::{ActionSpace, Facet, Layout, SufficientStatistics};
use super::*;

/// `δ' M⁻¹ δ` by Gauss-Jordan elimination.
fn quadratic(mut matrix: Vec<Vec<f64>>, delta: &[f64]) -> f64 {
    let n = delta.len();
    let mut solved = delta.to_vec();
    for k in 0..n {
        let pivot = matrix[k][k];
        for i in (0..n).filter(|&i| i != k) {
            let factor = matrix[i][k] / pivot;
            let above = matrix[k].clone();
            for (value, above) in matrix[i].iter_mut().zip(above) {
                *value -= factor * above;
            }
            solved[i] -= factor * solved[k];
        }
    }
    (0..n).map(|k| delta[k] * solved[k] / matrix[k][k]).sum()
}

/// The same variance from dense matrices, coefficient by coefficient, untouched ones included.
fn dense(sums: &SufficientStatistics, layout: &Layout, context: &[f64], a: usize, b: usize) -> f64 {
    let mut variance = 0.0;
    for block in 0..layout.dimensions().len() {
        let equations = NormalEquations::assemble(sums, block, 1.0);
        let n = equations.gram.dimension();
        let penalties =
            unit_ridge()
                .prior
                .penalties(layout, block, context_variance(sums), Firmness::PLAIN);
        let mut matrix = vec![vec![0.0; n]; n];
        for i in 0..n {
            for (j, &value) in equations.gram.row(i).iter().enumerate() {
                matrix[i][j] = value;
                matrix[j][i] = value;
            }
            matrix[i][i] += penalties[i];
        }
        let mut delta = vec![0.0; n];
        for (action, sign) in [(a, 1.0), (b, -1.0)] {
            for &atom in layout.atoms_of(action) {
                let atom = &layout.atoms()[atom as usize];
                if atom.block == block {
                    delta[atom.offset] += sign;
                    if atom.contextual {
                        for (at, entry) in context.iter().enumerate() {
                            delta[atom.offset + 1 + at] += sign * entry;
                        }
                    }
                }
            }
        }
        variance += quadratic(matrix, &delta);
    }
    variance
}

fn agrees(space: ActionSpace, count: usize) {
    let layout = layout(space, 2, 2);
    let rounds = rounds(&layout, count, 7);
    let sums = sums(&layout, &rounds);
    let generation = Generation::fit(&sums, &unit_ridge(), 1, 1.0, 1.0).unwrap();
    let context = [0.3, -0.7];
    let alone = |head: usize, a: usize, b: usize| {
        let mut worth = [0.0, 0.0];
        worth[head] = 1.0;
        generation.deviation(&context, (a, b), &worth).unwrap()
    };
    let actions = layout.space().len();
    for a in 0..actions {
        for b in 0..actions {
            let ratio = dense(&sums, &layout, &context, a, b).max(0.0).sqrt();
            let noise = alone(0, 1, 0) / dense(&sums, &layout, &context, 1, 0).sqrt();
            let found = alone(0, a, b);
            assert!((found - noise * ratio).abs() < 1e-9, "{a} {b}: {found}");
            let both = generation
                .deviation(&context, (a, b), &[-2.0, 3.0])
                .unwrap();
            let bound = 2.0 * found + 3.0 * alone(1, a, b);
            assert!((both - bound).abs() < 1e-9);
        }
    }
}

#[test]
fn the_deviation_is_that_of_the_posterior_by_dense_algebra() {
    agrees(space(), 150);
    // With actions of which some were never tried.
    agrees(space(), 5);
    let plain = Facet::contextual("arm", ["a", "b", "c"]);
    let arms = ActionSpace::new(vec![plain], vec![vec![0], vec![1], vec![2]], None).unwrap();
    agrees(arms, 40);
}

#[test]
fn more_rounds_leave_less_doubt_and_the_noise_is_that_of_the_rewards() {
    let layout = layout(space(), 2, 2);
    let doubt = |count: usize| {
        let sums = sums(&layout, &rounds(&layout, count, 3));
        let fit = Generation::fit(&sums, &unit_ridge(), 1, 1.0, 1.0).unwrap();
        fit.deviation(&[0.1, 0.2], (1, 12), &[0.0, 1.0]).unwrap()
    };
    let (few, many) = (doubt(200), doubt(20_000));
    // A standard deviation falls with the root of the rounds.
    assert!((8.0..12.0).contains(&(few / many)), "{few} {many}");
}

#[test]
fn one_read_back_has_no_posterior_and_is_the_same_generation() {
    let layout = layout(space(), 2, 2);
    let sums = sums(&layout, &rounds(&layout, 60, 3));
    let fit = Generation::fit(&sums, &unit_ridge(), 1, 1.0, 1.0).unwrap();
    let text = serde_json::to_string(&fit).unwrap();
    let read: Generation = serde_json::from_str(&text).unwrap();
    assert_eq!(read, fit);
    assert_eq!(read.deviation(&[0.0, 0.0], (1, 2), &[1.0, 1.0]), None);
    let bare = fit.without_doubt();
    assert_eq!(bare.digest(), fit.digest());
    assert_eq!(bare.deviation(&[0.0, 0.0], (1, 2), &[1.0, 1.0]), None);
}
