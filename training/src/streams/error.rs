//! What can be wrong with a stream.

use lagom_model::bandit::BanditError;
use thiserror::Error;

use crate::flat_table::FlatTableError;

/// A stream that cannot be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// A file cannot be read as a table.
    #[error(transparent)]
    Table(#[from] FlatTableError),
    /// The bandit refuses what it is handed.
    #[error(transparent)]
    Bandit(#[from] BanditError),
    /// A cell does not hold what its column promises.
    #[error("{file}, row {row}, column `{column}`: found {found} where {expected} is expected")]
    Cell {
        /// The file.
        file: String,
        /// 0-based row, the header not counted.
        row: usize,
        /// The column's name.
        column: String,
        /// What the cell holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// Two files do not belong together.
    #[error(
        "{file} has {found} {what} where {expected} are expected; take the files of one stream"
    )]
    Count {
        /// The file.
        file: String,
        /// Rows or columns of which kind.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A file holds too little to run on.
    #[error("{file} has {found}; a stream needs {needed}")]
    TooSmall {
        /// The file.
        file: String,
        /// What it has.
        found: String,
        /// What is needed.
        needed: &'static str,
    },
}
