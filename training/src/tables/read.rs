//! One table, out of one file or a folder of files.

use super::error::{CellFault, Faults, TableError};
use super::fields::{Fields, Layout};
use super::files;
use super::nearest::hint;
use super::record::Record;
use super::schema::{SCHEMA_VERSION, TABLE_KEY, VERSION_KEY};
use super::source::{Row, Source};
use crate::progress::work;
use lagom_features::domain::Fault;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

/// Rows between two messages to whoever watches.
const STRIDE: usize = 4_096;

/// Reads a table out of a file, or out of every table file of a folder in the order of their names.
///
/// # Errors
/// [`TableError::Cells`] with every wrong cell (up to [`super::FAULT_LIMIT`]); another
/// [`TableError`] where a file cannot be read as this table at all.
pub fn read_table<T: Record>(path: &Path) -> Result<Vec<T>, TableError> {
    let mut faults = Faults::default();
    let records = read_into(path, &mut faults, |_| None)?;
    faults.into_result()?;
    Ok(records)
}

/// Reads a table and notes its faults, and those that `check` finds in a record.
pub(super) fn read_into<T: Record>(
    path: &Path,
    faults: &mut Faults,
    check: impl Fn(&T) -> Option<Fault>,
) -> Result<Vec<T>, TableError> {
    let mut records = Vec::new();
    read_each(path, faults, check, |record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// [`read_into`], record by record: memory does not grow with the table.
pub(super) fn read_each<T: Record>(
    path: &Path,
    faults: &mut Faults,
    check: impl Fn(&T) -> Option<Fault>,
    mut visit: impl FnMut(T) -> Result<(), TableError>,
) -> Result<(), TableError> {
    let mut stopped = Ok(());
    let mut keys = HashSet::new();
    for file in files::parts(path)? {
        let source = Source::open(&file, b',')?;
        let layout = layout::<T>(&file, &source)?;
        let width = source.columns().len();
        let reading = work(T::TABLE, "rows read", 0);
        let mut rows = 0_usize;
        source.each(|row| {
            rows += 1;
            if rows.is_multiple_of(STRIDE) {
                reading.advance(STRIDE);
            }
            let before = faults.len();
            let record: Option<T> = read_row(&layout, row, width, faults);
            if let Some(record) = record.filter(|_| faults.len() == before) {
                let mut fields = Fields::new(&layout, row, faults);
                let wrong = record.row_faults().into_iter().chain(check(&record));
                wrong.for_each(|fault| fields.note(fault));
                if let Some((column, key)) = record.unique_key()
                    && !keys.insert(key.to_owned())
                {
                    fields.fault(column, format!("`{key}` occurs twice in the table"));
                }
                if faults.len() == before {
                    stopped = visit(record);
                }
            }
            if faults.is_full() || stopped.is_err() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if faults.is_full() || stopped.is_err() {
            break;
        }
    }
    stopped
}

fn read_row<T: Record>(
    layout: &Layout<'_>,
    row: &Row<'_>,
    width: usize,
    faults: &mut Faults,
) -> Option<T> {
    if row.width() != width {
        faults.push(CellFault {
            file: layout.file.to_owned(),
            row: row.number,
            line: row.line,
            column: layout.columns.first().map_or("", |c| c.name).to_owned(),
            reason: format!(
                "the row has {} cells, the header {width}; is a text with a comma unquoted?",
                row.width()
            ),
        });
        return None;
    }
    T::read(&mut Fields::new(layout, row, faults))
}

pub(crate) fn layout<'a, T: Record>(
    file: &'a Path,
    source: &Source,
) -> Result<Layout<'a>, TableError> {
    foreign::<T>(file, source)?;
    let given = source.columns();
    for (place, name) in given.iter().enumerate() {
        let file = file.to_owned();
        let column = name.clone();
        if given[..place].contains(name) {
            return Err(TableError::RepeatedColumn { file, column });
        }
        if !T::COLUMNS.iter().any(|known| known.name == name) {
            return Err(TableError::UnknownColumn {
                file,
                table: T::TABLE,
                hint: hint(name, T::COLUMNS.iter().map(|known| known.name)),
                column,
            });
        }
    }
    let place = |name: &str| given.iter().position(|other| other == name);
    let places: Vec<_> = T::COLUMNS.iter().map(|c| place(c.name)).collect();
    let missing: Vec<_> = T::COLUMNS
        .iter()
        .zip(&places)
        .filter(|(column, place)| column.needed && place.is_none())
        .map(|(column, _)| column.name)
        .collect();
    if !missing.is_empty() {
        return Err(TableError::MissingColumns {
            file: file.to_owned(),
            table: T::TABLE,
            columns: missing.join(", "),
        });
    }
    Ok(Layout {
        file,
        columns: T::COLUMNS,
        places,
    })
}

/// Refuses a file that says of itself that it is something else.
fn foreign<T: Record>(file: &Path, source: &Source) -> Result<(), TableError> {
    let table = source.metadata(TABLE_KEY).unwrap_or(T::TABLE);
    let version = source.metadata(VERSION_KEY);
    let known = version.is_none_or(|v| v.parse().is_ok_and(|v: u32| v <= SCHEMA_VERSION));
    if table == T::TABLE && known {
        return Ok(());
    }
    let version = version.unwrap_or("?");
    Err(TableError::Foreign {
        file: file.to_owned(),
        found: format!("{table} of schema version {version}"),
        wanted: format!("{} up to schema version {SCHEMA_VERSION}", T::TABLE),
    })
}
