//! The contradictions that a set of model numbers may hold.

use super::{Axis, InputKind, Level, LinearParts, Term};
use crate::calibration::CalibrationError;

/// Why numbers are not a model, or a row is not one of its rows.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LinearError {
    /// A row of another width was given.
    #[error("the row has {found} cells, the model reads {expected} columns")]
    RowWidth {
        /// Cells in the row.
        found: usize,
        /// Columns of the model.
        expected: usize,
    },
    /// Two columns share a name.
    #[error("two columns of the model are called `{name}`")]
    RepeatedColumn {
        /// The name.
        name: String,
    },
    /// A term refers to a column that is not there.
    #[error("term {term} reads column {column}, but the model has {columns} columns")]
    NoSuchColumn {
        /// Place of the term.
        term: usize,
        /// Place asked for.
        column: usize,
        /// Columns of the model.
        columns: usize,
    },
    /// A term reads a column of another kind.
    #[error("term {term} reads `{column}` as {expected}, which it is not")]
    WrongKind {
        /// Place of the term.
        term: usize,
        /// Name of the column.
        column: String,
        /// `a number` or `a category`.
        expected: &'static str,
    },
    /// A number that must be finite is not, or a scale is not positive.
    #[error("{place}: {what} is {value}, which is out of range")]
    OutOfRange {
        /// `term 3`, `column x`, `intercept`.
        place: String,
        /// Which number.
        what: &'static str,
        /// The number.
        value: f64,
    },
    /// Knots, cuts or levels do not ascend strictly.
    #[error("{place}: {what} do not ascend strictly at place {index}")]
    OutOfOrder {
        /// `term 3`, `column x`.
        place: String,
        /// Which list.
        what: &'static str,
        /// Place of the first entry that does not exceed the one before it.
        index: usize,
    },
    /// Two lists that belong together differ in length.
    #[error("{place}: {found} {what}, expected {expected}")]
    Length {
        /// `term 3`.
        place: String,
        /// Which list.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length it must have.
        expected: usize,
    },
    /// The calibration map is not a map.
    #[error("calibration: {0}")]
    Calibration(#[from] CalibrationError),
}

pub(super) fn check(parts: &LinearParts) -> Result<(), LinearError> {
    for (index, column) in parts.columns.iter().enumerate() {
        let repeated = parts.columns[..index].iter().any(|c| c.name == column.name);
        if repeated {
            return Err(LinearError::RepeatedColumn {
                name: column.name.clone(),
            });
        }
        if let InputKind::Encoded(encoding) = &column.kind {
            let place = format!("column `{}`", column.name);
            levels(&place, &encoding.levels)?;
            finite(&place, "the value of an unseen level", encoding.unseen)?;
            finite(&place, "the value of a missing cell", encoding.missing)?;
        }
    }
    finite("the model", "intercept", parts.intercept)?;
    for (index, term) in parts.terms.iter().enumerate() {
        columns(parts, index, term)?;
        numbers(&format!("term {index}"), term)?;
    }
    parts.calibration.check()?;
    Ok(())
}

/// Every column a term reads must exist and be of the kind the term reads.
fn columns(parts: &LinearParts, index: usize, term: &Term) -> Result<(), LinearError> {
    let need = |column: usize, category: bool| {
        let found = parts.columns.get(column).ok_or(LinearError::NoSuchColumn {
            term: index,
            column,
            columns: parts.columns.len(),
        })?;
        if (found.kind == InputKind::Category) == category {
            return Ok(());
        }
        Err(LinearError::WrongKind {
            term: index,
            column: found.name.clone(),
            expected: if category { "a category" } else { "a number" },
        })
    };
    match term {
        Term::Linear(line) => need(line.column, false),
        Term::Missing(missing) => need(missing.column, false),
        Term::Shape(shape) => need(shape.column, false),
        Term::Levels(levels) => need(levels.column, true),
        Term::Pair(pair) => [&pair.first, &pair.second]
            .into_iter()
            .try_for_each(|axis| need(axis.column(), matches!(axis, Axis::Levels { .. }))),
    }
}

fn numbers(place: &str, term: &Term) -> Result<(), LinearError> {
    match term {
        Term::Linear(line) => {
            finite(place, "median", line.median)?;
            finite(place, "centre", line.centre)?;
            positive(place, "scale", line.scale)?;
            finite(place, "weight", line.weight)
        }
        Term::Missing(missing) => {
            finite(place, "centre", missing.centre)?;
            positive(place, "scale", missing.scale)?;
            finite(place, "weight", missing.weight)
        }
        Term::Shape(shape) => {
            length(
                place,
                "heights",
                shape.heights.len(),
                shape.knots.len().max(1),
            )?;
            ascending(place, "knots", &shape.knots, f64::lt)?;
            ascending(place, "special values", &shape.special, |a, b| {
                a.value < b.value
            })?;
            let special = shape.special.iter().map(|special| special.weight);
            for height in shape.heights.iter().copied().chain(special) {
                finite(place, "height", height)?;
            }
            for knot in &shape.knots {
                finite(place, "knot", *knot)?;
            }
            finite(place, "height of a missing cell", shape.missing)?;
            finite(place, "mean", shape.mean)
        }
        Term::Levels(term) => {
            levels(place, &term.levels)?;
            finite(place, "weight of a missing cell", term.missing)?;
            finite(place, "mean", term.mean)
        }
        Term::Pair(pair) => {
            for axis in [&pair.first, &pair.second] {
                match axis {
                    Axis::Cuts { cuts, .. } => ascending(place, "cuts", cuts, f64::lt)?,
                    Axis::Levels { levels, .. } => ascending(place, "levels", levels, String::lt)?,
                }
            }
            let cells = pair.first.bins() * pair.second.bins();
            length(place, "weights", pair.weights.len(), cells)?;
            for weight in &pair.weights {
                finite(place, "weight", *weight)?;
            }
            finite(place, "mean", pair.mean)
        }
    }
}

fn levels(place: &str, levels: &[Level]) -> Result<(), LinearError> {
    ascending(place, "levels", levels, |a, b| a.level < b.level)?;
    levels
        .iter()
        .try_for_each(|level| finite(place, "weight of a level", level.weight))
}

fn finite(place: &str, what: &'static str, value: f64) -> Result<(), LinearError> {
    if value.is_finite() {
        return Ok(());
    }
    Err(LinearError::OutOfRange {
        place: place.to_owned(),
        what,
        value,
    })
}

fn positive(place: &str, what: &'static str, value: f64) -> Result<(), LinearError> {
    finite(place, what, value)?;
    if value > 0.0 {
        return Ok(());
    }
    Err(LinearError::OutOfRange {
        place: place.to_owned(),
        what,
        value,
    })
}

fn ascending<T>(
    place: &str,
    what: &'static str,
    list: &[T],
    below: impl Fn(&T, &T) -> bool,
) -> Result<(), LinearError> {
    match list.windows(2).position(|pair| !below(&pair[0], &pair[1])) {
        Some(index) => Err(LinearError::OutOfOrder {
            place: place.to_owned(),
            what,
            index: index + 1,
        }),
        None => Ok(()),
    }
}

fn length(
    place: &str,
    what: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), LinearError> {
    if found == expected {
        return Ok(());
    }
    Err(LinearError::Length {
        place: place.to_owned(),
        what,
        found,
        expected,
    })
}
