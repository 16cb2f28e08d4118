//! What an engine wrote, read back.

use super::Take;
use crate::tables::TableError;
use crate::tables::cell::{Cell, FromCell};
use crate::tables::source::{Row, Source};
use lagom_features::sql::{CellKind, Value};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Hands over the rows of the Parquet files in `folder`, of the columns `point_id` and `c0`, `c1` …
/// for each of `kinds`. Other files, such as the marks and sums that engines leave, are passed over.
///
/// # Errors
/// [`TableError`] where the folder or a file cannot be read; a sentence where a column is missing or
/// of another kind; and those of `take`.
pub fn read_answer<E: From<TableError> + From<String>>(
    folder: &Path,
    kinds: &[CellKind],
    take: Take<'_>,
) -> Result<(), E> {
    for file in files(folder)? {
        let source = Source::open(&file, b',')?;
        let place = |name: String| {
            let found = source.columns().iter().position(|column| *column == name);
            found.ok_or_else(|| format!("{}: has no column {name}", file.display()))
        };
        let point = place("point_id".to_owned())?;
        let cells = (0..kinds.len()).map(|cell| place(format!("c{cell}")));
        let cells: Vec<usize> = cells.collect::<Result<_, _>>()?;
        let mut fault = None;
        source.each(|row| {
            let taken = values(row, &cells, kinds)
                .and_then(|cells| take(i64::from_cell(&row.cell(point))?, &cells));
            match taken {
                Ok(()) => ControlFlow::Continue(()),
                Err(reason) => {
                    fault = Some(format!("{}, row {}: {reason}", file.display(), row.number));
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(fault) = fault {
            return Err(fault.into());
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, TableError> {
    let unreadable = |error| TableError::unreadable(folder, error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.ends_with(".parquet") && !name.starts_with(['.', '_'])) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn values<'a>(
    row: &Row<'a>,
    places: &[usize],
    kinds: &[CellKind],
) -> Result<Vec<Value<'a>>, String> {
    let value = |(place, kind): (&usize, &CellKind)| match (kind, row.cell(*place)) {
        (CellKind::Whole, Cell::Empty) => Ok(Value::Whole(None)),
        (CellKind::Whole, cell) => i64::from_cell(&cell).map(|number| Value::Whole(Some(number))),
        (CellKind::Text, Cell::Empty) => Ok(Value::Text(None)),
        (CellKind::Text, Cell::Text(text)) => Ok(Value::Text(Some(text))),
        (CellKind::Text, other) => Err(format!("`{}` is no text", other.to_text())),
    };
    places.iter().zip(kinds).map(value).collect()
}
