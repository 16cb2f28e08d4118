//! The files of a folder and the matrices in them.

use std::path::{Path, PathBuf};

use lagom_model::ope::OpeError;
use ndarray::Array2;

use super::error::RoundsError;
use crate::flat_table::{FlatTable, ReadOptions};

/// A folder that exists.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// A table with the name under which faults are reported.
#[derive(Debug)]
pub(super) struct NamedTable {
    pub(super) file: String,
    pub(super) table: FlatTable,
}

/// Endings tried, in this order.
const ENDINGS: [&str; 3] = ["csv", "csv.gz", "parquet"];

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, RoundsError> {
        if path.is_dir() {
            return Ok(Self {
                path: path.to_owned(),
            });
        }
        Err(RoundsError::NoFolder {
            folder: path.display().to_string(),
        })
    }

    pub(super) fn optional(&self, name: &str) -> Result<Option<NamedTable>, RoundsError> {
        let found = ENDINGS
            .iter()
            .map(|ending| self.path.join(format!("{name}.{ending}")))
            .find(|path| path.is_file());
        let Some(path) = found else { return Ok(None) };
        Ok(Some(NamedTable {
            file: path.display().to_string(),
            table: FlatTable::read(&path, &ReadOptions::default())?,
        }))
    }

    pub(super) fn required(&self, name: &'static str) -> Result<NamedTable, RoundsError> {
        self.optional(name)?.ok_or_else(|| RoundsError::NoFile {
            folder: self.path.display().to_string(),
            name,
            purpose: match name {
                "pi_e" => "it holds the probabilities of the policy to be valued",
                _ => "it holds the logged decisions: action, reward, pscore",
            },
        })
    }
}

impl NamedTable {
    /// The columns of these names side by side, one row a round; none may be empty anywhere.
    pub(super) fn matrix(&self, names: &[String]) -> Result<Array2<f64>, RoundsError> {
        let mut matrix = Array2::zeros((self.table.rows(), names.len()));
        for (position, name) in names.iter().enumerate() {
            let column = self.numbers(name)?;
            for (row, value) in column.iter().enumerate() {
                matrix[[row, position]] = *value;
            }
        }
        Ok(matrix)
    }

    /// A column of numbers without gaps.
    pub(super) fn numbers(&self, name: &str) -> Result<&[f64], RoundsError> {
        let column = self
            .table
            .numbers(name)
            .map_err(|source| RoundsError::Column {
                file: self.file.clone(),
                source,
            })?;
        match column.iter().position(|value| value.is_nan()) {
            None => Ok(column),
            Some(row) => Err(RoundsError::Missing {
                file: self.file.clone(),
                row,
                column: name.to_owned(),
            }),
        }
    }

    /// A fault in this file's values.
    pub(super) fn fault(&self, source: OpeError) -> RoundsError {
        RoundsError::in_file(&self.file, source)
    }
}
