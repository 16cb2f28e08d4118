//! Separated text, plain or gzip. Two passes over the file: the first finds the column types, the second fills the
//! columns, so that memory holds the finished table and never its text as well.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use flate2::bufread::MultiGzDecoder;

use super::{Column, FlatTable, FlatTableError, MISSING_MARKS, ReadOptions, Values, separator};

const BUFFER_BYTES: usize = 1 << 17;
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Whether the text is compressed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Packing {
    Plain,
    Gzip,
}

pub(super) fn read(
    path: &Path,
    packing: Packing,
    options: &ReadOptions,
) -> Result<FlatTable, FlatTableError> {
    let separator = match options.separator {
        Some(separator) => separator,
        None => separator::sniff(&beginning(path, packing)?),
    };
    let source = Source {
        path,
        packing,
        separator,
    };
    let (names, kinds) = source.find_types()?;
    source.fill(names, &kinds)
}

/// The type of a column as far as the cells seen so far tell.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// Nothing but empty cells and missing marks.
    Unknown {
        marks: bool,
    },
    Number {
        infinite: Option<(usize, String)>,
    },
    Text,
}

enum Cell {
    Empty,
    Mark,
    Number(f64),
    Text,
}

fn cell(text: &str) -> Cell {
    let text = text.trim();
    if text.is_empty() {
        return Cell::Empty;
    }
    match text.parse::<f64>() {
        Ok(number) if !number.is_nan() => Cell::Number(number),
        _ if MISSING_MARKS.contains(&text) => Cell::Mark,
        _ => Cell::Text,
    }
}

impl Kind {
    fn widened_by(self, row: usize, text: &str) -> Self {
        match (self, cell(text)) {
            (Self::Text, _) | (_, Cell::Text) => Self::Text,
            (kind, Cell::Empty) => kind,
            (Self::Unknown { .. }, Cell::Mark) => Self::Unknown { marks: true },
            (kind, Cell::Mark) => kind,
            (Self::Number { infinite: None } | Self::Unknown { .. }, Cell::Number(number)) => {
                let infinite = number.is_infinite().then(|| (row, text.trim().to_owned()));
                Self::Number { infinite }
            }
            (kind, Cell::Number(_)) => kind,
        }
    }
}

struct Source<'a> {
    path: &'a Path,
    packing: Packing,
    separator: u8,
}

impl Source<'_> {
    fn open(&self) -> Result<Reader<Box<dyn Read>>, FlatTableError> {
        Ok(ReaderBuilder::new()
            .delimiter(self.separator)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(unpacked(self.path, self.packing)?))
    }

    fn find_types(&self) -> Result<(Vec<String>, Vec<Kind>), FlatTableError> {
        let mut reader = self.open()?;
        let names = self.names(&mut reader)?;
        let mut kinds = vec![Kind::Unknown { marks: false }; names.len()];
        self.each_row(&mut reader, &names, |row, column, text| {
            let seen = std::mem::replace(&mut kinds[column], Kind::Text);
            kinds[column] = seen.widened_by(row, text);
        })?;
        for (name, kind) in names.iter().zip(&kinds) {
            if let Kind::Number {
                infinite: Some((row, cell)),
            } = kind
            {
                return Err(FlatTableError::Infinite {
                    file: self.file(),
                    row: *row,
                    column: name.clone(),
                    cell: cell.clone(),
                });
            }
        }
        Ok((names, kinds))
    }

    fn fill(&self, names: Vec<String>, kinds: &[Kind]) -> Result<FlatTable, FlatTableError> {
        let mut values: Vec<Values> = kinds
            .iter()
            .map(|kind| match kind {
                Kind::Text | Kind::Unknown { marks: true } => Values::Text(Vec::new()),
                Kind::Number { .. } | Kind::Unknown { marks: false } => Values::Number(Vec::new()),
            })
            .collect();
        let mut reader = self.open()?;
        self.names(&mut reader)?;
        let rows = self.each_row(&mut reader, &names, |_, column, text| {
            match &mut values[column] {
                Values::Number(cells) => cells.push(match cell(text) {
                    Cell::Number(number) => number,
                    Cell::Empty | Cell::Mark | Cell::Text => f64::NAN,
                }),
                Values::Text(cells) => {
                    let text = text.trim();
                    cells.push((!text.is_empty()).then(|| text.to_owned()));
                }
            }
        })?;
        let columns = names
            .into_iter()
            .zip(values)
            .map(|(name, values)| Column { name, values })
            .collect();
        Ok(FlatTable { rows, columns })
    }

    /// Calls `visit(row, column, cell)` for every cell in order and returns the number of rows.
    fn each_row(
        &self,
        reader: &mut Reader<Box<dyn Read>>,
        names: &[String],
        mut visit: impl FnMut(usize, usize, &str),
    ) -> Result<usize, FlatTableError> {
        let mut record = ByteRecord::new();
        let mut row = 0;
        while reader
            .read_byte_record(&mut record)
            .map_err(|error| self.malformed(&error))?
        {
            for (column, bytes) in record.iter().enumerate() {
                let text = std::str::from_utf8(bytes).map_err(|_| FlatTableError::NotUtf8 {
                    file: self.file(),
                    row: row as u64,
                    line: record.position().map_or(0, csv::Position::line),
                    column: format!("`{}`", names[column]),
                })?;
                visit(row, column, text);
            }
            row += 1;
        }
        Ok(row)
    }

    fn names(&self, reader: &mut Reader<Box<dyn Read>>) -> Result<Vec<String>, FlatTableError> {
        let header = reader
            .byte_headers()
            .map_err(|error| self.malformed(&error))?;
        if header.is_empty() {
            return Err(FlatTableError::Empty { file: self.file() });
        }
        let mut names: Vec<String> = Vec::with_capacity(header.len());
        for (index, bytes) in header.iter().enumerate() {
            let text = std::str::from_utf8(bytes).map_err(|_| FlatTableError::NotUtf8 {
                file: self.file(),
                row: 0,
                line: 1,
                column: format!("{} of the header", index + 1),
            })?;
            let name = match text.trim() {
                "" => format!("column_{}", index + 1),
                name => name.to_owned(),
            };
            if names.contains(&name) {
                return Err(FlatTableError::RepeatedColumn {
                    file: self.file(),
                    name,
                });
            }
            names.push(name);
        }
        Ok(names)
    }

    fn malformed(&self, error: &csv::Error) -> FlatTableError {
        let file = self.file();
        // The header is record 0, so the first row of data is record 1.
        let row = |position: &Option<csv::Position>| {
            position
                .as_ref()
                .map_or(0, |position| position.record().saturating_sub(1))
        };
        match error.kind() {
            ErrorKind::UnequalLengths {
                pos,
                expected_len,
                len,
            } => FlatTableError::Width {
                file,
                row: row(pos),
                line: pos.as_ref().map_or(0, csv::Position::line),
                found: *len,
                expected: *expected_len,
                separator: char::from(self.separator),
            },
            ErrorKind::Io(source) => FlatTableError::Io {
                file,
                source: std::io::Error::new(source.kind(), source.to_string()),
            },
            _ => FlatTableError::Malformed {
                file,
                row: error.position().map_or(0, csv::Position::record),
                reason: error.to_string(),
            },
        }
    }

    fn file(&self) -> String {
        self.path.display().to_string()
    }
}

/// The uncompressed bytes of the file, after a byte-order mark if it has one.
fn unpacked(path: &Path, packing: Packing) -> Result<Box<dyn Read>, FlatTableError> {
    let io = |error| FlatTableError::io(path, error);
    let file = BufReader::with_capacity(BUFFER_BYTES, File::open(path).map_err(io)?);
    let mut bytes: Box<dyn Read> = match packing {
        Packing::Plain => Box::new(file),
        Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
    };
    let mut head = Vec::with_capacity(BYTE_ORDER_MARK.len());
    (&mut bytes)
        .take(BYTE_ORDER_MARK.len() as u64)
        .read_to_end(&mut head)
        .map_err(io)?;
    if head == BYTE_ORDER_MARK {
        head.clear();
    }
    Ok(Box::new(std::io::Cursor::new(head).chain(bytes)))
}

fn beginning(path: &Path, packing: Packing) -> Result<Vec<u8>, FlatTableError> {
    let mut head = Vec::new();
    unpacked(path, packing)?
        .take(BUFFER_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(|error| FlatTableError::io(path, error))?;
    Ok(head)
}
