//! A wide design that is held by what makes it wide: curves and cells.
//!
//! A **curve** over a column with knots `k_0 < … < k_m` is `m` design columns, each climbing from 0 to 1 between two
//! neighbouring knots; its weights are the curve's increments, and a ridge on them is a ridge on steepness. Every row
//! fills up to `m` of them, but in the basis of hats around the knots it fills two, and the increments' sums are
//! running sums of the hats' sums. A **cell** block is one-hot: every row fills one column or none. Newton's
//! equations are accumulated over hats and cells, block against block, at a cost per row that does not depend on the
//! number of knots, and over [`runs`](super::runs) of rows where two blocks stand still.

mod block;
mod product;

use std::sync::OnceLock;

use ndarray::Array2;
use rayon::prelude::*;

use super::newton::{Bound, Design};
use super::runs::Runs;
use product::product;

pub(super) use block::Block;

/// Blocks side by side, each multiplied by a scale: the larger the scale, the weaker the ridge on the block.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    rows: usize,
    width: usize,
    blocks: Vec<Placed>,
    still: OnceLock<Still>,
}

/// The blocks that stand still over runs of rows, a row a run.
#[derive(Debug, Clone)]
struct Still {
    runs: Runs,
    /// A place each: the block and the rows that fill a cell of it, where few do; none where the block moves.
    blocks: Vec<Option<(Block, Option<Vec<u32>>)>>,
}

#[derive(Debug, Clone)]
struct Placed {
    block: Block,
    /// The rows that fill a cell, where few do.
    filled: Option<Vec<u32>>,
    start: usize,
    scale: f64,
    bound: Bound,
}

impl Blocks {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            rows,
            width: 0,
            blocks: Vec::new(),
            still: OnceLock::new(),
        }
    }

    /// Appends a block; its place among the blocks is returned.
    pub(super) fn push(&mut self, block: Block, scale: f64) -> usize {
        let start = self.width;
        self.still = OnceLock::new();
        self.width += block.width();
        self.blocks.push(Placed {
            filled: block.filled(),
            block,
            start,
            scale,
            bound: Bound::Free,
        });
        self.blocks.len() - 1
    }

    /// Bounds every weight of a block; of a curve, whose weights are its rises, this makes it monotone.
    pub(super) fn bind(&mut self, block: usize, bound: Bound) {
        self.blocks[block].bound = bound;
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    fn still(&self) -> &Still {
        self.still.get_or_init(|| {
            let moves = |block: usize, row: usize| self.blocks[block].block.moves_at(row);
            let runs = Runs::of(self.rows, self.blocks.len(), moves);
            let placed = self.blocks.iter().zip(runs.is_still());
            let blocks = placed.map(|(placed, still)| {
                let block = still.then(|| placed.block.at(runs.starts()))?;
                let filled = block.filled();
                Some((block, filled))
            });
            Still {
                blocks: blocks.collect(),
                runs,
            }
        })
    }

    pub(super) fn scale(&self, block: usize) -> f64 {
        self.blocks[block].scale
    }

    pub(super) fn set_scale(&mut self, block: usize, scale: f64) {
        self.blocks[block].scale = scale;
    }

    /// The design columns of a block.
    pub(super) fn columns_of(&self, block: usize) -> std::ops::Range<usize> {
        let placed = &self.blocks[block];
        placed.start..placed.start + placed.block.width()
    }

    /// Heights at the knots, or of the cells, of a block.
    pub(super) fn heights(&self, block: usize, weights: &[f64]) -> Vec<f64> {
        let placed = &self.blocks[block];
        placed
            .block
            .heights(&weights[self.columns_of(block)], placed.scale)
    }

    /// Mean over the rows of a block's contribution.
    pub(super) fn mean(&self, block: usize, weights: &[f64]) -> f64 {
        let mut sums = vec![0.0; self.rows];
        let heights = self.heights(block, weights);
        self.blocks[block].block.add_heights(&heights, &mut sums);
        sums.iter().sum::<f64>() / self.rows as f64
    }

    /// The design written out, shape (rows, width).
    pub(super) fn matrix(&self) -> Array2<f64> {
        let mut matrix = Array2::<f64>::zeros((self.rows, self.width));
        for placed in &self.blocks {
            let (start, scale) = (placed.start, placed.scale);
            match &placed.block {
                Block::Curve { knots, left, share } => {
                    for (row, (left, share)) in left.iter().zip(share).enumerate() {
                        let left = usize::from(*left);
                        if left < *knots {
                            for column in start..start + left {
                                matrix[(row, column)] = scale;
                            }
                            matrix[(row, start + left)] = scale * share;
                        }
                    }
                }
                Block::Cells { cells, index } => {
                    for (row, index) in index.iter().enumerate() {
                        if usize::from(*index) < *cells {
                            matrix[(row, start + usize::from(*index))] = scale;
                        }
                    }
                }
            }
        }
        matrix
    }
}

impl Design for Blocks {
    fn rows(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        self.width
    }

    fn bounds(&self) -> Vec<Bound> {
        if self.blocks.iter().all(|one| one.bound == Bound::Free) {
            return Vec::new();
        }
        let each = |one: &Placed| std::iter::repeat_n(one.bound, one.block.width());
        self.blocks.iter().flat_map(each).collect()
    }

    fn scales(&self) -> Vec<f64> {
        let each = |one: &Placed| std::iter::repeat_n(one.scale, one.block.width());
        self.blocks.iter().flat_map(each).collect()
    }

    fn scores(&self, weights: &[f64]) -> Vec<f64> {
        let still = self.still();
        let mut of_runs = vec![0.0; still.runs.starts().len()];
        for (place, block) in still.blocks.iter().enumerate() {
            if let Some((block, _)) = block {
                block.add_heights(&self.heights(place, weights), &mut of_runs);
            }
        }
        let mut sums = still.runs.spread(&of_runs);
        for (place, placed) in self.blocks.iter().enumerate() {
            if still.blocks[place].is_none() {
                let heights = self.heights(place, weights);
                placed.block.add_heights(&heights, &mut sums);
            }
        }
        sums
    }

    fn transposed(&self, per_row: &[f64]) -> Vec<f64> {
        let still = self.still();
        let per_run = still.runs.sums(per_row);
        let placed = self.blocks.iter().zip(&still.blocks);
        placed
            .flat_map(|(placed, still)| {
                let units = match still {
                    Some((block, _)) => block.unit_sums(&per_run),
                    None => placed.block.unit_sums(per_row),
                };
                placed.block.column_sums(&units, placed.scale)
            })
            .collect()
    }

    fn gram(&self, curvature: &[f64]) -> Array2<f64> {
        let pairs: Vec<(usize, usize)> = (0..self.blocks.len())
            .flat_map(|lower| (0..=lower).map(move |upper| (lower, upper)))
            .collect();
        let still = self.still();
        let of_runs = still.runs.sums(curvature);
        let whole = |place: usize| {
            let placed = &self.blocks[place];
            (&placed.block, placed.filled.as_deref(), placed.scale)
        };
        let short = |place: usize| {
            let (block, filled) = still.blocks[place].as_ref()?;
            Some((block, filled.as_deref(), self.blocks[place].scale))
        };
        let products: Vec<Array2<f64>> = pairs
            .par_iter()
            .map(|&(lower, upper)| match (short(lower), short(upper)) {
                (Some(lower), Some(upper)) => product(lower, upper, &of_runs),
                _ => product(whole(lower), whole(upper), curvature),
            })
            .collect();
        let mut gram = Array2::<f64>::zeros((self.width + 1, self.width + 1));
        for ((lower, upper), product) in pairs.into_iter().zip(products) {
            let (rows, columns) = (self.columns_of(lower), self.columns_of(upper));
            for (row, line) in rows.zip(product.rows()) {
                for (column, entry) in columns.clone().zip(line) {
                    gram[(row, column)] = *entry;
                }
            }
        }
        for (column, sum) in self.transposed(curvature).into_iter().enumerate() {
            gram[(self.width, column)] = sum;
        }
        gram[(self.width, self.width)] = curvature.iter().sum();
        gram
    }
}

#[cfg(test)]
mod tests;
