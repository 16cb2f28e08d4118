//! Which pairs of columns say more together than apart.
//!
//! After a fit, the residuals `p − y` and curvatures `p(1 − p)` are summed over the cells of a coarse grid of every
//! pair. A cell that the model already explains has a residual sum of variance equal to its curvature sum, so
//!
//! ```text
//! score(a, b) = Σ_cells [G_c² / (H_c + λ) − H_c / (H_c + λ)],   G_c = Σ (p − y),  H_c = Σ p(1 − p)
//! ```
//! is about twice the log-likelihood that the cells would add beyond what chance adds. Pairs are taken in descending
//! order. Source: Lou, Caruana, Gehrke and Hooker, KDD 2013, doi:10.1145/2487575.2487579 (FAST), with the score test
//! in place of the residual sum of squares.

use lagom_model::linear::Axis;
use rayon::prelude::*;

use super::blocks::Block;
use super::prepare::Prepared;

/// Bins of a number column's side of a grid.
const NUMBER_BINS: usize = 6;
/// Levels that have bins of their own.
const LEVEL_BINS: usize = 6;
/// Ridge of the score, in rows' worth of curvature.
const SCORE_RIDGE: f64 = 10.0;

/// One column cut coarsely.
#[derive(Debug, Clone)]
pub(super) struct CoarseColumn {
    pub(super) axis: Axis,
    /// Each row's bin.
    pub(super) bins: Vec<u16>,
}

/// A grid over two columns, and the cells of it that rows fill.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) first: Axis,
    pub(super) second: Axis,
    /// Places of the filled cells in the full grid, ascending.
    pub(super) filled: Vec<usize>,
    /// The patch of each filled cell.
    pub(super) patch_of: Vec<usize>,
}

/// Cuts the column at `place`; `None` when it is left out or has one bin.
pub(super) fn coarse(place: usize, column: &Prepared) -> Option<CoarseColumn> {
    let (axis, bins): (Axis, Vec<u16>) = match column {
        Prepared::LeftOut(_) => return None,
        Prepared::Number(numbers) => {
            let cuts = cuts(numbers);
            let bin = |x: &f64| Axis::bin_of_number(&cuts, Some(*x).filter(|x| !x.is_nan())) as u16;
            let bins = numbers.iter().map(bin).collect();
            (
                Axis::Cuts {
                    column: place,
                    cuts,
                },
                bins,
            )
        }
        Prepared::Category { levels, index } => {
            let kept = frequent(levels.len(), index);
            let bin_of: Vec<u16> = (0..=levels.len())
                .map(|level| match kept.binary_search(&level) {
                    Ok(bin) => bin as u16,
                    Err(_) if level == levels.len() => kept.len() as u16 + 1,
                    Err(_) => kept.len() as u16,
                })
                .collect();
            let bins = index.iter().map(|level| bin_of[*level]).collect();
            let levels = kept.iter().map(|level| levels[*level].clone()).collect();
            (
                Axis::Levels {
                    column: place,
                    levels,
                },
                bins,
            )
        }
    };
    let varies = bins.iter().any(|bin| *bin != bins[0]);
    varies.then_some(CoarseColumn { axis, bins })
}

/// Cuts between values so that bins hold about as many rows each.
fn cuts(numbers: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let rows = sorted.len();
    let runs: Vec<&[f64]> = sorted.chunk_by(|a, b| a == b).collect();
    let share = if runs.len() <= NUMBER_BINS {
        0.0
    } else {
        rows as f64 / NUMBER_BINS as f64
    };
    let mut cuts = Vec::new();
    let (mut passed, mut next) = (0, share);
    for pair in runs.windows(2) {
        passed += pair[0].len();
        if passed as f64 >= next {
            cuts.push(0.5 * (pair[0][0] + pair[1][0]));
            next = (passed as f64 + share).min(rows as f64);
        }
    }
    cuts.dedup();
    cuts
}

/// The most frequent levels, ascending.
fn frequent(levels: usize, index: &[usize]) -> Vec<usize> {
    let mut counts = vec![0_usize; levels + 1];
    for level in index {
        counts[*level] += 1;
    }
    let mut order: Vec<usize> = (0..levels).collect();
    order.sort_by_key(|level| std::cmp::Reverse(counts[*level]));
    order.truncate(LEVEL_BINS);
    order.sort_unstable();
    order
}

/// Every pair not in `taken` with a positive score, best first, as places in `columns`.
pub(super) fn ranked(
    columns: &[CoarseColumn],
    taken: &[(usize, usize)],
    residuals: &[f64],
    curvature: &[f64],
) -> Vec<(usize, usize)> {
    let pairs: Vec<(usize, usize)> = (0..columns.len())
        .flat_map(|second| (0..second).map(move |first| (first, second)))
        .filter(|pair| !taken.contains(pair))
        .collect();
    let mut scored: Vec<(f64, (usize, usize))> = pairs
        .into_par_iter()
        .map(|(first, second)| {
            let (a, b) = (&columns[first], &columns[second]);
            (score(a, b, residuals, curvature), (first, second))
        })
        .collect();
    scored.retain(|(score, _)| *score > 0.0);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().map(|(_, pair)| pair).collect()
}

fn score(a: &CoarseColumn, b: &CoarseColumn, residuals: &[f64], curvature: &[f64]) -> f64 {
    let stride = b.axis.bins();
    let mut sums = vec![(0.0, 0.0); a.axis.bins() * stride];
    let bins = a.bins.iter().zip(&b.bins);
    for ((a, b), (residual, h)) in bins.zip(residuals.iter().zip(curvature)) {
        let cell = &mut sums[usize::from(*a) * stride + usize::from(*b)];
        cell.0 += residual;
        cell.1 += h;
    }
    let gain = |(g, h): (f64, f64)| (g * g - h) / (h + SCORE_RIDGE);
    sums.into_iter().map(gain).sum()
}

/// The grid of two columns, the block of its filled cells, and the block of its filled patches: cells of which two
/// neighbouring bins of each number column are one. A ridge on cells and patches together lets neighbours lend each
/// other strength, which a ridge on cells alone does not.
pub(super) fn grid(a: &CoarseColumn, b: &CoarseColumn) -> (Grid, [Block; 2]) {
    let stride = b.axis.bins();
    let rows = a.bins.iter().zip(&b.bins);
    let cells: Vec<usize> = rows
        .map(|(a, b)| usize::from(*a) * stride + usize::from(*b))
        .collect();
    let mut filled = cells.clone();
    filled.sort_unstable();
    filled.dedup();
    let patch = |cell: &usize| {
        patch_bin(&a.axis, cell / stride) * stride + patch_bin(&b.axis, cell % stride)
    };
    let mut patches: Vec<usize> = filled.iter().map(patch).collect();
    patches.sort_unstable();
    patches.dedup();
    let place = |of: &[usize], cell: usize| of.partition_point(|filled| *filled < cell);
    let patch_of: Vec<usize> = filled
        .iter()
        .map(|cell| place(&patches, patch(cell)))
        .collect();
    let compact: Vec<usize> = cells.iter().map(|cell| place(&filled, *cell)).collect();
    let blocks = [
        Block::Cells {
            cells: filled.len(),
            index: compact.iter().map(|cell| *cell as u16).collect(),
        },
        Block::Cells {
            cells: patches.len(),
            index: compact.iter().map(|cell| patch_of[*cell] as u16).collect(),
        },
    ];
    let grid = Grid {
        first: a.axis.clone(),
        second: b.axis.clone(),
        filled,
        patch_of,
    };
    (grid, blocks)
}

/// The bin that stands for a bin's patch.
fn patch_bin(axis: &Axis, bin: usize) -> usize {
    match axis {
        // The last bin, of missing cells, stays alone.
        Axis::Cuts { .. } if bin + 1 < axis.bins() => bin / 2,
        Axis::Cuts { .. } | Axis::Levels { .. } => bin,
    }
}
