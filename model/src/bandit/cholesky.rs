//! Cholesky factorisation of the normal equations.
//!
//! ```text
//! M = L L'      L lower triangular with a positive diagonal
//! ```
//! Right-looking and blocked: a panel of columns is factored, the rest is updated with a matrix product.
//! The order of operations depends on the dimension alone, so equal sums give equal factors on one build
//! and one family of processors; what is published is the solution, not the recipe.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, ShapeBuilder};
use serde::{Deserialize, Serialize};

/// Columns factored before the rest of the matrix is updated.
const PANEL: usize = 32;
/// Rows updated at a time; a strip ends at its last row's diagonal.
const STRIP: usize = 96;

/// A pivot that is not positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BadPivot {
    pub(super) pivot: usize,
    pub(super) value: f64,
}

/// A square matrix of which only the lower triangle counts, row after row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<f64>>", into = "Vec<Vec<f64>>")]
pub(super) struct Lower {
    n: usize,
    values: Vec<f64>,
}

impl From<Lower> for Vec<Vec<f64>> {
    fn from(lower: Lower) -> Self {
        (0..lower.n).map(|i| lower.row(i).to_vec()).collect()
    }
}

impl TryFrom<Vec<Vec<f64>>> for Lower {
    type Error = String;

    fn try_from(rows: Vec<Vec<f64>>) -> Result<Self, String> {
        let mut lower = Self::zeros(rows.len());
        for (i, row) in rows.iter().enumerate() {
            if row.len() != i + 1 {
                return Err(format!("row {i} of a triangle has {} entries", row.len()));
            }
            lower.row_mut(i).copy_from_slice(row);
        }
        Ok(lower)
    }
}

/// `L`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cholesky {
    lower: Lower,
}

impl Lower {
    pub(super) fn zeros(n: usize) -> Self {
        Self {
            n,
            values: vec![0.0; n * n],
        }
    }

    pub(super) fn dimension(&self) -> usize {
        self.n
    }

    /// Row `i` up to its diagonal.
    pub(super) fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.n..i * self.n + i + 1]
    }

    /// Row `i` up to its diagonal.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..i * self.n + i + 1]
    }

    fn diagonal(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().step_by(self.n + 1).copied()
    }

    /// All rows before `i`, and row `i` up to its diagonal.
    fn split(&mut self, i: usize) -> (&[f64], &mut [f64]) {
        let (above, rest) = self.values.split_at_mut(i * self.n);
        (above, &mut rest[..=i])
    }
}

impl Cholesky {
    /// Factors a symmetric positive definite matrix.
    pub(super) fn new(mut matrix: Lower) -> Result<Self, BadPivot> {
        let n = matrix.n;
        let mut from = 0;
        while from < n {
            let to = (from + PANEL).min(n);
            factor_panel(&mut matrix, from, to)?;
            update_rest(&mut matrix, from, to);
            from = to;
        }
        Ok(Self { lower: matrix })
    }

    /// `ln det M`.
    pub(super) fn log_determinant(&self) -> f64 {
        2.0 * self.lower.diagonal().map(libm::log).sum::<f64>()
    }

    /// A lower bound on the condition number of `M`: the squared ratio of the extreme pivots; 1 of an
    /// empty matrix.
    pub(super) fn condition(&self) -> f64 {
        let extremes = self.lower.diagonal().fold(None, |seen, pivot| {
            let (low, high): (f64, f64) = seen.unwrap_or((pivot, pivot));
            Some((low.min(pivot), high.max(pivot)))
        });
        extremes.map_or(1.0, |(low, high)| (high / low) * (high / low))
    }

    /// Rows and columns.
    pub(super) fn dimension(&self) -> usize {
        self.lower.n
    }

    /// `z = L⁻¹ b`.
    pub(super) fn forward(&self, b: Vec<f64>) -> Vec<f64> {
        self.forward_from(0, b)
    }

    /// `z = L⁻¹ b` of a `b` that is zero before place `first`.
    pub(super) fn forward_from(&self, first: usize, mut b: Vec<f64>) -> Vec<f64> {
        for i in first..b.len() {
            let row = self.lower.row(i);
            b[i] = (b[i] - dot(&row[first..i], &b[first..i])) / row[i];
        }
        b
    }

    /// `w = L'⁻¹ z`.
    pub(super) fn backward(&self, mut z: Vec<f64>) -> Vec<f64> {
        for i in (0..z.len()).rev() {
            let row = self.lower.row(i);
            let solved = z[i] / row[i];
            z[i] = solved;
            add_scaled(&mut z[..i], -solved, &row[..i]);
        }
        z
    }

    /// `L⁻¹`, row after row of its lower triangle.
    pub(super) fn inverse_rows(&self) -> Vec<f64> {
        let n = self.lower.n;
        let mut inverse: Vec<f64> = Vec::with_capacity(n * (n + 1) / 2);
        let mut own = vec![0.0; n];
        for i in 0..n {
            let row = self.lower.row(i);
            own[..i].fill(0.0);
            let mut start = 0;
            for (k, &factor) in row[..i].iter().enumerate() {
                let earlier = &inverse[start..=start + k];
                add_scaled(&mut own[..=k], -factor, earlier);
                start += k + 1;
            }
            inverse.extend(own[..i].iter().map(|value| value / row[i]));
            inverse.push(1.0 / row[i]);
        }
        inverse
    }
}

/// Factors columns `from .. to` of all rows from `from` on.
fn factor_panel(matrix: &mut Lower, from: usize, to: usize) -> Result<(), BadPivot> {
    let n = matrix.n;
    for i in from..n {
        let (above, row) = matrix.split(i);
        for j in from..to.min(i) {
            let pivot_row = &above[j * n..];
            row[j] = (row[j] - dot(&row[from..j], &pivot_row[from..j])) / pivot_row[j];
        }
        if i < to {
            let done = &row[from..i];
            let value = row[i] - dot(done, done);
            if !(value > 0.0 && value.is_finite()) {
                return Err(BadPivot { pivot: i, value });
            }
            row[i] = value.sqrt();
        }
    }
    Ok(())
}

/// Takes the panel's products from the columns after it, on and below the diagonal.
fn update_rest(matrix: &mut Lower, from: usize, to: usize) {
    let n = matrix.n;
    let width = to - from;
    let mut panel = Vec::with_capacity((n - to) * width);
    for i in to..n {
        panel.extend_from_slice(&matrix.values[i * n + from..i * n + to]);
    }
    let mut top = to;
    while top < n {
        let bottom = (top + STRIP).min(n);
        let (rows, columns) = (bottom - top, bottom - to);
        let left =
            ArrayView2::from_shape((rows, width), &panel[(top - to) * width..columns * width]);
        let right = ArrayView2::from_shape((columns, width), &panel[..columns * width]);
        let end = (bottom - 1) * n + bottom;
        let target = ArrayViewMut2::from_shape(
            (rows, columns).strides((n, 1)),
            &mut matrix.values[top * n + to..end],
        );
        const FITS: &str = "slices are cut to these shapes";
        let (left, right) = (left.expect(FITS), right.expect(FITS));
        general_mat_mul(-1.0, &left, &right.t(), 1.0, &mut target.expect(FITS));
        top = bottom;
    }
}

/// `sums += factor · terms`.
fn add_scaled(sums: &mut [f64], factor: f64, terms: &[f64]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += factor * term;
    }
}

/// An inner product in four interleaved sums: a fixed order, and no chain of additions to wait for.
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (left, left_rest) = left.as_chunks::<4>();
    let (right, right_rest) = right.as_chunks::<4>();
    for (a, b) in left.iter().zip(right) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests;
