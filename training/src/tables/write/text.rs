//! CSV, packed with gzip or not.

use crate::tables::error::TableError;
use crate::tables::list::{reals_to_json, texts_to_json};
use crate::tables::out::Value;
use crate::tables::record::Record;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tempfile::NamedTempFile;

enum Bytes {
    Plain(BufWriter<NamedTempFile>),
    Gzip(Box<GzEncoder<BufWriter<NamedTempFile>>>),
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(out) => out.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(out) => out.flush(),
        }
    }
}

pub(super) struct Sink(csv::Writer<Bytes>);

impl Sink {
    pub(super) fn new<T: Record>(
        path: &Path,
        file: NamedTempFile,
        packed: bool,
    ) -> Result<Self, TableError> {
        let out = BufWriter::with_capacity(1 << 16, file);
        let bytes = if packed {
            Bytes::Gzip(Box::new(GzEncoder::new(out, Compression::default())))
        } else {
            Bytes::Plain(out)
        };
        let mut writer = csv::Writer::from_writer(bytes);
        writer
            .write_record(T::COLUMNS.iter().map(|column| column.name))
            .map_err(|error| TableError::unwritable(path, error))?;
        Ok(Self(writer))
    }

    pub(super) fn push(&mut self, path: &Path, values: &[Value<'_>]) -> Result<(), TableError> {
        for value in values {
            self.0
                .write_field(text(value).as_ref())
                .map_err(|error| TableError::unwritable(path, error))?;
        }
        self.0
            .write_record(None::<&[u8]>)
            .map_err(|error| TableError::unwritable(path, error))
    }

    pub(super) fn finish(self, path: &Path) -> Result<NamedTempFile, TableError> {
        let unwritable = |error: io::Error| TableError::unwritable(path, error);
        let bytes = self
            .0
            .into_inner()
            .map_err(|error| unwritable(io::Error::other(error.to_string())))?;
        let out = match bytes {
            Bytes::Plain(out) => out,
            Bytes::Gzip(out) => out.finish().map_err(unwritable)?,
        };
        out.into_inner()
            .map_err(|error| unwritable(error.into_error()))
    }
}

fn text<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::Empty => Cow::Borrowed(""),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Whole(number) => number.to_string().into(),
        Value::Count(number) => number.to_string().into(),
        Value::Real(number) => number.to_string().into(),
        Value::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Value::Instant(instant) => instant.to_string().into(),
        Value::Day(date) => date.to_string().into(),
        Value::Texts(texts) => texts_to_json(texts).into(),
        Value::Reals(reals) => reals_to_json(reals).into(),
    }
}
