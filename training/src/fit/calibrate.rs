//! Learning a calibration map from held-out predictions, and choosing none unless one is clearly better.

use lagom_model::calibration::Calibration;

use super::FitError;
use super::dense::Dense;
use super::folds::Order;
use super::newton::{self, Solution};

/// Maps are compared on rows they were not learnt from, in this many parts.
const PARTS: usize = 5;
/// Standard errors by which a map must beat a simpler one.
const ERRORS_TO_CALIBRATE: f64 = 2.0;
/// Rows and outcomes of each kind below which no map is learnt.
const LEAST_ROWS: usize = 200;
const LEAST_OF_EACH: usize = 30;
/// Ridge of Platt's slope and intercept towards 1 and 0, in the objective's unit.
const PLATT_RIDGE: f64 = 1.0;
/// An isotonic block holds at least this many rows.
const LEAST_BLOCK: usize = 50;

/// The map that held-out `scores` (log-odds) and their `outcomes` (0 or 1) support.
///
/// Each candidate is learnt on four fifths and judged by log-loss on the rest, in turn; it replaces a simpler one
/// only when its mean gain exceeds the standard error of the gain. Candidates from simple to flexible: identity,
/// Platt, isotonic.
pub(super) fn choose(
    scores: &[f64],
    outcomes: &[f64],
    order: &Order,
) -> Result<Calibration, FitError> {
    let positives = outcomes.iter().filter(|y| **y > 0.5).count();
    if scores.len() < LEAST_ROWS || positives.min(scores.len() - positives) < LEAST_OF_EACH {
        return Ok(Calibration::Identity);
    }
    let parts = order.parts(PARTS);
    let mut best = (
        Calibration::Identity,
        losses(&Calibration::Identity, scores, outcomes),
    );
    for learn in [platt, isotonic] {
        let mut out_of_part = vec![0.0; scores.len()];
        for part in 0..PARTS {
            let (held, fit): (Vec<usize>, Vec<usize>) =
                (0..scores.len()).partition(|row| parts[*row] == part);
            let take = |from: &[f64], rows: &[usize]| rows.iter().map(|row| from[*row]).collect();
            let (fit_scores, fit_outcomes): (Vec<f64>, Vec<f64>) =
                (take(scores, &fit), take(outcomes, &fit));
            let map = learn(&fit_scores, &fit_outcomes)?;
            for row in held {
                out_of_part[row] = loss(&map, scores[row], outcomes[row]);
            }
        }
        if clearly_lower(&out_of_part, &best.1, ERRORS_TO_CALIBRATE) {
            best = (learn(scores, outcomes)?, out_of_part);
        }
    }
    Ok(best.0)
}

/// Whether the mean of `candidate` is below that of `current` by more than the standard error of the difference.
pub(super) fn clearly_lower(candidate: &[f64], current: &[f64], errors: f64) -> bool {
    let rows = candidate.len() as f64;
    let gains = || current.iter().zip(candidate).map(|(old, new)| old - new);
    let mean = gains().sum::<f64>() / rows;
    let variance = gains().map(|gain| (gain - mean).powi(2)).sum::<f64>() / (rows - 1.0).max(1.0);
    mean > errors * (variance / rows).sqrt()
}

fn losses(map: &Calibration, scores: &[f64], outcomes: &[f64]) -> Vec<f64> {
    let rows = scores.iter().zip(outcomes);
    rows.map(|(score, outcome)| loss(map, *score, *outcome))
        .collect()
}

/// Log-loss of one row.
pub(super) fn loss(map: &Calibration, score: f64, outcome: f64) -> f64 {
    let p = map.probability(score);
    if outcome > 0.5 {
        -p.ln()
    } else {
        -(-p).ln_1p()
    }
}

/// Platt's map `σ(a·z + b)`, with a small ridge on `a − 1` and `b` so that it exists whatever the rows.
fn platt(scores: &[f64], outcomes: &[f64]) -> Result<Calibration, FitError> {
    // With offset z the weights are the departures from the identity.
    let matrix = ndarray::Array2::from_shape_fn((scores.len(), 1), |(row, _)| scores[row]);
    let design = Dense::new(matrix.view());
    let start = Solution {
        weights: vec![1.0],
        intercept: 0.0,
        ..Solution::start(1, outcomes)
    };
    let fitted = newton::minimise(&design, outcomes, PLATT_RIDGE, start, 1e-6)?;
    let slope = fitted.weights[0];
    if slope <= 0.0 {
        return Ok(Calibration::Identity);
    }
    Ok(Calibration::Platt {
        slope,
        intercept: fitted.intercept,
    })
}

/// The non-decreasing map of least squared error (pool adjacent violators), its blocks joined by lines through their
/// mean scores. Source: Ayer et al., Annals of Mathematical Statistics 26, 1955.
fn isotonic(scores: &[f64], outcomes: &[f64]) -> Result<Calibration, FitError> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut blocks: Vec<Pool> = Vec::new();
    for rows in order.chunks(LEAST_BLOCK) {
        let mut pool = Pool {
            rows: rows.len() as f64,
            scores: rows.iter().map(|row| scores[*row]).sum(),
            positives: rows.iter().map(|row| outcomes[*row]).sum(),
        };
        while let Some(last) = blocks.pop_if(|last| last.rate() >= pool.rate()) {
            pool = pool.with(last);
        }
        blocks.push(pool);
    }
    let (mut at, mut to): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for block in blocks {
        let score = block.scores / block.rows;
        if at.last().is_none_or(|last| *last < score) {
            at.push(score);
            // One pseudo-row of each outcome keeps the ends away from certainty.
            to.push((block.positives + 0.5) / (block.rows + 1.0));
        }
    }
    for place in 1..to.len() {
        to[place] = to[place].max(to[place - 1]);
    }
    let map = Calibration::Isotonic {
        scores: at,
        probabilities: to,
    };
    map.check()?;
    Ok(map)
}

#[derive(Debug, Clone, Copy)]
struct Pool {
    rows: f64,
    scores: f64,
    positives: f64,
}

impl Pool {
    fn rate(&self) -> f64 {
        self.positives / self.rows
    }

    fn with(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            scores: self.scores + other.scores,
            positives: self.positives + other.positives,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use lagom_model::calibration::{Calibration, logistic};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::folds::Order;
    use super::{choose, isotonic};

    /// Scores with outcomes drawn from `truth(score)`.
    fn drawn(rows: usize, truth: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<f64>) {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        (0..rows)
            .map(|_| {
                let score = random.random_range(-3.0..3.0);
                let outcome = f64::from(random.random::<f64>() < truth(score));
                (score, outcome)
            })
            .unzip()
    }

    #[test]
    fn an_honest_score_is_left_alone() {
        let (scores, outcomes) = drawn(4000, logistic);
        let map = choose(&scores, &outcomes, &Order::unordered(4000, 1)).unwrap();
        assert_eq!(map, Calibration::Identity);
    }

    #[test]
    fn an_overconfident_score_gets_platts_map() {
        let (scores, outcomes) = drawn(4000, |z| logistic(0.4 * z - 0.5));
        let map = choose(&scores, &outcomes, &Order::unordered(4000, 1)).unwrap();
        let Calibration::Platt { slope, intercept } = map else {
            panic!("{map:?}");
        };
        assert!((slope - 0.4).abs() < 0.06 && (intercept + 0.5).abs() < 0.12);
    }

    #[test]
    fn a_bent_score_gets_an_isotonic_map() {
        let (scores, outcomes) = drawn(8000, |z| if z < 1.0 { 0.1 } else { 0.7 });
        let map = choose(&scores, &outcomes, &Order::unordered(8000, 1)).unwrap();
        assert!(matches!(map, Calibration::Isotonic { .. }), "{map:?}");
        assert!((map.probability(-1.0) - 0.1).abs() < 0.03);
        assert!((map.probability(2.5) - 0.7).abs() < 0.05);
    }

    #[test]
    fn pooling_leaves_a_map_that_never_falls() {
        let scores: Vec<f64> = (0..600).map(f64::from).collect();
        let outcomes: Vec<f64> = (0..600).map(|i| f64::from(i * 7919 % 600 < i)).collect();
        isotonic(&scores, &outcomes).unwrap().check().unwrap();
        let falling: Vec<f64> = (0..600).map(|i| f64::from(i < 300)).collect();
        let Calibration::Isotonic { probabilities, .. } = isotonic(&scores, &falling).unwrap()
        else {
            panic!("not isotonic");
        };
        assert_eq!(probabilities.len(), 1);
        assert!((probabilities[0] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn few_rows_support_no_map() {
        let (scores, outcomes) = drawn(150, |z| logistic(0.2 * z));
        let map = choose(&scores, &outcomes, &Order::unordered(150, 1)).unwrap();
        assert_eq!(map, Calibration::Identity);
    }
}
