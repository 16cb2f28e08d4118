//! One block of design columns: a curve or cells.

/// Share of the rows below which only those that fill a cell are gone through.
const FEW: f64 = 0.5;

/// One block of design columns.
#[derive(Debug, Clone)]
pub(in crate::fit) enum Block {
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

impl Block {
    /// Design columns.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Curve { knots, .. } => knots - 1,
            Self::Cells { cells, .. } => *cells,
        }
    }

    /// The rows that fill a cell, where fewer than [`FEW`] do.
    pub(super) fn filled(&self) -> Option<Vec<u32>> {
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
    pub(super) fn moves_at(&self, row: usize) -> bool {
        match self {
            Self::Curve { left, share, .. } => {
                left[row] != left[row - 1] || share[row] != share[row - 1]
            }
            Self::Cells { index, .. } => index[row] != index[row - 1],
        }
    }

    /// The block at some of its rows.
    pub(super) fn at(&self, rows: &[u32]) -> Self {
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
    pub(super) fn units(&self) -> usize {
        match self {
            Self::Curve { knots, .. } => *knots,
            Self::Cells { cells, .. } => *cells,
        }
    }

    /// Heights at the knots, or of the cells, for scaled weights.
    pub(super) fn heights(&self, weights: &[f64], scale: f64) -> Vec<f64> {
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
    pub(super) fn add_heights(&self, heights: &[f64], sums: &mut [f64]) {
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
    pub(super) fn unit_sums(&self, per_row: &[f64]) -> Vec<f64> {
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
    pub(super) fn column_sums(&self, units: &[f64], scale: f64) -> Vec<f64> {
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
