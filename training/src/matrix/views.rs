//! The tables that a query reads, as views of DuckDB over a folder's Parquet files.

use super::engine::STAGED;
use crate::tables::source::Source;
use crate::tables::{Format, TableError, files};
use std::path::Path;

/// SQL that makes the views [`STAGED`] of the tables in `data` and of the decision points in
/// `points` (Parquet or CSV with customer_id, invoice_id and at).
///
/// # Errors
/// [`TableError`] where a file cannot be read; a sentence where a table is not Parquet.
pub fn duckdb_views<E: From<TableError> + From<String>>(
    data: &Path,
    points: &Path,
) -> Result<String, E> {
    let mut sql = "SET TimeZone = 'UTC';\n".to_owned();
    for (name, columns) in &STAGED[..3] {
        let table = name.trim_start_matches("lagom_");
        let mut parts = Vec::new();
        if let Some(path) = files::find(data, table)? {
            for (place, file) in files::parts(&path)?.iter().enumerate() {
                if Format::of(file)? != Format::Parquet {
                    return Err(E::from(format!(
                        "{}: the SQL reads Parquet; write the tables so by `lagom import` or \
                         `lagom export`, or compute the features by lagom itself",
                        file.display()
                    )));
                }
                let source = Source::open(file, b',')?;
                let has = |name: &str| source.columns().iter().any(|column| column == name);
                parts.push(select(columns, &has, place, file));
            }
        }
        if parts.is_empty() {
            let none = columns
                .iter()
                .map(|(name, kind)| format!("CAST(NULL AS {kind}) AS {name}"));
            let none: Vec<String> = none.collect();
            parts.push(format!("SELECT {} WHERE 1 = 0", none.join(", ")));
        }
        sql += &format!(
            "CREATE OR REPLACE TEMP VIEW {name} AS\n{};\n",
            parts.join("\nUNION ALL\n")
        );
    }
    let file = quoted(points);
    let rows = match Format::of(points)? {
        Format::Parquet => format!("read_parquet({file})"),
        Format::Csv | Format::CsvGz => format!("read_csv({file}, all_varchar = true)"),
    };
    sql += &format!(
        "CREATE OR REPLACE TEMP VIEW lagom_points AS\nSELECT ROW_NUMBER() OVER () - 1 AS point_id, \
         customer_id, invoice_id, epoch_us(CAST(\"at\" AS TIMESTAMPTZ)) AS asked_at\nFROM {rows};\n"
    );
    Ok(sql)
}

fn quoted(file: &Path) -> String {
    format!("'{}'", file.display().to_string().replace('\'', "''"))
}

fn select(
    columns: &[(&str, &str)],
    has: &dyn Fn(&str) -> bool,
    place: usize,
    file: &Path,
) -> String {
    let instant = |name: &str| format!("epoch_us({name})");
    let column = |&(name, kind): &(&str, &str)| {
        let sql = match name {
            "seq" => format!("{} + file_row_number", (place as u64) << 40),
            "recorded_at" if !has("event_id") => {
                let since = if has("issued_at") {
                    "issued_at"
                } else {
                    "created_at"
                };
                if has(name) {
                    format!("COALESCE({}, {})", instant(name), instant(since))
                } else {
                    instant(since)
                }
            }
            _ if !has(name) => "NULL".to_owned(),
            "due_on" => "due_on - DATE '1970-01-01'".to_owned(),
            "created_at" | "issued_at" | "occurred_at" | "recorded_at" | "until" => instant(name),
            _ if kind == "VARCHAR" => format!("NULLIF(CAST({name} AS VARCHAR), '')"),
            _ => name.to_owned(),
        };
        format!("CAST({sql} AS {kind}) AS {name}")
    };
    let columns: Vec<String> = columns.iter().map(column).collect();
    format!(
        "SELECT {}\nFROM read_parquet({}, file_row_number = true)",
        columns.join(", "),
        quoted(file)
    )
}
