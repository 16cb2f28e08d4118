//! Logged decisions from anywhere: a folder of tables becomes checked rounds and a report.
//!
//! ```text
//! log        action, reward, pscore (or pi_b); customer (optional); every other column is context
//! pi_e       one column an action: the target policy's probabilities, one row a round
//! pi_b       the same of the logging policy            (optional)
//! q_hat      predicted rewards, the same shape          (optional)
//! actions    action and its facets, one row an action   (optional)
//! ```
//!
//! Each is `NAME.csv`, `NAME.csv.gz` or `NAME.parquet`. Row `i` of every matrix belongs to row `i` of the log.
//! Without `q_hat` a reward model is fitted on the context columns, each round predicted by a model that has not
//! seen it. What an absent file makes impossible is listed in the report with its reason.

mod actions;
mod error;
mod files;
mod log;
mod segments;

pub use error::RoundsError;
pub use segments::SegmentValue;

use std::{collections::BTreeMap, path::Path};

use lagom_model::ope::{
    Rounds, Terms, direct,
    interval::bootstrap,
    report::{Options, Report, report},
};
use serde::Serialize;

use files::Folder;

/// How to evaluate a folder of rounds.
#[derive(Debug, Clone, Default)]
pub struct RoundsOptions {
    /// Confidence, range of rewards, bootstrap and requirements.
    pub report: Options,
    /// Seed of the resamples, and of the folds of a fitted reward model.
    pub seed: u64,
    /// A column of the log by whose values the policy is also valued separately.
    pub segment: Option<String>,
}

/// Where the predicted rewards came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum RewardModel {
    /// The file `q_hat`.
    File,
    /// Fitted here and cross-fitted.
    CrossFitted {
        /// Folds, so that no round is predicted by a model that saw it.
        folds: usize,
        /// Context columns used.
        columns: Vec<String>,
        /// Context columns left out, with the reason.
        left_out: Vec<String>,
    },
}

/// The report of a folder; serialises as [`Report`] with what was read beside it.
#[derive(Debug, Clone, Serialize)]
pub struct RoundsReport {
    /// Values, intervals and diagnostics.
    #[serde(flatten)]
    pub report: Report,
    /// Names of the actions, in the order of the columns of `pi_e`.
    pub action_names: Vec<String>,
    /// Where the predicted rewards came from.
    pub reward_model: RewardModel,
    /// Optional files that were absent.
    pub absent: Vec<String>,
    /// Values by segment, when one was asked for.
    pub segments: BTreeMap<String, SegmentValue>,
}

/// A folder read and checked.
#[derive(Debug)]
pub struct LoadedRounds {
    /// The rounds, with a reward model in any case.
    pub rounds: Rounds,
    /// Names of the actions, in the order of the columns of `pi_e`.
    pub action_names: Vec<String>,
    /// Where the predicted rewards came from.
    pub reward_model: RewardModel,
    /// Optional files that were absent.
    pub absent: Vec<String>,
    /// Rows of the log by segment, when one was asked for.
    pub segments: BTreeMap<String, Vec<usize>>,
}

/// Reads a folder of rounds; of the options only the seed and the segment matter here.
///
/// # Errors
/// [`RoundsError`] names the file and, where there is one, the row, the column and the value.
pub fn read_rounds(folder: &Path, options: &RoundsOptions) -> Result<LoadedRounds, RoundsError> {
    let folder = Folder::open(folder)?;
    let target_table = folder.required("pi_e")?;
    let action_names: Vec<String> = target_table
        .table
        .columns()
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let target = target_table.matrix(&action_names)?;
    let log = log::read(
        &folder.required("log")?,
        &action_names,
        options.segment.as_deref(),
    )?;

    let mut absent = Vec::new();
    let logging = match folder.optional("pi_b")? {
        Some(table) => Some((table.matrix(&action_names)?, table)),
        None => {
            absent.push("pi_b".to_owned());
            None
        }
    };
    let propensities = match (log.propensities, &logging) {
        (Some(propensities), _) => propensities,
        (None, Some((matrix, _))) => log::propensities_of(matrix, &log.actions)?,
        (None, None) => return Err(RoundsError::NoPropensity),
    };
    let mut rounds = Rounds::new(log.actions, log.rewards, propensities, target)
        .map_err(|source| RoundsError::in_file("log, pi_e", source))?;
    if let Some((matrix, table)) = logging {
        rounds = rounds
            .with_logging(matrix)
            .map_err(|source| table.fault(source))?;
    }
    match folder.optional("actions")? {
        Some(table) => {
            let facets = actions::read(&table, &action_names)?;
            rounds = rounds
                .with_facets(facets)
                .map_err(|source| table.fault(source))?;
        }
        None => absent.push("actions".to_owned()),
    }
    if let Some(customers) = log.customers {
        rounds = rounds
            .with_customers(customers)
            .map_err(|source| RoundsError::in_file("log", source))?;
    }
    let reward_model = if let Some(table) = folder.optional("q_hat")? {
        let matrix = table.matrix(&action_names)?;
        rounds = rounds
            .with_predicted(matrix)
            .map_err(|source| table.fault(source))?;
        RewardModel::File
    } else {
        absent.push("q_hat".to_owned());
        let sample = direct::Sample {
            contexts: log.contexts.values.view(),
            chosen: rounds.chosen(),
            rewards: rounds.rewards(),
            actions: action_names.len(),
            customers: rounds.customers(),
        };
        let folds = direct::FOLDS.min(rounds.len());
        let predicted = direct::cross_fit(&sample, folds, options.seed)
            .map_err(|source| RoundsError::in_file("log", source))?;
        rounds = rounds
            .with_predicted(predicted)
            .map_err(|source| RoundsError::in_file("log", source))?;
        RewardModel::CrossFitted {
            folds,
            columns: log.contexts.columns,
            left_out: log.contexts.left_out,
        }
    };
    Ok(LoadedRounds {
        rounds,
        action_names,
        reward_model,
        absent,
        segments: log.segments,
    })
}

/// Reads a folder and evaluates its target policy by every estimator the folder can feed.
///
/// # Errors
/// As [`read_rounds`]; also options that cannot be, such as a confidence above one.
pub fn evaluate_rounds(
    folder: &Path,
    options: &RoundsOptions,
) -> Result<RoundsReport, RoundsError> {
    let loaded = read_rounds(folder, options)?;
    let fitted_here = loaded.reward_model != RewardModel::File;
    let report_options = Options {
        // A cross-fitted model has seen later rounds, which a sequence may not.
        bootstrap: options
            .report
            .bootstrap
            .map(|resampling| bootstrap::Options {
                seed: options.seed,
                ..resampling
            }),
        predictable_model: options.report.predictable_model && !fitted_here,
        ..options.report.clone()
    };
    let report = report(&loaded.rounds, &report_options)
        .map_err(|source| RoundsError::in_file("log", source))?;
    let segments = if loaded.segments.is_empty() {
        BTreeMap::new()
    } else {
        segments::segment_values(
            &Terms::of(&loaded.rounds),
            &loaded.segments,
            options.report.confidence,
            &options.report.required,
        )
        .map_err(|source| RoundsError::in_file("log", source))?
    };
    Ok(RoundsReport {
        report,
        action_names: loaded.action_names,
        reward_model: loaded.reward_model,
        absent: loaded.absent,
        segments,
    })
}

#[cfg(test)]
mod tests;
