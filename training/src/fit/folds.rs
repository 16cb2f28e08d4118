//! Which rows may learn from which, and which rows are held out to judge.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::FitError;

/// Share of the rows that are held out when rows have times: the latest.
const HELD_SHARE: f64 = 0.25;
/// Parts into which groups are dealt when rows have times as well.
const GROUP_PARTS: usize = 4;

/// What is known of the rows beside their columns: when they were, whom they belong to, and the seed that decides
/// where neither does.
#[derive(Debug, Clone)]
pub(super) struct Order {
    rows: usize,
    times: Option<Vec<f64>>,
    groups: Option<Vec<usize>>,
    seed: u64,
}

/// Rows to fit on and rows to judge on; no row, and no group, is on both sides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Split {
    pub(super) fit: Vec<usize>,
    pub(super) held: Vec<usize>,
}

impl Order {
    /// Rows without times or groups.
    #[cfg(test)]
    pub(super) fn unordered(rows: usize, seed: u64) -> Self {
        Self {
            rows,
            times: None,
            groups: None,
            seed,
        }
    }

    /// Rows with times, and groups perhaps.
    #[cfg(test)]
    pub(super) fn timed(
        times: Vec<f64>,
        groups: Option<Vec<usize>>,
        seed: u64,
    ) -> Result<Self, FitError> {
        Self::new(times.len(), Some(times), groups, seed)
    }

    /// What is known of `rows` rows.
    ///
    /// # Errors
    /// [`FitError::Lengths`] and [`FitError::NoTime`].
    pub(super) fn new(
        rows: usize,
        times: Option<Vec<f64>>,
        groups: Option<Vec<usize>>,
        seed: u64,
    ) -> Result<Self, FitError> {
        let lengths = |what: &str, found| FitError::Lengths {
            what: what.to_owned(),
            found,
            rows,
        };
        if let Some(times) = &times {
            if times.len() != rows {
                return Err(lengths("times", times.len()));
            }
            if let Some(row) = times.iter().position(|time| !time.is_finite()) {
                return Err(FitError::NoTime { row });
            }
        }
        if let Some(groups) = &groups
            && groups.len() != rows
        {
            return Err(lengths("groups", groups.len()));
        }
        Ok(Self {
            rows,
            times,
            groups,
            seed,
        })
    }

    pub(super) fn times(&self) -> Option<&[f64]> {
        self.times.as_deref()
    }

    /// The number of different groups; 0 when rows are not grouped.
    pub(super) fn group_count(&self) -> usize {
        let mut groups = self.groups.clone().unwrap_or_default();
        groups.sort_unstable();
        groups.dedup();
        groups.len()
    }

    /// The same knowledge of some of the rows.
    pub(super) fn of(&self, rows: &[usize]) -> Self {
        Self {
            rows: rows.len(),
            times: self
                .times
                .as_ref()
                .map(|times| rows.iter().map(|row| times[*row]).collect()),
            groups: self
                .groups
                .as_ref()
                .map(|groups| rows.iter().map(|row| groups[*row]).collect()),
            seed: self.seed,
        }
    }

    /// The rows dealt into `parts` parts; see [`deal`].
    pub(super) fn parts(&self, parts: usize) -> Vec<usize> {
        deal(self.rows, self.groups.as_deref(), parts, self.seed)
    }

    /// The validation splits: with times, the latest quarter is held out and only earlier rows are fitted on (with
    /// groups as well, part by part, so that no group is on both sides); without, `folds` parts are held out in
    /// turn. Splits with one outcome missing on a side are left out.
    pub(super) fn splits(&self, folds: usize, outcomes: &[f64]) -> Vec<Split> {
        let rows = 0..self.rows;
        let splits: Vec<Split> = match (&self.times, &self.groups) {
            (Some(times), groups) => {
                let start = start_of_held(times);
                let parts = match groups {
                    Some(_) => self.parts(GROUP_PARTS),
                    None => vec![0; self.rows],
                };
                let last = parts.iter().copied().max().unwrap_or(0);
                let grouped = groups.is_some();
                (0..=last)
                    .map(|part| Split {
                        fit: rows
                            .clone()
                            .filter(|row| times[*row] < start && (!grouped || parts[*row] != part))
                            .collect(),
                        held: rows
                            .clone()
                            .filter(|row| times[*row] >= start && parts[*row] == part)
                            .collect(),
                    })
                    .collect()
            }
            (None, _) => {
                let parts = self.parts(folds);
                (0..folds)
                    .map(|part| {
                        let (held, fit) = rows.clone().partition(|row| parts[*row] == part);
                        Split { fit, held }
                    })
                    .collect()
            }
        };
        let both = |side: &[usize]| {
            let positives = side.iter().filter(|row| outcomes[**row] > 0.5).count();
            positives > 0 && positives < side.len()
        };
        splits
            .into_iter()
            .filter(|split| both(&split.fit) && both(&split.held))
            .collect()
    }
}

/// Deals `rows` rows into `parts` parts of about equal size; a group stays together. One part number a row.
pub(super) fn deal(rows: usize, groups: Option<&[usize]>, parts: usize, seed: u64) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let Some(groups) = groups else {
        let mut dealt: Vec<usize> = (0..rows).map(|row| row % parts).collect();
        dealt.shuffle(&mut random);
        return dealt;
    };
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for group in groups {
        *sizes.entry(*group).or_default() += 1;
    }
    let mut by_size: Vec<(usize, usize)> = sizes.into_iter().collect();
    by_size.shuffle(&mut random);
    by_size.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let mut filled = vec![0; parts];
    let mut part_of: BTreeMap<usize, usize> = BTreeMap::new();
    for (group, size) in by_size {
        let part = (0..parts).min_by_key(|part| filled[*part]).unwrap_or(0);
        filled[part] += size;
        part_of.insert(group, part);
    }
    groups.iter().map(|group| part_of[group]).collect()
}

/// The time from which rows are held out. Rows of one time are on one side; when the latest quarter begins at the
/// earliest time, the split moves to the next one.
fn start_of_held(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = ((1.0 - HELD_SHARE) * sorted.len() as f64) as usize;
    let start = sorted.get(at).copied().unwrap_or(f64::INFINITY);
    match sorted.first() {
        Some(first) if *first == start => {
            let later = sorted.iter().find(|time| **time > start);
            later.copied().unwrap_or(f64::INFINITY)
        }
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Order;

    fn alternating(rows: usize) -> Vec<f64> {
        (0..rows).map(|row| f64::from(row % 2 == 0)).collect()
    }

    #[test]
    fn folds_hold_every_row_out_once() {
        let splits = Order::unordered(103, 7).splits(4, &alternating(103));
        let mut held: Vec<usize> = splits.iter().flat_map(|split| split.held.clone()).collect();
        held.sort_unstable();
        assert_eq!(held, (0..103).collect::<Vec<_>>());
        assert!(
            splits
                .iter()
                .all(|split| split.fit.len() + split.held.len() == 103)
        );
    }

    #[test]
    fn a_group_is_never_on_both_sides() {
        let groups: Vec<usize> = (0..200).map(|row| row * row % 23).collect();
        let times: Vec<f64> = (0..200).map(f64::from).collect();
        for times in [None, Some(times)] {
            let order = Order::new(200, times, Some(groups.clone()), 3).unwrap();
            let splits = order.splits(4, &alternating(200));
            assert!(!splits.is_empty());
            for split in splits {
                for row in &split.held {
                    assert!(split.fit.iter().all(|other| groups[*other] != groups[*row]));
                }
            }
        }
    }

    #[test]
    fn with_times_nothing_is_fitted_on_the_future() {
        let times: Vec<f64> = (0..100).map(|row| f64::from((row * 37) % 25)).collect();
        let order = Order::timed(times.clone(), None, 3).unwrap();
        let splits = order.splits(4, &alternating(100));
        assert_eq!(splits.len(), 1);
        let first_held = splits[0]
            .held
            .iter()
            .map(|row| times[*row])
            .fold(99.0, f64::min);
        assert!(splits[0].fit.iter().all(|row| times[*row] < first_held));
        assert!(splits[0].held.len() >= 25);
    }

    #[test]
    fn the_same_seed_gives_the_same_parts() {
        let parts = |seed| Order::unordered(50, seed).parts(5);
        assert_eq!(parts(1), parts(1));
        assert_ne!(parts(1), parts(2));
    }
}
