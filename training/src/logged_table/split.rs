//! Which rows are learnt from and which are judged on.

use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::error::LoggedTableError;
use crate::flat_table::{FlatTable, ReadOptions};

/// Rows of a table by their use, each in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to judge on.
    pub test: Vec<usize>,
}

/// Rows either side needs for anything to be said.
const LEAST: usize = 10;

impl Split {
    /// Reads `row_id,split`; rows with another word than `train` or `test` are used for neither.
    ///
    /// # Errors
    /// A row that is none of the table, or too few rows on a side.
    pub fn read(path: &Path, rows: usize) -> Result<Self, LoggedTableError> {
        let file = path.display().to_string();
        let table = FlatTable::read(path, &ReadOptions::default())?;
        let column = |source| LoggedTableError::Column {
            file: file.clone(),
            source,
        };
        let ids = table.numbers("row_id").map_err(column)?;
        let uses = &table.column("split").map_err(column)?.values;
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for (row, &row_id) in ids.iter().enumerate() {
            let side = match uses.text(row).as_deref() {
                Some("train") => &mut train,
                Some("test") => &mut test,
                _ => continue,
            };
            side.push(whole_number(row_id).filter(|id| *id < rows).ok_or(
                LoggedTableError::RowId {
                    file: file.clone(),
                    row,
                    row_id,
                    rows,
                },
            )?);
        }
        Self { train, test }.check(&file)
    }

    /// Draws half of the units (customers, or rows without them) for each side.
    ///
    /// # Errors
    /// Too few rows on a side.
    pub fn draw(unit_of: &[u32], seed: u64, file: &str) -> Result<Self, LoggedTableError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let units = unit_of
            .iter()
            .copied()
            .max()
            .map_or(0, |last| last as usize + 1);
        let learns: Vec<bool> = (0..units).map(|_| random.random::<bool>()).collect();
        let (train, test) = (0..unit_of.len()).partition(|&row| learns[unit_of[row] as usize]);
        Self { train, test }.check(file)
    }

    fn check(mut self, file: &str) -> Result<Self, LoggedTableError> {
        for (side, rows) in [("train", &mut self.train), ("test", &mut self.test)] {
            rows.sort_unstable();
            rows.dedup();
            if rows.len() < LEAST {
                return Err(LoggedTableError::TooFew {
                    file: file.to_owned(),
                    side,
                    found: rows.len(),
                    needed: LEAST,
                });
            }
        }
        Ok(self)
    }
}

fn whole_number(value: f64) -> Option<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number of moderate size"
    )]
    (value >= 0.0 && value.fract() == 0.0 && value < 1e15).then_some(value as usize)
}
