//! Parquet through polars, one row group at a time.

use super::Finished;
use super::frames::FrameWriter;
use crate::tables::error::TableError;
use crate::tables::out::Value;
use crate::tables::record::Record;
use crate::tables::schema::{Column, Kind, SCHEMA_VERSION, TABLE_KEY, VERSION_KEY};
use polars::prelude::{
    BooleanChunked, DataFrame, DataType, Float64Chunked, Float64Type, Int32Chunked, Int64Chunked,
    IntoColumn, IntoSeries, ListBuilderTrait, ListPrimitiveChunkedBuilder,
    ListStringChunkedBuilder, NewChunkedArray, PlSmallStr, PolarsResult, Series, StringChunked,
    TimeUnit, TimeZone, UInt64Chunked,
};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Rows of a row group: small enough to be held, large enough to compress well.
const GROUP: usize = 65_536;

pub(super) struct Sink {
    path: PathBuf,
    writer: FrameWriter,
    columns: &'static [Column],
    buffers: Vec<Buffer>,
    rows: usize,
}

/// The cells of one column that are not written yet.
enum Buffer {
    Text(Vec<Option<String>>),
    Whole(Vec<Option<i64>>),
    Count(Vec<Option<u64>>),
    Real(Vec<Option<f64>>),
    Flag(Vec<Option<bool>>),
    Instant(Vec<Option<i64>>),
    Day(Vec<Option<i32>>),
    Texts(Vec<Option<Vec<String>>>),
    Reals(Vec<Option<Vec<f64>>>),
}

impl Sink {
    pub(super) fn new<T: Record>(path: &Path, file: NamedTempFile) -> Result<Self, TableError> {
        let unwritable = |error| TableError::unwritable(path, error);
        let mut buffers: Vec<_> = T::COLUMNS.iter().map(|c| Buffer::of(c.kind)).collect();
        let empty = frame(T::COLUMNS, &mut buffers, 0).map_err(unwritable)?;
        let metadata = vec![
            (TABLE_KEY.to_owned(), T::TABLE.to_owned()),
            (VERSION_KEY.to_owned(), SCHEMA_VERSION.to_string()),
        ];
        Ok(Self {
            path: path.to_owned(),
            writer: FrameWriter::in_file(path, file, empty.schema(), metadata)?,
            columns: T::COLUMNS,
            buffers,
            rows: 0,
        })
    }

    pub(super) fn push(&mut self, values: &[Value<'_>]) -> Result<(), TableError> {
        for (buffer, value) in self.buffers.iter_mut().zip(values) {
            buffer.push(value);
        }
        self.rows += 1;
        if self.rows == GROUP {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let rows = std::mem::take(&mut self.rows);
        let frame = frame(self.columns, &mut self.buffers, rows)
            .map_err(|error| TableError::unwritable(&self.path, error))?;
        self.writer.push(&frame)
    }

    /// Writes the last group and the footer.
    pub(super) fn finish(mut self) -> Result<Finished, TableError> {
        if self.rows > 0 {
            self.flush()?;
        }
        self.writer.finish()
    }
}

/// The buffered cells as a frame; the buffers are empty afterwards.
fn frame(columns: &[Column], buffers: &mut [Buffer], rows: usize) -> PolarsResult<DataFrame> {
    let series = columns.iter().zip(buffers).map(|(column, buffer)| {
        let fresh = Buffer::of(column.kind);
        let cells = std::mem::replace(buffer, fresh);
        cells.into_series(column.name.into()).into_column()
    });
    DataFrame::new(rows, series.collect())
}

impl Buffer {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Vec::new()),
            Kind::Whole => Self::Whole(Vec::new()),
            Kind::Count => Self::Count(Vec::new()),
            Kind::Real => Self::Real(Vec::new()),
            Kind::Flag => Self::Flag(Vec::new()),
            Kind::Instant => Self::Instant(Vec::new()),
            Kind::Day => Self::Day(Vec::new()),
            Kind::Texts => Self::Texts(Vec::new()),
            Kind::Reals => Self::Reals(Vec::new()),
        }
    }

    fn push(&mut self, value: &Value<'_>) {
        match (self, value) {
            (Self::Text(cells), Value::Text(text)) => cells.push(Some(text.clone().into_owned())),
            (Self::Whole(cells), &Value::Whole(number)) => cells.push(Some(number)),
            (Self::Count(cells), &Value::Count(number)) => cells.push(Some(number)),
            (Self::Real(cells), &Value::Real(number)) => cells.push(Some(number)),
            (Self::Flag(cells), &Value::Flag(flag)) => cells.push(Some(flag)),
            (Self::Instant(cells), Value::Instant(instant)) => cells.push(Some(instant.micros())),
            (Self::Day(cells), Value::Day(date)) => cells.push(Some(date.days())),
            (Self::Texts(cells), Value::Texts(texts)) => {
                cells.push(Some(texts.iter().map(ToString::to_string).collect()));
            }
            (Self::Reals(cells), Value::Reals(reals)) => cells.push(Some(reals.to_vec())),
            (buffer, Value::Empty) => buffer.push_empty(),
            (_, value) => unreachable!("{value:?} is not of the column's kind"),
        }
    }

    fn push_empty(&mut self) {
        match self {
            Self::Text(cells) => cells.push(None),
            Self::Whole(cells) | Self::Instant(cells) => cells.push(None),
            Self::Count(cells) => cells.push(None),
            Self::Real(cells) => cells.push(None),
            Self::Flag(cells) => cells.push(None),
            Self::Day(cells) => cells.push(None),
            Self::Texts(cells) => cells.push(None),
            Self::Reals(cells) => cells.push(None),
        }
    }

    fn into_series(self, name: PlSmallStr) -> Series {
        match self {
            Self::Text(cells) => {
                StringChunked::from_iter_options(name, cells.into_iter()).into_series()
            }
            Self::Whole(cells) => {
                Int64Chunked::from_iter_options(name, cells.into_iter()).into_series()
            }
            Self::Count(cells) => {
                UInt64Chunked::from_iter_options(name, cells.into_iter()).into_series()
            }
            Self::Real(cells) => {
                Float64Chunked::from_iter_options(name, cells.into_iter()).into_series()
            }
            Self::Flag(cells) => {
                BooleanChunked::from_iter_options(name, cells.into_iter()).into_series()
            }
            Self::Instant(cells) => Int64Chunked::from_iter_options(name, cells.into_iter())
                .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
                .into_series(),
            Self::Day(cells) => Int32Chunked::from_iter_options(name, cells.into_iter())
                .into_date()
                .into_series(),
            Self::Texts(cells) => texts(name, &cells),
            Self::Reals(cells) => reals(name, &cells),
        }
    }
}

fn texts(name: PlSmallStr, cells: &[Option<Vec<String>>]) -> Series {
    let values = cells.iter().flatten().map(Vec::len).sum();
    let mut builder = ListStringChunkedBuilder::new(name, cells.len(), values);
    for cell in cells {
        match cell {
            Some(texts) => builder.append_values_iter(texts.iter().map(String::as_str)),
            None => builder.append_null(),
        }
    }
    builder.finish().into_series()
}

fn reals(name: PlSmallStr, cells: &[Option<Vec<f64>>]) -> Series {
    let values = cells.iter().flatten().map(Vec::len).sum();
    let inner = DataType::Float64;
    let mut builder =
        ListPrimitiveChunkedBuilder::<Float64Type>::new(name, cells.len(), values, inner);
    for cell in cells {
        match cell {
            // Unknown is null for every program, not only for those that know NaN.
            Some(reals) => {
                let known: Vec<_> = reals.iter().map(|r| (!r.is_nan()).then_some(*r)).collect();
                builder.append_iter(known.into_iter());
            }
            None => builder.append_null(),
        }
    }
    builder.finish().into_series()
}
