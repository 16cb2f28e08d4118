//! The log itself.

use std::collections::BTreeMap;

use lagom_model::ope::OpeError;
use ndarray::Array2;

use super::{
    actions::{codes, positions},
    error::RoundsError,
    files::NamedTable,
};
use crate::contexts::Contexts;

/// The columns of the log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) actions: Vec<u32>,
    pub(super) rewards: Vec<f64>,
    /// Absent when no column of a known name holds them.
    pub(super) propensities: Option<Vec<f64>>,
    pub(super) customers: Option<Vec<u32>>,
    pub(super) contexts: Contexts,
    /// Rows by the segment they belong to, when one was asked for.
    pub(super) segments: BTreeMap<String, Vec<usize>>,
}

/// Names under which other programs write the propensity.
const PROPENSITY: [&str; 4] = ["pscore", "propensity", "propensity_score", "probability"];
/// Names of the customer.
const CUSTOMER: [&str; 3] = ["customer", "customer_id", "user_id"];

pub(super) fn read(
    table: &NamedTable,
    names: &[String],
    segment: Option<&str>,
) -> Result<Log, RoundsError> {
    check_order(table)?;
    let known = |candidates: &[&'static str]| {
        let columns = table.table.columns();
        candidates
            .iter()
            .find(|name| columns.iter().any(|column| column.name == **name))
            .copied()
    };
    let propensity = known(&PROPENSITY);
    let customer = known(&CUSTOMER);
    let customers = customer
        .map(|name| table.table.column(name))
        .transpose()
        .map_err(|source| RoundsError::Column {
            file: table.file.clone(),
            source,
        })?
        .map(|column| codes(&column.values));
    let taken = [
        "round",
        "action",
        "reward",
        propensity.unwrap_or("action"),
        customer.unwrap_or("action"),
    ];
    Ok(Log {
        actions: positions(table, names)?,
        rewards: table.numbers("reward")?.to_vec(),
        propensities: match propensity {
            Some(name) => Some(table.numbers(name)?.to_vec()),
            None => None,
        },
        customers,
        contexts: Contexts::of(&table.table, &taken, None),
        segments: match segment {
            Some(name) => segments(table, name)?,
            None => BTreeMap::new(),
        },
    })
}

/// The probability with which the logging policy took each action it took.
pub(super) fn propensities_of(
    logging: &Array2<f64>,
    actions: &[u32],
) -> Result<Vec<f64>, RoundsError> {
    if logging.nrows() != actions.len() {
        return Err(RoundsError::in_file(
            "log, pi_b",
            OpeError::Shape {
                what: "the logging policy",
                unit: "rows",
                found: logging.nrows(),
                expected: actions.len(),
            },
        ));
    }
    let taken = logging.rows().into_iter().zip(actions);
    Ok(taken.map(|(row, &action)| row[action as usize]).collect())
}

/// Rows by the cell of a column; rows without one are the segment `missing`.
fn segments(table: &NamedTable, name: &str) -> Result<BTreeMap<String, Vec<usize>>, RoundsError> {
    let column = table
        .table
        .column(name)
        .map_err(|source| RoundsError::Column {
            file: table.file.clone(),
            source,
        })?;
    let mut segments: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in 0..table.table.rows() {
        let cell = column.values.text(row);
        let rows = segments.entry(cell.unwrap_or_else(|| "missing".to_owned()));
        rows.or_default().push(row);
    }
    Ok(segments)
}

/// Refuses rounds numbered 0, 1, … in another order than the rows: the matrices are matched by row.
fn check_order(table: &NamedTable) -> Result<(), RoundsError> {
    let Ok(rounds) = table.table.numbers("round") else {
        return Ok(());
    };
    let mut seen = vec![false; rounds.len()];
    for &round in rounds {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts saturate, and what is no row number is caught below"
        )]
        let number = round as usize;
        #[expect(clippy::cast_precision_loss, reason = "row numbers are far below 2^53")]
        let exact = number as f64 == round;
        if !exact || number >= seen.len() || seen[number] {
            // Ids of some other kind: the order of the rows is all there is.
            return Ok(());
        }
        seen[number] = true;
    }
    #[expect(clippy::cast_precision_loss, reason = "row numbers are far below 2^53")]
    let moved = rounds
        .iter()
        .enumerate()
        .find(|(row, round)| (*row as f64 - **round).abs() > 0.5);
    match moved {
        None => Ok(()),
        Some((row, &round)) => Err(RoundsError::Order {
            file: table.file.clone(),
            row,
            round,
        }),
    }
}
