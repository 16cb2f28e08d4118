//! Tables from outside: any CSV, CSV.gz or Parquet file as named columns, types found rather than declared.
//!
//! ```text
//! bytes ──(magic: gzip, PAR1)──> text records or Parquet ──> Column { Number | Text } …
//! ```
//!
//! **How a type is found.** A text file's column is a number column when at least one cell is a finite number and
//! every other cell is empty or one of [`MISSING_MARKS`]; it is a text column otherwise. In a number column the
//! empty cells and the marks are missing (`NaN`); in a text column only the empty cells are missing, because `NA`
//! may well be a category (Namibia). Cells are trimmed of spaces. An infinite number in a column whose other cells
//! are numbers is refused, with its row and column: no fit survives it and no default would be honest. A column
//! without any value is a number column of missing values.
//!
//! The content decides the format, never the file's name; a byte-order mark is tolerated.

mod error;
mod parquet;
mod separator;
mod text;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use error::FlatTableError;

/// The spellings of "missing" that a number column may hold beside the empty cell.
pub const MISSING_MARKS: [&str; 8] = ["NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "n/a"];

/// How to read a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The byte between fields of a text file; `None` finds it among `,` `;` tab and `|`.
    pub separator: Option<u8>,
}

/// A whole table in memory, column by column; rows are numbered from 0 in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub struct FlatTable {
    rows: usize,
    columns: Vec<Column>,
}

/// One named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The header's name, trimmed; a column without a name is called `column_K`, K counted from 1.
    pub name: String,
    /// The cells, one a row.
    pub values: Values,
}

/// The cells of a column, one a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Finite numbers; `NaN` means missing.
    Number(Vec<f64>),
    /// Categories; `None` means missing.
    Text(Vec<Option<String>>),
}

impl FlatTable {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`FlatTableError`] when the file cannot be read, has no header, has a row of another width, repeats a
    /// column name, holds an infinite number or bytes that are not UTF-8, or is Parquet of a type that has no
    /// flat meaning.
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Self, FlatTableError> {
        let mut magic = [0_u8; 4];
        let file = File::open(path).map_err(|error| FlatTableError::io(path, error))?;
        let mut head = Vec::with_capacity(magic.len());
        file.take(magic.len() as u64)
            .read_to_end(&mut head)
            .map_err(|error| FlatTableError::io(path, error))?;
        magic[..head.len()].copy_from_slice(&head);
        match magic {
            [b'P', b'A', b'R', b'1'] => parquet::read(path),
            [0x1f, 0x8b, ..] => text::read(path, text::Packing::Gzip, options),
            _ => text::read(path, text::Packing::Plain, options),
        }
    }

    /// A table of `columns`, which must be of one length.
    ///
    /// # Errors
    /// [`FlatTableError::UnequalColumns`] and [`FlatTableError::RepeatedColumn`].
    pub fn new(columns: Vec<Column>) -> Result<Self, FlatTableError> {
        let rows = columns.first().map_or(0, |column| column.values.len());
        for (index, column) in columns.iter().enumerate() {
            if column.values.len() != rows {
                return Err(FlatTableError::UnequalColumns {
                    first: columns[0].name.clone(),
                    first_rows: rows,
                    other: column.name.clone(),
                    other_rows: column.values.len(),
                });
            }
            if columns[..index]
                .iter()
                .any(|earlier| earlier.name == column.name)
            {
                return Err(FlatTableError::RepeatedColumn {
                    file: String::new(),
                    name: column.name.clone(),
                });
            }
        }
        Ok(Self { rows, columns })
    }

    /// The number of rows, the header not counted.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Every column, in the file's order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column called `name`.
    ///
    /// # Errors
    /// [`FlatTableError::NoSuchColumn`], which lists the columns there are.
    pub fn column(&self, name: &str) -> Result<&Column, FlatTableError> {
        self.columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| FlatTableError::NoSuchColumn {
                name: name.to_owned(),
                known: self.columns.iter().map(|c| c.name.clone()).collect(),
            })
    }

    /// The numbers of the column called `name`; `NaN` means missing.
    ///
    /// # Errors
    /// [`FlatTableError::NoSuchColumn`]; [`FlatTableError::NotNumbers`] with the first cell that is text.
    pub fn numbers(&self, name: &str) -> Result<&[f64], FlatTableError> {
        match &self.column(name)?.values {
            Values::Number(numbers) => Ok(numbers),
            Values::Text(cells) => {
                let number = |cell: &Option<String>| {
                    cell.as_deref()
                        .is_some_and(|text| text.parse::<f64>().is_err())
                };
                let row = cells.iter().position(number).unwrap_or(0);
                Err(FlatTableError::NotNumbers {
                    column: name.to_owned(),
                    row,
                    cell: cells.get(row).cloned().flatten().unwrap_or_default(),
                })
            }
        }
    }
}

impl Values {
    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
        }
    }

    /// Whether there is no cell at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell of `row` as text: numbers in their shortest form, `None` for missing.
    ///
    /// # Panics
    /// When `row` is not below [`Values::len`].
    #[must_use]
    pub fn text(&self, row: usize) -> Option<String> {
        match self {
            Self::Number(cells) => Some(cells[row])
                .filter(|cell| !cell.is_nan())
                .map(|cell| cell.to_string()),
            Self::Text(cells) => cells[row].clone(),
        }
    }
}

#[cfg(test)]
mod tests;
