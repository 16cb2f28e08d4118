//! The columns that a model may read, and the times and groups that decide which rows may teach it.

use std::collections::HashMap;

use super::{FitTable, FitTableError, ROW_ID, dates};
use crate::fit::{Columns, FitError, Form};
use crate::flat_table::{Column, FlatTable, Values};

/// In the plain form, whole numbers with at most this many different values are codes: categories, not amounts.
const MOST_CODES: usize = 8;

/// Every column but the target, the time, the group and the dropped ones. A text column of dates becomes numbers:
/// days before or after the row's time (days since 1970 when rows have none), weekday, day of the month, month.
pub(super) fn features(
    table: &FlatTable,
    request: &FitTable,
    times: Option<&[f64]>,
) -> Result<FlatTable, FitTableError> {
    let reserved = [
        Some(&request.target),
        request.time.as_ref(),
        request.group.as_ref(),
    ];
    let kept = table.columns().iter().filter(|column| {
        !request.drop.contains(&column.name) && !reserved.contains(&Some(&column.name))
    });
    let in_days = times_in_days(table, request)?;
    let anchor = times.filter(|_| in_days);
    let mut columns = Vec::new();
    for column in kept {
        match &column.values {
            Values::Text(cells) => match dates::moments(cells) {
                Some(moments) => columns.extend(taken_apart(&column.name, &moments, anchor)),
                None => columns.push(column.clone()),
            },
            Values::Number(cells) if request.form == Form::Plain && codes(cells) => {
                let texts = (0..cells.len())
                    .map(|row| column.values.text(row))
                    .collect();
                columns.push(Column {
                    name: column.name.clone(),
                    values: Values::Text(texts),
                });
            }
            Values::Number(_) => columns.push(column.clone()),
        }
    }
    Ok(FlatTable::new(columns)?)
}

/// Whether the time column holds dates, so that other dates can be told relative to it.
fn times_in_days(table: &FlatTable, request: &FitTable) -> Result<bool, FitTableError> {
    match &request.time {
        Some(name) if name != ROW_ID => Ok(matches!(table.column(name)?.values, Values::Text(_))),
        _ => Ok(false),
    }
}

fn codes(cells: &[f64]) -> bool {
    let mut seen: Vec<f64> = Vec::new();
    for cell in cells.iter().filter(|cell| !cell.is_nan()) {
        if cell.fract() != 0.0 {
            return false;
        }
        if !seen.contains(cell) {
            seen.push(*cell);
            if seen.len() > MOST_CODES {
                return false;
            }
        }
    }
    true
}

fn taken_apart(
    name: &str,
    moments: &[Option<jiff::Timestamp>],
    anchor: Option<&[f64]>,
) -> Vec<Column> {
    let column = |what: &str, of: &dyn Fn(usize, jiff::Timestamp) -> f64| {
        let cells = moments.iter().enumerate();
        let cells = cells.map(|(row, moment)| moment.map_or(f64::NAN, |moment| of(row, moment)));
        Column {
            name: format!("{name} ({what})"),
            values: Values::Number(cells.collect()),
        }
    };
    let days = match anchor {
        Some(times) => column("days from time", &|row, moment| {
            dates::days(moment) - times[row]
        }),
        None => column("days", &|_, moment| dates::days(moment)),
    };
    vec![
        days,
        column("weekday", &|_, moment| dates::calendar(moment)[0]),
        column("day of month", &|_, moment| dates::calendar(moment)[1]),
        column("month", &|_, moment| dates::calendar(moment)[2]),
    ]
}

/// One number a row by which rows are ordered: the column's numbers, its dates in days, or the row's own place.
pub(super) fn times(table: &FlatTable, name: &str) -> Result<Vec<f64>, FitTableError> {
    if name == ROW_ID && table.column(name).is_err() {
        return Ok((0..table.rows()).map(|row| row as f64).collect());
    }
    let values = &table.column(name)?.values;
    (0..table.rows())
        .map(|row| {
            let time = match values {
                Values::Number(cells) => Some(cells[row]).filter(|time| !time.is_nan()),
                Values::Text(cells) => cells[row]
                    .as_deref()
                    .and_then(dates::moment)
                    .map(dates::days),
            };
            time.ok_or_else(|| FitTableError::Time {
                column: name.to_owned(),
                row,
                cell: values.text(row).unwrap_or_default(),
            })
        })
        .collect()
}

/// One number a row, equal for rows of one group.
pub(super) fn groups(table: &FlatTable, name: &str) -> Result<Vec<usize>, FitTableError> {
    let values = &table.column(name)?.values;
    let mut numbers: HashMap<String, usize> = HashMap::new();
    (0..table.rows())
        .map(|row| {
            let group = values.text(row).ok_or_else(|| FitTableError::Group {
                column: name.to_owned(),
                row,
            })?;
            let next = numbers.len();
            Ok(*numbers.entry(group).or_insert(next))
        })
        .collect()
}

/// Some of the rows.
pub(super) fn rows_of(table: &FlatTable, rows: &[usize]) -> Result<FlatTable, FitTableError> {
    let columns = table.columns().iter().map(|column| Column {
        name: column.name.clone(),
        values: match &column.values {
            Values::Number(cells) => Values::Number(rows.iter().map(|row| cells[*row]).collect()),
            Values::Text(cells) => {
                Values::Text(rows.iter().map(|row| cells[*row].clone()).collect())
            }
        },
    });
    Ok(FlatTable::new(columns.collect())?)
}

/// Every column of a table, as a fit reads them.
pub(super) fn columns(table: &FlatTable) -> Result<Columns<'_>, FitError> {
    Columns::from_table(table, |_| true)
}
