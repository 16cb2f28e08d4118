//! A policy that starts from the best fixed action and leaves it only on evidence.
//!
//! On real experiments personalisation seldom beats the best fixed action, and models that chase every difference
//! lose to it by over-fitting. So the learner asks two questions of the train rows, each answered by rows that the
//! model in question has not seen:
//!
//! 1. which action is best for everybody (means shrunk towards each other by their noise), and
//! 2. for rules "take the model's favourite where it promises `margin` more than that action, else that action",
//!    from cautious to bold: is the gain, estimated doubly robustly, above zero by more than chance among as many
//!    rules would give?
//!
//! Only then does the policy deviate, by the rule whose gain is most certain.

use lagom_model::ope::{
    Estimate, OpeError,
    direct::{self, DirectModel, Sample},
    interval::student::standard_error,
};
use ndarray::{Array2, Axis};
use serde::Serialize;

use super::{TableOptions, error::LoggedTableError, read::Log};

/// What was learnt, for the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Learnt {
    /// Whether the policy deviates from the best fixed action at all.
    pub personalised: bool,
    /// The least promised gain for which it deviates, in units of the reward.
    pub margin: Option<f64>,
    /// Gain of the chosen rule (of the most certain one, when none was chosen) over the best fixed action, on
    /// train rows by models that had not seen them.
    pub gain_on_train: f64,
    /// Its standard error.
    pub gain_error: f64,
    /// How many standard errors of gain were asked for.
    pub needed: f64,
    /// Share of the test rows in which the policy deviates.
    pub deviates: f64,
}

/// The learnt policy with its model.
pub(super) struct Policy {
    pub(super) model: DirectModel,
    pub(super) best_fixed: usize,
    margin: Option<f64>,
    gain: f64,
    error: f64,
}

/// Shares of the promising rows in which a rule acts, from bold to cautious.
const SHARES: [f64; 4] = [1.0, 0.5, 0.25, 0.1];

/// One-sided 5 % shared by the four rules (Bonferroni): the normal quantile of 1 − 0.05/4.
const NEEDED: f64 = 2.241_402_727_604_945;

/// Logged rows of either action that a rule needs where it deviates.
const LEAST_ROWS: usize = 30;

pub(super) fn learn(log: &Log, options: &TableOptions) -> Result<Policy, LoggedTableError> {
    let fault = |source| LoggedTableError::Rounds {
        file: log.file.clone(),
        source,
    };
    let train = TrainRows::of(log);
    let sample = train.sample(log);
    let folds = direct::FOLDS.min(log.train.len());
    let predicted = direct::cross_fit(&sample, folds, options.seed).map_err(fault)?;
    let model = direct::fit(&sample, folds, options.seed).map_err(fault)?;
    let scores = train.scores(&predicted);
    let best_fixed = best_for_everybody(&scores);
    let (margin, gain, error) =
        choose_margin(&train, &predicted, &scores, best_fixed).map_err(fault)?;
    Ok(Policy {
        model,
        best_fixed,
        margin,
        gain,
        error,
    })
}

impl Policy {
    /// The action for a row of the table.
    pub(super) fn choose(&self, log: &Log, row: usize) -> usize {
        let Some(margin) = self.margin else {
            return self.best_fixed;
        };
        let context = log.contexts.values.row(row);
        let predicted: Vec<f64> = (0..log.actions.len())
            .map(|action| self.model.predict(context, action))
            .collect();
        let favourite = largest(&predicted);
        if predicted[favourite] - predicted[self.best_fixed] > margin {
            favourite
        } else {
            self.best_fixed
        }
    }

    pub(super) fn summary(&self, chosen: &[usize]) -> Learnt {
        let deviating = chosen.iter().filter(|one| **one != self.best_fixed).count();
        #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
        let deviates = deviating as f64 / chosen.len().max(1) as f64;
        Learnt {
            personalised: self.margin.is_some(),
            margin: self.margin,
            gain_on_train: self.gain,
            gain_error: self.error,
            needed: NEEDED,
            deviates,
        }
    }
}

/// The train rows, gathered.
struct TrainRows {
    contexts: Array2<f64>,
    chosen: Vec<u32>,
    rewards: Vec<f64>,
    propensities: Vec<f64>,
    customers: Option<Vec<u32>>,
}

impl TrainRows {
    fn of(log: &Log) -> Self {
        let rows = &log.train;
        Self {
            contexts: log.contexts.values.select(Axis(0), rows),
            chosen: rows.iter().map(|&row| log.chosen[row]).collect(),
            rewards: rows.iter().map(|&row| log.rewards[row]).collect(),
            propensities: rows.iter().map(|&row| log.propensities[row]).collect(),
            customers: log
                .customers
                .as_ref()
                .map(|customers| rows.iter().map(|&row| customers[row]).collect()),
        }
    }

    fn sample<'a>(&'a self, log: &Log) -> Sample<'a> {
        Sample {
            contexts: self.contexts.view(),
            chosen: &self.chosen,
            rewards: &self.rewards,
            actions: log.actions.len(),
            customers: self.customers.as_deref(),
        }
    }

    /// Doubly robust scores of every action in every row: `q + 1[taken] (r − q)/p`.
    fn scores(&self, predicted: &Array2<f64>) -> Array2<f64> {
        let mut scores = predicted.clone();
        for (row, &action) in self.chosen.iter().enumerate() {
            let action = action as usize;
            let residual = self.rewards[row] - predicted[[row, action]];
            scores[[row, action]] += residual / self.propensities[row];
        }
        scores
    }
}

/// The action with the best mean score after shrinking each mean towards the mean of all by its own noise.
fn best_for_everybody(scores: &Array2<f64>) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let rows = scores.nrows() as f64;
    let means: Vec<f64> = scores
        .columns()
        .into_iter()
        .map(|one| one.sum() / rows)
        .collect();
    let noise: Vec<f64> = scores
        .columns()
        .into_iter()
        .zip(&means)
        .map(|(one, mean)| one.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / rows / rows)
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "actions are few")]
    let actions = means.len() as f64;
    let centre = means.iter().sum::<f64>() / actions;
    let spread = means
        .iter()
        .map(|mean| (mean - centre).powi(2))
        .sum::<f64>()
        / (actions - 1.0);
    let real = (spread - noise.iter().sum::<f64>() / actions).max(0.05 * spread);
    let shrunk: Vec<f64> = means
        .iter()
        .zip(&noise)
        .map(|(mean, noise)| {
            centre + (mean - centre) * real / (real + noise).max(f64::MIN_POSITIVE)
        })
        .collect();
    largest(&shrunk)
}

/// The margin whose gain is most certain, if it is certain enough; with that gain and its error.
fn choose_margin(
    train: &TrainRows,
    predicted: &Array2<f64>,
    scores: &Array2<f64>,
    best_fixed: usize,
) -> Result<(Option<f64>, f64, f64), OpeError> {
    let promises: Vec<(usize, f64)> = predicted
        .rows()
        .into_iter()
        .map(|row| {
            let row = row.to_vec();
            let favourite = largest(&row);
            (favourite, row[favourite] - row[best_fixed])
        })
        .collect();
    let mut promising: Vec<f64> = promises
        .iter()
        .map(|(_, promise)| *promise)
        .filter(|promise| *promise > 0.0)
        .collect();
    promising.sort_by(f64::total_cmp);
    let mut best: Option<(f64, f64, f64)> = None;
    for share in SHARES {
        let margin = margin_for(&promising, share);
        if !speaks(train, &promises, margin, best_fixed) {
            continue;
        }
        let gains: Vec<f64> = promises
            .iter()
            .enumerate()
            .map(|(row, &(favourite, promise))| {
                if promise > margin {
                    scores[[row, favourite]] - scores[[row, best_fixed]]
                } else {
                    0.0
                }
            })
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
        let gain = gains.iter().sum::<f64>() / gains.len() as f64;
        let estimate = Estimate {
            value: gain,
            influence: gains.iter().map(|one| one - gain).collect(),
        };
        let (error, _) = standard_error(&estimate, train.customers.as_deref())?;
        let certainty = |gain: f64, error: f64| if error > 0.0 { gain / error } else { 0.0 };
        if best.is_none_or(|(_, old, noise)| certainty(gain, error) > certainty(old, noise)) {
            best = Some((margin, gain, error));
        }
    }
    let (margin, gain, error) = best.unwrap_or((0.0, 0.0, 0.0));
    let certain = gain > NEEDED * error && error > 0.0;
    Ok((certain.then_some(margin), gain, error))
}

/// Whether enough logged rows speak about a rule: where it deviates, its favourite was taken often enough, and so was
/// the action it replaces. A handful of rows without a single reward has no spread and would look certain.
fn speaks(train: &TrainRows, promises: &[(usize, f64)], margin: f64, best_fixed: usize) -> bool {
    let deviating = || {
        promises
            .iter()
            .zip(&train.chosen)
            .filter(|((_, promise), _)| *promise > margin)
    };
    let favourites = deviating()
        .filter(|((favourite, _), chosen)| **chosen as usize == *favourite)
        .count();
    let replaced = deviating()
        .filter(|(_, chosen)| **chosen as usize == best_fixed)
        .count();
    favourites.min(replaced) >= LEAST_ROWS
}

/// The promise that this share of the promising rows exceeds.
fn margin_for(sorted: &[f64], share: f64) -> f64 {
    if share >= 1.0 {
        return 0.0;
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position within a slice"
    )]
    let position = ((1.0 - share) * sorted.len() as f64) as usize;
    sorted.get(position).copied().unwrap_or(0.0)
}

/// Position of the largest value, the first of equals.
fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (position, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = position;
        }
    }
    best
}
