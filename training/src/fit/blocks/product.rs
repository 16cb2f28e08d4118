//! The product of two blocks under a weight for each row, at a cost per row that does not depend on their widths.

use ndarray::Array2;

use super::block::Block;

/// A block, the rows that fill a cell of it where few do, and its scale.
pub(super) type Scaled<'a> = (&'a Block, Option<&'a [u32]>, f64);

/// `Aᵀ·diag(h)·B` of two blocks.
pub(super) fn product(a: Scaled<'_>, b: Scaled<'_>, curvature: &[f64]) -> Array2<f64> {
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
