//! Decision points that somebody asks for: a table of customer_id, invoice_id and at.

use crate::dataset::Questions;
use crate::tables::cell::{Cell, FromCell};
use crate::tables::source::{Row, Source};
use crate::tables::{CellFault, Faults, TableError};
use lagom_features::domain::{CustomerId, InvoiceId, Timestamp};
use std::ops::ControlFlow;
use std::path::Path;

const COLUMNS: [&str; 3] = ["customer_id", "invoice_id", "at"];

/// Reads questions from a CSV, CSV.gz or Parquet file with at least the columns `customer_id`,
/// `invoice_id` and `at`.
///
/// # Errors
/// [`TableError::MissingColumns`], [`TableError::Cells`] with every wrong cell, and what cannot be
/// read at all.
pub fn read_questions(file: &Path) -> Result<Questions, TableError> {
    let source = Source::open(file, b',')?;
    let place = |name: &str| source.columns().iter().position(|other| other == name);
    let places = COLUMNS.map(place);
    let missing: Vec<&str> = COLUMNS
        .into_iter()
        .zip(places)
        .filter_map(|(name, place)| place.is_none().then_some(name))
        .collect();
    if !missing.is_empty() {
        return Err(TableError::MissingColumns {
            file: file.to_owned(),
            table: "points",
            columns: missing.join(", "),
        });
    }
    let mut questions = Questions::new();
    let mut reading = Reading {
        file,
        places,
        faults: Faults::default(),
    };
    source.each(|row| {
        let customer: Option<CustomerId> = reading.cell(row, 0);
        let invoice: Option<InvoiceId> = reading.cell(row, 1);
        let at: Option<Timestamp> = reading.cell(row, 2);
        if let (Some(customer), Some(invoice), Some(at)) = (customer, invoice, at) {
            questions.entry(customer).or_default().push((invoice, at));
        }
        if reading.faults.is_full() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    reading.faults.into_result()?;
    Ok(questions)
}

struct Reading<'a> {
    file: &'a Path,
    places: [Option<usize>; 3],
    faults: Faults,
}

impl Reading<'_> {
    fn cell<T: FromCell>(&mut self, row: &Row<'_>, column: usize) -> Option<T> {
        let read = match self.places[column].map_or(Cell::Empty, |place| row.cell(place)) {
            Cell::Empty => Err("is empty, and must not be".to_owned()),
            cell => T::from_cell(&cell),
        };
        read.inspect_err(|reason| {
            self.faults.push(CellFault {
                file: self.file.to_owned(),
                row: row.number,
                line: row.line,
                column: COLUMNS[column].to_owned(),
                reason: reason.clone(),
            });
        })
        .ok()
    }
}
