//! Choosing the penalty and the pairs on held-out rows.
//!
//! Rows with times are judged on the latest quarter, fitted on what came before; others by cross-validation. The
//! penalty with the lowest held-out log-loss wins; pairs, and how weakly they are held, are added stage by stage and
//! kept only as far as they lower the held-out log-loss by more than its standard error. Nothing is tuned to a
//! table: the candidates are constants of this file.

use lagom_model::calibration::Calibration;
use lagom_model::linear::LinearModel;
use serde::{Deserialize, Serialize};

use super::additive::Additive;
use super::calibrate::{clearly_lower, loss};
use super::columns::Columns;
use super::folds::{Order, Split};
use super::plain::Plain;
use super::prepare::prepare;
use super::{FitError, Form};

/// Candidates for `α = 1/C`, from stiff to loose.
const ALPHAS: [f64; 7] = [300.0, 100.0, 50.0, 20.0, 7.0, 2.0, 0.5];
/// Pairs after each stage.
const STAGES: [usize; 4] = [3, 6, 12, 20];
/// A pair's columns are scaled by this while stages are compared …
const STAGE_SCALE: f64 = 0.5;
/// … and by each of these once the stage is chosen.
const SCALES: [f64; 2] = [0.25, 0.8];
/// Fits that are only compared stop at a gradient of this many times the root of the rows.
const LOOSE: f64 = 1e-4;
/// Splits are fitted until this many rows have been, at most [`MOST_FOLDS`] of them.
const ROWS_TO_JUDGE: usize = 50_000;
/// Folds of rows without times.
pub(super) const MOST_FOLDS: usize = 4;

/// What was chosen, and what it was chosen from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The penalty `α = 1/C`.
    pub alpha: f64,
    /// Number of pairs.
    pub pairs: usize,
    /// Scale of the pairs' columns against the others'; their penalty is `α / scale²`.
    pub pair_scale: f64,
    /// Held-out log-loss of each candidate, in the order tried.
    pub tried: Vec<Tried>,
}

/// One candidate and its held-out log-loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The penalty.
    pub alpha: f64,
    /// Pairs in the design.
    pub pairs: usize,
    /// Scale of the pairs' columns.
    pub pair_scale: f64,
    /// Mean held-out log-loss in nats.
    pub log_loss: f64,
}

/// Held-out rows with their log-odds under the chosen settings.
pub(super) struct HeldOut {
    pub(super) rows: Vec<usize>,
    pub(super) scores: Vec<f64>,
}

/// One split under way.
struct Trial<'a> {
    columns: &'a Columns<'a>,
    held: Vec<usize>,
    outcomes: Vec<f64>,
    tolerance: f64,
    design: Design,
}

enum Design {
    Plain(Box<Plain>),
    Additive(Box<Additive>),
}

impl Trial<'_> {
    fn fit(&mut self, alpha: f64) -> Result<(), FitError> {
        match &mut self.design {
            Design::Plain(plain) => plain.fit(alpha, self.tolerance),
            Design::Additive(additive) => additive.fit(alpha, self.tolerance),
        }
    }

    fn scores(&self) -> Result<Vec<f64>, FitError> {
        let model: LinearModel = match &self.design {
            Design::Plain(plain) => plain.model()?,
            Design::Additive(additive) => additive.model()?,
        };
        self.held
            .iter()
            .map(|row| Ok(model.log_odds(&self.columns.row(*row))?))
            .collect()
    }
}

/// Settings chosen over the splits of `order`, and the held-out scores under them.
pub(super) fn choose(
    columns: &Columns<'_>,
    outcomes: &[f64],
    order: &Order,
    form: Form,
    fixed_alpha: Option<f64>,
    most_pairs: usize,
) -> Result<(Choice, HeldOut), FitError> {
    let mut splits = order.splits(MOST_FOLDS, outcomes);
    if splits.is_empty() {
        return Err(FitError::NoValidation {
            rows: columns.rows(),
            groups: order.group_count(),
        });
    }
    if order.times().is_none() {
        splits.truncate((ROWS_TO_JUDGE / columns.rows()).clamp(1, MOST_FOLDS));
    }
    let mut trials: Vec<Trial<'_>> = splits
        .into_iter()
        .map(|split| trial(columns, outcomes, order, form, split))
        .collect();
    let mut search = Search {
        trials: &mut trials,
        tried: Vec::new(),
    };

    let candidates = fixed_alpha.map_or(ALPHAS.to_vec(), |alpha| vec![alpha]);
    let mut best: Option<(Vec<f64>, f64)> = None;
    for alpha in candidates {
        let losses = search.losses(alpha, 0, 0.0)?;
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        match &best {
            Some((lowest, _)) if mean(&losses) >= mean(lowest) => break,
            _ => best = Some((losses, alpha)),
        }
    }
    let (mut lowest, alpha) = best.unwrap_or((Vec::new(), 1.0));
    let (mut pairs, mut pair_scale) = (0, STAGE_SCALE);
    search.losses(alpha, 0, 0.0)?;
    let stages = STAGES.into_iter().filter(|stage| *stage <= most_pairs);
    for stage in stages.filter(|_| form == Form::Additive) {
        if !search.add_pairs(stage, STAGE_SCALE) {
            break;
        }
        let losses = search.losses(alpha, stage, STAGE_SCALE)?;
        if clearly_lower(&losses, &lowest, 1.0) {
            (lowest, pairs) = (losses, stage);
        } else if stage > 2 * pairs.max(STAGES[0]) {
            break;
        }
    }
    search.keep_pairs(pairs);
    if pairs > 0 {
        for scale in SCALES {
            search.scale_pairs(scale);
            let losses = search.losses(alpha, pairs, scale)?;
            if losses.iter().sum::<f64>() < lowest.iter().sum::<f64>() {
                (lowest, pair_scale) = (losses, scale);
            }
        }
    }
    search.scale_pairs(pair_scale);
    search.losses(alpha, pairs, pair_scale)?;
    search.tried.pop();
    let choice = Choice {
        alpha,
        pairs,
        pair_scale,
        tried: search.tried,
    };
    let mut held = HeldOut {
        rows: Vec::new(),
        scores: Vec::new(),
    };
    for trial in &trials {
        held.scores.extend(trial.scores()?);
        held.rows.extend(&trial.held);
    }
    Ok((choice, held))
}

fn trial<'a>(
    columns: &'a Columns<'a>,
    outcomes: &[f64],
    order: &Order,
    form: Form,
    split: Split,
) -> Trial<'a> {
    let take = |rows: &[usize]| -> Vec<f64> { rows.iter().map(|row| outcomes[*row]).collect() };
    let fit_outcomes = take(&split.fit);
    let preparation = prepare(columns, &split.fit, &fit_outcomes, &order.of(&split.fit));
    let design = match form {
        Form::Plain => Design::Plain(Box::new(Plain::new(&preparation, &fit_outcomes))),
        Form::Additive => Design::Additive(Box::new(Additive::new(&preparation, &fit_outcomes))),
    };
    Trial {
        columns,
        outcomes: take(&split.held),
        tolerance: LOOSE * (split.fit.len() as f64).sqrt(),
        held: split.held,
        design,
    }
}

struct Search<'t, 'c> {
    trials: &'t mut [Trial<'c>],
    tried: Vec<Tried>,
}

impl Search<'_, '_> {
    /// Fits every trial and returns the held-out log-loss, row by row.
    fn losses(&mut self, alpha: f64, pairs: usize, pair_scale: f64) -> Result<Vec<f64>, FitError> {
        let mut losses = Vec::new();
        for trial in self.trials.iter_mut() {
            trial.fit(alpha)?;
            let rows = trial.scores()?;
            let rows = rows.iter().zip(&trial.outcomes);
            losses.extend(rows.map(|(score, y)| loss(&Calibration::Identity, *score, *y)));
        }
        self.tried.push(Tried {
            alpha,
            pairs,
            pair_scale,
            log_loss: losses.iter().sum::<f64>() / losses.len() as f64,
        });
        Ok(losses)
    }

    /// Brings every trial to `count` pairs; whether any found one to add.
    fn add_pairs(&mut self, count: usize, scale: f64) -> bool {
        let mut found = false;
        for trial in self.trials.iter_mut() {
            if let Design::Additive(additive) = &mut trial.design {
                let missing = count.saturating_sub(additive.pairs());
                found |= additive.add_pairs(missing, scale) > 0;
            }
        }
        found
    }

    fn keep_pairs(&mut self, count: usize) {
        for trial in self.trials.iter_mut() {
            if let Design::Additive(additive) = &mut trial.design {
                additive.keep_pairs(count);
            }
        }
    }

    fn scale_pairs(&mut self, scale: f64) {
        for trial in self.trials.iter_mut() {
            if let Design::Additive(additive) = &mut trial.design {
                additive.scale_pairs(scale);
            }
        }
    }
}

/// Adds the chosen number of pairs to a design stage by stage, as the trials did.
pub(super) fn grow(additive: &mut Additive, choice: &Choice) -> Result<(), FitError> {
    let tolerance = LOOSE * (additive.rows() as f64).sqrt();
    for stage in STAGES.into_iter().filter(|stage| *stage <= choice.pairs) {
        additive.fit(choice.alpha, tolerance)?;
        additive.add_pairs(stage.saturating_sub(additive.pairs()), choice.pair_scale);
    }
    Ok(())
}
