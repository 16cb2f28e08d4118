//! Parquet through polars, in slices, so that memory does not grow with the file.

use super::{Cells, Row};
use crate::tables::cell::Cell;
use crate::tables::error::TableError;
use polars::prelude::{
    BooleanChunked, DataFrame, DataType, Float64Chunked, Int32Chunked, Int64Chunked, ListChunked,
    ParquetReader, SerReader, Series, StringChunked, TimeUnit, UInt64Chunked,
};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Rows read at a time, at most.
const MOST_ROWS: usize = 131_072;
/// Row groups are read together until there are so many rows: one of this size is read alone, so that
/// nothing is copied to join it with a part of the next.
const ENOUGH_ROWS: usize = 65_536;

pub(super) struct Body {
    file: PathBuf,
    pub(super) rows: usize,
    slices: Vec<Slice>,
}

/// Rows that are read together.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Slice {
    start: usize,
    rows: usize,
}

/// Slices of row groups of these sizes.
fn slices(groups: impl Iterator<Item = usize>) -> Vec<Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    let mut end = 0;
    for group in groups {
        match slices.last_mut() {
            Some(last) if last.rows < ENOUGH_ROWS && last.rows + group <= MOST_ROWS => {
                last.rows += group;
            }
            _ => slices.extend((0..group).step_by(MOST_ROWS).map(|from| Slice {
                start: end + from,
                rows: MOST_ROWS.min(group - from),
            })),
        }
        end += group;
    }
    slices
}

/// A column of a slice, by what its cells are.
pub(super) enum Column {
    Text(StringChunked),
    Whole(Int64Chunked),
    Count(UInt64Chunked),
    Real(Float64Chunked),
    Flag(BooleanChunked),
    Instant(Int64Chunked, TimeUnit),
    Day(Int32Chunked),
    Texts(ListChunked),
    Reals(ListChunked),
    Nothing,
}

fn reader(file: &Path) -> Result<ParquetReader<File>, TableError> {
    let opened = File::open(file).map_err(|error| TableError::unreadable(file, error))?;
    Ok(ParquetReader::new(opened))
}

type Opened = (Body, Vec<String>, Vec<(String, String)>);

pub(super) fn open(file: &Path) -> Result<Opened, TableError> {
    let unreadable = |error| TableError::unreadable(file, error);
    let mut reader = reader(file)?;
    let schema = reader.schema().map_err(unreadable)?;
    let columns = schema.iter_names().map(ToString::to_string).collect();
    let rows = reader.num_rows().map_err(unreadable)?;
    let pairs = reader
        .get_metadata()
        .map_err(unreadable)?
        .key_value_metadata();
    let metadata = pairs.iter().flatten().filter_map(|pair| {
        let value = pair.value.as_ref()?;
        Some((pair.key.clone(), value.clone()))
    });
    let metadata = metadata.collect();
    let groups = &reader.get_metadata().map_err(unreadable)?.row_groups;
    let mut sizes = Vec::with_capacity(groups.len());
    for group in groups {
        sizes.push(group.num_rows());
    }
    let body = Body {
        file: file.to_owned(),
        rows,
        slices: slices(sizes.into_iter()),
    };
    Ok((body, columns, metadata))
}

/// The rows in slices, each in one piece, every so many of them one; all columns or those named.
pub(super) fn frames(
    file: &Path,
    body: &Body,
    columns: Option<Vec<String>>,
    stride: usize,
) -> impl Iterator<Item = Result<DataFrame, TableError>> {
    let slices = body.slices.iter().step_by(stride.max(1));
    slices.map(move |slice| {
        reader(&body.file)?
            .with_columns(columns.clone())
            .with_slice(Some((slice.start, slice.rows)))
            .set_rechunk(true)
            .finish()
            .map_err(|error| TableError::unreadable(file, error))
    })
}

pub(super) fn each(
    file: &Path,
    body: &Body,
    mut visit: impl FnMut(&Row<'_>) -> ControlFlow<()>,
) -> Result<(), TableError> {
    for (slice, frame) in body.slices.iter().zip(frames(file, body, None, 1)) {
        let (start, frame) = (slice.start, frame?);
        let columns = frame
            .columns()
            .iter()
            .map(|column| Column::of(file, column.as_materialized_series()))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..frame.height() {
            let row = Row {
                number: (start + row + 1) as u64,
                line: None,
                cells: Cells::Frame(&columns, row),
            };
            if visit(&row).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Column {
    fn of(file: &Path, series: &Series) -> Result<Self, TableError> {
        let wrong = |error| TableError::unreadable(file, error);
        let as_type = |kind: &DataType| series.cast(kind).map_err(wrong);
        Ok(match series.dtype() {
            DataType::String => Self::Text(series.str().map_err(wrong)?.clone()),
            DataType::Int32 | DataType::Int64 | DataType::UInt32 => {
                Self::Whole(as_type(&DataType::Int64)?.i64().map_err(wrong)?.clone())
            }
            DataType::UInt64 => Self::Count(series.u64().map_err(wrong)?.clone()),
            DataType::Float32 | DataType::Float64 => {
                Self::Real(as_type(&DataType::Float64)?.f64().map_err(wrong)?.clone())
            }
            DataType::Boolean => Self::Flag(series.bool().map_err(wrong)?.clone()),
            &DataType::Datetime(unit, _) => {
                Self::Instant(series.datetime().map_err(wrong)?.phys.clone(), unit)
            }
            DataType::Date => Self::Day(series.date().map_err(wrong)?.phys.clone()),
            DataType::List(inner) if **inner == DataType::String => {
                Self::Texts(series.list().map_err(wrong)?.clone())
            }
            DataType::List(inner) if inner.is_primitive_numeric() => {
                let reals = as_type(&DataType::List(Box::new(DataType::Float64)))?;
                Self::Reals(reals.list().map_err(wrong)?.clone())
            }
            DataType::List(inner) if **inner == DataType::Null => Self::Texts(
                as_type(&DataType::List(Box::new(DataType::String)))?
                    .list()
                    .map_err(wrong)?
                    .clone(),
            ),
            DataType::Null => Self::Nothing,
            other => {
                let reason = format!(
                    "column {} is of type {other}, which has no meaning here",
                    series.name()
                );
                return Err(TableError::unreadable(file, reason));
            }
        })
    }

    /// The cell of a row of the slice.
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Text(texts) => texts.get(row).map_or(Cell::Empty, Cell::of_text),
            Self::Whole(numbers) => of(numbers.get(row), |n| Cell::Whole(n.into())),
            Self::Count(numbers) => of(numbers.get(row), |n| Cell::Whole(n.into())),
            // Other programs write a missing number as NaN.
            Self::Real(numbers) => of(numbers.get(row).filter(|n| !n.is_nan()), Cell::Real),
            Self::Flag(flags) => of(flags.get(row), Cell::Flag),
            Self::Instant(ticks, unit) => {
                of(ticks.get(row), |ticks| Cell::Instant(micros(ticks, *unit)))
            }
            Self::Day(days) => of(days.get(row), Cell::Day),
            Self::Texts(lists) => of(lists.get_as_series(row), |list| {
                let texts = list.str().map_or_else(
                    |_| Vec::new(),
                    |texts| {
                        texts
                            .iter()
                            .map(|text| text.unwrap_or("").to_owned())
                            .collect()
                    },
                );
                Cell::Texts(texts)
            }),
            Self::Reals(lists) => of(lists.get_as_series(row), |list| {
                let reals = list.f64().map_or_else(
                    |_| Vec::new(),
                    |reals| reals.iter().map(|real| real.unwrap_or(f64::NAN)).collect(),
                );
                Cell::Reals(reals)
            }),
            Self::Nothing => Cell::Empty,
        }
    }
}

/// Microseconds of so many ticks.
pub(crate) fn micros(ticks: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanoseconds => ticks.div_euclid(1_000),
        TimeUnit::Microseconds => ticks,
        TimeUnit::Milliseconds => ticks.saturating_mul(1_000),
    }
}

fn of<'a, T>(value: Option<T>, cell: impl FnOnce(T) -> Cell<'a>) -> Cell<'a> {
    value.map_or(Cell::Empty, cell)
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH_ROWS, MOST_ROWS, slices};

    #[test]
    fn slices_cover_every_row_once_and_are_neither_tiny_nor_huge() {
        for groups in [
            vec![],
            vec![0, 1, 0],
            vec![ENOUGH_ROWS; 5],
            vec![10; 30_000],
            vec![3 * MOST_ROWS + 1, 7, 7, ENOUGH_ROWS, 1],
            vec![122_880; 4],
        ] {
            let slices = slices(groups.iter().copied());
            let mut end = 0;
            for slice in &slices {
                assert_eq!(slice.start, end);
                assert!(slice.rows > 0 && slice.rows <= MOST_ROWS);
                end += slice.rows;
            }
            assert_eq!(end, groups.iter().sum::<usize>());
            assert!(slices.len() <= 2 * end / ENOUGH_ROWS + 1);
        }
    }
}
