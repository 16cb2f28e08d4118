//! Columns of any table as the context of a decision: numbers without gaps.
//!
//! | column | becomes |
//! |---|---|
//! | numbers | itself; gaps take the mean, and a second column says where they were |
//! | categories | one column a frequent level, 1 where it holds; rare levels share none |
//! | a different text in nearly every row, or one value only | left out, and listed |
//!
//! Means and levels come from the rows named (those a policy may learn from), so that nothing of the rows it is
//! judged on enters.

use std::collections::HashMap;

use ndarray::Array2;

use crate::flat_table::{Column, FlatTable, Values};

/// A matrix of contexts, one row a decision, and what its columns are.
#[derive(Debug, Clone)]
pub struct Contexts {
    /// `n × d`, no gaps.
    pub values: Array2<f64>,
    /// Names of the `d` columns: the table's own, `NAME = LEVEL`, or `NAME is missing`.
    pub columns: Vec<String>,
    /// Columns of the table that were left out, with the reason.
    pub left_out: Vec<String>,
}

/// Levels of a category that get a column of their own.
const MOST_LEVELS: usize = 30;
/// Rows a level needs for one.
const LEAST_ROWS: usize = 20;

impl Contexts {
    /// Every column of the table but those `taken`; what is learnt about a column is learnt from `rows`
    /// (all, when none are named).
    #[must_use]
    pub fn of(table: &FlatTable, taken: &[&str], rows: Option<&[usize]>) -> Self {
        let all: Vec<usize>;
        let rows = if let Some(rows) = rows {
            rows
        } else {
            all = (0..table.rows()).collect();
            &all
        };
        let mut encoded: Vec<(String, Vec<f64>)> = Vec::new();
        let mut left_out = Vec::new();
        for column in table.columns() {
            if taken.contains(&column.name.as_str()) {
                continue;
            }
            match encode(column, rows) {
                Ok(columns) => encoded.extend(columns),
                Err(reason) => left_out.push(format!("{}: {reason}", column.name)),
            }
        }
        let mut values = Array2::zeros((table.rows(), encoded.len()));
        for (position, (_, column)) in encoded.iter().enumerate() {
            for (row, value) in column.iter().enumerate() {
                values[[row, position]] = *value;
            }
        }
        Self {
            values,
            columns: encoded.into_iter().map(|(name, _)| name).collect(),
            left_out,
        }
    }
}

fn encode(column: &Column, rows: &[usize]) -> Result<Vec<(String, Vec<f64>)>, String> {
    match &column.values {
        Values::Number(cells) => encode_numbers(&column.name, cells, rows),
        Values::Text(cells) => encode_levels(&column.name, cells, rows),
    }
}

fn encode_numbers(
    name: &str,
    cells: &[f64],
    rows: &[usize],
) -> Result<Vec<(String, Vec<f64>)>, String> {
    let known = || {
        rows.iter()
            .map(|&row| cells[row])
            .filter(|cell| !cell.is_nan())
    };
    let (least, most) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), cell| {
        (low.min(cell), high.max(cell))
    });
    if least >= most {
        return Err("one value only".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let mean = known().sum::<f64>() / known().count() as f64;
    let filled = cells
        .iter()
        .map(|&cell| if cell.is_nan() { mean } else { cell });
    let mut columns = vec![(name.to_owned(), filled.collect())];
    if known().count() < rows.len() {
        let gaps = cells.iter().map(|cell| f64::from(cell.is_nan())).collect();
        columns.push((format!("{name} is missing"), gaps));
    }
    Ok(columns)
}

fn encode_levels(
    name: &str,
    cells: &[Option<String>],
    rows: &[usize],
) -> Result<Vec<(String, Vec<f64>)>, String> {
    let mut counts: HashMap<Option<&str>, usize> = HashMap::new();
    for &row in rows {
        *counts.entry(cells[row].as_deref()).or_default() += 1;
    }
    if counts.len() < 2 {
        return Err("one value only".to_owned());
    }
    let mut levels: Vec<(Option<&str>, usize)> = counts
        .into_iter()
        .filter(|(_, count)| *count >= LEAST_ROWS)
        .collect();
    if levels.is_empty() {
        return Err(format!("no value holds in {LEAST_ROWS} rows"));
    }
    // Most frequent first; the name breaks ties, so that the order of the table's hash map does not.
    levels.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
    levels.truncate(MOST_LEVELS);
    levels.sort_by_key(|(level, _)| *level);
    Ok(levels
        .into_iter()
        .map(|(level, _)| {
            let label = level.unwrap_or("missing");
            let holds = cells
                .iter()
                .map(|cell| f64::from(cell.as_deref() == level))
                .collect();
            (format!("{name} = {label}"), holds)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::Contexts;
    use crate::flat_table::{Column, FlatTable, Values};

    fn table() -> FlatTable {
        let text = |row: usize| match row {
            0..40 => Some("a".to_owned()),
            40..70 => None,
            70..75 => Some("rare".to_owned()),
            _ => Some("b".to_owned()),
        };
        let column = |name: &str, values| Column {
            name: name.to_owned(),
            values,
        };
        let number = |row: usize| if row == 3 { f64::NAN } else { row as f64 };
        FlatTable::new(vec![
            column("x", Values::Number((0..100).map(number).collect())),
            column("kind", Values::Text((0..100).map(text).collect())),
            column("same", Values::Number(vec![7.0; 100])),
            column(
                "id",
                Values::Text((0..100).map(|row| Some(row.to_string() + "k")).collect()),
            ),
            column("taken", Values::Number((0..100).map(number).collect())),
        ])
        .expect("columns are of one length")
    }

    #[test]
    fn columns_become_numbers_without_gaps() {
        let contexts = Contexts::of(&table(), &["taken"], None);
        assert_eq!(
            contexts.columns,
            [
                "x",
                "x is missing",
                "kind = missing",
                "kind = a",
                "kind = b"
            ]
        );
        assert!(contexts.values.iter().all(|value| value.is_finite()));
        assert_eq!(contexts.values.row(0).to_vec(), [0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(contexts.values[[3, 1]], 1.0);
        assert_eq!(contexts.values.row(72).to_vec()[2..], [0.0, 0.0, 0.0]);
        assert_eq!(
            contexts.left_out,
            ["same: one value only", "id: no value holds in 20 rows"]
        );
    }

    #[test]
    fn rows_that_are_not_named_teach_nothing() {
        let rows: Vec<usize> = (0..40).collect();
        let contexts = Contexts::of(&table(), &["taken"], Some(&rows));
        assert_eq!(contexts.columns, ["x", "x is missing"]);
        let mean = (0..40).filter(|row| *row != 3).sum::<usize>() as f64 / 39.0;
        assert!((contexts.values[[3, 0]] - mean).abs() < 1e-12);
    }
}
