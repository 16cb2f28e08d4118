//! What a fit reads: named columns of numbers or categories, borrowed where the caller already has them.

use std::borrow::Cow;

use lagom_model::linear::{Row, Value};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::FitError;
use crate::flat_table::{Column, FlatTable, Values};

/// Named columns of one length. Order matters: a fitted model's rows hold the same columns in the same order.
#[derive(Debug, Clone)]
pub struct Columns<'a> {
    rows: usize,
    columns: Vec<(String, Cells<'a>)>,
    directions: Vec<Option<Direction>>,
    knots: Vec<Option<usize>>,
}

/// How a number may move the log-odds: never the other way, whatever the rows say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More never lowers them.
    Rising,
    /// More never raises them.
    Falling,
}

impl Direction {
    /// The other one, for the opposite outcome.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Rising => Self::Falling,
            Self::Falling => Self::Rising,
        }
    }
}

/// The cells of one column, one a row.
#[derive(Debug, Clone)]
pub enum Cells<'a> {
    /// Finite numbers; `NaN` is missing.
    Number(Cow<'a, [f64]>),
    /// Categories; `None` is missing.
    Text(Cow<'a, [Option<String>]>),
}

impl<'a> Columns<'a> {
    /// The given columns.
    ///
    /// # Errors
    /// [`FitError::Lengths`], [`FitError::RepeatedColumn`], and [`FitError::Infinite`] with the first such cell.
    pub fn new(columns: Vec<(String, Cells<'a>)>) -> Result<Self, FitError> {
        let rows = columns.first().map_or(0, |(_, cells)| cells.len());
        let mut names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(FitError::RepeatedColumn {
                name: pair[0].to_owned(),
            });
        }
        for (name, cells) in &columns {
            if cells.len() != rows {
                return Err(FitError::Lengths {
                    what: format!("cells in column `{name}`"),
                    found: cells.len(),
                    rows,
                });
            }
            if let Cells::Number(numbers) = cells
                && let Some(row) = numbers.iter().position(|number| number.is_infinite())
            {
                return Err(FitError::Infinite {
                    column: name.clone(),
                    row,
                    value: numbers[row],
                });
            }
        }
        let directions = vec![None; columns.len()];
        let knots = vec![None; columns.len()];
        Ok(Self {
            rows,
            columns,
            directions,
            knots,
        })
    }

    /// With directions declared for number columns. What is missing has a weight of its own, to which none applies.
    ///
    /// # Errors
    /// [`FitError::Direction`] where there is no number column of that name.
    pub fn directed<'n>(
        mut self,
        directions: impl IntoIterator<Item = (&'n str, Direction)>,
    ) -> Result<Self, FitError> {
        for (name, direction) in directions {
            let place = self
                .columns
                .iter()
                .position(|(known, cells)| known == name && matches!(cells, Cells::Number(_)));
            let Some(place) = place else {
                return Err(FitError::Direction {
                    column: name.to_owned(),
                });
            };
            self.directions[place] = Some(direction);
        }
        Ok(self)
    }

    /// With splines declared for number columns: the additive form bends the curve of each at so many quantiles of
    /// the training rows, the ends among them, and nowhere else; fewer where quantiles fall together. Two at least.
    ///
    /// # Errors
    /// [`FitError::Spline`] where there is no number column of that name.
    pub fn bent<'n>(
        mut self,
        splines: impl IntoIterator<Item = (&'n str, usize)>,
    ) -> Result<Self, FitError> {
        for (name, knots) in splines {
            let place = self
                .columns
                .iter()
                .position(|(known, cells)| known == name && matches!(cells, Cells::Number(_)));
            let Some(place) = place else {
                return Err(FitError::Spline {
                    column: name.to_owned(),
                });
            };
            self.knots[place] = Some(knots.max(2));
        }
        Ok(self)
    }

    /// The knots declared for the column at `index`, which is below [`Columns::width`].
    pub(super) fn knots(&self, index: usize) -> Option<usize> {
        self.knots[index]
    }

    /// The direction declared for the column at `index`, which is below [`Columns::width`].
    pub(super) fn direction(&self, index: usize) -> Option<Direction> {
        self.directions[index]
    }

    /// A feature matrix of shape (rows, names), `NaN` for missing.
    ///
    /// # Errors
    /// As [`Columns::new`]; [`FitError::Lengths`] when there are not as many names as columns.
    pub fn from_matrix(names: &[String], matrix: ArrayView2<'_, f64>) -> Result<Self, FitError> {
        if names.len() != matrix.ncols() {
            return Err(FitError::Lengths {
                what: "column names".to_owned(),
                found: names.len(),
                rows: matrix.ncols(),
            });
        }
        let column = |(name, cells): (&String, ndarray::ArrayView1<'_, f64>)| {
            (name.clone(), Cells::Number(Cow::Owned(cells.to_vec())))
        };
        Self::new(names.iter().zip(matrix.columns()).map(column).collect())
    }

    /// The columns of a table whose name `keep` accepts, borrowed.
    ///
    /// # Errors
    /// As [`Columns::new`].
    pub fn from_table(
        table: &'a FlatTable,
        keep: impl Fn(&Column) -> bool,
    ) -> Result<Self, FitError> {
        let borrow = |column: &'a Column| {
            let cells = match &column.values {
                Values::Number(numbers) => Cells::Number(Cow::Borrowed(numbers.as_slice())),
                Values::Text(texts) => Cells::Text(Cow::Borrowed(texts.as_slice())),
            };
            (column.name.clone(), cells)
        };
        let kept = table.columns().iter().filter(|column| keep(column));
        Self::new(kept.map(borrow).collect())
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Name of the column at `index`, which is below [`Columns::width`].
    #[must_use]
    pub fn name(&self, index: usize) -> &str {
        &self.columns[index].0
    }

    /// Cells of the column at `index`, which is below [`Columns::width`].
    #[must_use]
    pub fn cells(&self, index: usize) -> &Cells<'a> {
        &self.columns[index].1
    }

    /// One row, as a fitted model reads it; `row` is below [`Columns::rows`].
    #[must_use]
    pub fn row(&self, row: usize) -> ColumnsRow<'_> {
        ColumnsRow { columns: self, row }
    }
}

impl Cells<'_> {
    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
        }
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell of `row`, which is below [`Cells::len`].
    #[must_use]
    pub fn value(&self, row: usize) -> Value<'_> {
        match self {
            Self::Number(cells) => Value::Number(cells[row]),
            Self::Text(cells) => cells[row].as_deref().map_or(Value::Missing, Value::Text),
        }
    }
}

/// One row of [`Columns`], without a copy.
#[derive(Debug, Clone, Copy)]
pub struct ColumnsRow<'a> {
    columns: &'a Columns<'a>,
    row: usize,
}

impl Row for ColumnsRow<'_> {
    fn width(&self) -> usize {
        self.columns.width()
    }

    fn value(&self, column: usize) -> Value<'_> {
        self.columns.cells(column).value(self.row)
    }
}
