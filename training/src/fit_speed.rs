//! A matrix to time fits on, in a file that any program can read: what `lagom bench fit` runs.

use crate::fit::MatrixFit;
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs::File;
use std::io::{BufWriter, Error, Read, Write};
use std::path::Path;

/// Row by row, numbers of eight bytes, the smallest first.
const MATRIX: &str = "x";
/// A byte a row, 0 or 1.
const OUTCOMES: &str = "y";

/// A matrix and the outcomes of its rows.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// Shape (rows, columns).
    pub matrix: Array2<f64>,
    /// One a row.
    pub outcomes: Vec<bool>,
}

/// Writes a matrix of zeros and ones, correlated numbers and independent ones, and outcomes that
/// follow every second column. The same seed gives the same bytes.
///
/// # Errors
/// Where a file cannot be written.
pub fn write(dir: &Path, rows: usize, columns: usize, seed: u64) -> Result<(), Error> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut matrix = BufWriter::new(File::create(dir.join(MATRIX))?);
    let mut outcomes = BufWriter::new(File::create(dir.join(OUTCOMES))?);
    for _ in 0..rows {
        let shared: f64 = random.random_range(-1.0..1.0);
        let mut z: f64 = -1.0;
        for column in 0..columns {
            let own: f64 = random.random_range(-1.7..1.7);
            let cell = match column % 3 {
                0 => f64::from(u8::from(own > 1.0)),
                1 => own + shared,
                _ => own,
            };
            if column % 2 == 0 {
                z += cell * ((column % 7) as f64 - 3.0) / 6.0;
            }
            matrix.write_all(&cell.to_le_bytes())?;
        }
        let outcome = random.random::<f64>() < 1.0 / (1.0 + (-z).exp());
        outcomes.write_all(&[u8::from(outcome)])?;
    }
    matrix.flush()?;
    outcomes.flush()
}

/// Reads what [`write()`] wrote, in place.
///
/// # Errors
/// Where a file cannot be read or is too short.
pub fn read(dir: &Path, rows: usize, columns: usize) -> Result<Drawn, Error> {
    let mut matrix = Array2::<f64>::zeros((rows, columns));
    let mut file = File::open(dir.join(MATRIX))?;
    let mut bytes = vec![0; columns * 8];
    for mut row in matrix.rows_mut() {
        file.read_exact(&mut bytes)?;
        let eights = bytes.as_chunks::<8>().0;
        for (cell, eight) in row.iter_mut().zip(eights) {
            *cell = f64::from_le_bytes(*eight);
        }
    }
    let outcomes = std::fs::read(dir.join(OUTCOMES))?;
    Ok(Drawn {
        matrix,
        outcomes: outcomes.into_iter().map(|byte| byte == 1).collect(),
    })
}

impl Drawn {
    /// `Σ log-loss + (1/(2C))·|w|²` of a fit, per row.
    #[must_use]
    pub fn objective(&self, fit: &MatrixFit, c: f64) -> f64 {
        let mut loss = 0.0;
        for (row, outcome) in self.matrix.rows().into_iter().zip(&self.outcomes) {
            let z: f64 = row.iter().zip(&fit.weights).map(|(x, w)| x * w).sum();
            let z = z + fit.intercept;
            loss += z.max(0.0) + (-z.abs()).exp().ln_1p() - if *outcome { z } else { 0.0 };
        }
        let ridge: f64 = fit.weights.iter().map(|w| w * w).sum();
        (loss + ridge / (2.0 * c)) / self.outcomes.len() as f64
    }
}
