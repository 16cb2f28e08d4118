//! One fitted model of a version, and the figures of its twin on later decisions.

use super::TrainingConfig;
use super::examples::{Examples, Target};
use super::scrutiny::{self, Judged};
use crate::dataset::Dataset;
use crate::fit::{Choice, FitError, FitOptions, FitReport, fit_logistic};
use lagom_model::artefact::scrutiny::{Leak, Segment};
use lagom_model::artefact::{Head, HeldOut};
use lagom_model::linear::LinearModel;
use lagom_model::metrics::{Metrics, auc};
use serde::Serialize;

/// The column that alone makes the floor for every model.
const FLOOR: &str = "late_rate";
/// Decisions that a model is fitted on, about; where there are more, they are thinned.
const MOST_ROWS: usize = 60_000;

/// How one model was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadReport {
    /// What it predicts.
    pub target: Target,
    /// The same in words.
    pub words: String,
    /// Decision points whose outcome was known.
    pub rows: usize,
    /// Share of them with the outcome.
    pub base_rate: f64,
    /// Figures of the twin.
    pub held_out: Option<HeldOut>,
    /// Area under the curve, on the rows on which the twin was judged, of the customer's own late
    /// rate alone: a model that does not beat it is not worth having.
    pub floor_auc: Option<f64>,
    /// Why there is no model, or no twin.
    pub note: Option<String>,
    /// How the model was fitted.
    pub fit: Option<FitReport>,
}

/// Fits a model to `target` on everything known, and its twin on the earlier part.
///
/// # Errors
/// The [`FitError`] of the model itself; that of the twin becomes a note.
pub(super) fn fit(
    dataset: &Dataset,
    target: Target,
    config: &TrainingConfig,
    seed: u64,
) -> Result<(Head, HeadReport), FitError> {
    let all = Examples::of(dataset, target);
    let mut report = HeadReport {
        target,
        words: target.words(config),
        rows: all.rows.len(),
        base_rate: all.base_rate(),
        held_out: None,
        floor_auc: None,
        note: None,
        fit: None,
    };
    let (model, fitted) = fit_rows(&all, config, seed, None)?;
    let settings = (&model, &fitted.choice);
    let mut scrutiny = scrutiny::scrutinise(&all, dataset, config, seed, settings)?;
    match judge_twin(&all, dataset, config, seed) {
        Ok(twin) => {
            report.held_out = Some(twin.held_out);
            report.floor_auc = twin.floor;
            scrutiny.segments = twin.segments;
            scrutiny.leaks = twin.leaks;
        }
        Err(reason) => report.note = Some(format!("not judged: {reason}")),
    }
    report.fit = Some(fitted);
    let head = Head {
        target: report.words.clone(),
        horizon_days: target.horizon_days(config),
        rows: report.fit.as_ref().map_or(0, |fit| fit.rows),
        base_rate: report.base_rate,
        model,
        held_out: report.held_out.clone(),
        scrutiny,
    };
    Ok((head, report))
}

/// A report of a model that could not be fitted.
pub(super) fn unfitted(
    dataset: &Dataset,
    target: Target,
    config: &TrainingConfig,
    why: &FitError,
) -> HeadReport {
    let all = Examples::of(dataset, target);
    HeadReport {
        target,
        words: target.words(config),
        rows: all.rows.len(),
        base_rate: all.base_rate(),
        held_out: None,
        floor_auc: None,
        note: Some(format!("not fitted: {why}")),
        fit: None,
    }
}

/// Fits a model to `examples`, with settings that were chosen already where there are any.
pub(super) fn fit_rows(
    examples: &Examples<'_>,
    config: &TrainingConfig,
    seed: u64,
    settled: Option<&Choice>,
) -> Result<(LinearModel, FitReport), FitError> {
    let examples = examples.thinned(MOST_ROWS);
    let columns = examples.columns(config)?;
    let options = FitOptions {
        form: config.form,
        most_pairs: config.most_pairs,
        times: Some(examples.times()),
        groups: Some(examples.groups()),
        settled: settled.cloned(),
        seed,
        ..FitOptions::default()
    };
    fit_logistic(&columns, &examples.outcomes, &options)
}

/// A twin fitted on the earlier part, and how it did on the later one.
struct Twin {
    held_out: HeldOut,
    floor: Option<f64>,
    segments: Vec<Segment>,
    leaks: Vec<Leak>,
}

fn judge_twin(
    all: &Examples<'_>,
    dataset: &Dataset,
    config: &TrainingConfig,
    seed: u64,
) -> Result<Twin, FitError> {
    let (fitted_before, judged_from, fit, judge) = all.parted(config);
    let (twin, fitted) = fit_rows(&fit, config, seed, None)?;
    let predicted = scrutiny::predictions(&twin, &judge)?;
    let held_out = HeldOut {
        fitted_before,
        judged_from,
        fitted_rows: fitted.rows,
        metrics: Metrics::of(&judge.outcomes, &predicted)?,
    };
    let judged = Judged {
        fitted_before,
        fit: &fit,
        judge: &judge,
        predicted: &predicted,
    };
    Ok(Twin {
        held_out,
        floor: floor(dataset, &judge),
        segments: scrutiny::segments(dataset, &judged)?,
        leaks: scrutiny::leaks(dataset, config, &judged),
    })
}

/// Figures of a twin of the propensity on later decisions.
///
/// # Errors
/// [`FitError`] where it cannot be fitted or judged.
pub(super) fn judged(
    dataset: &Dataset,
    config: &TrainingConfig,
    seed: u64,
) -> Result<Metrics, FitError> {
    let all = Examples::of(dataset, Target::Paid);
    Ok(judge_twin(&all, dataset, config, seed)?.held_out.metrics)
}

/// The better of both directions: a late payer pays later, whatever the target calls positive.
fn floor(dataset: &Dataset, judge: &Examples<'_>) -> Option<f64> {
    let column = dataset.names().iter().position(|name| name == FLOOR)?;
    let scores: Vec<f64> = judge.vectors().map(|vector| vector[column]).collect();
    auc(&judge.outcomes, &scores).map(|area| area.max(1.0 - area))
}
