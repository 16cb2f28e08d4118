//! CSV, packed with gzip or not, row by row.

use super::{Cells, Row, Unpacked, unpacked};
use crate::tables::error::TableError;
use std::ops::ControlFlow;
use std::path::Path;

type Reader = csv::Reader<Unpacked>;

pub(super) struct Body {
    reader: Reader,
    /// What the reader's line numbers lack: where lines end in CR LF it takes the CR for the end
    /// of a record and has not met the LF when the next one starts.
    behind: u64,
}

pub(super) fn open(
    file: &Path,
    packed: bool,
    separator: u8,
) -> Result<(Body, Vec<String>), TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(unpacked(file, packed)?);
    let header = reader.headers().map_err(|error| broken(file, &error))?;
    let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if columns.is_empty() {
        let reason = "is empty; the first line must name the columns";
        return Err(TableError::unreadable(file, reason));
    }
    let folded: usize = columns.iter().map(|name| name.matches('\n').count()).sum();
    let behind = (2 + folded as u64).saturating_sub(reader.position().line());
    Ok((Body { reader, behind }, columns))
}

fn broken(file: &Path, error: &csv::Error) -> TableError {
    let at = error.position().map_or_else(String::new, |position| {
        format!("line {}: ", position.line())
    });
    let reason = match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => format!("not UTF-8 in cell {}", err.field() + 1),
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    };
    TableError::unreadable(file, format!("{at}{reason}"))
}

pub(super) fn each(
    file: &Path,
    body: Body,
    mut visit: impl FnMut(&Row<'_>) -> ControlFlow<()>,
) -> Result<(), TableError> {
    let Body { mut reader, behind } = body;
    let mut record = csv::StringRecord::new();
    let mut number = 0;
    while reader
        .read_record(&mut record)
        .map_err(|error| broken(file, &error))?
    {
        number += 1;
        let row = Row {
            number,
            line: record.position().map(|position| position.line() + behind),
            cells: Cells::Text(&record),
        };
        if visit(&row).is_break() {
            break;
        }
    }
    Ok(())
}
