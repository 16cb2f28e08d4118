//! Choosing the penalty and the pairs on held-out rows.
//!
//! Rows with times are judged on the latest quarter, fitted on what came before; others by cross-validation. Inside
//! the additive form the blocks' scales relative to each other are settled by the fitted rows themselves (see
//! `Additive::tune_scales`); how stiff the whole is, and how many pairs it has, is chosen by held-out log-loss. Pairs
//! are added stage by stage and kept as long as a stage lowers the held-out log-loss by more than chance easily would.
//! Nothing is tuned to a table: the candidates are constants of this file.

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

/// Candidates for `α = 1/C` of the plain form, from stiff to loose.
const PLAIN_ALPHAS: [f64; 7] = [1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0];
/// The `α` at which scales settle …
const SETTLING_ALPHA: f64 = 30.0;
/// … and the candidates for the additive form, from what the evidence asks for to stiffer.
const ADDITIVE_ALPHAS: [f64; 5] = [30.0, 60.0, 150.0, 500.0, 2000.0];
/// Pairs after each stage.
const STAGES: [usize; 5] = [3, 6, 10, 16, 24];
/// Scale of a new pair's columns, before it settles.
const NEW_PAIR_SCALE: f64 = 0.5;
/// Rounds of settling before the first pair, and after each stage.
const ROUNDS: (usize, usize) = (4, 2);
/// Fits that are only compared stop at a gradient of this many times the root of the rows.
const LOOSE: f64 = 1e-4;
/// Splits are fitted until this many rows have been, at most [`MOST_FOLDS`] of them.
const ROWS_TO_JUDGE: usize = 40_000;
/// Rows that a trial is fitted on at most …
const MOST_FITTED: usize = 60_000;
/// … and judged on.
const MOST_HELD: usize = 40_000;
/// Standard errors by which a stage must lower the held-out log-loss: few, because what says nothing stiffens anyway.
const ERRORS_TO_ADD: f64 = 0.5;
/// Folds of rows without times.
pub(super) const MOST_FOLDS: usize = 4;

/// What was chosen, and what it was chosen from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The penalty `α = 1/C`.
    pub alpha: f64,
    /// Number of pairs.
    pub pairs: usize,
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

    fn settle(&mut self, rounds: usize) -> Result<(), FitError> {
        match &mut self.design {
            Design::Plain(_) => Ok(()),
            Design::Additive(additive) => settle(additive, rounds),
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

/// Lets the blocks' scales find their place, round by round.
fn settle(additive: &mut Additive, rounds: usize) -> Result<(), FitError> {
    let tolerance = LOOSE * (additive.rows() as f64).sqrt();
    for _ in 0..rounds {
        additive.fit(SETTLING_ALPHA, tolerance)?;
        additive.tune_scales(SETTLING_ALPHA);
    }
    Ok(())
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
    let enough = ROWS_TO_JUDGE / columns.rows();
    // With times each split holds a part of the latest rows only.
    let least = if order.times().is_none() { 1 } else { 2 };
    splits.truncate(enough.clamp(least, MOST_FOLDS));
    let mut trials: Vec<Trial<'_>> = splits
        .into_iter()
        .map(|split| Split {
            fit: thinned(split.fit, MOST_FITTED),
            held: thinned(split.held, MOST_HELD),
        })
        .map(|split| trial(columns, outcomes, order, form, split))
        .collect();
    let mut search = Search {
        trials: &mut trials,
        tried: Vec::new(),
    };
    let (mut lowest, alpha) = search.choose_alpha(form, fixed_alpha)?;
    let mut pairs = 0;
    let mut held = search.held_out()?;
    for stage in STAGES.into_iter().filter(|stage| *stage <= most_pairs) {
        if !search.add_pairs(stage)? {
            break;
        }
        let losses = search.losses(alpha, stage)?;
        if !clearly_lower(&losses, &lowest, ERRORS_TO_ADD) {
            break;
        }
        (lowest, pairs) = (losses, stage);
        held = search.held_out()?;
    }
    let choice = Choice {
        alpha,
        pairs,
        tried: search.tried,
    };
    Ok((choice, held))
}

/// At most `most` of the rows, evenly spaced.
fn thinned(rows: Vec<usize>, most: usize) -> Vec<usize> {
    let step = rows.len().div_ceil(most).max(1);
    rows.into_iter().step_by(step).collect()
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
    /// The penalty with the lowest held-out log-loss, which is returned row by row; the trials are left fitted with
    /// it. Candidates are tried in order until the log-loss rises.
    fn choose_alpha(
        &mut self,
        form: Form,
        fixed: Option<f64>,
    ) -> Result<(Vec<f64>, f64), FitError> {
        for trial in self.trials.iter_mut() {
            trial.settle(ROUNDS.0)?;
        }
        let candidates: &[f64] = match (form, &fixed) {
            (_, Some(alpha)) => std::slice::from_ref(alpha),
            (Form::Plain, None) => &PLAIN_ALPHAS,
            (Form::Additive, None) => &ADDITIVE_ALPHAS,
        };
        let mut best = (self.losses(candidates[0], 0)?, candidates[0]);
        for alpha in &candidates[1..] {
            let losses = self.losses(*alpha, 0)?;
            if losses.iter().sum::<f64>() >= best.0.iter().sum::<f64>() {
                break;
            }
            best = (losses, *alpha);
        }
        for trial in self.trials.iter_mut() {
            trial.fit(best.1)?;
        }
        Ok(best)
    }

    /// Fits every trial and returns the held-out log-loss, row by row.
    fn losses(&mut self, alpha: f64, pairs: usize) -> Result<Vec<f64>, FitError> {
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
            log_loss: losses.iter().sum::<f64>() / losses.len() as f64,
        });
        Ok(losses)
    }

    /// Brings every trial to `count` settled pairs; whether any found one to add.
    fn add_pairs(&mut self, count: usize) -> Result<bool, FitError> {
        let mut found = false;
        for trial in self.trials.iter_mut() {
            if let Design::Additive(additive) = &mut trial.design {
                found |= add_stage(additive, count)?;
            }
        }
        Ok(found)
    }

    fn held_out(&self) -> Result<HeldOut, FitError> {
        let mut held = HeldOut {
            rows: Vec::new(),
            scores: Vec::new(),
        };
        for trial in self.trials.iter() {
            held.scores.extend(trial.scores()?);
            held.rows.extend(&trial.held);
        }
        Ok(held)
    }
}

/// Brings a design to `count` pairs and lets it settle; whether one was found to add.
fn add_stage(additive: &mut Additive, count: usize) -> Result<bool, FitError> {
    let missing = count.saturating_sub(additive.pairs());
    let found = additive.add_pairs(missing, NEW_PAIR_SCALE) > 0;
    settle(additive, ROUNDS.1)?;
    Ok(found)
}

/// Takes a fresh design through the stages that the choice took the trials through.
pub(super) fn grow(additive: &mut Additive, choice: &Choice) -> Result<(), FitError> {
    settle(additive, ROUNDS.0)?;
    additive.fit(choice.alpha, LOOSE * (additive.rows() as f64).sqrt())?;
    for stage in STAGES.into_iter().filter(|stage| *stage <= choice.pairs) {
        add_stage(additive, stage)?;
        additive.fit(choice.alpha, LOOSE * (additive.rows() as f64).sqrt())?;
    }
    Ok(())
}
