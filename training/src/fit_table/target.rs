//! Which rows have the positive outcome.

use super::FitTableError;
use crate::flat_table::FlatTable;

/// Values that need no explaining, compared without case.
const PLAINLY_POSITIVE: [&str; 6] = ["1", "yes", "true", "y", "t", "positive"];
/// Their opposites.
const PLAINLY_NEGATIVE: [&str; 7] = ["0", "no", "false", "n", "f", "negative", "-1"];
/// Values listed in a message.
const LISTED: usize = 6;

/// The outcome of every row, where it is known.
pub(super) struct Target {
    name: String,
    pub(super) positive: String,
    outcomes: Vec<Option<bool>>,
}

impl Target {
    /// The outcomes of `rows`.
    ///
    /// # Errors
    /// [`FitTableError::NoOutcome`] for the first row whose outcome is missing.
    pub(super) fn of(&self, rows: &[usize]) -> Result<Vec<bool>, FitTableError> {
        rows.iter()
            .map(|row| {
                self.outcomes[*row].ok_or_else(|| FitTableError::NoOutcome {
                    row: *row,
                    target: self.name.clone(),
                })
            })
            .collect()
    }
}

/// Reads the target column.
pub(super) fn outcomes(
    table: &FlatTable,
    name: &str,
    positive: Option<&str>,
) -> Result<Target, FitTableError> {
    let values = &table.column(name)?.values;
    let cells: Vec<Option<String>> = (0..table.rows()).map(|row| values.text(row)).collect();
    let mut distinct: Vec<String> = cells.iter().flatten().cloned().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let positive = match positive {
        Some(positive) => given(name, positive, &distinct)?,
        None => found(name, &distinct)?,
    };
    let outcome = |cell: &Option<String>| cell.as_ref().map(|cell| *cell == positive);
    Ok(Target {
        name: name.to_owned(),
        outcomes: cells.iter().map(outcome).collect(),
        positive,
    })
}

/// The value among `distinct` that is meant: the same text, or the same number (`1.0` is `1`).
fn given(name: &str, positive: &str, distinct: &[String]) -> Result<String, FitTableError> {
    let same_number = |value: &&String| match (value.parse::<f64>(), positive.parse::<f64>()) {
        (Ok(value), Ok(positive)) => value == positive,
        _ => false,
    };
    let exact = distinct.iter().find(|value| *value == positive);
    let value = exact.or_else(|| distinct.iter().find(same_number));
    value.cloned().ok_or_else(|| FitTableError::NoPositive {
        target: name.to_owned(),
        positive: positive.to_owned(),
        values: first_few(distinct),
    })
}

/// The plainly positive value of a target of two values.
fn found(name: &str, distinct: &[String]) -> Result<String, FitTableError> {
    let among = |known: &[&str], value: &str| known.contains(&value.to_lowercase().as_str());
    let positive = match distinct {
        [a, b] | [b, a] if among(&PLAINLY_POSITIVE, b) && !among(&PLAINLY_POSITIVE, a) => Some(b),
        [a, b] if among(&PLAINLY_NEGATIVE, a) && !among(&PLAINLY_NEGATIVE, b) => Some(b),
        [b, a] if among(&PLAINLY_NEGATIVE, a) && !among(&PLAINLY_NEGATIVE, b) => Some(b),
        // One value alone: whether it is the positive one decides nothing; the fit will say that one is missing.
        [only] => Some(only),
        _ => None,
    };
    positive
        .cloned()
        .ok_or_else(|| FitTableError::WhichPositive {
            target: name.to_owned(),
            values: first_few(distinct),
        })
}

fn first_few(distinct: &[String]) -> Vec<String> {
    let mut few: Vec<String> = distinct.iter().take(LISTED).cloned().collect();
    if distinct.len() > LISTED {
        few.push(format!("… {} more", distinct.len() - LISTED));
    }
    few
}
