//! Names of actions, and their facets.

use lagom_model::ope::Facets;

use super::{error::RoundsError, files::NamedTable};
use crate::flat_table::Values;

/// The column an action's cell names: a column of `pi_e` by its name, else by its number.
pub(super) fn position(names: &[String], cell: &str) -> Option<usize> {
    names.iter().position(|name| name == cell).or_else(|| {
        cell.parse::<usize>()
            .ok()
            .filter(|number| *number < names.len())
    })
}

/// The action of every row of a table, as positions in `names`.
pub(super) fn positions(table: &NamedTable, names: &[String]) -> Result<Vec<u32>, RoundsError> {
    let column = table
        .table
        .column("action")
        .map_err(|source| RoundsError::Column {
            file: table.file.clone(),
            source,
        })?;
    (0..table.table.rows())
        .map(|row| {
            let cell = column
                .values
                .text(row)
                .ok_or_else(|| RoundsError::Missing {
                    file: table.file.clone(),
                    row,
                    column: "action".to_owned(),
                })?;
            position(names, &cell)
                .and_then(|found| u32::try_from(found).ok())
                .ok_or_else(|| RoundsError::Action {
                    file: table.file.clone(),
                    row,
                    cell,
                    last: names.len().saturating_sub(1),
                })
        })
        .collect()
}

/// The facets of `actions`: every column but `action`, its distinct cells the levels.
pub(super) fn read(table: &NamedTable, names: &[String]) -> Result<Facets, RoundsError> {
    let actions = positions(table, names)?;
    for (position, name) in names.iter().enumerate() {
        let found = actions
            .iter()
            .filter(|&&one| one as usize == position)
            .count();
        if found != 1 {
            return Err(RoundsError::ActionRows {
                file: table.file.clone(),
                action: name.clone(),
                found,
            });
        }
    }
    let facets = table
        .table
        .columns()
        .iter()
        .filter(|column| column.name != "action")
        .map(|column| {
            let codes = codes(&column.values);
            let mut levels = vec![0; names.len()];
            for (code, &action) in codes.iter().zip(&actions) {
                levels[action as usize] = *code;
            }
            (column.name.clone(), levels)
        })
        .collect();
    Facets::new(facets).map_err(|source| table.fault(source))
}

/// Numbers for the distinct cells of a column, in the order in which they first appear; empty is one of them.
pub(super) fn codes(values: &Values) -> Vec<u32> {
    let mut known = std::collections::HashMap::new();
    (0..values.len())
        .map(|row| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(values.text(row)).or_insert(next)
        })
        .collect()
}
