//! Why a table was not fitted.

use std::io;

use lagom_model::linear::LinearError;
use lagom_model::metrics::MetricsError;

use crate::fit::FitError;
use crate::flat_table::FlatTableError;

/// Why a table was not fitted: what, where, how to mend it. Rows are 0-based.
#[derive(Debug, thiserror::Error)]
pub enum FitTableError {
    /// A file could not be read, or a column is not there or of another type.
    #[error(transparent)]
    Table(#[from] FlatTableError),
    /// The positive value does not go without saying.
    #[error(
        "column `{target}` holds {}; say which value is the positive outcome with --positive",
        list(values)
    )]
    WhichPositive {
        /// The target.
        target: String,
        /// Its values, the first few.
        values: Vec<String>,
    },
    /// The positive value does not occur.
    #[error(
        "column `{target}` never holds `{positive}`; it holds {}",
        list(values)
    )]
    NoPositive {
        /// The target.
        target: String,
        /// The value asked for.
        positive: String,
        /// Its values, the first few.
        values: Vec<String>,
    },
    /// The target of a row that is fitted or judged is missing.
    #[error(
        "row {row}: the target `{target}` is missing; leave the row out of the split file or of the table"
    )]
    NoOutcome {
        /// 0-based row.
        row: usize,
        /// The target.
        target: String,
    },
    /// A time is missing or not understood.
    #[error(
        "column `{column}`, row {row}: `{cell}` is not a time; numbers, dates (2024-05-31, 5/31/2024) and RFC 3339 times are understood"
    )]
    Time {
        /// The time column.
        column: String,
        /// 0-based row.
        row: usize,
        /// The cell, empty when missing.
        cell: String,
    },
    /// The group of a row is missing.
    #[error("column `{column}`, row {row}: the group is missing; every row needs one")]
    Group {
        /// The group column.
        column: String,
        /// 0-based row.
        row: usize,
    },
    /// The split file has neither a `fold` nor a `split` column.
    #[error(
        "{file}: the split file needs the columns `row_id,fold` or `row_id,split`; it has {}",
        list(columns)
    )]
    SplitColumns {
        /// The split file.
        file: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// The split file names a row that is not in the table, or not a row number.
    #[error("{file}, row {line}: `{row_id}` is not a row of the table, which has rows 0 to {last}")]
    SplitRow {
        /// The split file.
        file: String,
        /// 0-based row of the split file.
        line: usize,
        /// What it holds.
        row_id: String,
        /// Last row of the table.
        last: usize,
    },
    /// The split file names a row twice.
    #[error("{file}, row {line}: row_id {row_id} occurs twice")]
    SplitTwice {
        /// The split file.
        file: String,
        /// 0-based row of the split file.
        line: usize,
        /// The row.
        row_id: usize,
    },
    /// A side of the split has no rows.
    #[error(
        "the split leaves {train} rows to fit on and {test} to judge; both sides need rows{hint}"
    )]
    EmptySide {
        /// Rows to fit on.
        train: usize,
        /// Rows to judge.
        test: usize,
        /// What may have caused it.
        hint: &'static str,
    },
    /// A fold could not be fitted.
    #[error("fold {fold}: {source}")]
    Fold {
        /// Name of the fold.
        fold: String,
        /// Why.
        source: Box<FitError>,
    },
    /// The fitted model refused a row.
    #[error(transparent)]
    Model(#[from] LinearError),
    /// The predictions could not be judged.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The predictions could not be written; the earlier file, if any, is untouched.
    #[error("{file}: cannot be written: {source}")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
}

fn list(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    if quoted.is_empty() {
        return "nothing".to_owned();
    }
    quoted.join(", ")
}
