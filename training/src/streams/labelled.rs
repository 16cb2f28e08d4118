//! A table of labelled rows and the orders in which to show them.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::StreamError;
use crate::flat_table::{Column, FlatTable, ReadOptions, Values};

/// Rows of features with the class that would have been right, and one or more orders of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledStream {
    /// Names of the features.
    pub feature_names: Vec<String>,
    /// Features row after row.
    pub features: Vec<f64>,
    /// The right class of each row, `0 .. classes.len()`.
    pub labels: Vec<usize>,
    /// The classes as they are written, in ascending order.
    pub classes: Vec<String>,
    /// Each order's name and its row indices.
    pub orders: Vec<(String, Vec<usize>)>,
}

impl LabelledStream {
    /// Reads `stream` (features, then a column `label`) and `order` (one column of row indices an order).
    ///
    /// # Errors
    /// When a file cannot be read, a feature or label is missing, or an index points outside the table.
    pub fn read(stream: &Path, order: &Path) -> Result<Self, StreamError> {
        let table = FlatTable::read(stream, &ReadOptions::default())?;
        let file = stream.display().to_string();
        let (label, features) = split_label(&table, &file)?;
        let mut values = vec![0.0; table.rows() * features.len()];
        for (at, column) in features.iter().enumerate() {
            for (row, number) in numbers(column, &file)?.iter().enumerate() {
                values[row * features.len() + at] = finite(*number, row, column, &file)?;
            }
        }
        let (labels, classes) = classes(label, &file)?;
        if classes.len() < 2 {
            return Err(StreamError::TooSmall {
                file,
                found: format!("{} classes", classes.len()),
                needed: "at least two classes in its column `label`",
            });
        }
        Ok(Self {
            feature_names: features.iter().map(|column| column.name.clone()).collect(),
            features: values,
            labels,
            classes,
            orders: orders(order, table.rows())?,
        })
    }

    /// Features of one row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        let width = self.feature_names.len();
        &self.features[row * width..(row + 1) * width]
    }
}

fn split_label<'a>(
    table: &'a FlatTable,
    file: &str,
) -> Result<(&'a Column, Vec<&'a Column>), StreamError> {
    let label = table.column("label")?;
    let features: Vec<&Column> = table
        .columns()
        .iter()
        .filter(|column| column.name != "label")
        .collect();
    if features.is_empty() || table.rows() == 0 {
        return Err(StreamError::TooSmall {
            file: file.to_owned(),
            found: format!("{} features and {} rows", features.len(), table.rows()),
            needed: "at least one feature and one row",
        });
    }
    Ok((label, features))
}

fn numbers<'a>(column: &'a Column, file: &str) -> Result<&'a [f64], StreamError> {
    match &column.values {
        Values::Number(numbers) => Ok(numbers),
        Values::Text(texts) => Err(StreamError::Cell {
            file: file.to_owned(),
            row: 0,
            column: column.name.clone(),
            found: texts.first().cloned().flatten().unwrap_or_default(),
            expected: "a number".to_owned(),
        }),
    }
}

fn finite(number: f64, row: usize, column: &Column, file: &str) -> Result<f64, StreamError> {
    if number.is_finite() {
        return Ok(number);
    }
    Err(StreamError::Cell {
        file: file.to_owned(),
        row,
        column: column.name.clone(),
        found: "nothing".to_owned(),
        expected: "a number".to_owned(),
    })
}

/// Classes sorted by number where they are numbers, by text otherwise.
fn classes(label: &Column, file: &str) -> Result<(Vec<usize>, Vec<String>), StreamError> {
    match &label.values {
        Values::Number(numbers) => {
            let mut distinct = BTreeMap::new();
            for (row, &number) in numbers.iter().enumerate() {
                let number = finite(number, row, label, file)?;
                distinct.insert(ordered(number), number.to_string());
            }
            let keys = numbers.iter().map(|&number| ordered(number));
            Ok(index(distinct, keys))
        }
        Values::Text(texts) => {
            let mut distinct = BTreeMap::new();
            for (row, text) in texts.iter().enumerate() {
                let text = text.clone().ok_or_else(|| StreamError::Cell {
                    file: file.to_owned(),
                    row,
                    column: label.name.clone(),
                    found: "nothing".to_owned(),
                    expected: "a class".to_owned(),
                })?;
                distinct.insert(text.clone(), text);
            }
            Ok(index(distinct, texts.iter().flatten().cloned()))
        }
    }
}

/// A key that sorts finite numbers by value.
fn ordered(number: f64) -> i64 {
    let bits = (number + 0.0).to_bits() as i64;
    if bits < 0 { i64::MIN - bits } else { bits }
}

fn index<K: Ord>(
    distinct: BTreeMap<K, String>,
    keys: impl Iterator<Item = K>,
) -> (Vec<usize>, Vec<String>) {
    let position: BTreeMap<&K, usize> = distinct
        .keys()
        .enumerate()
        .map(|(at, key)| (key, at))
        .collect();
    let labels = keys.map(|key| position[&key]).collect();
    (labels, distinct.into_values().collect())
}

fn orders(path: &Path, rows: usize) -> Result<Vec<(String, Vec<usize>)>, StreamError> {
    let table = FlatTable::read(path, &ReadOptions::default())?;
    let file = path.display().to_string();
    if table.rows() == 0 {
        return Err(StreamError::TooSmall {
            file,
            found: "no rows".to_owned(),
            needed: "an order of at least one row",
        });
    }
    let read = |column: &Column| {
        let indices: Result<Vec<usize>, StreamError> = numbers(column, &file)?
            .iter()
            .enumerate()
            .map(|(at, &number)| {
                if number.fract() == 0.0 && number >= 0.0 && number < rows as f64 {
                    return Ok(number as usize);
                }
                Err(StreamError::Cell {
                    file: file.clone(),
                    row: at,
                    column: column.name.clone(),
                    found: number.to_string(),
                    expected: format!("a row index from 0 to {}", rows - 1),
                })
            })
            .collect();
        Ok((column.name.clone(), indices?))
    };
    table.columns().iter().map(read).collect()
}
