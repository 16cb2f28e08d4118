//! What a policy would have been worth in the past, by the logged probabilities, beside what was lived.
//!
//! The table of a replay counts messages and leaves customers as they were. Here the logged outcomes are
//! weighted by how readily the policy would have done what was done. Where the log cannot say, no number
//! is given.

use crate::cli::answer::Failure;
use crate::cli::named::table;
use lagom_features::domain::Timestamp;
use lagom_model::objective::Objective;
use lagom_model::ope::overlap::Requirements;
use lagom_model::ope::valuation::{Estimand, Reach};
use lagom_training::valuation::{OwnLog, Policy, ValuationError, ValuationOptions};
use serde::Serialize;

/// Effective number of lives or decisions below which an interval is a guess and none is shown.
const LEAST_ESS: f64 = 30.0;

/// Both estimands, each where the log can say it.
#[derive(Debug, Serialize)]
pub(super) struct Worth {
    from: Timestamp,
    until: Option<Timestamp>,
    horizon_days: u16,
    lives: usize,
    decisions: usize,
    customers: usize,
    reach: Reach,
    /// One decision replaced, the logging policy afterwards; per decision.
    one_step: Option<Estimand>,
    /// Every decision of an invoice's life; per life.
    episode: Option<Estimand>,
    /// Why a value is missing, or should be read with care.
    warnings: Vec<String>,
}

impl Worth {
    /// Values `policy` against what was lived.
    pub(super) fn of(
        log: &OwnLog,
        policy: Policy<'_>,
        objective: &Objective,
        options: &ValuationOptions,
    ) -> Result<Self, Failure> {
        let mut worth = Self {
            from: options.from,
            until: options.until,
            horizon_days: options.horizon_days,
            lives: 0,
            decisions: 0,
            customers: 0,
            reach: Reach::default(),
            one_step: None,
            episode: None,
            warnings: options.objections.clone(),
        };
        let found = match log.value(policy, Policy::Logged, objective, options) {
            Ok(found) => found,
            Err(error @ ValuationError::NoLives { .. }) => {
                worth.warnings.push(error.to_string());
                return Ok(worth);
            }
            Err(error) => return Err(error.into()),
        };
        worth.lives = found.lives;
        worth.decisions = found.decisions;
        worth.customers = found.customers;
        worth.reach = found.reach.unwrap_or_default();
        let lacks = worth.reach.shortfalls();
        let blind = !lacks.is_empty();
        worth.warnings.extend(lacks);
        if blind {
            return Ok(worth);
        }
        worth.one_step = found.one_step.and_then(|one| worth.known("one step", one));
        worth.episode = worth.known("episode", found.episode);
        Ok(worth)
    }

    /// The estimand, if enough of the log speaks of it; what is wrong with it is noted.
    fn known(&mut self, name: &str, of: Estimand) -> Option<Estimand> {
        let lacks = of.overlap.shortfalls(&Requirements::default());
        let ess = of.overlap.ess;
        let ess = of.overlap.ess_customers.map_or(ess, |one| one.min(ess));
        let told = ess >= LEAST_ESS;
        let end = if told { "" } else { "; no value" };
        let lacks = lacks.iter().map(|lack| format!("{name}: {lack}{end}"));
        self.warnings.extend(lacks);
        told.then_some(of)
    }

    pub(super) fn text(&self) -> String {
        let until = self
            .until
            .map_or_else(String::new, |until| format!(" until {until}"));
        let mut text = format!(
            "\nwhat it would have been worth, by the logged probabilities: {} lives of invoices first decided \
             about from {}{until}, {} decisions, {} customers, {} days each\n",
            self.lives, self.from, self.decisions, self.customers, self.horizon_days
        );
        for (heading, of) in [
            ("episode: every decision of a life, per life", &self.episode),
            (
                "one step: one decision replaced, per decision",
                &self.one_step,
            ),
        ] {
            text += &of.as_ref().map_or_else(
                || format!("\n{heading}: no value\n"),
                |of| table(heading, of, ["policy", "lived"]),
            );
        }
        for warning in &self.warnings {
            text += &format!("warning: {warning}\n");
        }
        text
    }
}
