//! What can be wrong with a table of logged decisions.

use lagom_model::ope::OpeError;

use crate::flat_table::FlatTableError;

/// Why a table could not be evaluated. Rows are 0-based rows of data, as `row_id` is.
#[derive(Debug, thiserror::Error)]
pub enum LoggedTableError {
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
    /// A cell that must be known is empty.
    #[error("{file}: row {row}, column `{column}` is empty; every logged decision needs it")]
    Missing {
        /// The file.
        file: String,
        /// 0-based row.
        row: usize,
        /// The column.
        column: String,
    },
    /// A propensity outside (0, 1].
    #[error("{file}: row {row}, column `{column}`: propensity {value} is not in (0, 1]")]
    Propensity {
        /// The file.
        file: String,
        /// 0-based row.
        row: usize,
        /// The column, or `--propensity`.
        column: String,
        /// The value.
        value: f64,
    },
    /// Only one action was ever taken.
    #[error("{file}: column `{column}` holds {found} action(s); a comparison needs two or more")]
    Actions {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Distinct actions.
        found: usize,
    },
    /// An action without a train row.
    #[error("{file}: action `{action}` is in no train row, so nothing can be learnt of it")]
    Unlearnable {
        /// The file.
        file: String,
        /// The action.
        action: String,
    },
    /// A row of the split that is none of the table.
    #[error("{file}: row {row}: row_id {row_id} is no row of the table, which has {rows}")]
    RowId {
        /// The split's file.
        file: String,
        /// 0-based row of the split.
        row: usize,
        /// The value.
        row_id: f64,
        /// Rows of the table.
        rows: usize,
    },
    /// A split that leaves too little on one side.
    #[error("{file}: {found} rows are `{side}`; at least {needed} are needed")]
    TooFew {
        /// The split's file, or the table's.
        file: String,
        /// `train` or `test`.
        side: &'static str,
        /// Rows found.
        found: usize,
        /// Rows needed.
        needed: usize,
    },
    /// The rounds cannot be evaluated.
    #[error("{file}: {source}")]
    Rounds {
        /// The file.
        file: String,
        /// What is wrong.
        source: OpeError,
    },
}
