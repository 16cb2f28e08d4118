//! The same settings fitted anew on the past of each of a few folds of time, the judged twin's figures by
//! part of the customers, and a search for features that have seen the outcome.

use super::TrainingConfig;
use super::examples::Examples;
use super::heads::fit_rows;
use crate::dataset::{Dataset, Stage};
use crate::fit::{Choice, FitError};
use lagom_features::domain::Timestamp;
use lagom_model::artefact::HeldOut;
use lagom_model::artefact::scrutiny::{Leak, Scrutiny, Segment, Stability};
use lagom_model::linear::LinearModel;
use lagom_model::metrics::{Metrics, auc};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Shares of the invoices, by time of issue, at which the folds begin and the last one ends.
const FOLDS: [f64; 5] = [0.4, 0.55, 0.7, 0.85, 1.0];
/// Decisions on which what features add is compared.
const COMPARED: usize = 400;
/// Decisions of a part, and outcomes of each kind in it, below which it is not told apart.
const LEAST_ROWS: usize = 100;
const LEAST_OF_EACH: usize = 10;
/// A single feature that ranks the outcomes this well has probably seen them.
const TOO_GOOD: f64 = 0.98;
/// Invoices below which a customer is new.
const NEW: f64 = 3.0;

/// The twin that is judged, and on what.
pub(super) struct Judged<'a> {
    pub(super) fitted_before: Timestamp,
    pub(super) fit: &'a Examples<'a>,
    pub(super) judge: &'a Examples<'a>,
    pub(super) predicted: &'a [f64],
}

/// Looks at `model`, which has the settings of `choice`, from every side.
pub(super) fn scrutinise(
    all: &Examples<'_>,
    dataset: &Dataset,
    config: &TrainingConfig,
    seed: u64,
    (model, choice): (&LinearModel, &Choice),
) -> Result<Scrutiny, FitError> {
    let (mut folds, mut models) = (Vec::new(), Vec::new());
    for (from, until) in fold_ends(all) {
        let (fit, judge) = all.fold(config, from, until);
        // A fold with too little before it, or one outcome in it, says nothing.
        let Ok((fitted, report)) = fit_rows(&fit, config, seed, Some(choice)) else {
            continue;
        };
        let predicted = predictions(&fitted, &judge)?;
        let Ok(metrics) = Metrics::of(&judge.outcomes, &predicted) else {
            continue;
        };
        folds.push(HeldOut {
            fitted_before: from,
            judged_from: from,
            fitted_rows: report.rows,
            metrics,
        });
        models.push(fitted);
    }
    Ok(Scrutiny {
        stability: stability(all, dataset, model, &models)?,
        folds,
        ..Scrutiny::default()
    })
}

/// What `model` predicts for the rows of `examples`.
pub(super) fn predictions(
    model: &LinearModel,
    examples: &Examples<'_>,
) -> Result<Vec<f64>, FitError> {
    let each = examples.vectors();
    Ok(each
        .map(|vector| model.predict(vector.as_slice()))
        .collect::<Result<_, _>>()?)
}

/// When each fold begins and ends, by the issue of its invoices.
fn fold_ends(all: &Examples<'_>) -> Vec<(Timestamp, Timestamp)> {
    let mut issues: Vec<Timestamp> = all.points().map(|point| point.issued_at).collect();
    issues.sort_unstable();
    let at = |share: f64| {
        let place = (share * issues.len() as f64) as usize;
        issues.get(place).copied().unwrap_or(Timestamp::MAX)
    };
    let ends = FOLDS.windows(2).map(|pair| (at(pair[0]), at(pair[1])));
    ends.filter(|(from, until)| from < until).collect()
}

/// What each feature adds on the same decisions in the stored model and in those of the folds.
fn stability(
    all: &Examples<'_>,
    dataset: &Dataset,
    model: &LinearModel,
    folds: &[LinearModel],
) -> Result<Vec<Stability>, FitError> {
    if folds.is_empty() {
        return Ok(Vec::new());
    }
    let step = all.rows.len().div_ceil(COMPARED).max(1);
    let rows: Vec<Vec<f64>> = all
        .rows
        .iter()
        .step_by(step)
        .map(|&row| dataset.row(row).to_vec())
        .collect();
    let stored = added(model, &rows)?;
    let of_folds = folds
        .iter()
        .map(|fold| added(fold, &rows))
        .collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<Stability> = stored
        .iter()
        .map(|(feature, values)| {
            let by_fold = of_folds.iter().map(|fold| fold.get(feature));
            let strengths = by_fold
                .clone()
                .map(|values| values.map_or(0.0, |values| deviation(values)));
            let agreements: Option<Vec<f64>> = by_fold
                .map(|other| other.and_then(|other| correlation(values, other)))
                .collect();
            Stability {
                feature: feature.clone(),
                strength: deviation(values),
                low: strengths.clone().fold(f64::INFINITY, f64::min),
                high: strengths.fold(0.0, f64::max),
                agreement: agreements.map(|all| all.into_iter().fold(1.0, f64::min)),
            }
        })
        .collect();
    found.retain(|one| one.strength > 0.0);
    found.sort_by(|a, b| {
        b.strength
            .total_cmp(&a.strength)
            .then(a.feature.cmp(&b.feature))
    });
    Ok(found)
}

/// What each feature adds to the log-odds of each row.
fn added(model: &LinearModel, rows: &[Vec<f64>]) -> Result<BTreeMap<String, Vec<f64>>, FitError> {
    let mut all: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in rows {
        for one in model.explain(row.as_slice())?.contributions {
            all.entry(one.feature).or_default().push(one.log_odds);
        }
    }
    Ok(all)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values);
    let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    (squares / values.len().max(1) as f64).sqrt()
}

/// Pearson's; none where one of the two does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (of_a, of_b) = (mean(a), mean(b));
    let together: f64 = a.iter().zip(b).map(|(a, b)| (a - of_a) * (b - of_b)).sum();
    let scale = deviation(a) * deviation(b) * a.len() as f64;
    (scale > 0.0).then(|| (together / scale).clamp(-1.0, 1.0))
}

/// Figures of the judged twin in each part of the decisions that is large enough.
pub(super) fn segments(dataset: &Dataset, judged: &Judged<'_>) -> Result<Vec<Segment>, FitError> {
    let column = |name: &str| dataset.names().iter().position(|one| one == name);
    let (business, autopay) = (column("business"), column("autopay"));
    let prior = column("prior_invoices");
    let mut parts: BTreeMap<String, (Vec<bool>, Vec<f64>)> = BTreeMap::new();
    let rows = judged.judge.rows.iter().zip(judged.judge.points());
    for (((&row, point), outcome), predicted) in
        rows.zip(&judged.judge.outcomes).zip(judged.predicted)
    {
        let vector = dataset.row(row);
        let cell = |place: Option<usize>| place.map(|place| vector[place]);
        let yes_or_no = |name: &str, cell: f64| match cell {
            cell if cell.is_nan() => format!("{name}: unknown"),
            cell if cell > 0.5 => format!("{name}: yes"),
            _ => format!("{name}: no"),
        };
        let stage = match point.stage {
            Stage::Issue => "at issue".to_owned(),
            Stage::Before(_) => "before the due date".to_owned(),
            Stage::Due => "on the due date".to_owned(),
            Stage::After(_) => "late".to_owned(),
            Stage::Asked => "asked".to_owned(),
        };
        let mut of_row = vec![format!("stage: {stage}")];
        of_row.extend(cell(business).map(|cell| yes_or_no("business", cell)));
        of_row.extend(cell(autopay).map(|cell| yes_or_no("autopay", cell)));
        of_row.extend(cell(prior).map(|cell| {
            let words = if cell >= NEW {
                "3 and more"
            } else {
                "fewer than 3"
            };
            format!("earlier invoices: {words}")
        }));
        for part in of_row {
            let (outcomes, predictions) = parts.entry(part).or_default();
            outcomes.push(*outcome);
            predictions.push(*predicted);
        }
    }
    let mut found = Vec::new();
    for (segment, (outcomes, predicted)) in parts {
        let positives = outcomes.iter().filter(|outcome| **outcome).count();
        if outcomes.len() < LEAST_ROWS || positives.min(outcomes.len() - positives) < LEAST_OF_EACH
        {
            continue;
        }
        found.push(Segment {
            segment,
            mean_predicted: mean(&predicted),
            metrics: Metrics::of(&outcomes, &predicted)?,
        });
    }
    Ok(found)
}

/// Looks for what would make the judged figures too good to be true.
pub(super) fn leaks(dataset: &Dataset, config: &TrainingConfig, judged: &Judged<'_>) -> Vec<Leak> {
    let (fit, judge) = (judged.fit, judged.judge);
    let invoices: HashSet<_> = fit
        .points()
        .map(|point| (&point.customer_id, &point.invoice_id))
        .collect();
    let both: BTreeSet<_> = judge
        .points()
        .map(|point| (&point.customer_id, &point.invoice_id))
        .filter(|invoice| invoices.contains(invoice))
        .collect();
    let early = fit
        .points()
        .filter(|point| fit.known_at(point, config) > judged.fitted_before)
        .count();
    let best = dataset
        .names()
        .iter()
        .enumerate()
        .filter_map(|(place, name)| {
            let scores: Vec<f64> = judge
                .rows
                .iter()
                .map(|&row| dataset.row(row)[place])
                // Not known ranks lowest: that it is not known may be what tells.
                .map(|cell| if cell.is_nan() { f64::MIN } else { cell })
                .collect();
            let area = auc(&judge.outcomes, &scores)?;
            Some((area.max(1.0 - area), name))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let mut found = vec![
        Leak {
            name: "no invoice was both fitted on and judged".to_owned(),
            passed: both.is_empty(),
            words: format!("{} of {} fitted on", both.len(), invoices.len()),
        },
        Leak {
            name: "every outcome fitted on was known before the judged ones".to_owned(),
            passed: early == 0,
            words: format!("{early} of {} known later", fit.rows.len()),
        },
    ];
    if let Some((area, name)) = best {
        found.push(Leak {
            name: "no feature tells the outcome by itself".to_owned(),
            passed: area < TOO_GOOD,
            words: format!("best alone: `{name}`, AUC {area:.3}; suspect from {TOO_GOOD}"),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{correlation, deviation};

    #[test]
    fn what_turns_round_disagrees_and_what_is_constant_says_nothing() {
        let up = [1.0, 2.0, 4.0];
        let down: Vec<f64> = up.iter().map(|value| 3.0 - 2.0 * value).collect();
        assert!((correlation(&up, &up).unwrap_or(0.0) - 1.0).abs() < 1e-12);
        assert!((correlation(&up, &down).unwrap_or(0.0) + 1.0).abs() < 1e-12);
        assert_eq!(correlation(&up, &[5.0; 3]), None);
        assert!((deviation(&down) - 2.0 * deviation(&up)).abs() < 1e-12);
    }
}
