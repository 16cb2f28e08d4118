//! Fitting linear-logistic models that can be defended: the entry is [`fit_logistic`].
//!
//! ```text
//! Columns ──prepare──> numbers, levels, encoded levels
//!         ──design───> plain (lines, one-hot) or additive (curves, levels, grids over chosen pairs)
//!         ──select───> penalty and pairs, on held-out rows (time-ordered when rows have times)
//!         ──newton───> the optimum of  Σ log-loss + (1/(2C))·|w|²,  intercept free
//!         ──certify──> linfa-logistic started there has the last word
//!         ──calibrate> identity, Platt or isotonic, on held-out rows
//!         ──────────-> LinearModel: plain numbers, exact to explain
//! ```
//!
//! Classes are never weighted: weights buy a threshold with the calibration, and nothing here has a threshold.

mod additive;
mod blocks;
mod calibrate;
mod certify;
mod cholesky;
pub mod columns;
mod curves;
mod dense;
mod error;
mod folds;
mod matrix;
mod newton;
mod pairs;
mod plain;
mod prepare;
mod runs;
mod select;
mod target_encoding;

use lagom_model::calibration::Calibration;
use lagom_model::linear::LinearModel;
use lagom_model::metrics::Metrics;
use serde::{Deserialize, Serialize};

use additive::Additive;
pub use columns::{Cells, Columns, Direction};
pub use error::FitError;
use folds::Order;
pub use matrix::{MatrixFit, fit_matrix};
use plain::Plain;
use prepare::{Preparation, Prepared};
pub use select::{Choice, Tried};

/// Rows below which nothing is fitted.
pub const LEAST_ROWS: usize = 20;
/// Rows of each outcome below which nothing is fitted.
pub const LEAST_OF_EACH: usize = 4;
/// Numbers in a written-out design beyond which linfa is not asked (1 GiB of them).
const MOST_CELLS: usize = 1 << 27;
/// Gradient tolerance of the final fit.
const TOLERANCE: f64 = 1e-7;
/// Gradient tolerance that linfa certifies.
const LINFA_TOLERANCE: f64 = 1e-6;

/// The shape of the terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Straight lines over standardised numbers, missing indicators, one-hot levels.
    Plain,
    /// Curves over numbers, constants for levels, grids over pairs that validation supports.
    #[default]
    Additive,
}

/// How to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// The shape of the terms.
    pub form: Form,
    /// The penalty `C` (above 0) of the plain form, as scikit-learn defines it; `None` chooses it on held-out rows. The
    /// additive form always chooses its own.
    pub c: Option<f64>,
    /// Whether a calibration map may be learnt from held-out rows.
    pub calibrate: bool,
    /// Pairs at most.
    pub most_pairs: usize,
    /// When each row's features were known, in any unit, one a row: rows are then judged only by later rows.
    pub times: Option<Vec<f64>>,
    /// Whom each row belongs to, one a row: rows of a group stay on one side of every split.
    pub groups: Option<Vec<usize>>,
    /// Settings that were chosen already: nothing is chosen, nothing calibrated.
    pub settled: Option<Choice>,
    /// Decides the splits of rows without times; the same seed gives the same bytes.
    pub seed: u64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            form: Form::default(),
            c: None,
            calibrate: true,
            most_pairs: 24,
            times: None,
            groups: None,
            settled: None,
            seed: 1,
        }
    }
}

impl FitOptions {
    /// scikit-learn's `LogisticRegression(C=c)` on the same columns: plain, nothing chosen, nothing calibrated.
    #[must_use]
    pub fn plain(c: f64) -> Self {
        Self {
            form: Form::Plain,
            c: Some(c),
            calibrate: false,
            ..Self::default()
        }
    }
}

/// How a fit went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitReport {
    /// Rows fitted on.
    pub rows: usize,
    /// Rows with the positive outcome.
    pub positives: usize,
    /// Columns, and pairs of columns, that the model reads.
    pub features: Vec<String>,
    /// Columns that were left out, and why.
    pub left_out: Vec<LeftOut>,
    /// Design columns behind the features.
    pub width: usize,
    /// Penalty and pairs, and what they were chosen from.
    pub choice: Choice,
    /// Figures of the held-out predictions the choice rests on, before calibration; `None` when nothing was chosen.
    pub held_out: Option<Metrics>,
    /// Newton steps of the final fit.
    pub newton_steps: usize,
    /// Euclidean norm of the objective's gradient at the Newton solution.
    pub gradient: f64,
    /// Whether linfa-logistic certified the optimum; it is not asked when the written-out design would not fit.
    pub certified: bool,
}

/// A column that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Name of the column.
    pub column: String,
    /// Why.
    pub reason: String,
}

/// Deals `rows` rows into `parts` parts of about equal size by `seed`; rows of one group stay together. One part
/// number a row.
#[must_use]
pub fn deal(rows: usize, groups: Option<&[usize]>, parts: usize, seed: u64) -> Vec<usize> {
    folds::deal(rows, groups, parts, seed)
}

/// Fits a linear-logistic model of `outcomes` (one a row, `true` is the positive outcome) on `columns`.
///
/// # Errors
/// [`FitError`]: fewer than [`LEAST_ROWS`] rows or [`LEAST_OF_EACH`] of an outcome, lists of other lengths, infinite
/// cells, rows without times among rows with times, no usable column, no validation split, a penalty out of range.
pub fn fit_logistic(
    columns: &Columns<'_>,
    outcomes: &[bool],
    options: &FitOptions,
) -> Result<(LinearModel, FitReport), FitError> {
    check(columns, outcomes, options)?;
    let outcomes: Vec<f64> = outcomes.iter().map(|outcome| f64::from(*outcome)).collect();
    let order = Order::new(
        columns.rows(),
        options.times.clone(),
        options.groups.clone(),
        options.seed,
    )?;
    let rows: Vec<usize> = (0..columns.rows()).collect();
    let preparation = prepare::prepare(columns, &rows, &outcomes, &order);
    let left_out = left_out(&preparation);
    if left_out.len() == columns.width() {
        let reasons: Vec<String> = left_out
            .iter()
            .map(|left| format!("`{}`: {}", left.column, left.reason))
            .collect();
        return Err(FitError::NoFeatures {
            reasons: reasons.join("; "),
        });
    }

    let fixed = options.c.map(|c| 1.0 / c);
    let most_pairs = match options.form {
        Form::Plain => 0,
        Form::Additive => options.most_pairs,
    };
    let (choice, calibration, held_out) = match fixed {
        _ if let Some(choice) = &options.settled => (choice.clone(), Calibration::Identity, None),
        Some(alpha) if !options.calibrate && most_pairs == 0 => {
            (nothing_chosen(alpha), Calibration::Identity, None)
        }
        _ => {
            let (choice, held) =
                select::choose(columns, &outcomes, &order, options.form, fixed, most_pairs)?;
            let truth: Vec<f64> = held.rows.iter().map(|row| outcomes[*row]).collect();
            let calibration = if options.calibrate {
                calibrate::choose(&held.scores, &truth, &order.of(&held.rows))?
            } else {
                Calibration::Identity
            };
            let identity = Calibration::Identity;
            let p: Vec<f64> = held
                .scores
                .iter()
                .map(|z| identity.probability(*z))
                .collect();
            let truth: Vec<bool> = truth.iter().map(|y| *y > 0.5).collect();
            (choice, calibration, Some(Metrics::of(&truth, &p)?))
        }
    };

    let (model, solution, certified) = optimum(&preparation, &outcomes, options.form, &choice)?;
    let model = model.with_calibration(calibration)?;
    let mut features: Vec<String> = Vec::new();
    for term in &model.parts().terms {
        let name = term.feature(model.parts());
        if !features.contains(&name) {
            features.push(name);
        }
    }
    let report = FitReport {
        rows: outcomes.len(),
        positives: outcomes.iter().filter(|y| **y > 0.5).count(),
        features,
        left_out,
        width: solution.weights.len(),
        choice,
        held_out,
        newton_steps: solution.steps,
        gradient: solution.gradient,
        certified,
    };
    Ok((model, report))
}

/// The final fit on every row.
fn optimum(
    preparation: &Preparation,
    outcomes: &[f64],
    form: Form,
    choice: &Choice,
) -> Result<(LinearModel, newton::Solution, bool), FitError> {
    match form {
        Form::Plain => {
            let mut plain = Plain::new(preparation, outcomes);
            plain.fit(choice.alpha, TOLERANCE)?;
            plain.certify(choice.alpha, LINFA_TOLERANCE)?;
            Ok((plain.model()?, plain.solution, true))
        }
        Form::Additive => {
            let mut additive = Additive::new(preparation, outcomes);
            select::grow(&mut additive, choice)?;
            additive.fit(choice.alpha, TOLERANCE)?;
            let certified = additive.certify(choice.alpha, LINFA_TOLERANCE, MOST_CELLS)?;
            Ok((additive.model()?, additive.solution, certified))
        }
    }
}

fn nothing_chosen(alpha: f64) -> Choice {
    Choice {
        alpha,
        pairs: 0,
        tried: Vec::new(),
    }
}

fn check(columns: &Columns<'_>, outcomes: &[bool], options: &FitOptions) -> Result<(), FitError> {
    let rows = columns.rows();
    if outcomes.len() != rows {
        return Err(FitError::Lengths {
            what: "outcomes".to_owned(),
            found: outcomes.len(),
            rows,
        });
    }
    if rows < LEAST_ROWS {
        return Err(FitError::TooFewRows {
            rows,
            least: LEAST_ROWS,
        });
    }
    let positives = outcomes.iter().filter(|outcome| **outcome).count();
    if positives.min(rows - positives) < LEAST_OF_EACH {
        return Err(FitError::OneOutcome {
            positives,
            rows,
            least: LEAST_OF_EACH,
        });
    }
    match options.c {
        Some(_) if options.form == Form::Additive => Err(FitError::PenaltyOfAdditive),
        Some(c) if !(c.is_finite() && c > 0.0) => Err(FitError::Option {
            option: "C",
            value: c,
            range: "a finite number above 0",
        }),
        _ => Ok(()),
    }
}

fn left_out(preparation: &Preparation) -> Vec<LeftOut> {
    let columns = preparation.columns.iter().zip(&preparation.inputs);
    columns
        .filter_map(|(column, input)| match column {
            Prepared::LeftOut(reason) => Some(LeftOut {
                column: input.name.clone(),
                reason: reason.clone(),
            }),
            Prepared::Number(_) | Prepared::Category { .. } => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
