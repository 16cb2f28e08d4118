//! The optimum of the penalised log-loss by Newton's method.
//!
//! ```text
//! J(w, b) = Σ_i [ln(1 + e^{z_i}) − y_i z_i] + (α/2)·|w|²,   z = X·w + b,   α = 1/C
//! ```
//! The intercept `b` is not penalised. `J` is strictly convex, so the optimum is unique and any method that reaches
//! a zero gradient has found it. A factored Hessian, even one of an earlier fit, is kept for the next step as long as
//! steps halve the gradient: on a wide design it costs as much as dozens of steps. A step that does not lower `J` is
//! halved.
//!
//! Weights may be bounded by zero on one side. A bounded weight that stands at zero while the gradient pushes it out
//! is held there, the others take the Newton step of the rest and are brought back to zero where they pass it. The
//! optimum is where the gradient of what is not held is zero (Karush, Kuhn and Tucker): `J` is convex, so this is it.
//! Source: Bertsekas, SIAM Journal on Control and Optimization 20(2), 1982, doi:10.1137/0320018.

use ndarray::Array2;

use super::FitError;
use super::cholesky::{Cholesky, dot};

const MOST_STEPS: usize = 100;
const MOST_HALVINGS: usize = 40;
/// A Hessian is kept while a step shrinks the gradient to at most this share.
const KEEP_HESSIAN_BELOW: f64 = 0.5;

/// On which side of zero a weight may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Bound {
    /// Both.
    #[default]
    Free,
    /// Zero or above.
    Positive,
    /// Zero or below.
    Negative,
}

impl Bound {
    /// `weight`, or zero where it is on the other side.
    pub(super) fn project(self, weight: f64) -> f64 {
        match self {
            Self::Free => weight,
            Self::Positive => weight.max(0.0),
            Self::Negative => weight.min(0.0),
        }
    }

    /// Whether a weight is held at its bound by a gradient that would lower `J` beyond it.
    fn holds(self, weight: f64, gradient: f64) -> bool {
        match self {
            Self::Free => false,
            Self::Positive => weight <= 0.0 && gradient > 0.0,
            Self::Negative => weight >= 0.0 && gradient < 0.0,
        }
    }
}

/// A design matrix `X` (rows × width) that is known by what Newton's method asks of it.
pub(super) trait Design {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Number of columns, without the intercept.
    fn width(&self) -> usize;
    /// `X·w`, one entry a row.
    fn scores(&self, weights: &[f64]) -> Vec<f64>;
    /// `Xᵀ·r` for one number a row.
    fn transposed(&self, per_row: &[f64]) -> Vec<f64>;
    /// The lower triangle of `[X 1]ᵀ·diag(h)·[X 1]`, shape (width + 1) × (width + 1), intercept last.
    fn gram(&self, curvature: &[f64]) -> Array2<f64>;
    /// The bound of each weight; empty where all are free.
    fn bounds(&self) -> Vec<Bound> {
        Vec::new()
    }
    /// What each design column is a multiple of its unscaled self by; empty where that is 1.
    fn scales(&self) -> Vec<f64> {
        Vec::new()
    }
}

/// The last Gram matrix of a design, for fits that begin where the last one ended. The scales and the penalty may have
/// changed since; where columns have come or gone it is of no use.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    gram: Option<(Array2<f64>, Vec<f64>)>,
}

impl Memory {
    /// The Gram matrix, in the scales of `design` as they are now.
    fn gram(&self, design: &impl Design) -> Option<Array2<f64>> {
        let (gram, then) = self.gram.as_ref()?;
        if gram.nrows() != design.width() + 1 {
            return None;
        }
        let now = design.scales();
        let mut gram = gram.clone();
        if now != *then {
            let mut ratios: Vec<f64> = now.iter().zip(then).map(|(now, then)| now / then).collect();
            ratios.resize(gram.nrows(), 1.0);
            for (mut row, ratio) in gram.rows_mut().into_iter().zip(&ratios) {
                row.iter_mut()
                    .zip(&ratios)
                    .for_each(|(entry, other)| *entry *= ratio * other);
            }
        }
        Some(gram)
    }

    fn keep(&mut self, design: &impl Design, gram: &Array2<f64>) {
        self.gram = Some((gram.clone(), design.scales()));
    }
}

/// Weights and intercept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    pub(super) weights: Vec<f64>,
    pub(super) intercept: f64,
    /// Newton steps taken.
    pub(super) steps: usize,
    /// Euclidean norm of the gradient of `J`, without the weights that are held at their bounds.
    pub(super) gradient: f64,
}

impl Solution {
    /// No weights, and the log-odds of the base rate.
    pub(super) fn start(width: usize, outcomes: &[f64]) -> Self {
        let rate = outcomes.iter().sum::<f64>() / outcomes.len() as f64;
        Self {
            weights: vec![0.0; width],
            intercept: (rate / (1.0 - rate)).ln(),
            steps: 0,
            gradient: f64::INFINITY,
        }
    }
}

/// Goes from `start` to where the gradient's Euclidean norm is at most `tolerance`.
///
/// `outcomes` are 0 or 1, one a row; `alpha` is above 0.
///
/// # Errors
/// [`FitError::NotConverged`].
pub(super) fn minimise(
    design: &impl Design,
    outcomes: &[f64],
    alpha: f64,
    start: Solution,
    tolerance: f64,
) -> Result<Solution, FitError> {
    let mut fresh = Memory::default();
    minimise_with(&mut fresh, design, outcomes, alpha, (start, tolerance))
}

/// [`minimise`], beginning with the Hessian that `memory` holds and leaving the last one in it.
///
/// # Errors
/// [`FitError::NotConverged`].
pub(super) fn minimise_with(
    memory: &mut Memory,
    design: &impl Design,
    outcomes: &[f64],
    alpha: f64,
    (start, tolerance): (Solution, f64),
) -> Result<Solution, FitError> {
    let width = design.width();
    let mut bounds = design.bounds();
    bounds.resize(width, Bound::Free);
    let mut at = start;
    for (weight, bound) in at.weights.iter_mut().zip(&bounds) {
        *weight = bound.project(*weight);
    }
    let mut held: Vec<bool> = Vec::new();
    let mut point = Point::at(design, outcomes, alpha, &at);
    let mut factor: Option<Cholesky> = None;
    // Whether the factor was made at the point at which it is used.
    let mut fresh = false;
    let mut last_gradient = f64::INFINITY;
    for steps in 0..MOST_STEPS {
        let mut gradient = point.gradient(design, outcomes, alpha, &at);
        let holds =
            |(place, bound): (usize, &Bound)| bound.holds(at.weights[place], gradient[place]);
        let now_held: Vec<bool> = bounds.iter().enumerate().map(holds).collect();
        for (entry, held) in gradient.iter_mut().zip(&now_held) {
            if *held {
                *entry = 0.0;
            }
        }
        let norm = dot(&gradient, &gradient).sqrt();
        at.steps = steps;
        at.gradient = norm;
        if norm <= tolerance {
            return Ok(at);
        }
        let same = held == now_held;
        held = now_held;
        if factor.is_none() || !same || norm > KEEP_HESSIAN_BELOW * last_gradient {
            let kept = if steps == 0 {
                memory.gram(design)
            } else {
                None
            };
            fresh = kept.is_none();
            let gram = kept.unwrap_or_else(|| point.gram(design, memory));
            factor = Some(factored(gram, alpha, &held).ok_or(FitError::NotConverged {
                steps,
                gradient: norm,
                tolerance,
            })?);
        }
        last_gradient = norm;
        let Some(factored) = &factor else { break };
        let step = factored.solve(gradient);
        let mut length = 1.0;
        let mut moved = None;
        for _ in 0..MOST_HALVINGS {
            let candidate = Solution {
                weights: (0..width)
                    .map(|column| {
                        bounds[column].project(at.weights[column] - length * step[column])
                    })
                    .collect(),
                intercept: at.intercept - length * step[width],
                ..at
            };
            let there = Point::at(design, outcomes, alpha, &candidate);
            // Near the optimum J cannot tell a better point from a worse one; the gradient decides there.
            if there.objective <= point.objective + 1e-12 * point.objective.abs() {
                moved = Some((candidate, there));
                break;
            }
            length *= 0.5;
        }
        match moved {
            Some((candidate, there)) => {
                at = candidate;
                point = there;
                fresh = false;
            }
            None if fresh => break,
            None => factor = None,
        }
    }
    Err(FitError::NotConverged {
        steps: at.steps,
        gradient: at.gradient,
        tolerance,
    })
}

/// The diagonal of the inverse Hessian of `J` at `solution`, intercept last: the weights' posterior variances under
/// the Gaussian prior that the ridge is. `None` when the Hessian is singular to working precision.
pub(super) fn variances(
    memory: &mut Memory,
    design: &impl Design,
    outcomes: &[f64],
    alpha: f64,
    solution: &Solution,
) -> Option<Vec<f64>> {
    let point = Point::at(design, outcomes, alpha, solution);
    let factor = factored(point.gram(design, memory), alpha, &[])?;
    Some(factor.inverse_diagonal())
}

/// The Hessian of `J`, factored; what is `held` moves by itself and moves nothing else. `None` when it is singular to
/// working precision.
fn factored(gram: Array2<f64>, alpha: f64, held: &[bool]) -> Option<Cholesky> {
    let mut hessian = gram;
    let width = hessian.nrows() - 1;
    for column in 0..width {
        hessian[(column, column)] += alpha;
    }
    let places = held.iter().enumerate().filter(|(_, held)| **held);
    for place in places.map(|(place, _)| place) {
        for other in 0..=width {
            hessian[(place, other)] = 0.0;
            hessian[(other, place)] = 0.0;
        }
        hessian[(place, place)] = 1.0;
    }
    Cholesky::of(hessian)
}

/// The objective at one place, with the probabilities there.
struct Point {
    objective: f64,
    probabilities: Vec<f64>,
}

impl Point {
    fn at(design: &impl Design, outcomes: &[f64], alpha: f64, solution: &Solution) -> Self {
        let mut scores = design.scores(&solution.weights);
        let mut loss = 0.0;
        for (score, outcome) in scores.iter_mut().zip(outcomes) {
            let z = *score + solution.intercept;
            // One exponential serves the loss and the probability: ln(1 + e^z) = max(z, 0) + ln(1 + e^−|z|).
            let small = (-z.abs()).exp();
            loss += z.max(0.0) + small.ln_1p() - outcome * z;
            *score = if z >= 0.0 { 1.0 } else { small } / (1.0 + small);
        }
        Self {
            objective: loss + 0.5 * alpha * dot(&solution.weights, &solution.weights),
            probabilities: scores,
        }
    }

    /// Gradient of `J`, intercept last.
    fn gradient(
        &self,
        design: &impl Design,
        outcomes: &[f64],
        alpha: f64,
        at: &Solution,
    ) -> Vec<f64> {
        let residuals: Vec<f64> = self
            .probabilities
            .iter()
            .zip(outcomes)
            .map(|(p, y)| p - y)
            .collect();
        let mut gradient = design.transposed(&residuals);
        for (entry, weight) in gradient.iter_mut().zip(&at.weights) {
            *entry += alpha * weight;
        }
        gradient.push(residuals.iter().sum());
        gradient
    }

    /// The Gram matrix under the curvature here, kept in `memory`.
    fn gram(&self, design: &impl Design, memory: &mut Memory) -> Array2<f64> {
        let curvature: Vec<f64> = self.probabilities.iter().map(|p| p * (1.0 - p)).collect();
        let gram = design.gram(&curvature);
        memory.keep(design, &gram);
        gram
    }
}
