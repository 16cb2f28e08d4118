//! A wide design that is held by what makes it wide: curves and cells.
//!
//! A **curve** over a column with knots `k_0 < … < k_m` is `m` design columns, each climbing from 0 to 1 between two
//! neighbouring knots; its weights are the curve's increments, and a ridge on them is a ridge on steepness. Every row
//! fills up to `m` of them, but in the basis of hats around the knots it fills two, and the increments' sums are
//! running sums of the hats' sums. A **cell** block is one-hot: every row fills one column or none. Newton's
//! equations are accumulated over hats and cells, block against block, at a cost per row that does not depend on the
//! number of knots, and over [`runs`](super::runs) of rows where two blocks stand still.

use std::sync::OnceLock;

use ndarray::Array2;
use rayon::prelude::*;

use super::runs::Runs;

use super::newton::{Bound, Design};

/// Share of the rows below which only those that fill a cell are gone through.
const FEW: f64 = 0.5;

/// One block of design columns.
#[derive(Debug, Clone)]
pub(super) enum Block {
    /// Each row's place between the knots.
    Curve {
        /// Number of knots, at least 2.
        knots: usize,
        /// The knot at or left of the row's cell, at most `knots − 2`; `knots` when the cell is missing.
        left: Vec<u16>,
        /// How far the cell is from that knot to the next, in [0, 1].
        share: Vec<f64>,
    },
    /// Each row's cell; `cells` when the row fills none.
    Cells {
        /// Number of cells, at least 1.
        cells: usize,
        /// Each row's cell.
        index: Vec<u16>,
    },
}

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

impl Block {
    /// Design columns.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Curve { knots, .. } => knots - 1,
            Self::Cells { cells, .. } => *cells,
        }
    }

    /// The rows that fill a cell, where fewer than [`FEW`] do.
    fn filled(&self) -> Option<Vec<u32>> {
        let Self::Cells { cells, index } = self else {
            return None;
        };
        let fills = |(_, at): &(usize, &u16)| usize::from(**at) < *cells;
        let count = index.iter().enumerate().filter(fills).count();
        let rows = || index.iter().enumerate().filter(fills);
        let few = (count as f64) < FEW * index.len() as f64;
        few.then(|| rows().map(|(row, _)| row as u32).collect())
    }

    /// Whether a row differs from the one before it.
    fn moves_at(&self, row: usize) -> bool {
        match self {
            Self::Curve { left, share, .. } => {
                left[row] != left[row - 1] || share[row] != share[row - 1]
            }
            Self::Cells { index, .. } => index[row] != index[row - 1],
        }
    }

    /// The block at some of its rows.
    fn at(&self, rows: &[u32]) -> Self {
        match self {
            Self::Curve { knots, left, share } => Self::Curve {
                knots: *knots,
                left: rows.iter().map(|row| left[*row as usize]).collect(),
                share: rows.iter().map(|row| share[*row as usize]).collect(),
            },
            Self::Cells { cells, index } => Self::Cells {
                cells: *cells,
                index: rows.iter().map(|row| index[*row as usize]).collect(),
            },
        }
    }

    /// Hats or cells.
    fn units(&self) -> usize {
        match self {
            Self::Curve { knots, .. } => *knots,
            Self::Cells { cells, .. } => *cells,
        }
    }

    /// Heights at the knots, or of the cells, for scaled weights.
    fn heights(&self, weights: &[f64], scale: f64) -> Vec<f64> {
        match self {
            Self::Curve { .. } => std::iter::once(0.0)
                .chain(weights.iter().scan(0.0, |height, weight| {
                    *height += scale * weight;
                    Some(*height)
                }))
                .collect(),
            Self::Cells { .. } => weights.iter().map(|weight| scale * weight).collect(),
        }
    }

    /// Adds each row's height to `sums`.
    fn add_heights(&self, heights: &[f64], sums: &mut [f64]) {
        match self {
            Self::Curve { knots, left, share } => {
                let rises: Vec<f64> = heights.windows(2).map(|pair| pair[1] - pair[0]).collect();
                for ((sum, left), share) in sums.iter_mut().zip(left).zip(share) {
                    let left = usize::from(*left);
                    if left < *knots {
                        *sum += heights[left] + rises[left] * share;
                    }
                }
            }
            Self::Cells { cells, index } => {
                for (sum, index) in sums.iter_mut().zip(index) {
                    if usize::from(*index) < *cells {
                        *sum += heights[usize::from(*index)];
                    }
                }
            }
        }
    }

    /// `Σ_i per_row_i` over hats or cells; two spare places take rows that fill none.
    fn unit_sums(&self, per_row: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.units() + 2];
        match self {
            Self::Curve { left, share, .. } => {
                for ((value, left), share) in per_row.iter().zip(left).zip(share) {
                    let right = value * share;
                    sums[usize::from(*left)] += value - right;
                    sums[usize::from(*left) + 1] += right;
                }
            }
            Self::Cells { index, .. } => {
                for (value, index) in per_row.iter().zip(index) {
                    sums[usize::from(*index)] += value;
                }
            }
        }
        sums.truncate(self.units());
        sums
    }

    /// From sums over units to sums over design columns: running sums from the right for a curve.
    fn column_sums(&self, units: &[f64], scale: f64) -> Vec<f64> {
        match self {
            Self::Curve { knots, .. } => {
                let mut columns = vec![0.0; knots - 1];
                let mut sum = 0.0;
                for knot in (1..*knots).rev() {
                    sum += units[knot];
                    columns[knot - 1] = scale * sum;
                }
                columns
            }
            Self::Cells { .. } => units.iter().map(|unit| scale * unit).collect(),
        }
    }
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

/// A block, the rows that fill a cell of it where few do, and its scale.
type Scaled<'a> = (&'a Block, Option<&'a [u32]>, f64);

/// `Aᵀ·diag(h)·B` of two blocks.
fn product(a: Scaled<'_>, b: Scaled<'_>, curvature: &[f64]) -> Array2<f64> {
    let ((a, a_filled, a_scale), (b, b_filled, b_scale)) = (a, b);
    let (rows, units) = (curvature.len(), b.units());
    // A row that fills none is in the place after the last unit, and its corner in the one after that.
    let stride = units + 2;
    let places = (a.units() + 2) * stride;
    let filled = match (a_filled, b_filled) {
        (Some(a), Some(b)) if b.len() < a.len() => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    };
    let mut sums = vec![0.0; places];
    // Each row adds to the corners of one place; what is a corner's is brought to its unit afterwards.
    let corners: [usize; 4] = [0, 1, stride, stride + 1];
    match (a, b) {
        (Block::Cells { index: a, .. }, Block::Cells { index: b, .. }) => {
            let (a, b) = (&a[..rows], &b[..rows]);
            let found = summed(rows, filled, places, |row| {
                let at = usize::from(a[row]) * stride + usize::from(b[row]);
                (at, [curvature[row]])
            });
            scatter(&found, &corners[..1], &mut sums);
        }
        (Block::Cells { index, .. }, Block::Curve { left, share, .. }) => {
            let (index, left, share) = (&index[..rows], &left[..rows], &share[..rows]);
            let found = summed(rows, filled, places, |row| {
                let at = usize::from(index[row]) * stride + usize::from(left[row]);
                let right = curvature[row] * share[row];
                (at, [curvature[row] - right, right])
            });
            scatter(&found, &corners[..2], &mut sums);
        }
        (Block::Curve { left, share, .. }, Block::Cells { index, .. }) => {
            let (index, left, share) = (&index[..rows], &left[..rows], &share[..rows]);
            let found = summed(rows, filled, places, |row| {
                let at = usize::from(left[row]) * stride + usize::from(index[row]);
                let right = curvature[row] * share[row];
                (at, [curvature[row] - right, right])
            });
            scatter(&found, &[corners[0], corners[2]], &mut sums);
        }
        (
            Block::Curve {
                left: a_left,
                share: a_share,
                ..
            },
            Block::Curve {
                left: b_left,
                share: b_share,
                ..
            },
        ) => {
            let (a_left, a_share) = (&a_left[..rows], &a_share[..rows]);
            let (b_left, b_share) = (&b_left[..rows], &b_share[..rows]);
            let found = summed(rows, filled, places, |row| {
                let at = usize::from(a_left[row]) * stride + usize::from(b_left[row]);
                let lower = curvature[row] * a_share[row];
                let upper = curvature[row] - lower;
                let (upper_right, lower_right) = (upper * b_share[row], lower * b_share[row]);
                let parts = [
                    upper - upper_right,
                    upper_right,
                    lower - lower_right,
                    lower_right,
                ];
                (at, parts)
            });
            scatter(&found, &corners, &mut sums);
        }
    }
    // Units to design columns, first along b, then along a.
    let mut along_b = Array2::<f64>::zeros((a.units(), b.width()));
    for (unit, mut row) in along_b.rows_mut().into_iter().enumerate() {
        let units = &sums[unit * stride..unit * stride + b.units()];
        let columns = b.column_sums(units, b_scale);
        row.iter_mut()
            .zip(columns)
            .for_each(|(to, from)| *to = from);
    }
    let mut both = Array2::<f64>::zeros((a.width(), b.width()));
    for (column, units) in along_b.columns().into_iter().enumerate() {
        let rows = a.column_sums(&units.to_vec(), a_scale);
        both.column_mut(column)
            .iter_mut()
            .zip(rows)
            .for_each(|(to, from)| *to = from);
    }
    both
}

/// Sums over the rows, or over those that are `filled`, of what each adds to its place. Neighbouring rows go to tables
/// of their own, so that one need not wait for the other where both add to one place.
fn summed<const K: usize>(
    rows: usize,
    filled: Option<&[u32]>,
    places: usize,
    of: impl Fn(usize) -> (usize, [f64; K]),
) -> Vec<[f64; K]> {
    let (mut even, mut odd) = (vec![[0.0; K]; places], vec![[0.0; K]; places]);
    let add = |sums: &mut [[f64; K]], row: usize| {
        let (at, parts) = of(row);
        let sum = &mut sums[at];
        for (sum, part) in sum.iter_mut().zip(parts) {
            *sum += part;
        }
    };
    if let Some(filled) = filled {
        for row in filled {
            add(&mut even, *row as usize);
        }
    } else {
        for pair in 0..rows / 2 {
            add(&mut even, 2 * pair);
            add(&mut odd, 2 * pair + 1);
        }
        if rows % 2 == 1 {
            add(&mut even, rows - 1);
        }
    }
    for (sum, part) in even.iter_mut().zip(odd) {
        for (sum, part) in sum.iter_mut().zip(part) {
            *sum += part;
        }
    }
    even
}

/// Brings what stands at the corners of places to units.
fn scatter<const K: usize>(found: &[[f64; K]], corners: &[usize], sums: &mut [f64]) {
    for (place, parts) in found.iter().enumerate() {
        for (corner, part) in corners.iter().zip(parts) {
            if *part != 0.0 {
                sums[place + corner] += part;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dense::Dense;
    use super::super::newton::Design;
    use super::{Block, Blocks};

    fn blocks() -> Blocks {
        let mut blocks = Blocks::new(9);
        let share = |i: usize| (i * 5 % 7) as f64 / 6.0;
        blocks.push(
            Block::Curve {
                knots: 4,
                left: vec![0, 1, 2, 4, 0, 1, 2, 2, 4],
                share: (0..9).map(share).collect(),
            },
            0.5,
        );
        blocks.push(
            Block::Cells {
                cells: 3,
                index: vec![0, 3, 2, 1, 1, 0, 2, 3, 0],
            },
            2.0,
        );
        blocks.push(
            Block::Curve {
                knots: 3,
                left: vec![1, 1, 0, 0, 3, 1, 0, 1, 0],
                share: (0..9).map(|i| share(i + 3)).collect(),
            },
            1.5,
        );
        blocks
    }

    #[test]
    fn blocks_answer_as_the_written_out_matrix_does() {
        let blocks = blocks();
        let matrix = blocks.matrix();
        let dense = Dense::new(matrix.view());
        let weights: Vec<f64> = (0..8).map(|i| f64::from(i) - 3.3).collect();
        let per_row: Vec<f64> = (0..9).map(|i| f64::from(i * i) / 7.0 + 0.1).collect();
        let near = |a: &[f64], b: &[f64]| {
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b) {
                assert!((a - b).abs() < 1e-12, "{a} {b}");
            }
        };
        near(&blocks.scores(&weights), &dense.scores(&weights));
        near(&blocks.transposed(&per_row), &dense.transposed(&per_row));
        let (sparse, full) = (blocks.gram(&per_row), dense.gram(&per_row));
        for row in 0..9 {
            for column in 0..=row {
                let (a, b) = (sparse[(row, column)], full[(row, column)]);
                assert!((a - b).abs() < 1e-12, "({row}, {column}): {a} {b}");
            }
        }
    }

    #[test]
    fn runs_of_equal_rows_give_what_the_written_out_matrix_does() {
        let (rows, run) = (240, 6);
        let mut blocks = Blocks::new(rows);
        let of_run = |row: usize, salt: usize| (row / run * 7 + salt) % 11;
        for salt in 0..4 {
            let left = (0..rows).map(|row| (of_run(row, salt) % 4) as u16);
            // Three knots, so that 0 and 1 are places and 3 is missing.
            let left = left.map(|left| if left == 2 { 3 } else { left.min(1) });
            let share = (0..rows).map(|row| of_run(row, salt) as f64 / 11.0);
            let (left, share) = (left.collect(), share.collect());
            let knots = 3;
            blocks.push(Block::Curve { knots, left, share }, 0.5 + salt as f64);
        }
        let index = (0..rows).map(|row| (row % run) as u16).collect();
        blocks.push(Block::Cells { cells: 5, index }, 2.0);
        let index = (0..rows).map(|row| u16::from(of_run(row, 3) != 0));
        blocks.push(
            Block::Cells {
                cells: 1,
                index: index.collect(),
            },
            1.0,
        );
        let still = blocks.still();
        assert_eq!(still.runs.starts().len(), rows / run);
        assert_eq!(still.blocks.iter().flatten().count(), 5);
        let matrix = blocks.matrix();
        let dense = Dense::new(matrix.view());
        let weights: Vec<f64> = (0..blocks.width()).map(|i| i as f64 - 5.2).collect();
        let per_row: Vec<f64> = (0..rows)
            .map(|i| 0.1 + (i * i % 17) as f64 / 17.0)
            .collect();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-10, "{a} {b}");
        let pairs = |a: Vec<f64>, b: Vec<f64>| a.into_iter().zip(b).for_each(|(a, b)| near(a, b));
        pairs(blocks.scores(&weights), dense.scores(&weights));
        pairs(blocks.transposed(&per_row), dense.transposed(&per_row));
        let (sparse, full) = (blocks.gram(&per_row), dense.gram(&per_row));
        for row in 0..=blocks.width() {
            (0..=row).for_each(|column| near(sparse[(row, column)], full[(row, column)]));
        }
    }

    #[test]
    fn the_mean_of_a_block_is_that_of_its_columns() {
        let blocks = blocks();
        let weights: Vec<f64> = (0..8).map(|i| f64::from(i) - 3.3).collect();
        let all: f64 = (0..3).map(|block| blocks.mean(block, &weights)).sum();
        let scores = blocks.scores(&weights);
        assert!((all - scores.iter().sum::<f64>() / 9.0).abs() < 1e-12);
    }
}
