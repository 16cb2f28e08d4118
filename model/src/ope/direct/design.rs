//! Context columns on a common scale.

use ndarray::{ArrayView1, ArrayView2};

use crate::ope::numeric::real;

/// Centre and scale of every context column, from the rows of a fit.
#[derive(Debug, Clone)]
pub(super) struct Scaling {
    centre: Vec<f64>,
    /// One over the standard deviation; zero for a constant column.
    scale: Vec<f64>,
}

/// Contexts further out than this many standard deviations are taken as this
/// far: a straight line must not be followed to where no row has been.
const FAR: f64 = 4.0;

impl Scaling {
    pub(super) fn of(contexts: ArrayView2<'_, f64>, rows: &[usize]) -> Self {
        let columns = contexts.ncols();
        let n = real(rows.len());
        let mut centre = vec![0.0; columns];
        let mut spread = vec![0.0; columns];
        for &row in rows {
            for (total, value) in centre.iter_mut().zip(contexts.row(row)) {
                *total += value / n;
            }
        }
        for &row in rows {
            let distances = contexts.row(row).into_iter().zip(&centre);
            for (total, (value, middle)) in spread.iter_mut().zip(distances) {
                *total += (value - middle).powi(2) / n;
            }
        }
        let scale = spread
            .iter()
            .zip(&centre)
            .map(|(variance, middle)| {
                let tiny = 1e-12 * (1.0 + middle.abs());
                let deviation = variance.sqrt();
                if deviation > tiny {
                    1.0 / deviation
                } else {
                    0.0
                }
            })
            .collect();
        Self { centre, scale }
    }

    pub(super) fn columns(&self) -> usize {
        self.centre.len()
    }

    /// The scaled context of a row.
    pub(super) fn apply(&self, context: ArrayView1<'_, f64>) -> impl Iterator<Item = f64> {
        context
            .into_iter()
            .zip(self.centre.iter().zip(&self.scale))
            .map(|(value, (middle, scale))| ((value - middle) * scale).clamp(-FAR, FAR))
    }
}
