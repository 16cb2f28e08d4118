//! The plain form: one straight line a number, one constant a level; what scikit-learn's logistic regression does
//! after median imputation, missing indicators, standardisation and one-hot encoding.

use lagom_model::calibration::Calibration;
use lagom_model::linear::{
    InputColumn, Level, Levels, Linear, LinearModel, LinearParts, MissingIndicator, Term,
};
use ndarray::Array2;

use super::dense::Dense;
use super::newton::{self, Bound, Solution};
use super::prepare::{Preparation, Prepared};
use super::{FitError, certify};

/// What a few neighbouring design columns stand for.
enum Part {
    Line(Linear),
    Missing(MissingIndicator),
    Levels {
        column: usize,
        levels: Vec<String>,
        missing: bool,
    },
}

/// A dense design and what its columns stand for.
pub(super) struct Plain {
    inputs: Vec<InputColumn>,
    parts: Vec<Part>,
    matrix: Array2<f64>,
    bounds: Vec<Bound>,
    outcomes: Vec<f64>,
    pub(super) solution: Solution,
}

impl Plain {
    pub(super) fn new(preparation: &Preparation, outcomes: &[f64]) -> Self {
        let mut parts = Vec::new();
        let mut design: Vec<Vec<f64>> = Vec::new();
        for (column, prepared) in preparation.columns.iter().enumerate() {
            match prepared {
                Prepared::LeftOut(_) => {}
                Prepared::Number(numbers) => add_number(&mut parts, &mut design, column, numbers),
                Prepared::Category { levels, index } => {
                    let missing = index.contains(&levels.len());
                    for level in 0..levels.len() + usize::from(missing) {
                        design.push(index.iter().map(|at| f64::from(*at == level)).collect());
                    }
                    parts.push(Part::Levels {
                        column,
                        levels: levels.clone(),
                        missing,
                    });
                }
            }
        }
        let bounds = bounds(&parts, preparation);
        let rows = outcomes.len();
        let mut matrix = Array2::<f64>::zeros((rows, design.len()));
        for (mut to, from) in matrix.columns_mut().into_iter().zip(design) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = from);
        }
        Self {
            inputs: preparation.inputs.clone(),
            parts,
            solution: Solution::start(matrix.ncols(), outcomes),
            matrix,
            bounds,
            outcomes: outcomes.to_vec(),
        }
    }

    /// Fits from the last solution.
    pub(super) fn fit(&mut self, alpha: f64, tolerance: f64) -> Result<(), FitError> {
        let design = Dense::bounded(self.matrix.view(), self.bounds.clone());
        let start = self.solution.clone();
        self.solution = newton::minimise(&design, &self.outcomes, alpha, start, tolerance)?;
        Ok(())
    }

    /// Lets linfa check and finish the fit.
    pub(super) fn certify(&mut self, alpha: f64, tolerance: f64) -> Result<(), FitError> {
        let (start, bounds) = (&self.solution, &self.bounds);
        self.solution = if bounds.iter().all(|bound| *bound == Bound::Free) {
            certify::certify(self.matrix.view(), &self.outcomes, alpha, start, tolerance)?
        } else {
            let mut matrix = self.matrix.clone();
            let bounded = (start, bounds.as_slice());
            certify::bounded(&mut matrix, &self.outcomes, alpha, bounded, tolerance)?
        };
        Ok(())
    }

    /// The fit as a model's numbers.
    pub(super) fn model(&self) -> Result<LinearModel, FitError> {
        let mut weights = self.solution.weights.iter().copied().enumerate();
        let mut next = || weights.next().unwrap_or_default();
        let mut terms = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            terms.push(match part {
                Part::Line(line) => Term::Linear(Linear {
                    weight: next().1,
                    ..line.clone()
                }),
                Part::Missing(missing) => Term::Missing(MissingIndicator {
                    weight: next().1,
                    ..missing.clone()
                }),
                Part::Levels {
                    column,
                    levels,
                    missing,
                } => {
                    let mut mean = 0.0;
                    let mut weigh = || {
                        let (column, weight) = next();
                        mean += weight * self.matrix.column(column).mean().unwrap_or(0.0);
                        weight
                    };
                    let weighed: Vec<Level> = levels
                        .iter()
                        .map(|level| Level {
                            level: level.clone(),
                            weight: weigh(),
                        })
                        .collect();
                    let missing = if *missing { weigh() } else { 0.0 };
                    Term::Levels(Levels {
                        column: *column,
                        levels: weighed,
                        missing,
                        mean,
                    })
                }
            });
        }
        Ok(LinearModel::new(LinearParts {
            columns: self.inputs.clone(),
            intercept: self.solution.intercept,
            terms,
            calibration: Calibration::Identity,
        })?)
    }
}

/// The bound of each design column: that of a line is its column's.
fn bounds(parts: &[Part], preparation: &Preparation) -> Vec<Bound> {
    let of = |part: &Part| match part {
        Part::Line(line) => vec![preparation.bounds[line.column]],
        Part::Missing(_) => vec![Bound::Free],
        Part::Levels {
            levels, missing, ..
        } => vec![Bound::Free; levels.len() + usize::from(*missing)],
    };
    parts.iter().flat_map(of).collect()
}

fn add_number(parts: &mut Vec<Part>, design: &mut Vec<Vec<f64>>, column: usize, numbers: &[f64]) {
    let median = median(numbers);
    let mut line: Vec<f64> = numbers
        .iter()
        .map(|x| if x.is_nan() { median } else { *x })
        .collect();
    if let Some((centre, scale)) = standardise(&mut line) {
        design.push(line);
        parts.push(Part::Line(Linear {
            column,
            median,
            centre,
            scale,
            weight: 0.0,
        }));
    }
    let mut missing: Vec<f64> = numbers.iter().map(|x| f64::from(x.is_nan())).collect();
    if let Some((centre, scale)) = standardise(&mut missing) {
        design.push(missing);
        parts.push(Part::Missing(MissingIndicator {
            column,
            centre,
            scale,
            weight: 0.0,
        }));
    }
}

/// The median of the known numbers; the mean of the middle two when their count is even.
fn median(numbers: &[f64]) -> f64 {
    let mut known: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
    known.sort_unstable_by(f64::total_cmp);
    match known.len() {
        0 => 0.0,
        count if count % 2 == 1 => known[count / 2],
        count => f64::midpoint(known[count / 2 - 1], known[count / 2]),
    }
}

/// Brings numbers to mean 0 and population standard deviation 1; the two are returned. `None` when they are constant.
fn standardise(numbers: &mut [f64]) -> Option<(f64, f64)> {
    if numbers.iter().all(|x| *x == numbers[0]) {
        return None;
    }
    let rows = numbers.len() as f64;
    let centre = numbers.iter().sum::<f64>() / rows;
    let variance = numbers.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / rows;
    let scale = variance.sqrt();
    if !scale.is_finite() || scale <= 0.0 {
        return None;
    }
    for x in numbers.iter_mut() {
        *x = (*x - centre) / scale;
    }
    Some((centre, scale))
}
