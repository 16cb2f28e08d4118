//! JSON lines, packed with gzip or not: an object a line, as APIs and webhooks give it.
//!
//! An object inside an object becomes columns with a dot, an entry of a list its number:
//! `{"customer": {"id": "c1"}, "tags": ["a"]}` has the columns `customer.id` and `tags.0`. Objects
//! may differ; the file's columns are those of all of them, and `null` or an absent key is an empty
//! cell. The file is read twice, first for its columns, so that memory does not grow with it.

use super::{Cells, Row, Unpacked, unpacked};
use crate::tables::error::TableError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::Path;

pub(super) struct Body {
    packed: bool,
    places: BTreeMap<String, usize>,
}

pub(super) fn open(file: &Path, packed: bool) -> Result<(Body, Vec<String>), TableError> {
    let mut columns = Vec::new();
    let mut places = BTreeMap::new();
    each_object(file, unpacked(file, packed)?, |_, object| {
        flatten("", object, &mut |name, _| {
            if !places.contains_key(&name) {
                places.insert(name.clone(), columns.len());
                columns.push(name);
            }
        });
        ControlFlow::Continue(())
    })?;
    Ok((Body { packed, places }, columns))
}

pub(super) fn each(
    file: &Path,
    body: &Body,
    mut visit: impl FnMut(&Row<'_>) -> ControlFlow<()>,
) -> Result<(), TableError> {
    let mut number = 0;
    each_object(file, unpacked(file, body.packed)?, |line, object| {
        let mut cells = vec![String::new(); body.places.len()];
        flatten("", object, &mut |name, value| {
            if let Some(&place) = body.places.get(&name) {
                cells[place] = value;
            }
        });
        number += 1;
        visit(&Row {
            number,
            line: Some(line),
            cells: Cells::Text(&csv::StringRecord::from(cells)),
        })
    })
}

fn each_object(
    file: &Path,
    reader: Unpacked,
    mut visit: impl FnMut(u64, &Map<String, Value>) -> ControlFlow<()>,
) -> Result<(), TableError> {
    for (line, text) in (1..).zip(reader.lines()) {
        let wrong = |reason: String| TableError::unreadable(file, format!("line {line}: {reason}"));
        let text = text.map_err(|error| wrong(error.to_string()))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            wrong(format!(
                "no JSON object of its own ({error}); write one a line"
            ))
        })?;
        if visit(line, &object).is_break() {
            break;
        }
    }
    Ok(())
}

fn flatten(prefix: &str, object: &Map<String, Value>, take: &mut impl FnMut(String, String)) {
    for (key, value) in object {
        spread(format!("{prefix}{key}"), value, take);
    }
}

fn spread(name: String, value: &Value, take: &mut impl FnMut(String, String)) {
    match value {
        Value::Object(inner) if !inner.is_empty() => flatten(&format!("{name}."), inner, take),
        Value::Array(entries) if !entries.is_empty() => {
            for (place, entry) in entries.iter().enumerate() {
                spread(format!("{name}.{place}"), entry, take);
            }
        }
        Value::Null | Value::Object(_) | Value::Array(_) => take(name, String::new()),
        Value::String(text) => take(name, text.clone()),
        Value::Bool(_) | Value::Number(_) => take(name, value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Source;
    use std::ops::ControlFlow;

    fn read(text: &str) -> Result<(Vec<String>, Vec<Vec<String>>), String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rows.jsonl");
        std::fs::write(&file, text).unwrap();
        let source = Source::open(&file, b',').map_err(|error| error.to_string())?;
        let columns = source.columns().to_vec();
        let mut rows = Vec::new();
        let each = source.each(|row| {
            let cell = |place| row.cell(place).to_text().into_owned();
            rows.push((0..columns.len()).map(cell).collect());
            ControlFlow::Continue(())
        });
        each.map_err(|error| error.to_string())?;
        Ok((columns, rows))
    }

    #[test]
    fn objects_inside_and_lists_become_columns_and_objects_may_differ() {
        let text = "{\"id\": 1, \"who\": {\"id\": \"c\"}, \"tags\": [\"a\", {\"b\": true}]}\n\n\
                    {\"id\": 2.50, \"who\": null, \"late\": 9007199254740993}\n";
        let (columns, rows) = read(text).unwrap();
        assert_eq!(columns.len(), 6);
        let cell = |row: usize, name: &str| {
            let place = columns.iter().position(|column| column == name).unwrap();
            rows[row][place].as_str()
        };
        assert_eq!(cell(0, "who.id"), "c");
        assert_eq!(cell(0, "tags.0"), "a");
        assert_eq!(cell(0, "tags.1.b"), "true");
        assert_eq!(cell(0, "late"), "");
        assert_eq!(cell(1, "id"), "2.5");
        assert_eq!(cell(1, "late"), "9007199254740993");
    }

    #[test]
    fn a_line_that_is_no_object_is_named() {
        let error = read("{\"id\": 1}\n[1]\n").unwrap_err();
        assert!(
            error.contains("line 2: no JSON object of its own"),
            "{error}"
        );
        let error = read("{\n  \"id\": 1\n}\n").unwrap_err();
        assert!(error.contains("write one a line"), "{error}");
    }
}
