//! How good probabilities are: ranking, sharpness and honesty.
//!
//! Every function takes `outcomes` (`true` is the positive outcome) and as many `probabilities` in [0, 1], row by
//! row. None of them looks at a threshold.

mod reliability;

use serde::{Deserialize, Serialize};

pub use reliability::{
    BrierDecomposition, ClusteredGap, ReliabilityBin, brier_decomposition, clustered_gaps, ece,
    reliability, tenths, wilson,
};

/// Probabilities are kept this far from 0 and 1 inside the logarithm, as scikit-learn does for doubles.
const LOG_CLIP: f64 = f64::EPSILON;

/// Bins of equal count behind [`ece`], [`reliability`] and the Brier decomposition.
pub const RELIABILITY_BINS: usize = 10;

/// The usual figures of a set of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Area under the ROC curve; `None` when only one outcome occurs.
    pub auc: Option<f64>,
    /// Mean log-loss in nats.
    pub log_loss: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Expected calibration error over [`RELIABILITY_BINS`] bins of equal count.
    pub ece: f64,
    /// Number of predictions.
    pub rows: usize,
    /// Share of positive outcomes.
    pub base_rate: f64,
}

/// Why predictions cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// There is nothing to judge.
    #[error("there are no predictions to judge")]
    Empty,
    /// The lists differ in length.
    #[error("{outcomes} outcomes but {probabilities} probabilities")]
    Lengths {
        /// Number of outcomes.
        outcomes: usize,
        /// Number of probabilities.
        probabilities: usize,
    },
    /// A probability is outside [0, 1] or not a number.
    #[error("row {row}: {probability} is not a probability")]
    NotAProbability {
        /// Place in the list.
        row: usize,
        /// The value.
        probability: f64,
    },
}

impl Metrics {
    /// Judges `probabilities` against `outcomes`.
    ///
    /// # Errors
    /// [`MetricsError`] when the lists are empty, differ in length, or hold something that is not a probability.
    pub fn of(outcomes: &[bool], probabilities: &[f64]) -> Result<Self, MetricsError> {
        if outcomes.len() != probabilities.len() {
            return Err(MetricsError::Lengths {
                outcomes: outcomes.len(),
                probabilities: probabilities.len(),
            });
        }
        if outcomes.is_empty() {
            return Err(MetricsError::Empty);
        }
        if let Some(row) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            return Err(MetricsError::NotAProbability {
                row,
                probability: probabilities[row],
            });
        }
        Ok(Self {
            auc: auc(outcomes, probabilities),
            log_loss: log_loss(outcomes, probabilities),
            brier: brier(outcomes, probabilities),
            ece: ece(outcomes, probabilities),
            rows: outcomes.len(),
            base_rate: share(outcomes),
        })
    }
}

/// The area under the ROC curve: the chance that a random positive row has a higher score than a random negative
/// one, ties counting a half.
///
/// ```text
/// AUC = (Σ_{i positive} rank_i − n₊(n₊+1)/2) / (n₊ n₋)        ranks from 1, averaged over ties
/// ```
/// `None` when only one outcome occurs. Scores may be on any scale. Source: Hanley and McNeil, Radiology 143, 1982,
/// doi:10.1148/radiology.143.1.7063747.
#[must_use]
pub fn auc(outcomes: &[bool], scores: &[f64]) -> Option<f64> {
    let positives = outcomes.iter().filter(|outcome| **outcome).count();
    let negatives = outcomes.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    // Twice the rank sum is a whole number, so that ties cost no rounding.
    let mut doubled_rank_sum: u128 = 0;
    let mut start = 0;
    while start < order.len() {
        let tied = order[start..]
            .iter()
            .take_while(|row| scores[**row] == scores[order[start]])
            .count();
        let group = &order[start..start + tied];
        let positive = group.iter().filter(|row| outcomes[**row]).count();
        doubled_rank_sum += positive as u128 * (2 * start + tied + 1) as u128;
        start += tied;
    }
    let (positives, negatives) = (positives as u128, negatives as u128);
    let doubled_wins = doubled_rank_sum - positives * (positives + 1);
    Some(doubled_wins as f64 / (2 * positives * negatives) as f64)
}

/// Mean log-loss in nats: `−(1/n) Σ [y ln p + (1 − y) ln(1 − p)]`, with `p` kept `2.2e-16` away from 0 and 1.
#[must_use]
pub fn log_loss(outcomes: &[bool], probabilities: &[f64]) -> f64 {
    mean(outcomes, probabilities, |outcome, p| {
        let p = p.clamp(LOG_CLIP, 1.0 - LOG_CLIP);
        if outcome { -p.ln() } else { -(-p).ln_1p() }
    })
}

/// The Brier score, the mean squared error `(1/n) Σ (p − y)²`. Source: Brier, Monthly Weather Review 78, 1950.
#[must_use]
pub fn brier(outcomes: &[bool], probabilities: &[f64]) -> f64 {
    mean(outcomes, probabilities, |outcome, p| {
        let miss = if outcome { 1.0 - p } else { p };
        miss * miss
    })
}

fn mean(outcomes: &[bool], probabilities: &[f64], loss: impl Fn(bool, f64) -> f64) -> f64 {
    let rows = outcomes.iter().zip(probabilities);
    rows.map(|(outcome, p)| loss(*outcome, *p)).sum::<f64>() / outcomes.len() as f64
}

fn share(outcomes: &[bool]) -> f64 {
    outcomes.iter().filter(|outcome| **outcome).count() as f64 / outcomes.len() as f64
}

#[cfg(test)]
mod tests;
