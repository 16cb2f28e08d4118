//! What can be wrong with a table from outside: always the file, the row, the column, and how to mend it.

use std::path::Path;

/// Why a table could not be read or a column could not be used. Rows are 0-based rows of data (the header is not
/// counted), as `row_id` is everywhere in lagom; lines are 1-based lines of the file.
#[derive(Debug, thiserror::Error)]
pub enum FlatTableError {
    /// The file could not be opened or read.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no header.
    #[error("{file}: the file is empty; the first line must hold the column names")]
    Empty {
        /// The file.
        file: String,
    },
    /// Two columns share a name.
    #[error("{file}: two columns are called `{name}`; rename one of them")]
    RepeatedColumn {
        /// The file, empty for a table made in memory.
        file: String,
        /// The name.
        name: String,
    },
    /// A row has more or fewer fields than the header.
    #[error(
        "{file}: row {row} (line {line}) has {found} fields, the header has {expected}; check quotes and the separator {separator:?}"
    )]
    Width {
        /// The file.
        file: String,
        /// 0-based row.
        row: u64,
        /// 1-based line.
        line: u64,
        /// Fields in this row.
        found: u64,
        /// Fields in the header.
        expected: u64,
        /// The separator in use.
        separator: char,
    },
    /// A field holds bytes that are not UTF-8.
    #[error(
        "{file}: row {row} (line {line}), column {column}: bytes that are not UTF-8; convert the file to UTF-8"
    )]
    NotUtf8 {
        /// The file.
        file: String,
        /// 0-based row.
        row: u64,
        /// 1-based line.
        line: u64,
        /// Name of the column, or its 1-based place in the header.
        column: String,
    },
    /// A number column holds an infinite number.
    #[error(
        "{file}: row {row}, column `{column}`: `{cell}` is not a finite number; leave the cell empty when it is unknown"
    )]
    Infinite {
        /// The file.
        file: String,
        /// 0-based row.
        row: usize,
        /// Name of the column.
        column: String,
        /// The cell as it stands.
        cell: String,
    },
    /// The text of the file could not be cut into records.
    #[error("{file}: row {row}: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// 0-based row.
        row: u64,
        /// What the reader said.
        reason: String,
    },
    /// The Parquet file could not be decoded.
    #[error("{file}: not a readable parquet file: {reason}")]
    Parquet {
        /// The file.
        file: String,
        /// What the reader said.
        reason: String,
    },
    /// A Parquet column has a type without a flat meaning.
    #[error(
        "{file}: column `{column}` has the type {found}; numbers, booleans, text, dates and timestamps can be used: cast it or leave it out"
    )]
    UnsupportedType {
        /// The file.
        file: String,
        /// Name of the column.
        column: String,
        /// Its type.
        found: String,
    },
    /// Columns of a table made in memory differ in length.
    #[error("column `{other}` has {other_rows} rows, column `{first}` has {first_rows}")]
    UnequalColumns {
        /// The first column.
        first: String,
        /// Its rows.
        first_rows: usize,
        /// The column that differs.
        other: String,
        /// Its rows.
        other_rows: usize,
    },
    /// There is no such column.
    #[error("there is no column `{name}`; there are: {}", known.join(", "))]
    NoSuchColumn {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// Numbers were asked of a text column.
    #[error("column `{column}` must hold numbers, but row {row} holds `{cell}`")]
    NotNumbers {
        /// Name of the column.
        column: String,
        /// 0-based row of the first cell that is no number.
        row: usize,
        /// That cell.
        cell: String,
    },
}

impl FlatTableError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            file: path.display().to_string(),
            source,
        }
    }
}
