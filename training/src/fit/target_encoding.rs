//! Numbers for categories with many levels, without letting a row see its own outcome.
//!
//! A row's own encoding is made from other rows only: from the other four fifths of the rows (of the other groups,
//! when rows are grouped), or, when rows have times, from strictly earlier rows. The served encoding uses every
//! training row. Both shrink to the base rate with the prior weight `m` that the spread between levels supports.

use std::collections::BTreeMap;

use lagom_model::calibration::log_odds;
use lagom_model::linear::{Level, TargetEncoding};

use super::folds::Order;

const FOLDS: usize = 5;
const PRIOR_ROWS: std::ops::RangeInclusive<f64> = 1.0..=1000.0;

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    rows: f64,
    positives: f64,
}

impl Tally {
    fn add(&mut self, outcome: f64) {
        self.rows += 1.0;
        self.positives += outcome;
    }

    fn without(self, other: Self) -> Self {
        Self {
            rows: self.rows - other.rows,
            positives: self.positives - other.positives,
        }
    }

    /// Log-odds of the rate shrunk to `base` by `prior` rows.
    fn shrunk(self, base: f64, prior: f64) -> f64 {
        log_odds((self.positives + prior * base) / (self.rows + prior))
    }
}

/// The encoding to serve, and the encoding of each training row.
///
/// `cells` and `outcomes` (0 or 1, both present) are the training rows; `order` tells which rows may see which.
pub(super) fn encode(
    cells: &[Option<&str>],
    outcomes: &[f64],
    order: &Order,
) -> (TargetEncoding, Vec<f64>) {
    let base = outcomes.iter().sum::<f64>() / outcomes.len() as f64;
    let mut tallies: BTreeMap<Option<&str>, Tally> = BTreeMap::new();
    for (cell, outcome) in cells.iter().zip(outcomes) {
        tallies.entry(*cell).or_default().add(*outcome);
    }
    let prior = prior_rows(tallies.values().copied(), base);
    let served = TargetEncoding {
        levels: tallies
            .iter()
            .filter_map(|(cell, tally)| {
                Some(Level {
                    level: (*cell)?.to_owned(),
                    weight: tally.shrunk(base, prior),
                })
            })
            .collect(),
        unseen: log_odds(base),
        missing: tallies
            .get(&None)
            .copied()
            .unwrap_or_default()
            .shrunk(base, prior),
    };
    let seen = match order.times() {
        Some(times) => earlier(cells, outcomes, times, base, prior),
        None => others(cells, outcomes, &order.parts(FOLDS), &tallies, base, prior),
    };
    (served, seen)
}

/// Rows of prior that the spread of the levels' rates supports: the beta-binomial moment estimate
/// `m = r̄(1 − r̄)/τ² − 1` with `τ²` the between-level variance beyond what chance gives.
fn prior_rows(tallies: impl Iterator<Item = Tally>, base: f64) -> f64 {
    let noise = base * (1.0 - base);
    let (mut spread, mut weight, mut levels) = (0.0, 0.0, 0.0);
    for tally in tallies.filter(|tally| tally.rows > 0.0) {
        spread += tally.rows * (tally.positives / tally.rows - base).powi(2);
        weight += tally.rows;
        levels += 1.0;
    }
    let between = (spread - levels * noise) / weight;
    let (least, most) = (*PRIOR_ROWS.start(), *PRIOR_ROWS.end());
    if between <= 0.0 {
        return most;
    }
    (noise / between - 1.0).clamp(least, most)
}

/// Each row encoded from the rows of the other parts.
fn others(
    cells: &[Option<&str>],
    outcomes: &[f64],
    parts: &[usize],
    all: &BTreeMap<Option<&str>, Tally>,
    base: f64,
    prior: f64,
) -> Vec<f64> {
    let mut own: BTreeMap<(Option<&str>, usize), Tally> = BTreeMap::new();
    for ((cell, outcome), part) in cells.iter().zip(outcomes).zip(parts) {
        own.entry((*cell, *part)).or_default().add(*outcome);
    }
    cells
        .iter()
        .zip(parts)
        .map(|(cell, part)| all[cell].without(own[&(*cell, *part)]).shrunk(base, prior))
        .collect()
}

/// Each row encoded from strictly earlier rows.
fn earlier(
    cells: &[Option<&str>],
    outcomes: &[f64],
    times: &[f64],
    base: f64,
    prior: f64,
) -> Vec<f64> {
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by(|a, b| times[*a].total_cmp(&times[*b]));
    let mut so_far: BTreeMap<Option<&str>, Tally> = BTreeMap::new();
    let mut encoded = vec![0.0; cells.len()];
    for same_time in order.chunk_by(|a, b| times[*a] == times[*b]) {
        for row in same_time {
            let known = so_far.get(&cells[*row]).copied().unwrap_or_default();
            encoded[*row] = known.shrunk(base, prior);
        }
        for row in same_time {
            so_far.entry(cells[*row]).or_default().add(outcomes[*row]);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Order, encode, log_odds};

    #[test]
    fn a_level_that_occurs_once_tells_its_own_row_nothing() {
        let names: Vec<String> = (0..40).map(|i| format!("id{i}")).collect();
        let cells: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        let outcomes: Vec<f64> = (0..40).map(|i| f64::from(i % 4 == 0)).collect();
        let (served, seen) = encode(&cells, &outcomes, &Order::unordered(40, 1));
        assert!(
            seen.iter()
                .all(|value| (value - log_odds(0.25)).abs() < 1e-12)
        );
        assert_eq!(served.levels.len(), 40);
        assert_eq!(served.unseen, log_odds(0.25));
    }

    #[test]
    fn with_times_only_the_past_counts() {
        let cells = [Some("a"); 6];
        let outcomes = [1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        let times = vec![1.0, 2.0, 2.0, 3.0, 4.0, 5.0];
        let order = Order::timed(times, None, 1).unwrap();
        let (_, seen) = encode(&cells, &outcomes, &order);
        assert_eq!(seen[0], log_odds(0.5));
        assert_eq!(seen[1], seen[2]);
        // Changing the last outcome changes no earlier row beyond the base rate; here the rate of the past alone
        // orders rows: after one positive the encoding rises, after two negatives it falls again.
        assert!(seen[1] > seen[0] && seen[3] < seen[1]);
    }

    #[test]
    fn rare_levels_shrink_more_than_frequent_ones() {
        let mut cells = vec![Some("rare"); 2];
        let mut outcomes = vec![1.0; 2];
        cells.extend([Some("often"); 100]);
        outcomes.extend((0..100).map(|i| f64::from(i < 90)));
        cells.extend([Some("never"); 100]);
        outcomes.extend((0..100).map(|i| f64::from(i < 10)));
        let (served, _) = encode(&cells, &outcomes, &Order::unordered(202, 1));
        let weight = |name: &str| {
            let level = served.levels.iter().find(|level| level.level == name);
            level.unwrap().weight
        };
        assert!(weight("often") > weight("rare") && weight("rare") > weight("never"));
    }
}
