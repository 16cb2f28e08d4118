//! A row on its way out of a file: every wrong cell is noted, none stops the row's reading.

use super::cell::{Cell, FromCell};
use super::error::{CellFault, Faults};
use super::schema::Column;
use super::source::Row;
use lagom_features::domain::{Currency, Fault, Money};
use std::path::Path;

/// Where each column of a table stands in a file.
pub(crate) struct Layout<'a> {
    pub(crate) file: &'a Path,
    pub(crate) columns: &'static [Column],
    /// For each of `columns`, its place in the file's rows.
    pub(crate) places: Vec<Option<usize>>,
}

/// The cells of one row by name.
#[doc(hidden)]
pub struct Fields<'a, 'f> {
    layout: &'a Layout<'a>,
    row: &'a Row<'a>,
    faults: &'f mut Faults,
    next: usize,
}

impl<'a, 'f> Fields<'a, 'f> {
    pub(crate) fn new(layout: &'a Layout<'a>, row: &'a Row<'a>, faults: &'f mut Faults) -> Self {
        Self {
            layout,
            row,
            faults,
            next: 0,
        }
    }

    /// The cell of a column; asking in the table's order finds it at once.
    fn cell(&mut self, name: &'static str) -> Cell<'a> {
        let columns = self.layout.columns;
        let is_next = columns.get(self.next).is_some_and(|c| c.name == name);
        let at = if is_next {
            self.next
        } else {
            columns
                .iter()
                .position(|c| c.name == name)
                .expect("records ask for columns of their own table")
        };
        self.next = at + 1;
        self.layout.places[at].map_or(Cell::Empty, |place| self.row.cell(place))
    }

    pub(crate) fn fault(&mut self, column: &str, reason: impl Into<String>) {
        self.faults.push(CellFault {
            file: self.layout.file.to_owned(),
            row: self.row.number,
            line: self.row.line,
            column: column.to_owned(),
            reason: reason.into(),
        });
    }

    pub(crate) fn note(&mut self, fault: Fault) {
        self.fault(fault.field, fault.reason);
    }

    /// The value, or unknown; a wrong cell is noted and read as unknown.
    pub(super) fn optional<T: FromCell>(&mut self, name: &'static str) -> Option<T> {
        match self.cell(name) {
            Cell::Empty => None,
            cell => T::from_cell(&cell)
                .inspect_err(|reason| self.fault(name, reason.as_str()))
                .ok(),
        }
    }

    /// The value; an empty or wrong cell is noted.
    pub(super) fn needed<T: FromCell>(&mut self, name: &'static str) -> Option<T> {
        match self.cell(name) {
            Cell::Empty => {
                self.fault(name, "is empty, and must not be");
                None
            }
            cell => T::from_cell(&cell)
                .inspect_err(|reason| self.fault(name, reason.as_str()))
                .ok(),
        }
    }

    /// The text, or none at all: for texts of which emptiness is a value.
    pub(super) fn text_or_empty(&mut self, name: &'static str) -> String {
        self.optional(name).unwrap_or_default()
    }

    /// Minor units beside their currency; both or neither.
    pub(super) fn money(&mut self) -> Option<Money> {
        let minor_units = self.optional::<i64>("amount_minor");
        let before = self.faults.len();
        let currency = self.optional::<Currency>("currency");
        if minor_units.is_some() && currency.is_none() && self.faults.len() == before {
            self.fault("currency", "is needed beside amount_minor");
        }
        Some(Money::new(minor_units?, currency?))
    }

    /// Whether a file has this column.
    pub(super) fn has(&self, name: &str) -> bool {
        let known = self.layout.columns.iter().position(|c| c.name == name);
        known.is_some_and(|at| self.layout.places[at].is_some())
    }
}
