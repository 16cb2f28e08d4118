//! Solving the Newton equations: Cholesky factor of a symmetric positive definite matrix.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Columns factored at a time.
const PANEL: usize = 48;

/// The lower factor `L` of `A = L·Lᵀ`, rows contiguous.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    lower: Array2<f64>,
}

impl Cholesky {
    /// Factors `matrix` (shape p × p), of which only the lower triangle is read. `None` when it is not positive
    /// definite to working precision.
    pub(super) fn of(mut matrix: Array2<f64>) -> Option<Self> {
        let width = matrix.nrows();
        let mut start = 0;
        while start < width {
            let end = (start + PANEL).min(width);
            if !factor_panel(matrix.as_slice_mut()?, width, start, end) {
                return None;
            }
            // What the panel's columns explain is taken off everything right of them in one product.
            let (_, lower) = matrix.view_mut().split_at(Axis(0), end);
            let (left, mut trailing) = lower.split_at(Axis(1), end);
            let (_, panel) = left.split_at(Axis(1), start);
            general_mat_mul(-1.0, &panel, &panel.t(), 1.0, &mut trailing);
            start = end;
        }
        Some(Self { lower: matrix })
    }

    /// `x` with `A·x = b`.
    pub(super) fn solve(&self, mut b: Vec<f64>) -> Vec<f64> {
        let width = b.len();
        for row in 0..width {
            let line = self.line(row);
            b[row] = (b[row] - dot(&line[..row], &b[..row])) / line[row];
        }
        for row in (0..width).rev() {
            let line = self.line(row);
            b[row] /= line[row];
            let value = b[row];
            for (entry, factor) in b[..row].iter_mut().zip(&line[..row]) {
                *entry -= factor * value;
            }
        }
        b
    }

    /// The diagonal of `A⁻¹`: `(A⁻¹)_jj = Σ_i (L⁻¹)_ij²`.
    pub(super) fn inverse_diagonal(&self) -> Vec<f64> {
        let width = self.lower.ncols();
        (0..width)
            .into_par_iter()
            .map(|column| {
                let mut inverse = vec![0.0; width];
                inverse[column] = 1.0 / self.line(column)[column];
                for row in column + 1..width {
                    let line = self.line(row);
                    let inner = dot(&line[column..row], &inverse[column..row]);
                    inverse[row] = -inner / line[row];
                }
                dot(&inverse[column..], &inverse[column..])
            })
            .collect()
    }

    fn line(&self, row: usize) -> &[f64] {
        let width = self.lower.ncols();
        let cells = self.lower.as_slice().unwrap_or_default();
        &cells[row * width..(row + 1) * width]
    }
}

/// Factors the columns `start..end` of a matrix from whose lower right the columns before have been taken off; `false`
/// when a pivot is not positive.
fn factor_panel(cells: &mut [f64], width: usize, start: usize, end: usize) -> bool {
    for row in start..width {
        let (above, rest) = cells.split_at_mut(row * width);
        let current = &mut rest[..width];
        for column in start..end.min(row) {
            let other = &above[column * width..(column + 1) * width];
            let inner = dot(&current[start..column], &other[start..column]);
            current[column] = (current[column] - inner) / other[column];
        }
        if row < end {
            let pivot = current[row] - dot(&current[start..row], &current[start..row]);
            if !pivot.is_finite() || pivot <= current[row].abs() * 1e-15 {
                return false;
            }
            current[row] = pivot.sqrt();
        }
    }
    true
}

/// `Σ a_i b_i` in eight running sums, so that the compiler may use wide registers; the order of summation is fixed.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (a_wide, a_rest) = a.as_chunks::<8>();
    let (b_wide, b_rest) = b.as_chunks::<8>();
    for (x, y) in a_wide.iter().zip(b_wide) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::{Array1, Array2};

    use super::Cholesky;

    #[test]
    fn solves_what_it_multiplies() {
        let width = 131;
        let root = Array2::from_shape_fn((width, width), |(i, j)| ((i * 7 + j * 13) % 11) as f64);
        let matrix = root.dot(&root.t()) + Array2::<f64>::eye(width);
        let x = Array1::from_shape_fn(width, |i| i as f64 - 7.0);
        let b = matrix.dot(&x).to_vec();
        let solved = Cholesky::of(matrix).unwrap().solve(b);
        for (found, expected) in solved.iter().zip(&x) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn the_diagonal_of_the_inverse_is_that_of_the_solved_unit_vectors() {
        let root = Array2::from_shape_fn((9, 9), |(i, j)| ((i * 7 + j * 13) % 11) as f64);
        let matrix = root.dot(&root.t()) + Array2::<f64>::eye(9);
        let factor = Cholesky::of(matrix).unwrap();
        for (place, found) in factor.inverse_diagonal().into_iter().enumerate() {
            let unit = (0..9).map(|i| f64::from(i == place)).collect();
            assert!((factor.solve(unit)[place] - found).abs() < 1e-12);
        }
    }

    #[test]
    fn an_indefinite_matrix_has_no_factor() {
        let matrix = ndarray::array![[1.0, 2.0], [2.0, 1.0]];
        assert!(Cholesky::of(matrix).is_none());
    }
}
