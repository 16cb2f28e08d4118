//! A design matrix that is held as it is.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::newton::{Bound, Design};

/// Rows whose weighted copy fits the second-level cache for some hundred columns.
const ROWS_AT_A_TIME: usize = 1024;

/// A dense design, shape (rows, width).
pub(super) struct Dense<'a> {
    matrix: ArrayView2<'a, f64>,
    bounds: Vec<Bound>,
}

impl<'a> Dense<'a> {
    pub(super) fn new(matrix: ArrayView2<'a, f64>) -> Self {
        Self {
            matrix,
            bounds: Vec::new(),
        }
    }

    /// With a bound for each weight.
    pub(super) fn bounded(matrix: ArrayView2<'a, f64>, bounds: Vec<Bound>) -> Self {
        Self { matrix, bounds }
    }
}

impl Design for Dense<'_> {
    fn rows(&self) -> usize {
        self.matrix.nrows()
    }

    fn width(&self) -> usize {
        self.matrix.ncols()
    }

    fn bounds(&self) -> Vec<Bound> {
        self.bounds.clone()
    }

    fn scores(&self, weights: &[f64]) -> Vec<f64> {
        self.matrix.dot(&ArrayView1::from(weights)).to_vec()
    }

    fn transposed(&self, per_row: &[f64]) -> Vec<f64> {
        let mut sums = Array1::<f64>::zeros(self.width());
        for (row, weight) in self.matrix.rows().into_iter().zip(per_row) {
            sums.scaled_add(*weight, &row);
        }
        sums.to_vec()
    }

    fn gram(&self, curvature: &[f64]) -> Array2<f64> {
        let width = self.width();
        let add = |mut sum: Array2<f64>, (rows, curvature): (ArrayView2<'_, f64>, &[f64])| {
            let mut extended = Array2::<f64>::ones((rows.nrows(), width + 1));
            let mut weighted = Array2::<f64>::zeros((rows.nrows(), width + 1));
            for (row, cells) in rows.rows().into_iter().enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    extended[(row, column)] = *cell;
                    weighted[(row, column)] = curvature[row] * cell;
                }
                weighted[(row, width)] = curvature[row];
            }
            ndarray::linalg::general_mat_mul(1.0, &extended.t(), &weighted, 1.0, &mut sum);
            sum
        };
        // A fixed cut into blocks keeps the sums, and so the model's bytes, independent of the threads.
        let blocks = self.matrix.axis_chunks_iter(Axis(0), ROWS_AT_A_TIME);
        let zero = || Array2::<f64>::zeros((width + 1, width + 1));
        let groups: Vec<_> = blocks.zip(curvature.chunks(ROWS_AT_A_TIME)).collect();
        let sums: Vec<Array2<f64>> = groups
            .par_chunks(groups.len().div_ceil(8).max(1))
            .map(|group| group.iter().copied().fold(zero(), add))
            .collect();
        sums.into_iter().fold(zero(), |sum, part| sum + part)
    }
}
