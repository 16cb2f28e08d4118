//! linfa-logistic has the last word on the optimum.
//!
//! linfa minimises `Σ −ln σ(y_i z_i) + (alpha/2)·|w|²` with the intercept free: our `J` with `alpha = 1/C`. Its
//! L-BFGS stops by default after 100 iterations or at a gradient of 1e-4, which on a wide design is far from the
//! optimum. It is therefore started at our Newton solution with a tighter tolerance: it checks the data, evaluates
//! the gradient itself, and either accepts the start or goes on from it.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ArrayView2};

use super::FitError;
use super::newton::{Bound, Solution};

const MOST_ITERATIONS: u64 = 200;

/// As [`certify`], of a solution whose weights are bounded: linfa, which knows no bounds, is shown the design without
/// the columns whose weights stand at zero, and certifies the others. Those columns of `matrix` are cleared.
pub(super) fn bounded(
    matrix: &mut Array2<f64>,
    outcomes: &[f64],
    alpha: f64,
    (start, bounds): (&Solution, &[Bound]),
    tolerance: f64,
) -> Result<Solution, FitError> {
    for (column, bound) in bounds.iter().enumerate() {
        if *bound != Bound::Free && start.weights[column] == 0.0 {
            matrix.column_mut(column).fill(0.0);
        }
    }
    let mut solution = certify(matrix.view(), outcomes, alpha, start, tolerance)?;
    for (weight, bound) in solution.weights.iter_mut().zip(bounds) {
        *weight = bound.project(*weight);
    }
    Ok(solution)
}

/// Runs linfa-logistic from `start` and returns its weights and intercept.
///
/// `matrix` has shape (rows, width), `outcomes` are 0 or 1 with both present.
///
/// # Errors
/// [`FitError::Linfa`] when linfa refuses the data.
pub(super) fn certify(
    matrix: ArrayView2<'_, f64>,
    outcomes: &[f64],
    alpha: f64,
    start: &Solution,
    tolerance: f64,
) -> Result<Solution, FitError> {
    let labels: Array1<usize> = outcomes.iter().map(|y| usize::from(*y > 0.5)).collect();
    let sign = linfa_sign(&labels);
    let mut parameters: Array1<f64> = start.weights.iter().map(|w| sign * w).collect();
    parameters
        .append(ndarray::Axis(0), ndarray::aview1(&[sign * start.intercept]))
        .map_err(|_| linfa_logistic::error::Error::InvalidInitialParameters)?;
    let fitted = LogisticRegression::default()
        .alpha(alpha)
        .max_iterations(MOST_ITERATIONS)
        .gradient_tolerance(tolerance)
        .initial_params(parameters)
        .fit(&DatasetBase::new(matrix, labels))?;
    // The label that linfa took for positive decides the sign, whatever was assumed for the start.
    let sign = if fitted.labels().pos.class == 1 {
        1.0
    } else {
        -1.0
    };
    Ok(Solution {
        weights: fitted.params().iter().map(|w| sign * w).collect(),
        intercept: sign * fitted.intercept(),
        steps: start.steps,
        gradient: start.gradient,
    })
}

/// linfa calls the more frequent label positive, on a tie the one it meets first.
fn linfa_sign(labels: &Array1<usize>) -> f64 {
    let positives = labels.sum();
    let negatives = labels.len() - positives;
    let positive = match positives.cmp(&negatives) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => labels.first() == Some(&1),
    };
    if positive { 1.0 } else { -1.0 }
}
