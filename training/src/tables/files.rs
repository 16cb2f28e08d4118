//! Where a table's files are.

use super::error::TableError;
use super::nearest::hint;
use std::fs;
use std::path::{Path, PathBuf};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Parquet, compressed with zstd.
    Parquet,
    /// CSV.
    Csv,
    /// CSV, compressed with gzip.
    CsvGz,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::CsvGz];

    /// What the file's name ends in, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::CsvGz => "csv.gz",
        }
    }

    /// The format that a file's name tells.
    ///
    /// # Errors
    /// [`TableError::Extension`] for any other name.
    pub fn of(file: &Path) -> Result<Self, TableError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let ends = |format: &Self| name.ends_with(&format!(".{}", format.extension()));
        let found = Self::ALL.into_iter().find(ends);
        found.ok_or_else(|| TableError::Extension {
            file: file.to_owned(),
        })
    }
}

/// The table called `table` in `dir`: one file, one folder of files, or nothing.
pub(crate) fn find(dir: &Path, table: &str) -> Result<Option<PathBuf>, TableError> {
    let forms = Format::ALL.map(|format| dir.join(format!("{table}.{}", format.extension())));
    let folder = dir.join(table);
    let found = |path: &PathBuf| path.is_file() || (*path == folder && path.is_dir());
    let mut present = forms.into_iter().chain([folder.clone()]).filter(found);
    match (present.next(), present.next()) {
        (Some(first), Some(second)) => Err(TableError::TwoForms { first, second }),
        (first, _) => Ok(first),
    }
}

/// What a folder without tables may have meant.
pub(super) fn no_tables(dir: &Path, tables: &[&str]) -> TableError {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let stems = entries.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let stem = name.split('.').next()?.to_owned();
        Some((name, hint(&stem, tables.iter().copied())))
    });
    let meant = stems.filter(|(_, hint)| !hint.is_empty()).min();
    TableError::NoTables {
        dir: dir.to_owned(),
        hint: meant.map_or_else(String::new, |(name, hint)| {
            format!("; there is {name}{hint}")
        }),
    }
}

/// The files of a table: itself, or every table file of the folder in the order of their names.
///
/// Names that start with `.` or `_` are other programs' marks and are passed over.
pub(crate) fn parts(path: &Path) -> Result<Vec<PathBuf>, TableError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |error| TableError::unreadable(path, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with(['.', '_']) {
            Format::of(&file)?;
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
