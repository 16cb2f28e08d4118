#![allow(clippy::unwrap_used)]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A random positive definite matrix, in full.
fn matrix(n: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rows: Vec<Vec<f64>> = (0..n)
        .map(|_| (0..n).map(|_| rng.random::<f64>() - 0.5).collect())
        .collect();
    (0..n)
        .map(|i| {
            (0..n)
                .map(|j| {
                    let inner: f64 = rows[i].iter().zip(&rows[j]).map(|(a, b)| a * b).sum();
                    inner + f64::from(i == j)
                })
                .collect()
        })
        .collect()
}

fn lower(full: &[Vec<f64>]) -> Lower {
    let mut lower = Lower::zeros(full.len());
    for (i, row) in full.iter().enumerate() {
        lower.row_mut(i).copy_from_slice(&row[..=i]);
    }
    lower
}

fn close(found: f64, expected: f64) {
    let tolerance = 1e-9 * expected.abs().max(1.0);
    assert!((found - expected).abs() < tolerance, "{found} {expected}");
}

/// Sizes on both sides of a panel and of a strip.
const SIZES: [usize; 9] = [1, 2, 7, 31, 32, 33, 96, 145, 203];

#[test]
fn solutions_solve() {
    for n in SIZES {
        let full = matrix(n, n as u64);
        let factor = Cholesky::new(lower(&full)).unwrap();
        let b: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
        let x = factor.backward(factor.forward(b.clone()));
        for (row, &expected) in full.iter().zip(&b) {
            close(row.iter().zip(&x).map(|(a, b)| a * b).sum(), expected);
        }
    }
}

#[test]
fn the_inverse_factor_whitens() {
    for n in SIZES {
        let full = matrix(n, 77 + n as u64);
        let factor = Cholesky::new(lower(&full)).unwrap();
        let inverse = factor.inverse_rows();
        let b: Vec<f64> = (0..n).map(|i| (i as f64).cos()).collect();
        let z = factor.forward(b.clone());
        let mut start = 0;
        for (i, &expected) in z.iter().enumerate() {
            let row = &inverse[start..=start + i];
            start += i + 1;
            close(row.iter().zip(&b).map(|(a, b)| a * b).sum(), expected);
        }
    }
}

#[test]
fn the_determinant_and_condition_of_a_diagonal() {
    let factor = Cholesky::new(lower(&[vec![4.0, 0.0], vec![0.0, 0.25]])).unwrap();
    close(factor.log_determinant(), 0.0);
    close(factor.condition(), 16.0);
    close(Cholesky::new(Lower::zeros(0)).unwrap().condition(), 1.0);
}

#[test]
fn an_indefinite_matrix_is_refused_with_its_pivot() {
    let bad = Cholesky::new(lower(&[vec![1.0, 2.0], vec![2.0, 1.0]])).unwrap_err();
    assert_eq!(bad.pivot, 1);
    close(bad.value, -3.0);
}
