//! Why an import did not happen.

use crate::tables::{CellFault, TableError};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why an import did not happen; nothing was written.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The mapping is not well formed.
    #[error("{}, line {line}: {reason}", file.display())]
    Mapping {
        /// The mapping file.
        file: PathBuf,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// An input lacks a column that the mapping names.
    #[error(
        "{}: has no column `{column}`, which {rule} of the mapping names{hint}",
        file.display()
    )]
    NoSuchColumn {
        /// The input.
        file: PathBuf,
        /// The column.
        column: String,
        /// The rule that names it.
        rule: String,
        /// What may have been meant.
        hint: String,
    },
    /// No rule of the mapping is for this input.
    #[error("{}: no rule of the mapping is for a file of this name", file.display())]
    Unclaimed {
        /// The input.
        file: PathBuf,
    },
    /// More rows were rejected than are allowed.
    #[error("{}", too_many(rejects, *rejected, *allowed))]
    Rejects {
        /// The first wrong cells.
        rejects: Vec<CellFault>,
        /// Rows that were rejected before reading stopped.
        rejected: u64,
        /// How many were allowed.
        allowed: u64,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

fn too_many(rejects: &[CellFault], rejected: u64, allowed: u64) -> String {
    let first = rejects
        .first()
        .map_or_else(String::new, ToString::to_string);
    format!("{first}; {rejected} row(s) rejected, {allowed} allowed: nothing was written")
}

impl ImportError {
    pub(super) fn mapping(file: &Path, line: usize, reason: impl Into<String>) -> Self {
        Self::Mapping {
            file: file.to_owned(),
            line,
            reason: reason.into(),
        }
    }

    /// The first wrong cells, where that is what is wrong.
    #[must_use]
    pub fn rejects(&self) -> &[CellFault] {
        match self {
            Self::Rejects { rejects, .. } => rejects,
            Self::Table(error) => error.cells(),
            _ => &[],
        }
    }
}
