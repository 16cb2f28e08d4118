//! What can be wrong with a folder of rounds.

use lagom_model::ope::OpeError;

use crate::flat_table::FlatTableError;

/// Why a folder of rounds could not be evaluated. Rows are 0-based rows of data.
#[derive(Debug, thiserror::Error)]
pub enum RoundsError {
    /// The folder is not there.
    #[error("{folder}: no such folder; name one that holds log.csv and pi_e.csv")]
    NoFolder {
        /// The folder.
        folder: String,
    },
    /// A file that must be there is not.
    #[error("{folder}: there is no {name}.csv, {name}.csv.gz or {name}.parquet; {purpose}")]
    NoFile {
        /// The folder.
        folder: String,
        /// The file's name without its ending.
        name: &'static str,
        /// What it is for.
        purpose: &'static str,
    },
    /// Nothing says with which probability the logged actions were taken.
    #[error(
        "log: there is no column `pscore` (or propensity, propensity_score, probability) and no pi_b; add one of them"
    )]
    NoPropensity,
    /// A table could not be read.
    #[error(transparent)]
    Table(#[from] FlatTableError),
    /// A column is absent or of the wrong kind.
    #[error("{file}: {source}")]
    Column {
        /// The file.
        file: String,
        /// What is wrong with the column.
        source: FlatTableError,
    },
    /// A cell that must hold a number is empty.
    #[error("{file}: row {row}, column `{column}` is empty; every round needs a number there")]
    Missing {
        /// The file.
        file: String,
        /// 0-based row.
        row: usize,
        /// The column.
        column: String,
    },
    /// An action that is no column of `pi_e`.
    #[error(
        "{file}: row {row}, column `action`: `{cell}` is neither a column of pi_e nor a number from 0 to {last}"
    )]
    Action {
        /// The file.
        file: String,
        /// 0-based row.
        row: usize,
        /// The cell.
        cell: String,
        /// The last column's number.
        last: usize,
    },
    /// The rounds are numbered in another order than the rows.
    #[error(
        "{file}: row {row} is round {round}; sort the log by `round`, so that its rows match those of pi_e"
    )]
    Order {
        /// The file.
        file: String,
        /// First row out of order.
        row: usize,
        /// The round it holds.
        round: f64,
    },
    /// An action has no row, or two.
    #[error("{file}: action `{action}` has {found} rows; each column of pi_e needs exactly one")]
    ActionRows {
        /// The file.
        file: String,
        /// The action.
        action: String,
        /// Its rows.
        found: usize,
    },
    /// A value that cannot be, or a shape that does not fit.
    #[error("{file}: {source}")]
    Rounds {
        /// The file or files.
        file: String,
        /// What is wrong.
        source: OpeError,
    },
}

impl RoundsError {
    pub(super) fn in_file(file: &str, source: OpeError) -> Self {
        Self::Rounds {
            file: file.to_owned(),
            source,
        }
    }
}
