//! The table as a log: actions, rewards, propensities, contexts.

use std::path::Path;

use super::{Propensity, Split, TableOptions, error::LoggedTableError};
use crate::{
    contexts::Contexts,
    flat_table::{FlatTable, ReadOptions, Values},
};

/// The log of a table with its split.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) file: String,
    pub(super) actions: Vec<String>,
    pub(super) chosen: Vec<u32>,
    pub(super) rewards: Vec<f64>,
    pub(super) propensities: Vec<f64>,
    pub(super) customers: Option<Vec<u32>>,
    pub(super) contexts: Contexts,
    pub(super) train: Vec<usize>,
    pub(super) test: Vec<usize>,
    pub(super) notes: Vec<String>,
}

pub(super) fn log(path: &Path, options: &TableOptions) -> Result<Log, LoggedTableError> {
    let file = path.display().to_string();
    let table = FlatTable::read(
        path,
        &ReadOptions {
            separator: options.separator,
        },
    )?;
    let source = Source { file, table };
    let mut notes = Vec::new();
    let (actions, chosen) = source.categories(&options.action)?;
    if actions.len() < 2 {
        return Err(LoggedTableError::Actions {
            file: source.file,
            column: options.action.clone(),
            found: actions.len(),
        });
    }
    let rewards = source.numbers(&options.reward)?;
    let customers = match &options.customer {
        Some(column) => Some(source.categories(column)?.1),
        None => None,
    };
    for column in &options.drop {
        source.column(column)?;
    }
    let split = if let Some(path) = &options.split {
        Split::read(path, rewards.len())?
    } else {
        notes.push(format!(
            "no split was given: half was drawn with seed {}",
            options.seed
        ));
        let rows = || (0..rewards.len()).map(|row| u32::try_from(row).unwrap_or(u32::MAX));
        let units = customers.clone().unwrap_or_else(|| rows().collect());
        Split::draw(&units, options.seed, &source.file)?
    };
    for (action, name) in actions.iter().enumerate() {
        if !split
            .train
            .iter()
            .any(|&row| chosen[row] as usize == action)
        {
            return Err(LoggedTableError::Unlearnable {
                file: source.file,
                action: name.clone(),
            });
        }
    }
    let propensities = propensities(&source, options, &chosen, &split, actions.len(), &mut notes)?;
    let mut taken: Vec<&str> = vec![&options.action, &options.reward];
    taken.extend(options.drop.iter().map(String::as_str));
    taken.extend(options.customer.as_deref());
    if let Propensity::Column(column) = &options.propensity {
        taken.push(column);
    }
    Ok(Log {
        contexts: Contexts::of(&source.table, &taken, Some(&split.train)),
        file: source.file,
        actions,
        chosen,
        rewards,
        propensities,
        customers,
        train: split.train,
        test: split.test,
        notes,
    })
}

fn propensities(
    source: &Source,
    options: &TableOptions,
    chosen: &[u32],
    split: &Split,
    actions: usize,
    notes: &mut Vec<String>,
) -> Result<Vec<f64>, LoggedTableError> {
    let (column, values) = match &options.propensity {
        Propensity::Column(column) => (column.clone(), source.numbers(column)?),
        Propensity::Constant(value) => ("--propensity".to_owned(), vec![*value; chosen.len()]),
        Propensity::Shares => {
            notes.push(
                "propensities are the actions' shares of the train rows: right only where the action was drawn without looking at the context".to_owned(),
            );
            let mut counts = vec![0_u32; actions];
            for &row in &split.train {
                counts[chosen[row] as usize] += 1;
            }
            #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
            let rows = split.train.len() as f64;
            let shares = chosen
                .iter()
                .map(|&action| f64::from(counts[action as usize]) / rows);
            ("--propensity".to_owned(), shares.collect())
        }
    };
    match values.iter().position(|p| !(*p > 0.0 && *p <= 1.0)) {
        None => Ok(values),
        Some(row) => Err(LoggedTableError::Propensity {
            file: source.file.clone(),
            row,
            column,
            value: values[row],
        }),
    }
}

struct Source {
    file: String,
    table: FlatTable,
}

impl Source {
    fn column(&self, name: &str) -> Result<&Values, LoggedTableError> {
        match self.table.column(name) {
            Ok(column) => Ok(&column.values),
            Err(source) => Err(LoggedTableError::Column {
                file: self.file.clone(),
                source,
            }),
        }
    }

    fn missing(&self, row: usize, column: &str) -> LoggedTableError {
        LoggedTableError::Missing {
            file: self.file.clone(),
            row,
            column: column.to_owned(),
        }
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>, LoggedTableError> {
        let numbers = self
            .table
            .numbers(name)
            .map_err(|source| LoggedTableError::Column {
                file: self.file.clone(),
                source,
            })?;
        match numbers.iter().position(|value| value.is_nan()) {
            None => Ok(numbers.to_vec()),
            Some(row) => Err(self.missing(row, name)),
        }
    }

    /// The sorted distinct cells of a column, and each row's position among them. Numbers sort as numbers.
    fn categories(&self, name: &str) -> Result<(Vec<String>, Vec<u32>), LoggedTableError> {
        let values = self.column(name)?;
        let cells = (0..values.len())
            .map(|row| values.text(row).ok_or_else(|| self.missing(row, name)))
            .collect::<Result<Vec<String>, _>>()?;
        let mut levels = cells.clone();
        if matches!(values, Values::Number(_)) {
            let number = |cell: &String| cell.parse::<f64>().unwrap_or(f64::NAN);
            levels.sort_by(|left, right| number(left).total_cmp(&number(right)));
        } else {
            levels.sort_unstable();
        }
        levels.dedup();
        let places: std::collections::HashMap<&str, u32> =
            levels.iter().map(String::as_str).zip(0..).collect();
        let places = cells.iter().map(|cell| places[cell.as_str()]).collect();
        Ok((levels, places))
    }
}
