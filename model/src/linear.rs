//! A fitted linear-logistic model as plain numbers: what it believes about a row, and exactly why.
//!
//! ```text
//! z(row) = intercept + Σ_k term_k(row)           log-odds before calibration
//! p(row) = calibration(z(row))                   probability of the positive outcome
//! ```
//!
//! Every term reads one column or a pair of columns and answers in log-odds. Whatever the fit needed to make the
//! terms good (medians for missing cells, standardisation, knots, encoded categories) is inside, so a row is given
//! as the world gives it. Nothing here fits anything, and nothing here can fail once the model has been checked:
//! [`LinearModel`] is made from [`LinearParts`] by one function that reports every contradiction it finds.

mod check;
mod explain;
mod row;
mod term;

use serde::{Deserialize, Serialize};

pub use check::LinearError;
pub use explain::{Contribution, Explanation};
pub use row::{Row, Value};
pub use term::{Axis, Level, Levels, Linear, MissingIndicator, Pair, Shape, SpecialValue, Term};

use crate::calibration::Calibration;
use row::Inputs;

/// The numbers of a model before they have been checked; the serialised form of [`LinearModel`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearParts {
    /// What a row must hold, in this order.
    pub columns: Vec<InputColumn>,
    /// Log-odds of a row whose terms are all zero.
    pub intercept: f64,
    /// The summands; each refers to `columns` by place.
    pub terms: Vec<Term>,
    /// The map from log-odds to the probability that is quoted.
    pub calibration: Calibration,
}

/// One column of the rows that a model reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputColumn {
    /// The column's name, unique in its model.
    pub name: String,
    /// How its cells are read.
    pub kind: InputKind,
}

/// How the cells of a column are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum InputKind {
    /// A number; `NaN` and infinities are missing.
    Number,
    /// A category.
    Category,
    /// A category with many levels, read as the number that the training outcomes gave to its level.
    Encoded(TargetEncoding),
}

/// Numbers in place of the levels of a category, learnt from the outcomes of the training rows.
///
/// ```text
/// value(level) = ln(r / (1 − r)),   r = (positives(level) + m·r̄) / (rows(level) + m)
/// ```
/// with `r̄` the training rate and `m` the weight of the prior in rows: rare levels shrink to the overall log-odds.
/// Source: Micci-Barreca, SIGKDD Explorations 3(1), 2001, doi:10.1145/507533.507538.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetEncoding {
    /// Levels in ascending order with their log-odds.
    pub levels: Vec<Level>,
    /// Log-odds for a level that training never saw.
    pub unseen: f64,
    /// Log-odds for a missing cell.
    pub missing: f64,
}

/// A checked linear-logistic model; see the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "LinearParts", into = "LinearParts")]
pub struct LinearModel {
    parts: LinearParts,
}

impl LinearModel {
    /// Checks `parts` and makes a model of them.
    ///
    /// # Errors
    /// [`LinearError`] with the first contradiction: a repeated column, a term that refers to no column or to one
    /// of another kind, a number that is not finite, knots or levels out of order, lengths that disagree.
    pub fn new(parts: LinearParts) -> Result<Self, LinearError> {
        check::check(&parts)?;
        Ok(Self { parts })
    }

    /// The numbers.
    #[must_use]
    pub fn parts(&self) -> &LinearParts {
        &self.parts
    }

    /// The same model with another map from log-odds to probability.
    ///
    /// # Errors
    /// [`LinearError`] when the map is not monotone or not finite.
    pub fn with_calibration(mut self, calibration: Calibration) -> Result<Self, LinearError> {
        self.parts.calibration = calibration;
        Self::new(self.parts)
    }

    /// What a row must hold, in this order.
    #[must_use]
    pub fn columns(&self) -> &[InputColumn] {
        &self.parts.columns
    }

    /// The log-odds of the positive outcome before calibration.
    ///
    /// # Errors
    /// [`LinearError::RowWidth`] when the row has not as many cells as the model has columns.
    pub fn log_odds<R: Row + ?Sized>(&self, row: &R) -> Result<f64, LinearError> {
        let inputs = self.inputs(row)?;
        let terms = self.parts.terms.iter();
        Ok(self.parts.intercept + terms.fold(0.0, |sum, term| sum + term.log_odds(&inputs)))
    }

    /// The calibrated probability of the positive outcome, in (0, 1).
    ///
    /// # Errors
    /// [`LinearError::RowWidth`].
    pub fn predict<R: Row + ?Sized>(&self, row: &R) -> Result<f64, LinearError> {
        Ok(self.parts.calibration.probability(self.log_odds(row)?))
    }

    /// The prediction with the exact share of every column; see [`Explanation`].
    ///
    /// # Errors
    /// [`LinearError::RowWidth`].
    pub fn explain<R: Row + ?Sized>(&self, row: &R) -> Result<Explanation, LinearError> {
        let inputs = self.inputs(row)?;
        Ok(explain::explain(&self.parts, &inputs))
    }

    fn inputs<'a, R: Row + ?Sized>(&'a self, row: &'a R) -> Result<Inputs<'a, R>, LinearError> {
        if row.width() == self.parts.columns.len() {
            Ok(Inputs::new(&self.parts.columns, row))
        } else {
            Err(LinearError::RowWidth {
                found: row.width(),
                expected: self.parts.columns.len(),
            })
        }
    }
}

impl TryFrom<LinearParts> for LinearModel {
    type Error = LinearError;

    fn try_from(parts: LinearParts) -> Result<Self, LinearError> {
        Self::new(parts)
    }
}

impl From<LinearModel> for LinearParts {
    fn from(model: LinearModel) -> Self {
        model.parts
    }
}

#[cfg(test)]
mod tests;
