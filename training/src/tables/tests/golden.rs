//! The form on disk is a promise: these files were written by schema version 1 and must be read
//! for ever, and version 1 must go on being written like the last of them.

use super::super::{Format, SCHEMA_VERSION, Tables};
use super::{folder, sample};
use std::fs;
use std::path::PathBuf;

fn golden(form: &str) -> PathBuf {
    let folder = format!("tests/golden/tables-v{SCHEMA_VERSION}{form}");
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)
}

#[test]
fn tables_of_earlier_lagoms_are_read() {
    for (form, tables) in [
        ("", sample::tables()),
        ("-recorded", sample::recorded_late()),
        ("-priced", sample::priced()),
    ] {
        for format in [Format::Csv, Format::Parquet] {
            let dir = golden(form).join(format.extension());
            assert_eq!(Tables::read(&dir).unwrap(), tables, "{form} {format:?}");
        }
    }
}

#[test]
fn golden_tables_are_read_and_written_alike() {
    let tables = sample::scarce();
    for format in [Format::Csv, Format::Parquet] {
        let dir = golden("-scarce").join(format.extension());
        let fresh = folder();
        tables.write(fresh.path(), format).unwrap();
        if !dir.is_dir() {
            let kept = fresh.keep();
            panic!(
                "there is no {}; if it is to be new, copy {}",
                dir.display(),
                kept.display()
            );
        }
        assert_eq!(Tables::read(&dir).unwrap(), tables, "{format:?}");
        if format == Format::Csv {
            for entry in fs::read_dir(&dir).unwrap() {
                let name = entry.unwrap().file_name();
                let [old, new] = [&dir, fresh.path()].map(|d| fs::read_to_string(d.join(&name)));
                assert_eq!(old.unwrap(), new.unwrap(), "{}", name.display());
            }
        }
    }
}
