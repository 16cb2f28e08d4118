//! Columns of a frame, cell by cell.

use lagom_features::domain::Timestamp;
use polars::prelude::{
    Column, DataFrame, DataType, Int64Chunked, PolarsResult, StringChunked, TimeUnit,
};
use std::str::FromStr;

/// A column of texts; none where every cell is empty.
#[derive(Default)]
pub(crate) struct Texts(Option<StringChunked>);

impl Texts {
    pub(crate) fn of(column: &Column) -> PolarsResult<Self> {
        let empty = column.null_count() == column.len();
        Ok(Self((!empty).then(|| column.str().cloned()).transpose()?))
    }

    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        self.0.as_ref()?.get(row).filter(|text| !text.is_empty())
    }

    /// The outer `None` where the cell is not such a name.
    pub(crate) fn named<T: FromStr>(&self, row: usize) -> Option<Option<T>> {
        match self.get(row) {
            None => Some(None),
            Some(text) => text.parse().ok().map(Some),
        }
    }
}

/// A column of whole numbers; none where every cell is empty.
#[derive(Default)]
pub(crate) struct Wholes(Option<Int64Chunked>);

impl Wholes {
    pub(crate) fn of(column: &Column) -> PolarsResult<Self> {
        let empty = column.null_count() == column.len();
        Ok(Self((!empty).then(|| column.i64().cloned()).transpose()?))
    }

    pub(crate) fn of_instants(column: &Column) -> Option<Self> {
        if column.null_count() == column.len() {
            return Some(Self(None));
        }
        match column.dtype() {
            DataType::Datetime(TimeUnit::Microseconds, _) => {
                Some(Self(Some(column.datetime().ok()?.phys.clone())))
            }
            _ => None,
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        self.0.as_ref()?.get(row)
    }

    /// The outer `None` where the cell is not an instant.
    pub(crate) fn instant(&self, row: usize) -> Option<Option<Timestamp>> {
        match self.get(row) {
            None => Some(None),
            Some(micros) => Timestamp::from_micros(micros).ok().map(Some),
        }
    }
}

/// The texts of a column, one a row, empty where there is none; nothing where every cell is empty.
#[derive(Default)]
pub(super) struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    pub(super) fn of(frame: &'a DataFrame, name: &str) -> Option<Self> {
        match frame.column(name) {
            Ok(column) if column.null_count() < column.len() => {
                let texts = column.str().ok()?;
                Some(Self(texts.iter().map(Option::unwrap_or_default).collect()))
            }
            _ => Some(Self::default()),
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        let text = self.0.get(row).copied();
        text.filter(|text| !text.is_empty())
    }

    /// The outer `None` where the cell is not such a name.
    pub(super) fn named<T: FromStr>(&self, row: usize) -> Option<Option<T>> {
        match self.get(row) {
            None => Some(None),
            Some(text) => text.parse().ok().map(Some),
        }
    }
}

/// The whole numbers of a column, one a row.
#[derive(Default)]
pub(super) enum Numbers<'a> {
    /// Every cell is empty.
    #[default]
    None,
    /// No cell is.
    All(&'a [i64]),
    Some(Vec<Option<i64>>),
}

impl<'a> Numbers<'a> {
    pub(super) fn of(numbers: &'a Int64Chunked) -> Self {
        numbers
            .cont_slice()
            .map_or_else(|_| Self::Some(numbers.iter().collect()), Self::All)
    }

    pub(super) fn whole(frame: &'a DataFrame, name: &str) -> Option<Self> {
        match frame.column(name) {
            Ok(column) if column.null_count() < column.len() => column.i64().ok().map(Self::of),
            _ => Some(Self::None),
        }
    }

    pub(super) fn instants(frame: &'a DataFrame, name: &str) -> Option<Self> {
        match frame.column(name) {
            Ok(column) if column.null_count() < column.len() => match column.dtype() {
                DataType::Datetime(TimeUnit::Microseconds, _) => {
                    Some(Self::of(&column.datetime().ok()?.phys))
                }
                _ => None,
            },
            _ => Some(Self::None),
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::None => None,
            Self::All(numbers) => numbers.get(row).copied(),
            Self::Some(numbers) => numbers.get(row).copied().flatten(),
        }
    }

    /// The outer `None` where the cell is not an instant.
    pub(super) fn instant(&self, row: usize) -> Option<Option<Timestamp>> {
        match self.get(row) {
            None => Some(None),
            Some(micros) => Timestamp::from_micros(micros).ok().map(Some),
        }
    }
}
