//! One fitted model of a version, and the figures of its twin on later decisions.

use super::TrainingConfig;
use super::examples::{Examples, Target};
use crate::dataset::Dataset;
use crate::fit::{FitError, FitOptions, FitReport, fit_logistic};
use lagom_model::artefact::{Head, HeldOut};
use lagom_model::linear::LinearModel;
use lagom_model::metrics::{Metrics, auc};
use serde::Serialize;

/// The column that alone makes the floor for every model.
const FLOOR: &str = "late_rate";

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
    match judge_twin(&all, dataset, config, seed) {
        Ok((held_out, floor)) => {
            report.held_out = Some(held_out);
            report.floor_auc = floor;
        }
        Err(reason) => report.note = Some(format!("not judged: {reason}")),
    }
    let (model, fitted) = fit_rows(&all, config, seed)?;
    report.fit = Some(fitted);
    let head = Head {
        target: report.words.clone(),
        horizon_days: target.horizon_days(config),
        rows: report.rows,
        base_rate: report.base_rate,
        model,
        held_out: report.held_out.clone(),
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

fn fit_rows(
    examples: &Examples<'_>,
    config: &TrainingConfig,
    seed: u64,
) -> Result<(LinearModel, FitReport), FitError> {
    let options = FitOptions {
        form: config.form,
        most_pairs: config.most_pairs,
        times: Some(examples.times()),
        groups: Some(examples.groups()),
        seed,
        ..FitOptions::default()
    };
    let columns = examples.columns(config)?;
    fit_logistic(&columns, &examples.outcomes, &options)
}

fn judge_twin(
    all: &Examples<'_>,
    dataset: &Dataset,
    config: &TrainingConfig,
    seed: u64,
) -> Result<(HeldOut, Option<f64>), FitError> {
    let (fitted_before, judged_from, fit, judge) = all.parted(config);
    let (twin, _) = fit_rows(&fit, config, seed)?;
    let predictions = judge
        .vectors()
        .map(|vector| twin.predict(vector.as_slice()))
        .collect::<Result<Vec<f64>, _>>()?;
    let held_out = HeldOut {
        fitted_before,
        judged_from,
        fitted_rows: fit.rows.len(),
        metrics: Metrics::of(&judge.outcomes, &predictions)?,
    };
    Ok((held_out, floor(dataset, &judge)))
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
    Ok(judge_twin(&all, dataset, config, seed)?.0.metrics)
}

/// The better of both directions: a late payer pays later, whatever the target calls positive.
fn floor(dataset: &Dataset, judge: &Examples<'_>) -> Option<f64> {
    let column = dataset.names().iter().position(|name| name == FLOOR)?;
    let scores: Vec<f64> = judge.vectors().map(|vector| vector[column]).collect();
    auc(&judge.outcomes, &scores).map(|area| area.max(1.0 - area))
}
