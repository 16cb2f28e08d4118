//! From sums to coefficients: one ridge solution a block, for all heads at once.

use super::cholesky::{Cholesky, Lower, dot};
use super::error::BanditError;
use super::statistics::BlockSums;

/// The posterior of one block.
#[derive(Debug, Clone)]
pub(super) struct BlockFit {
    /// Head by head, one coefficient a row.
    pub(super) weights: Vec<f64>,
    /// Rows of `L⁻¹` one after another, where asked for; `L L' = A + κΛ`.
    pub(super) whitening: Vec<f64>,
    /// Lower bound on the condition number of the normal equations.
    pub(super) condition: f64,
}

/// What one block adds to the evidence.
#[derive(Debug, Clone)]
pub(super) struct BlockEvidence {
    /// `½ ln det κΛ − ½ ln det(A + κΛ)`.
    pub(super) log_volume: f64,
    /// `B'(A + κΛ)⁻¹B` of each head.
    pub(super) explained: Vec<f64>,
}

/// The normal equations over the coefficients that some round has touched.
///
/// The others have a row of zeros in `A`, so their solution is exactly zero and they need not be in the
/// system: a large catalogue of which little was tried is solved as fast as a small one.
struct Normal {
    touched: Vec<usize>,
    factor: Cholesky,
}

impl Normal {
    fn new(
        index: usize,
        block: &BlockSums,
        penalties: &[f64],
        discount: f64,
        all: bool,
    ) -> Result<Self, BanditError> {
        let touched: Vec<usize> = (0..block.dimension())
            .filter(|&i| all || block.gram_diagonal(i) > 0.0)
            .collect();
        let mut position = vec![usize::MAX; block.dimension()];
        for (at, &i) in touched.iter().enumerate() {
            position[i] = at;
        }
        let n = touched.len();
        let mut matrix = Lower::zeros(n);
        for (column, &i) in touched.iter().enumerate() {
            let later = position[i..].iter().zip(block.gram_row(i));
            for (&row, value) in later.filter(|&(&row, _)| row != usize::MAX) {
                *matrix.at(row, column) = value * discount;
            }
            *matrix.at(column, column) += penalties[i];
        }
        let factor = Cholesky::new(matrix).map_err(|bad| BanditError::NotPositiveDefinite {
            block: index,
            pivot: touched[bad.pivot],
            value: bad.value,
        })?;
        Ok(Self { touched, factor })
    }

    /// `L⁻¹ B` of one head.
    fn whitened(&self, block: &BlockSums, head: usize, discount: f64) -> Vec<f64> {
        let all: Vec<f64> = block.moments(head).collect();
        let b = self.touched.iter().map(|&i| all[i] * discount).collect();
        self.factor.forward(b)
    }
}

/// Solves `(A + Λ) w_h = B_h` for every head.
///
/// `penalties` is the diagonal of `Λ`, `discount` what the sums are multiplied with, `whiten` whether
/// the inverse factor is kept for posterior variances.
pub(super) fn fit_block(
    index: usize,
    block: &BlockSums,
    heads: usize,
    penalties: &[f64],
    discount: f64,
    whiten: bool,
) -> Result<BlockFit, BanditError> {
    let normal = Normal::new(index, block, penalties, discount, whiten)?;
    let mut weights = vec![0.0; heads * block.dimension()];
    for head in 0..heads {
        let solution = normal
            .factor
            .backward(normal.whitened(block, head, discount));
        let own = &mut weights[head * block.dimension()..(head + 1) * block.dimension()];
        for (&i, &weight) in normal.touched.iter().zip(&solution) {
            own[i] = weight;
        }
    }
    Ok(BlockFit {
        weights,
        whitening: if whiten {
            normal.factor.inverse_rows()
        } else {
            Vec::new()
        },
        condition: normal.factor.condition(),
    })
}

/// What one block says of its penalties.
pub(super) fn block_evidence(
    index: usize,
    block: &BlockSums,
    heads: usize,
    penalties: &[f64],
    discount: f64,
) -> Result<BlockEvidence, BanditError> {
    let normal = Normal::new(index, block, penalties, discount, false)?;
    let log_prior: f64 = normal
        .touched
        .iter()
        .map(|&i| libm::log(penalties[i]))
        .sum();
    let explained = (0..heads)
        .map(|head| {
            let z = normal.whitened(block, head, discount);
            dot(&z, &z)
        })
        .collect();
    Ok(BlockEvidence {
        log_volume: 0.5 * (log_prior - normal.factor.log_determinant()),
        explained,
    })
}
