//! Rows of a file, whatever its format: the one place where files are read.

mod json;
mod parquet;
mod text;

pub(crate) use parquet::micros;

use super::cell::Cell;
use super::error::TableError;
use flate2::read::MultiGzDecoder;
use polars::prelude::DataFrame;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// One row of a file.
pub(crate) struct Row<'a> {
    /// Data row, counted from 1.
    pub(crate) number: u64,
    /// Line on which it starts, in a text file, counted from 1.
    pub(crate) line: Option<u64>,
    cells: Cells<'a>,
}

enum Cells<'a> {
    Text(&'a csv::StringRecord),
    Frame(&'a [parquet::Column], usize),
}

impl<'a> Row<'a> {
    /// A row that was worked out from one of a file, at the same place.
    pub(crate) fn made_of(record: &'a csv::StringRecord, from: &Row<'_>) -> Self {
        Self {
            number: from.number,
            line: from.line,
            cells: Cells::Text(record),
        }
    }

    /// The cell in a place; empty where the row is too short.
    pub(crate) fn cell(&self, place: usize) -> Cell<'a> {
        match self.cells {
            Cells::Text(record) => Cell::of_text(record.get(place).unwrap_or("")),
            Cells::Frame(columns, row) => columns
                .get(place)
                .map_or(Cell::Empty, |column| column.cell(row)),
        }
    }

    /// How many cells the row has.
    pub(crate) fn width(&self) -> usize {
        match self.cells {
            Cells::Text(record) => record.len(),
            Cells::Frame(columns, _) => columns.len(),
        }
    }
}

/// An opened file: its header is known, its rows are not read yet.
pub(crate) struct Source {
    file: PathBuf,
    columns: Vec<String>,
    metadata: Vec<(String, String)>,
    body: Body,
}

enum Body {
    Json(json::Body),
    Text(Box<text::Body>),
    Parquet(parquet::Body),
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const PARQUET: &[u8] = b"PAR1";

impl Source {
    /// Opens a file; its first bytes, not its name, tell the format. `separator` is of text files.
    pub(crate) fn open(file: &Path, separator: u8) -> Result<Self, TableError> {
        let unreadable = |error: std::io::Error| TableError::unreadable(file, error);
        let mut head = Vec::with_capacity(4);
        let opened = File::open(file).map_err(unreadable)?;
        opened.take(4).read_to_end(&mut head).map_err(unreadable)?;
        if head == PARQUET {
            let (body, columns, metadata) = parquet::open(file)?;
            return Ok(Self {
                file: file.to_owned(),
                columns,
                metadata,
                body: Body::Parquet(body),
            });
        }
        let packed = head.starts_with(GZIP);
        if starts_an_object(unpacked(file, packed)?).map_err(unreadable)? {
            let (body, columns) = json::open(file, packed)?;
            return Ok(Self {
                file: file.to_owned(),
                columns,
                metadata: Vec::new(),
                body: Body::Json(body),
            });
        }
        let (body, columns) = text::open(file, packed, separator)?;
        Ok(Self {
            file: file.to_owned(),
            columns,
            metadata: Vec::new(),
            body: Body::Text(Box::new(body)),
        })
    }

    /// The file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The file's columns, in its order.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The value of a key in a Parquet file's metadata.
    pub(crate) fn metadata(&self, key: &str) -> Option<&str> {
        let found = self.metadata.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// How many rows the file has, where it says so.
    pub(crate) fn rows(&self) -> Option<usize> {
        match &self.body {
            Body::Json(_) | Body::Text(_) => None,
            Body::Parquet(body) => Some(body.rows),
        }
    }

    /// The file's rows as frames, where it is Parquet.
    pub(super) fn frames(
        &self,
    ) -> Option<impl Iterator<Item = Result<DataFrame, TableError>> + use<'_>> {
        match &self.body {
            Body::Json(_) | Body::Text(_) => None,
            Body::Parquet(body) => Some(parquet::frames(&self.file, body, None, 1)),
        }
    }

    /// The named columns that the file has, every so many frames one, where it is Parquet.
    pub(crate) fn frames_of(
        &self,
        columns: &[&str],
        stride: usize,
    ) -> Option<impl Iterator<Item = Result<DataFrame, TableError>> + use<'_>> {
        let known = |name: &&str| self.columns.iter().any(|column| column == name);
        let named = columns.iter().copied().filter(known).map(str::to_owned);
        let named: Vec<String> = named.collect();
        match &self.body {
            Body::Json(_) | Body::Text(_) => None,
            Body::Parquet(body) => Some(parquet::frames(&self.file, body, Some(named), stride)),
        }
    }

    /// Hands over every row in the file's order until told to stop.
    pub(crate) fn each(
        self,
        visit: impl FnMut(&Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), TableError> {
        match self.body {
            Body::Json(body) => json::each(&self.file, &body, visit),
            Body::Text(body) => text::each(&self.file, *body, visit),
            Body::Parquet(body) => parquet::each(&self.file, &body, visit),
        }
    }
}

type Unpacked = BufReader<Box<dyn Read>>;

/// The text of a file, packed with gzip or not.
fn unpacked(file: &Path, packed: bool) -> Result<Unpacked, TableError> {
    let opened = File::open(file).map_err(|error| TableError::unreadable(file, error))?;
    Ok(BufReader::with_capacity(
        1 << 16,
        if packed {
            Box::new(MultiGzDecoder::new(BufReader::new(opened)))
        } else {
            Box::new(opened)
        },
    ))
}

/// Whether the first thing in a text is a brace, which no header of a table begins with.
fn starts_an_object(mut text: Unpacked) -> std::io::Result<bool> {
    let head = text.fill_buf()?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    Ok(head.trim_ascii_start().first() == Some(&b'{'))
}
