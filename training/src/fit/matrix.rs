//! The bare optimum on a matrix that the caller has already made: what the measurements of fitting time run.

use ndarray::{Array2, ArrayView2, Axis};

use super::dense::Dense;
use super::newton::{self, Solution};
use super::{FitError, LINFA_TOLERANCE, TOLERANCE, certify};

/// Rows that the first guess is fitted on; beyond a few times as many, a guess pays for itself.
const ROWS_TO_GUESS: usize = 20_000;

/// Weights and intercept of the optimum, and how it was reached.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixFit {
    /// Log-odds per unit of each matrix column.
    pub weights: Vec<f64>,
    /// Log-odds of a row of zeros.
    pub intercept: f64,
    /// Newton steps over all rows.
    pub newton_steps: usize,
    /// Euclidean norm of the gradient at the Newton solution.
    pub gradient: f64,
}

/// Minimises `Σ log-loss + (1/(2C))·|w|²`, intercept free, over `matrix` of shape (rows, width), all finite, and
/// `outcomes`, one a row. Nothing is standardised. The matrix is read in place; beside it the fit holds a few numbers
/// a row. A large matrix is first fitted on evenly spaced rows, so that few Newton steps see them all; linfa-logistic
/// has the last word.
///
/// # Errors
/// [`FitError::Lengths`], [`FitError::OneOutcome`], [`FitError::Option`] for a `c` out of range,
/// [`FitError::Infinite`] for the first cell that is not finite, [`FitError::NotConverged`], [`FitError::Linfa`].
pub fn fit_matrix(
    matrix: ArrayView2<'_, f64>,
    outcomes: &[bool],
    c: f64,
) -> Result<MatrixFit, FitError> {
    let rows = matrix.nrows();
    if outcomes.len() != rows {
        return Err(FitError::Lengths {
            what: "outcomes".to_owned(),
            found: outcomes.len(),
            rows,
        });
    }
    let positives = outcomes.iter().filter(|outcome| **outcome).count();
    if positives == 0 || positives == rows {
        return Err(FitError::OneOutcome {
            positives,
            rows,
            least: 1,
        });
    }
    if !(c.is_finite() && c > 0.0) {
        return Err(FitError::Option {
            option: "C",
            value: c,
            range: "a finite number above 0",
        });
    }
    let hole = matrix.indexed_iter().find(|(_, cell)| !cell.is_finite());
    if let Some(((row, column), value)) = hole {
        return Err(FitError::Infinite {
            column: column.to_string(),
            row,
            value: *value,
        });
    }
    let alpha = 1.0 / c;
    let outcomes: Vec<f64> = outcomes.iter().map(|outcome| f64::from(*outcome)).collect();
    let start = guess(matrix, &outcomes, alpha);
    let design = Dense::new(matrix);
    let newton = newton::minimise(&design, &outcomes, alpha, start, tolerance(rows))?;
    let certified = certify::certify(matrix, &outcomes, alpha, &newton, LINFA_TOLERANCE)?;
    Ok(MatrixFit {
        weights: certified.weights,
        intercept: certified.intercept,
        newton_steps: newton.steps,
        gradient: newton.gradient,
    })
}

/// The gradient is a sum over rows, and so is its rounding error.
fn tolerance(rows: usize) -> f64 {
    TOLERANCE * (rows as f64 / 1e5).max(1.0)
}

/// The optimum on evenly spaced rows, where it exists; the base rate elsewhere.
fn guess(matrix: ArrayView2<'_, f64>, outcomes: &[f64], alpha: f64) -> Solution {
    let step = outcomes.len() / ROWS_TO_GUESS;
    let cold = || Solution::start(matrix.ncols(), outcomes);
    if step < 4 {
        return cold();
    }
    let kept: Vec<f64> = outcomes.iter().copied().step_by(step).collect();
    let positives = kept.iter().filter(|outcome| **outcome > 0.5).count();
    if positives == 0 || positives == kept.len() {
        return cold();
    }
    let mut few = Array2::<f64>::zeros((kept.len(), matrix.ncols()));
    for (mut to, from) in few
        .rows_mut()
        .into_iter()
        .zip(matrix.axis_iter(Axis(0)).step_by(step))
    {
        to.assign(&from);
    }
    let start = Solution::start(matrix.ncols(), &kept);
    let design = Dense::new(few.view());
    newton::minimise(&design, &kept, alpha / step as f64, start, 1e-2).unwrap_or_else(|_| cold())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use ndarray::Array2;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::FitError;
    use super::super::dense::Dense;
    use super::super::newton::{Solution, minimise};
    use super::{fit_matrix, guess};

    fn drawn(rows: usize) -> (Array2<f64>, Vec<bool>) {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let matrix = Array2::from_shape_simple_fn((rows, 3), || random.random_range(-1.0..1.0));
        let outcomes = matrix
            .rows()
            .into_iter()
            .map(|row| {
                let z: f64 = 1.5 * row[0] - row[1] - 0.5;
                random.random::<f64>() < 1.0 / (1.0 + (-z).exp())
            })
            .collect();
        (matrix, outcomes)
    }

    #[test]
    fn many_rows_are_fitted_in_few_steps_from_a_guess_on_some() {
        let (matrix, outcomes) = drawn(100_000);
        let numbers: Vec<f64> = outcomes.iter().map(|y| f64::from(*y)).collect();
        let guessed = guess(matrix.view(), &numbers, 1.0);
        assert!((guessed.weights[0] - 1.5).abs() < 0.2, "{guessed:?}");
        let fit = fit_matrix(matrix.view(), &outcomes, 1.0).unwrap();
        let cold = Solution::start(3, &numbers);
        let cold = minimise(&Dense::new(matrix.view()), &numbers, 1.0, cold, 1e-7).unwrap();
        assert!(
            fit.newton_steps < cold.steps && fit.gradient <= 1e-7,
            "{fit:?} {cold:?}"
        );
        for (found, truth) in fit.weights.iter().zip([1.5, -1.0, 0.0]) {
            assert!((found - truth).abs() < 0.06, "{fit:?}");
        }
    }

    #[test]
    fn a_matrix_with_holes_and_a_foolish_penalty_are_refused() {
        let (mut matrix, outcomes) = drawn(100);
        let error = fit_matrix(matrix.view(), &outcomes, 0.0).unwrap_err();
        assert!(matches!(error, FitError::Option { option: "C", .. }));
        matrix[(3, 1)] = f64::NAN;
        let error = fit_matrix(matrix.view(), &outcomes, 1.0).unwrap_err();
        assert!(
            matches!(error, FitError::Infinite { row: 3, .. }),
            "{error}"
        );
        let error = fit_matrix(matrix.view(), &[false; 100], 1.0).unwrap_err();
        assert!(matches!(error, FitError::OneOutcome { positives: 0, .. }));
    }
}
