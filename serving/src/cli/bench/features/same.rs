//! Two matrices, held against each other cell by cell, whatever the order of their rows.

use crate::cli::answer::Failure;
use lagom_training::flat_table::{FlatTable, ReadOptions, Values};
use serde::Serialize;
use std::cmp::Ordering;
use std::path::Path;

/// The first columns, which tell the rows apart: customer, invoice, stage and instant.
const KEY: usize = 4;

/// What was found.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Same {
    rows: usize,
    columns: usize,
    /// Rows that one has more than the other.
    stray: usize,
    /// Cells that are not the same to the bit.
    differing: usize,
}

impl Same {
    pub(super) const fn holds(&self) -> bool {
        self.rows > 0 && self.stray == 0 && self.differing == 0
    }

    pub(super) fn of(one: &Path, other: &Path) -> Result<Self, Failure> {
        let [one, other] = [one, other].map(|file| FlatTable::read(file, &ReadOptions::default()));
        let (one, other) = (one?, other?);
        let names = |table: &FlatTable| -> Vec<String> {
            table
                .columns()
                .iter()
                .map(|column| column.name.clone())
                .collect()
        };
        if names(&one) != names(&other) {
            return Err("the two matrices do not have the same columns".into());
        }
        let rows: Vec<_> = ordered(&one).into_iter().zip(ordered(&other)).collect();
        let columns = one.columns().iter().zip(other.columns());
        let differing = columns.clone().map(|(left, right)| {
            let differs = |(a, b): &&(usize, usize)| !same(&left.values, *a, &right.values, *b);
            rows.iter().filter(differs).count()
        });
        Ok(Self {
            rows: rows.len(),
            columns: columns.len(),
            stray: one.rows().abs_diff(other.rows()),
            differing: differing.sum(),
        })
    }

    pub(super) fn text(&self) -> String {
        format!(
            "{} rows of {} columns held against lagom's: {} rows more or fewer, {} cells differ\n",
            self.rows, self.columns, self.stray, self.differing
        )
    }
}

fn ordered(table: &FlatTable) -> Vec<usize> {
    let key = &table.columns()[..KEY.min(table.columns().len())];
    let mut rows: Vec<usize> = (0..table.rows()).collect();
    rows.sort_unstable_by(|a, b| {
        let mut by = key.iter().map(|column| match &column.values {
            Values::Number(cells) => cells[*a].total_cmp(&cells[*b]),
            Values::Text(cells) => cells[*a].cmp(&cells[*b]),
        });
        by.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    rows
}

fn same(left: &Values, a: usize, right: &Values, b: usize) -> bool {
    match (left, right) {
        (Values::Number(left), Values::Number(right)) => {
            left[a].to_bits() == right[b].to_bits() || left[a].is_nan() && right[b].is_nan()
        }
        (Values::Text(left), Values::Text(right)) => left[a] == right[b],
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Same;

    #[test]
    fn rows_in_another_order_are_the_same_and_another_cell_or_row_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, rows: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, format!("customer,invoice,stage,at,x\n{rows}")).unwrap();
            file
        };
        let own = write("own.csv", "a,i,due,1,0.5\na,i,due,2,\nb,j,due,1,3\n");
        let turned = write("turned.csv", "b,j,due,1,3\na,i,due,2,\na,i,due,1,0.5\n");
        let other = write("other.csv", "b,j,due,1,3\na,i,due,2,1\na,i,due,1,0.5\n");
        let fewer = write("fewer.csv", "a,i,due,1,0.5\na,i,due,2,\n");
        assert!(Same::of(&own, &turned).unwrap().holds());
        let found = Same::of(&own, &other).unwrap();
        assert_eq!((found.differing, found.holds()), (1, false));
        let found = Same::of(&own, &fewer).unwrap();
        assert_eq!((found.stray, found.holds()), (1, false));
    }
}
