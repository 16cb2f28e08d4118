//! What can be wrong with a table, in words that lead to the cell.

use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Faults that are collected before reading stops.
pub const FAULT_LIMIT: usize = 100;

/// One wrong cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellFault {
    /// The file.
    pub file: PathBuf,
    /// The data row, counted from 1; the header is not a data row.
    pub row: u64,
    /// The line on which the row starts, in a text file, counted from 1.
    pub line: Option<u64>,
    /// The column.
    pub column: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl fmt::Display for CellFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, row {}", self.file.display(), self.row)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        write!(f, ", column {}: {}", self.column, self.reason)
    }
}

/// Every wrong cell that was found, up to [`FAULT_LIMIT`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<CellFault>);

impl Faults {
    /// The faults, in the order in which they were met.
    #[must_use]
    pub fn as_slice(&self) -> &[CellFault] {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= FAULT_LIMIT
    }

    pub(crate) fn push(&mut self, fault: CellFault) {
        if !self.is_full() {
            self.0.push(fault);
        }
    }

    pub(crate) fn into_result(self) -> Result<(), TableError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(TableError::Cells(self))
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else {
            return f.write_str("no fault");
        };
        write!(f, "{first}")?;
        match self.0.len() - 1 {
            0 => Ok(()),
            more if self.is_full() => write!(f, " (and at least {more} more faults)"),
            1 => write!(f, " (and 1 more fault)"),
            more => write!(f, " (and {more} more faults)"),
        }
    }
}

/// Why a table could not be read or written.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file cannot be read at all.
    #[error("{}: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// The file cannot be written; nothing was left behind.
    #[error("cannot write {}: {reason}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A record that no reader would accept was to be written.
    #[error("cannot write {table}: record {record}, field {field}: {reason}")]
    InvalidRecord {
        /// The table.
        table: &'static str,
        /// The record, counted from 1.
        record: u64,
        /// The field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A column that the table does not have.
    #[error("{}, column {column}: the table {table} has no such column{hint}", file.display())]
    UnknownColumn {
        /// The file.
        file: PathBuf,
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// What may have been meant.
        hint: String,
    },
    /// A column occurs twice.
    #[error("{}, column {column}: occurs twice in the header", file.display())]
    RepeatedColumn {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
    },
    /// Columns that the table cannot do without.
    #[error("{}: the table {table} needs the column(s) {columns}", file.display())]
    MissingColumns {
        /// The file.
        file: PathBuf,
        /// The table.
        table: &'static str,
        /// The missing ones, comma separated.
        columns: String,
    },
    /// A Parquet file that says it is another table, or of a later version.
    #[error("{}: holds {found}, but {wanted} was to be read", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What it says it is.
        found: String,
        /// What was wanted.
        wanted: String,
    },
    /// Wrong cells.
    #[error("{0}")]
    Cells(Faults),
    /// A folder without any canonical table.
    #[error(
        "{}: no canonical table there; a table is a file such as invoices.parquet, invoices.csv \
         or invoices.csv.gz, or a folder invoices of such files{hint}",
        dir.display()
    )]
    NoTables {
        /// The folder.
        dir: PathBuf,
        /// What may have been meant.
        hint: String,
    },
    /// One table in two forms.
    #[error(
        "{} and {} are the same table; remove one of them",
        first.display(), second.display()
    )]
    TwoForms {
        /// One of them.
        first: PathBuf,
        /// Another one.
        second: PathBuf,
    },
    /// A file whose name does not tell its format.
    #[error("{}: a table's file ends in .parquet, .csv or .csv.gz", file.display())]
    Extension {
        /// The file.
        file: PathBuf,
    },
}

impl TableError {
    pub(crate) fn unreadable(file: &Path, reason: impl fmt::Display) -> Self {
        Self::Unreadable {
            file: file.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn unwritable(file: &Path, reason: impl fmt::Display) -> Self {
        Self::Unwritable {
            file: file.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// Every wrong cell, where that is what is wrong.
    #[must_use]
    pub fn cells(&self) -> &[CellFault] {
        match self {
            Self::Cells(faults) => faults.as_slice(),
            _ => &[],
        }
    }
}
