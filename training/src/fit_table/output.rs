//! The predictions file: whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::FitTableError;

/// Writes `row_id,p` beside its final place and moves it there once it is on disk.
pub(super) fn write(path: &Path, predictions: &[(usize, f64)]) -> Result<(), FitTableError> {
    let failed = |source| FitTableError::Write {
        file: path.display().to_string(),
        source,
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let file = NamedTempFile::new_in(folder).map_err(failed)?;
    let mut lines = BufWriter::new(file);
    writeln!(lines, "row_id,p").map_err(failed)?;
    for (row, p) in predictions {
        writeln!(lines, "{row},{p}").map_err(failed)?;
    }
    let file = lines
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
