//! One table from a warehouse to judged predictions: what stands behind `lagom fit`.
//!
//! ```text
//! table ──target──> outcomes      table ──features──> columns (dates taken apart; target, time, group, drop left out)
//! split file, or time, or seed ──> (train, test) rows, no group on both sides
//! each: fit_logistic on train ──> p on test          all tests together ──> metrics, predictions file
//! ```
//!
//! `row_id` is the 0-based row of the file. Every prediction comes from a model that has not seen its row.

mod dates;
mod error;
mod features;
mod output;
mod split;
mod target;

use std::path::PathBuf;
use std::time::Instant;

use lagom_model::linear::LinearModel;
use lagom_model::metrics::{self, Metrics, ReliabilityBin};
use serde::{Deserialize, Serialize};

use crate::fit::{Direction, FitOptions, FitReport, Form, LeftOut, fit_logistic};
use crate::flat_table::{FlatTable, ReadOptions};
use crate::progress::work;
pub use error::FitTableError;
use split::Fold;

/// Names the order of the file where a time column is asked for.
pub const ROW_ID: &str = "row_id";

/// What to fit, and where to write.
#[derive(Debug, Clone, PartialEq)]
pub struct FitTable {
    /// The table: CSV, CSV.gz or Parquet.
    pub table: PathBuf,
    /// The byte between fields of a text file; found when `None`.
    pub separator: Option<u8>,
    /// The column to predict.
    pub target: String,
    /// The value of the target that is the positive outcome; `None` where it goes without saying (1, yes, true).
    pub positive: Option<String>,
    /// Columns not to use.
    pub drop: Vec<String>,
    /// `row_id,fold` or `row_id,split`.
    pub split: Option<PathBuf>,
    /// When each row's features were known: a number, a date or an RFC 3339 time; [`ROW_ID`] when the file is in
    /// time order. Rows are then validated by later rows only. The column itself is not a feature.
    pub time: Option<String>,
    /// Whom each row belongs to; a group is never on both sides. The column itself is not a feature.
    pub group: Option<String>,
    /// Number columns that may move the log-odds one way only.
    pub monotone: Vec<(String, Direction)>,
    /// Where to write `row_id,p`.
    pub predictions: Option<PathBuf>,
    /// The shape of the terms.
    pub form: Form,
    /// The penalty; chosen on held-out rows when `None`.
    pub c: Option<f64>,
    /// Decides splits that neither a file nor a time decides.
    pub seed: u64,
}

impl FitTable {
    /// Fits `target` on every other column of the table at `table`, everything else left to validation.
    #[must_use]
    pub fn new(table: PathBuf, target: String) -> Self {
        Self {
            table,
            separator: None,
            target,
            positive: None,
            drop: Vec::new(),
            split: None,
            time: None,
            group: None,
            monotone: Vec::new(),
            predictions: None,
            form: Form::default(),
            c: None,
            seed: 1,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitTableReport {
    /// Area under the ROC curve of the judged predictions; `None` when only one outcome occurs among them.
    pub auc: Option<f64>,
    /// Their mean log-loss in nats.
    pub log_loss: f64,
    /// Their Brier score.
    pub brier: f64,
    /// Their expected calibration error, 10 bins of equal count.
    pub ece: f64,
    /// Predictions judged.
    pub rows: usize,
    /// Their share of positive outcomes.
    pub base_rate: f64,
    /// The value of the target that is the positive outcome.
    pub positive: String,
    /// Wall-clock seconds spent fitting, all folds together; reading, predicting and writing not counted.
    pub fit_seconds: f64,
    /// Columns, and pairs of columns, that any fold's model reads.
    pub features: Vec<String>,
    /// Columns that no fold's model reads, and why.
    pub left_out: Vec<LeftOut>,
    /// How the test rows were chosen, in words.
    pub split: String,
    /// Training rows left out because their group is among the test rows, all folds together.
    pub rows_of_test_groups: usize,
    /// The reliability table of the judged predictions.
    pub reliability: Vec<ReliabilityBin>,
    /// Each fold by itself.
    pub folds: Vec<FoldReport>,
}

/// One fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldReport {
    /// The fold's name in the split file, or its number.
    pub name: String,
    /// Figures of its predictions.
    pub metrics: Metrics,
    /// How its model was fitted.
    pub fit: FitReport,
}

/// A fitted fold: the report, and the model behind its predictions.
struct Fitted {
    report: FoldReport,
    model: LinearModel,
    predictions: Vec<(usize, f64)>,
    seconds: f64,
}

/// Reads, splits, fits, predicts, judges and writes.
///
/// # Errors
/// [`FitTableError`]; nothing is written then.
pub fn fit_table(request: &FitTable) -> Result<(FitTableReport, Vec<LinearModel>), FitTableError> {
    let options = ReadOptions {
        separator: request.separator,
    };
    let table = FlatTable::read(&request.table, &options)?;
    for name in request.drop.iter().chain(&request.group) {
        table.column(name)?;
    }
    let target = target::outcomes(&table, &request.target, request.positive.as_deref())?;
    let times = match &request.time {
        Some(name) => Some(features::times(&table, name)?),
        None => None,
    };
    let groups = match &request.group {
        Some(name) => Some(features::groups(&table, name)?),
        None => None,
    };
    let plan = split::plan(request, table.rows(), times.as_deref(), groups.as_deref())?;
    let features = features::features(&table, request, times.as_deref())?;

    let mut fitted = Vec::with_capacity(plan.folds.len());
    let folds = work("fitting", "folds", plan.folds.len());
    for fold in &plan.folds {
        let job = Job {
            request,
            features: &features,
            target: &target,
            times: times.as_deref(),
            groups: groups.as_deref(),
        };
        fitted.push(job.run(fold)?);
        folds.advance(1);
    }
    let mut predictions: Vec<(usize, f64)> = fitted
        .iter()
        .flat_map(|fold| fold.predictions.iter().copied())
        .collect();
    predictions.sort_by_key(|(row, _)| *row);
    let report = report(&plan, &target, &predictions, &fitted)?;
    if let Some(path) = &request.predictions {
        output::write(path, &predictions)?;
    }
    Ok((report, fitted.into_iter().map(|fold| fold.model).collect()))
}

/// What every fold shares.
struct Job<'a> {
    request: &'a FitTable,
    features: &'a FlatTable,
    target: &'a target::Target,
    times: Option<&'a [f64]>,
    groups: Option<&'a [usize]>,
}

impl Job<'_> {
    fn run(&self, fold: &Fold) -> Result<Fitted, FitTableError> {
        let named = |source| FitTableError::Fold {
            fold: fold.name.clone(),
            source: Box::new(source),
        };
        let outcomes = self.target.of(&fold.train)?;
        let truth = self.target.of(&fold.test)?;
        let take = |rows: &[usize]| features::rows_of(self.features, rows);
        let (train, test) = (take(&fold.train)?, take(&fold.test)?);
        let options = FitOptions {
            form: self.request.form,
            c: self.request.c,
            calibrate: self.request.form == Form::Additive || self.request.c.is_none(),
            times: self
                .times
                .map(|times| fold.train.iter().map(|row| times[*row]).collect()),
            groups: self
                .groups
                .map(|groups| fold.train.iter().map(|row| groups[*row]).collect()),
            seed: self.request.seed,
            ..FitOptions::default()
        };
        let directions = self.request.monotone.iter();
        let directions = directions.map(|(name, direction)| (name.as_str(), *direction));
        let columns = features::columns(&train)
            .and_then(|columns| columns.directed(directions))
            .map_err(named)?;
        let start = Instant::now();
        let (model, fit) = fit_logistic(&columns, &outcomes, &options).map_err(named)?;
        let seconds = start.elapsed().as_secs_f64();
        let columns = features::columns(&test).map_err(named)?;
        let predictions: Vec<(usize, f64)> = fold
            .test
            .iter()
            .enumerate()
            .map(|(place, row)| Ok((*row, model.predict(&columns.row(place))?)))
            .collect::<Result<_, FitTableError>>()?;
        let p: Vec<f64> = predictions.iter().map(|(_, p)| *p).collect();
        Ok(Fitted {
            report: FoldReport {
                name: fold.name.clone(),
                metrics: Metrics::of(&truth, &p)?,
                fit,
            },
            model,
            predictions,
            seconds,
        })
    }
}

fn report(
    plan: &split::Plan,
    target: &target::Target,
    predictions: &[(usize, f64)],
    fitted: &[Fitted],
) -> Result<FitTableReport, FitTableError> {
    let rows: Vec<usize> = predictions.iter().map(|(row, _)| *row).collect();
    let truth = target.of(&rows)?;
    let p: Vec<f64> = predictions.iter().map(|(_, p)| *p).collect();
    let metrics = Metrics::of(&truth, &p)?;
    let mut features: Vec<String> = Vec::new();
    for feature in fitted.iter().flat_map(|fold| &fold.report.fit.features) {
        if !features.contains(feature) {
            features.push(feature.clone());
        }
    }
    let mut left_out: Vec<LeftOut> = Vec::new();
    for left in fitted.iter().flat_map(|fold| &fold.report.fit.left_out) {
        let known = left_out.iter().any(|known| known.column == left.column);
        if !known && !features.contains(&left.column) {
            left_out.push(left.clone());
        }
    }
    Ok(FitTableReport {
        auc: metrics.auc,
        log_loss: metrics.log_loss,
        brier: metrics.brier,
        ece: metrics.ece,
        rows: metrics.rows,
        base_rate: metrics.base_rate,
        positive: target.positive.clone(),
        fit_seconds: fitted.iter().map(|fold| fold.seconds).sum(),
        features,
        left_out,
        split: plan.described.clone(),
        rows_of_test_groups: plan.rows_of_test_groups,
        reliability: metrics::reliability(&truth, &p),
        folds: fitted.iter().map(|fold| fold.report.clone()).collect(),
    })
}

#[cfg(test)]
mod tests;
