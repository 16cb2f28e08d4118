//! Rows that come one after another and are the same in most blocks.
//!
//! The person-period rows of a decision share its features and differ in their period alone. Where two blocks stand
//! still over a run of rows, their product needs one entry a run: the sum of the run's. Nothing is approximated, and
//! the runs are found in the rows themselves.

/// Parts of the rows that runs may be at most: beyond that they save less than they cost.
const MOST_RUNS: f64 = 0.7;

/// Rows in runs, and which blocks stand still in every one of them.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    rows: usize,
    /// The first row of each; empty where no block stands still.
    starts: Vec<u32>,
    still: Vec<bool>,
}

impl Runs {
    /// The runs of `rows` rows, of which block `b` of `blocks` differs from the row before where `moves(b, row)`. Of
    /// the blocks, from the one that moves least often on, so many are taken as make the fewest entries of products.
    pub(super) fn of(rows: usize, blocks: usize, moves: impl Fn(usize, usize) -> bool) -> Self {
        let moving = |block: usize| -> Vec<u32> {
            let places = (1..rows).filter(|row| moves(block, *row));
            places.map(|row| row as u32).collect()
        };
        let mut by_moves: Vec<(usize, Vec<u32>)> =
            (0..blocks).map(|block| (block, moving(block))).collect();
        by_moves.sort_by_key(|(block, moves)| (moves.len(), *block));
        let products = |blocks: usize| (blocks * (blocks + 1) / 2) as f64;
        let mut begins = vec![false; rows];
        let (mut runs, mut best) = (1_usize, (products(blocks) * rows as f64, 0));
        for (place, (_, moves)) in by_moves.iter().enumerate() {
            for row in moves {
                runs += usize::from(!std::mem::replace(&mut begins[*row as usize], true));
            }
            if runs as f64 > MOST_RUNS * rows as f64 {
                break;
            }
            let short = products(place + 1);
            let entries = short * runs as f64 + (products(blocks) - short) * rows as f64;
            if entries < best.0 {
                best = (entries, place + 1);
            }
        }
        let mut found = Self {
            rows,
            starts: Vec::new(),
            still: vec![false; blocks],
        };
        if best.1 > 0 {
            let kept = &by_moves[..best.1];
            found.starts = kept.iter().flat_map(|(_, moves)| moves.clone()).collect();
            found.starts.push(0);
            found.starts.sort_unstable();
            found.starts.dedup();
            for (block, _) in kept {
                found.still[*block] = true;
            }
        }
        found
    }

    /// The first row of each run.
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// Of each block, whether it stands still.
    pub(super) fn is_still(&self) -> impl Iterator<Item = bool> {
        self.still.iter().copied()
    }

    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let ends = self.starts.iter().skip(1).map(|row| *row as usize);
        let ends = ends.chain(std::iter::once(self.rows));
        let starts = self.starts.iter().map(|row| *row as usize);
        starts.zip(ends).map(|(start, end)| start..end)
    }

    /// The sum of each run.
    pub(super) fn sums(&self, per_row: &[f64]) -> Vec<f64> {
        self.ranges().map(|run| per_row[run].iter().sum()).collect()
    }

    /// What is each run's, row by row; zeros where there are no runs.
    pub(super) fn spread(&self, per_run: &[f64]) -> Vec<f64> {
        let mut rows = vec![0.0; self.rows];
        for (run, value) in self.ranges().zip(per_run) {
            rows[run].fill(*value);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::Runs;

    #[test]
    fn what_moves_with_every_row_is_left_out_of_the_runs() {
        // Two blocks move every fourth row, one with each.
        let runs = Runs::of(12, 3, |block, row| block == 1 || row % 4 == 0);
        assert_eq!(runs.starts(), [0, 4, 8]);
        assert_eq!(runs.is_still().collect::<Vec<_>>(), [true, false, true]);
        let rows: Vec<f64> = (0..12).map(f64::from).collect();
        assert_eq!(runs.sums(&rows), [6.0, 22.0, 38.0]);
        assert_eq!(runs.spread(&[1.0, 2.0, 3.0])[3..5], [1.0, 2.0]);
    }

    #[test]
    fn rows_that_all_differ_have_no_runs() {
        let runs = Runs::of(12, 3, |_, _| true);
        assert!(runs.starts().is_empty() && runs.sums(&[1.0; 12]).is_empty());
        assert_eq!(runs.spread(&[]), [0.0; 12]);
        assert!(Runs::of(1, 0, |_, _| true).starts().is_empty());
    }
}
