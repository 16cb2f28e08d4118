//! From sums to coefficients: one ridge solution a block, for all heads at once.

use super::cholesky::{Cholesky, Lower, dot};
use super::error::BanditError;
use super::normal_equations::NormalEquations;
use super::prior::HeadGroup;

/// The posterior of one block.
#[derive(Debug, Clone)]
pub(super) struct BlockFit {
    /// Head by head, one coefficient a row.
    pub(super) weights: Vec<f64>,
    /// Rows of `L⁻¹` one after another, where asked for; `L L' = A + κΛ`.
    pub(super) whitening: Vec<f64>,
    /// Lower bound on the condition number of the normal equations.
    pub(super) condition: f64,
    /// What the coefficients are the mean of, one for each group of heads.
    pub(super) posteriors: Vec<Posterior>,
}

/// The factor of a block's normal equations over the coefficients that some round has touched.
#[derive(Debug, Clone)]
pub(super) struct Posterior {
    pub(super) touched: Vec<usize>,
    pub(super) factor: Cholesky,
}

/// What one block adds to the evidence.
#[derive(Debug, Clone)]
pub(super) struct BlockEvidence {
    /// `½ ln det κΛ − ½ ln det(A + κΛ)`.
    pub(super) log_volume: f64,
    /// Each head of the group with its `B'(A + κΛ)⁻¹B`.
    pub(super) explained: Vec<(usize, f64)>,
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
        equations: &NormalEquations,
        penalties: &[f64],
        all: bool,
    ) -> Result<Self, BanditError> {
        let gram = &equations.gram;
        let touched: Vec<usize> = (0..gram.dimension())
            .filter(|&i| all || gram.row(i)[i] > 0.0)
            .collect();
        let mut matrix = Lower::zeros(touched.len());
        for (at, &i) in touched.iter().enumerate() {
            let from = gram.row(i);
            let row = matrix.row_mut(at);
            for (value, &j) in row.iter_mut().zip(&touched) {
                *value = from[j];
            }
            row[at] += penalties[i];
        }
        let factor = Cholesky::new(matrix).map_err(|bad| BanditError::NotPositiveDefinite {
            block: index,
            pivot: touched[bad.pivot],
            value: bad.value,
        })?;
        Ok(Self { touched, factor })
    }

    /// `L⁻¹ B` of one head.
    fn whitened(&self, moments: &[f64]) -> Vec<f64> {
        let b = self.touched.iter().map(|&i| moments[i]).collect();
        self.factor.forward(b)
    }
}

/// Solves `(A + Λ_g) w_h = B_h` for every head `h` of every group `g`.
///
/// `whiten` says whether the inverse factor, that of the first group, is kept for posterior variances.
pub(super) fn fit_block(
    index: usize,
    equations: &NormalEquations,
    groups: &[HeadGroup],
    whiten: bool,
) -> Result<BlockFit, BanditError> {
    let dimension = equations.gram.dimension();
    let mut weights = vec![0.0; equations.moments.len() * dimension];
    let mut condition = 1.0_f64;
    let mut posteriors = Vec::with_capacity(groups.len());
    for group in groups {
        let normal = Normal::new(index, equations, &group.penalties, whiten)?;
        for &head in &group.heads {
            let moments = &equations.moments[head];
            let solution = normal.factor.backward(normal.whitened(moments));
            let own = &mut weights[head * dimension..(head + 1) * dimension];
            for (&i, &weight) in normal.touched.iter().zip(&solution) {
                own[i] = weight;
            }
        }
        condition = condition.max(normal.factor.condition());
        posteriors.push(Posterior {
            touched: normal.touched,
            factor: normal.factor,
        });
    }
    Ok(BlockFit {
        weights,
        whitening: match posteriors.first() {
            Some(first) if whiten => first.factor.inverse_rows(),
            _ => Vec::new(),
        },
        condition,
        posteriors,
    })
}

/// What one block says of the penalties of a group of heads.
pub(super) fn block_evidence(
    index: usize,
    equations: &NormalEquations,
    group: &HeadGroup,
    factor: f64,
) -> Result<BlockEvidence, BanditError> {
    let penalties: Vec<f64> = group.penalties.iter().map(|own| own * factor).collect();
    let normal = Normal::new(index, equations, &penalties, false)?;
    let touched = normal.touched.iter();
    let log_prior: f64 = touched.map(|&i| libm::log(penalties[i])).sum();
    let explained = group.heads.iter().map(|&head| {
        let z = normal.whitened(&equations.moments[head]);
        (head, dot(&z, &z))
    });
    Ok(BlockEvidence {
        log_volume: 0.5 * (log_prior - normal.factor.log_determinant()),
        explained: explained.collect(),
    })
}
