//! The rejected cells as a file beside the tables.

use crate::tables::{CellFault, TableError};
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

/// Name of the file.
pub const REJECTS: &str = "rejects.csv";

/// Writes every rejected cell: file, row, line, column, reason. No file stays where there is none.
pub(super) fn write(dir: &Path, rejects: &[CellFault]) -> Result<(), TableError> {
    let path = dir.join(REJECTS);
    let unwritable = |error: std::io::Error| TableError::unwritable(&path, error);
    if rejects.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(error)),
            _ => Ok(()),
        };
    }
    let mut file = NamedTempFile::with_prefix_in(".lagom-", dir).map_err(unwritable)?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let broken = |error: csv::Error| TableError::unwritable(&path, error);
    writer
        .write_record(["file", "row", "line", "column", "reason"])
        .map_err(broken)?;
    for reject in rejects {
        let line = reject
            .line
            .map_or_else(String::new, |line| line.to_string());
        let file = reject.file.display().to_string();
        let row = reject.row.to_string();
        writer
            .write_record([&file, &row, &line, &reject.column, &reject.reason])
            .map_err(broken)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| TableError::unwritable(&path, error.to_string()))?;
    file.write_all(&bytes).map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(&path)
        .map(drop)
        .map_err(|error| unwritable(error.error))
}
