#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use polars::prelude::{Column as Series, DataFrame, ParquetWriter};
use tempfile::TempDir;

use super::{FlatTable, FlatTableError, ReadOptions, Values};

struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("table.csv");
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn read(bytes: &[u8]) -> Result<FlatTable, FlatTableError> {
    let room = Room::new();
    FlatTable::read(&room.file(bytes), &ReadOptions::default())
}

fn texts(table: &FlatTable, name: &str) -> Vec<Option<String>> {
    match &table.column(name).unwrap().values {
        Values::Text(cells) => cells.clone(),
        Values::Number(_) => panic!("{name} is a number column"),
    }
}

#[test]
fn types_are_found_and_missing_is_not_zero() {
    let table = read(b"a,b,c,d\n1, x ,NA,\n ,NA,2.5,\n-3e2,,nan,\n").unwrap();
    assert_eq!(table.rows(), 3);
    let a = table.numbers("a").unwrap();
    assert_eq!(a[0], 1.0);
    assert!(a[1].is_nan());
    assert_eq!(a[2], -300.0);
    assert_eq!(
        texts(&table, "b"),
        vec![Some("x".into()), Some("NA".into()), None]
    );
    let c = table.numbers("c").unwrap();
    assert!(c[0].is_nan() && c[2].is_nan());
    assert_eq!(c[1], 2.5);
    assert!(table.numbers("d").unwrap().iter().all(|cell| cell.is_nan()));
}

#[test]
fn one_word_among_numbers_makes_a_text_column_and_the_error_names_its_row() {
    let table = read(b"a\n1\ntwo\n3\n").unwrap();
    let error = table.numbers("a").unwrap_err().to_string();
    assert_eq!(error, "column `a` must hold numbers, but row 1 holds `two`");
}

#[test]
fn semicolons_quotes_and_a_byte_order_mark_are_understood() {
    let table = read(b"\xef\xbb\xbf\"age\";\"job\"\n58;\"a;b\"\n44;\"say \"\"hi\"\"\"\n").unwrap();
    assert_eq!(table.numbers("age").unwrap(), [58.0, 44.0]);
    assert_eq!(
        texts(&table, "job"),
        vec![Some("a;b".into()), Some("say \"hi\"".into())]
    );
}

#[test]
fn a_given_separator_overrides_the_found_one() {
    let room = Room::new();
    let path = room.file(b"a,b;c\n1,2;3\n");
    let options = ReadOptions {
        separator: Some(b';'),
    };
    let table = FlatTable::read(&path, &options).unwrap();
    assert_eq!(table.columns()[0].name, "a,b");
    assert_eq!(table.numbers("c").unwrap(), [3.0]);
}

#[test]
fn gzip_is_known_by_its_bytes() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"a,b\n1,x\n").unwrap();
    let table = read(&encoder.finish().unwrap()).unwrap();
    assert_eq!(table.numbers("a").unwrap(), [1.0]);
}

#[test]
fn a_row_of_another_width_is_named() {
    let error = read(b"a,b\n1,2\n3\n").unwrap_err();
    match error {
        FlatTableError::Width {
            row,
            line,
            found,
            expected,
            ..
        } => assert_eq!((row, line, found, expected), (1, 3, 1, 2)),
        other => panic!("{other}"),
    }
}

#[test]
fn infinity_is_refused_with_row_and_column() {
    let error = read(b"a,b\n1,2\n3,-inf\n").unwrap_err();
    match error {
        FlatTableError::Infinite {
            row, column, cell, ..
        } => assert_eq!((row, column.as_str(), cell.as_str()), (1, "b", "-inf")),
        other => panic!("{other}"),
    }
    let text = read(b"word\ninf\nabc\n").unwrap();
    assert_eq!(texts(&text, "word")[0], Some("inf".into()));
}

#[test]
fn repeated_names_empty_files_and_broken_bytes_are_refused() {
    assert!(matches!(
        read(b"a,a\n1,2\n"),
        Err(FlatTableError::RepeatedColumn { .. })
    ));
    assert!(matches!(read(b""), Err(FlatTableError::Empty { .. })));
    let error = read(b"a,b\n1,\xff\n").unwrap_err().to_string();
    assert!(error.contains("row 0 (line 2), column `b`"), "{error}");
}

#[test]
fn a_column_without_a_name_gets_its_place() {
    let table = read(b",a\n0,5\n").unwrap();
    assert_eq!(table.numbers("column_1").unwrap(), [0.0]);
    let error = table.column("b").unwrap_err().to_string();
    assert_eq!(error, "there is no column `b`; there are: column_1, a");
}

#[test]
fn parquet_gives_the_columns_that_the_same_csv_gives() {
    let mut frame = DataFrame::new(
        3,
        vec![
            Series::new("a".into(), &[Some(1_i64), None, Some(-300)]),
            Series::new("b".into(), &[Some("x"), Some("NA"), None]),
            Series::new("c".into(), &[None, Some(2.5_f64), Some(f64::NAN)]),
            Series::new("flag".into(), &[true, false, true]),
        ],
    )
    .unwrap();
    let room = Room::new();
    let path = room.folder.path().join("table.any");
    let file = fs::File::create(&path).unwrap();
    ParquetWriter::new(file).finish(&mut frame).unwrap();
    let table = FlatTable::read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(table.rows(), 3);
    let a = table.numbers("a").unwrap();
    assert_eq!((a[0], a[2]), (1.0, -300.0));
    assert!(a[1].is_nan());
    assert_eq!(
        texts(&table, "b"),
        vec![Some("x".into()), Some("NA".into()), None]
    );
    let c = table.numbers("c").unwrap();
    assert!(c[0].is_nan() && c[2].is_nan());
    assert_eq!(table.numbers("flag").unwrap(), [1.0, 0.0, 1.0]);
}

#[test]
fn an_infinite_parquet_cell_is_refused() {
    let mut frame =
        DataFrame::new(2, vec![Series::new("a".into(), &[1.0, f64::INFINITY])]).unwrap();
    let room = Room::new();
    let path = room.folder.path().join("table.parquet");
    let file = fs::File::create(&path).unwrap();
    ParquetWriter::new(file).finish(&mut frame).unwrap();
    let error = FlatTable::read(&path, &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, FlatTableError::Infinite { row: 1, .. }));
}

#[test]
fn a_missing_file_and_a_broken_parquet_are_told_apart() {
    let nowhere = PathBuf::from("no/such/file.csv");
    let error = FlatTable::read(&nowhere, &ReadOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("no/such/file.csv: cannot be read")
    );
    assert!(matches!(
        read(b"PAR1 and nothing more"),
        Err(FlatTableError::Parquet { .. })
    ));
}
