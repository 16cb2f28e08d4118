//! One row a logged decision: what would each fixed action, the best of them, and a learnt policy be worth?
//!
//! ```text
//! table ──split──> train rows ──learn──> policy that deviates from the best fixed action
//!                                        only where unseen train rows say that it pays
//!              └─> test rows ──value──> IPS, SNIPS, DR with intervals, for every policy, and the difference
//! ```
//!
//! Any column that is not the action, the reward, the propensity, the customer or dropped is context. Nothing of
//! the test rows enters the learning: not a mean, not a level of a category, not a prediction.

mod error;
mod learn;
mod policies;
mod read;
mod split;

pub use error::LoggedTableError;
pub use learn::Learnt;
pub use policies::PolicyValue;
pub use split::Split;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use lagom_model::ope::{Interval, overlap::Requirements};
use serde::Serialize;

/// Where the probability of the logged action comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Propensity {
    /// A column of the table.
    Column(String),
    /// One number for every row, as in an experiment with equal arms.
    Constant(f64),
    /// The action's share of the train rows: right only where the action was drawn without looking at the context.
    Shares,
}

impl Propensity {
    /// Reads `VALUE` or `COLUMN` as the command line gives it: a number is a constant.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        text.parse::<f64>()
            .map_or_else(|_| Self::Column(text.to_owned()), Self::Constant)
    }
}

/// What is asked of a table.
#[derive(Debug, Clone)]
pub struct TableOptions {
    /// The column of the action taken; numbers or text.
    pub action: String,
    /// The column of the reward, a number.
    pub reward: String,
    /// Where the propensity comes from.
    pub propensity: Propensity,
    /// Columns that are no context: other outcomes, ids.
    pub drop: Vec<String>,
    /// The customer's column, where one customer has several rows.
    pub customer: Option<String>,
    /// A table `row_id,split` with `train` and `test`; without it half the rows (half the customers) are drawn.
    pub split: Option<PathBuf>,
    /// The byte between fields; found when `None`.
    pub separator: Option<u8>,
    /// Confidence of the intervals, in (0, 1).
    pub confidence: f64,
    /// Seed of the split and of the folds.
    pub seed: u64,
}

impl TableOptions {
    /// Everything customary: propensities by shares, no column dropped, 95 %, seed 0.
    #[must_use]
    pub fn new(action: &str, reward: &str) -> Self {
        Self {
            action: action.to_owned(),
            reward: reward.to_owned(),
            propensity: Propensity::Shares,
            drop: Vec::new(),
            customer: None,
            split: None,
            separator: None,
            confidence: 0.95,
            seed: 0,
        }
    }
}

/// Values on the test rows.
#[derive(Debug, Clone, Serialize)]
pub struct TableReport {
    /// Names of the actions, sorted.
    pub actions: Vec<String>,
    /// Rows learnt from.
    pub train_rows: usize,
    /// Rows judged on.
    pub test_rows: usize,
    /// Rows used for neither.
    pub left_out_rows: usize,
    /// Mean reward of the test rows: what the logging policy earned.
    pub logged_value: f64,
    /// Each fixed action by name.
    pub fixed: BTreeMap<String, PolicyValue>,
    /// All actions with equal probability.
    pub uniform: PolicyValue,
    /// The fixed action that the train rows prefer.
    pub best_fixed: PolicyValue,
    /// Its name.
    pub best_fixed_action: String,
    /// The learnt policy.
    pub learnt: PolicyValue,
    /// What was learnt, and how sure the train rows were.
    pub learning: Learnt,
    /// Learnt policy minus best fixed action, on the same rows.
    pub difference: PolicyValue,
    /// Whether the learnt policy is worse beyond the interval of the doubly robust difference.
    pub learnt_is_worse: bool,
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Context columns used.
    pub columns: Vec<String>,
    /// Context columns left out, with the reason.
    pub left_out_columns: Vec<String>,
    /// What a reader should know: estimated propensities, propensities near zero, a split that was drawn.
    pub notes: Vec<String>,
}

/// Reads a table of logged decisions, learns on its train rows and reports on its test rows.
///
/// # Errors
/// [`LoggedTableError`] names the file and, where there is one, the row, the column and the value.
pub fn evaluate_table(
    path: &Path,
    options: &TableOptions,
) -> Result<TableReport, LoggedTableError> {
    let log = read::log(path, options)?;
    let mut notes = log.notes.clone();
    let learnt = learn::learn(&log, options)?;
    let judge = policies::Judge::of(&log, &learnt.model, options)?;

    let mut fixed = BTreeMap::new();
    for (action, name) in log.actions.iter().enumerate() {
        fixed.insert(
            name.clone(),
            judge.value(|_, taken| f64::from(taken == action))?,
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "actions are few")]
    let even = 1.0 / log.actions.len() as f64;
    let uniform = judge.value(|_, _| even)?;
    let best = learnt.best_fixed;
    let best_fixed = judge.value(|_, taken| f64::from(taken == best))?;
    let chosen: Vec<usize> = log
        .test
        .iter()
        .map(|&row| learnt.choose(&log, row))
        .collect();
    let learnt_value = judge.value(|position, taken| f64::from(taken == chosen[position]))?;
    let difference = judge.difference(
        |position, taken| f64::from(taken == chosen[position]),
        |_, taken| f64::from(taken == best),
    )?;
    let learnt_is_worse = difference
        .interval
        .get("dr")
        .is_some_and(|interval: &Interval| interval.high < 0.0);
    notes.extend(judge.overlap_notes(&uniform, &Requirements::default()));
    Ok(TableReport {
        train_rows: log.train.len(),
        test_rows: log.test.len(),
        left_out_rows: log.rewards.len() - log.train.len() - log.test.len(),
        logged_value: judge.logged_value(),
        fixed,
        uniform,
        best_fixed,
        best_fixed_action: log.actions[best].clone(),
        learnt: learnt_value,
        learning: learnt.summary(&chosen),
        difference,
        learnt_is_worse,
        confidence: options.confidence,
        columns: log.contexts.columns.clone(),
        left_out_columns: log.contexts.left_out.clone(),
        actions: log.actions,
        notes,
    })
}

#[cfg(test)]
mod tests;
