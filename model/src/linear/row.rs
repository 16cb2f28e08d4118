//! A row as the world gives it, and as the terms read it.

use super::{InputColumn, InputKind, TargetEncoding};

/// One cell of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A number; `NaN` and infinities count as missing.
    Number(f64),
    /// A category.
    Text(&'a str),
    /// Nothing is known.
    Missing,
}

/// Anything whose cells can be read by place: a slice of numbers, a slice of [`Value`]s, a view of a table.
pub trait Row {
    /// The number of cells.
    fn width(&self) -> usize;
    /// The cell at `column`, which is below [`Row::width`].
    fn value(&self, column: usize) -> Value<'_>;
}

impl Row for [f64] {
    fn width(&self) -> usize {
        self.len()
    }

    fn value(&self, column: usize) -> Value<'_> {
        Value::Number(self[column])
    }
}

impl Row for [Value<'_>] {
    fn width(&self) -> usize {
        self.len()
    }

    fn value(&self, column: usize) -> Value<'_> {
        self[column]
    }
}

/// A row together with the columns' kinds, so that every term reads the same thing.
pub(super) struct Inputs<'a, R: ?Sized> {
    columns: &'a [InputColumn],
    row: &'a R,
}

impl<'a, R: Row + ?Sized> Inputs<'a, R> {
    pub(super) fn new(columns: &'a [InputColumn], row: &'a R) -> Self {
        Self { columns, row }
    }

    /// The finite number in `column`, encoded if the column is; `None` when missing.
    pub(super) fn number(&self, column: usize) -> Option<f64> {
        match (&self.columns[column].kind, self.row.value(column)) {
            (InputKind::Encoded(encoding), value) => Some(encoding.number(value)),
            (_, Value::Number(number)) if number.is_finite() => Some(number),
            _ => None,
        }
    }

    /// The category in `column`; `None` when missing.
    pub(super) fn text(&self, column: usize) -> Option<&'a str> {
        match self.row.value(column) {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Missing => None,
        }
    }
}

impl TargetEncoding {
    /// The log-odds that stand for `value`.
    #[must_use]
    pub fn number(&self, value: Value<'_>) -> f64 {
        match value {
            Value::Text(text) => super::term::find(&self.levels, text).unwrap_or(self.unseen),
            Value::Number(_) | Value::Missing => self.missing,
        }
    }
}
