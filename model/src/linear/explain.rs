//! Why a row has the log-odds it has: exact, additive, and told against the average training row.

use serde::{Deserialize, Serialize};

use super::row::{Inputs, Row};
use super::{LinearParts, Term};

/// A prediction taken apart:
///
/// ```text
/// base + Σ contributions = log_odds,   base = intercept + Σ_k mean_k
/// ```
/// The equality is exact up to floating-point rounding: nothing is sampled and nothing is attributed by convention,
/// because the model is a sum. What two columns say only together stays under both names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Log-odds of the average training row.
    pub base: f64,
    /// One entry a column, or pair of columns, that the model uses; largest in size first.
    pub contributions: Vec<Contribution>,
    /// Log-odds before calibration.
    pub log_odds: f64,
    /// Calibrated probability.
    pub probability: f64,
}

/// What one column, or two together, add to the log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// `a`, or `a × b` for what `a` and `b` say together.
    pub feature: String,
    /// Log-odds against the average training row; positive raises the probability.
    pub log_odds: f64,
}

pub(super) fn explain<R: Row + ?Sized>(parts: &LinearParts, inputs: &Inputs<'_, R>) -> Explanation {
    let mut base = parts.intercept;
    // Summed in the order of `LinearModel::log_odds`, so that both agree bit for bit.
    let mut sum = 0.0;
    let mut shares: Vec<((usize, Option<usize>), f64)> = Vec::new();
    for term in &parts.terms {
        let value = term.log_odds(inputs);
        base += term.mean();
        sum += value;
        let columns = term.columns();
        let share = value - term.mean();
        match shares.iter_mut().find(|(known, _)| *known == columns) {
            Some((_, sum)) => *sum += share,
            None => shares.push((columns, share)),
        }
    }
    let log_odds = parts.intercept + sum;
    let mut contributions: Vec<Contribution> = shares
        .into_iter()
        .map(|(columns, log_odds)| Contribution {
            feature: name(parts, columns),
            log_odds,
        })
        .collect();
    contributions.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
    Explanation {
        base,
        contributions,
        log_odds,
        probability: parts.calibration.probability(log_odds),
    }
}

impl Term {
    /// The columns' names as an explanation gives them: `a`, or `a × b`.
    #[must_use]
    pub fn feature(&self, parts: &LinearParts) -> String {
        name(parts, self.columns())
    }
}

fn name(parts: &LinearParts, (first, second): (usize, Option<usize>)) -> String {
    let first = &parts.columns[first].name;
    match second {
        Some(second) => format!("{first} × {}", parts.columns[second].name),
        None => first.clone(),
    }
}
