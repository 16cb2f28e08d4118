//! What a design can find, on this history: the smallest effect, the days it takes, and how often
//! exactly this plan would say ship when there is nothing to find, and when there is.
//!
//! ```text
//! history ──facts of its customers──> resampled, drawn into arms by chance ──> review, at each look
//! ```
//! Customers are drawn with replacement and put into arms by the planned shares, so that a review
//! of them has nothing to find; for the power, every success metric of the treatment is then
//! moved by the effect asked for, in the good direction.

use lagom_model::statistics::decision::Verdict;
use lagom_model::statistics::power::{Demand, Sides};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::plan::Role;
use super::{Plan, Review, ReviewError, assemble};
use crate::flat_table::{Column, FlatTable, Values};

/// What is asked of a design.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanAsk {
    /// Experiments simulated without and with an effect.
    pub replications: u32,
    /// Looks at each, the last at the planned end.
    pub looks: u32,
    /// Of everything drawn.
    pub seed: u64,
    /// Customers that come under a decision for the first time in a day.
    pub per_day: f64,
    /// Share of them that takes part.
    pub share: f64,
    /// Days for which each is followed.
    pub window_days: f64,
}

/// What a design can find.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanReport {
    /// Name of the experiment.
    pub experiment: String,
    /// BLAKE3 of the plan's text; empty for a plan at hand.
    pub plan_digest: String,
    /// Customers in the history.
    pub history_customers: u64,
    /// Customers of all arms at the planned end.
    pub customers: u64,
    /// Days until they are in, and followed.
    pub days: f64,
    /// Per success metric and guardrail.
    pub metrics: Vec<MetricPower>,
    /// Simulated experiments without an effect.
    pub replications: u32,
    /// Looks at each.
    pub looks: u32,
    /// Share of those without an effect in which a success metric was called better at any look.
    pub false_positive_rate: f64,
    /// Share of those without an effect in which the verdict was to ship at any look.
    pub false_ship_rate: f64,
    /// Share of those with the effects in `metrics` in which a success metric was called better.
    pub power: f64,
    /// Share of them in which the verdict was to ship: every guardrail had to be shown safe, too.
    pub ship_rate: f64,
}

/// One metric at the planned end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricPower {
    /// Its name.
    pub name: String,
    /// `success` or `guardrail`.
    pub role: &'static str,
    /// Its value in the history.
    pub mean: f64,
    /// Standard error of the difference at the planned end.
    pub se: f64,
    /// The smallest effect found with the planned power.
    pub minimal_detectable_effect: f64,
    /// The same as a share of the mean.
    pub relative: f64,
}

/// Simulates the experiments of `plan` on the customers of `history`.
///
/// # Errors
/// [`ReviewError`] where the history lacks what the plan names.
pub fn plan_report(
    history: &FlatTable,
    plan: &Plan,
    ask: &PlanAsk,
) -> Result<PlanReport, ReviewError> {
    let mut plan = plan.clone();
    plan.gate = None;
    plan.enrolled = None;
    plan.segments.clear();
    let rows = history.rows();
    let customers = match plan.planned_customers {
        0 => rows as u64,
        planned => planned,
    };
    plan.planned_customers = customers;
    let mut rng = ChaCha8Rng::seed_from_u64(ask.seed);
    let sample = Sample {
        history,
        plan: &plan,
        customers: customers as usize,
    };
    let (drawn, arms) = sample.rows(&mut rng);
    let first = assemble::review(&sample.table(&drawn, &arms, &[])?, &plan, &[])?;
    let metrics = powers(&first, &plan)?;
    let effects: Vec<(usize, f64)> = plan
        .metrics
        .iter()
        .enumerate()
        .filter(|(_, metric)| metric.role == Role::Success)
        .filter_map(|(place, metric)| {
            let found = metrics.iter().find(|one| one.name == metric.name)?;
            let good = metric.direction?.good(1.0);
            Some((place, good * found.minimal_detectable_effect))
        })
        .collect();
    let nothing = sample.rates(&mut rng, ask, &[])?;
    let something = sample.rates(&mut rng, ask, &effects)?;
    let mut days = customers as f64 / (ask.per_day * ask.share);
    if !days.is_finite() {
        days = f64::NAN;
    }
    Ok(PlanReport {
        experiment: plan.experiment.clone(),
        plan_digest: String::new(),
        history_customers: rows as u64,
        customers,
        days: days + ask.window_days,
        metrics,
        replications: ask.replications,
        looks: ask.looks,
        false_positive_rate: nothing.0,
        false_ship_rate: nothing.1,
        power: something.0,
        ship_rate: something.1,
    })
}

/// What the first draw says of each metric's noise.
fn powers(review: &Review, plan: &Plan) -> Result<Vec<MetricPower>, ReviewError> {
    let mut powers = Vec::new();
    let Some((_, comparison)) = review.comparisons.first() else {
        return Ok(powers);
    };
    let guardrails = |metric: &&super::Metric| matches!(metric.role, Role::Guardrail(_));
    let goals = |metric: &&super::Metric| metric.role == Role::Success;
    let guarded = plan.metrics.iter().filter(guardrails).count();
    let family = plan.metrics.iter().filter(goals).count() * review.comparisons.len();
    for (_, metric) in &comparison.metrics {
        let (alpha, sides) = match metric.role {
            "success" => (plan.alpha.shared_by(family), Sides::Two),
            "guardrail" => (plan.alpha.half(), Sides::One),
            _ => continue,
        };
        let needed = Demand::new(alpha, plan.power, sides)
            .map_err(ReviewError::Design)?
            .with_guardrails(guarded);
        let (mean, se) = (metric.effects.raw.mean_c, metric.effects.judged.se);
        let effect = needed.minimal_detectable_effect(se);
        powers.push(MetricPower {
            name: metric.name.clone(),
            role: metric.role,
            mean,
            se,
            minimal_detectable_effect: effect,
            relative: effect / mean.abs(),
        });
    }
    Ok(powers)
}

struct Sample<'a> {
    history: &'a FlatTable,
    plan: &'a Plan,
    customers: usize,
}

impl Sample<'_> {
    /// Share of simulated experiments in which a metric was called better, and in which the verdict
    /// was to ship, at any look.
    fn rates(
        &self,
        rng: &mut ChaCha8Rng,
        ask: &PlanAsk,
        moved: &[(usize, f64)],
    ) -> Result<(f64, f64), ReviewError> {
        let (mut better, mut ship) = (0_u32, 0_u32);
        for _ in 0..ask.replications {
            let (drawn, arms) = self.rows(rng);
            let (mut any_better, mut any_ship) = (false, false);
            for look in 1..=ask.looks.max(1) {
                let seen = self.customers * look as usize / ask.looks.max(1) as usize;
                let table = self.table(&drawn[..seen], &arms[..seen], moved)?;
                // Too few for a look: nobody decides then.
                let Ok(review) = assemble::review(&table, self.plan, &[]) else {
                    continue;
                };
                let judged = |verdict: Verdict| verdict != Verdict::CannotJudge;
                for (_, one) in &review.comparisons {
                    let superior = one.metrics.iter().any(|(_, m)| m.superior == Some(true));
                    any_better |= superior && judged(one.decision.verdict);
                    any_ship |= one.decision.verdict == Verdict::Ship;
                }
            }
            better += u32::from(any_better);
            ship += u32::from(any_ship);
        }
        let of = f64::from(ask.replications.max(1));
        Ok((f64::from(better) / of, f64::from(ship) / of))
    }

    /// Rows of the history with replacement, and the arm of each by the planned shares.
    fn rows(&self, rng: &mut ChaCha8Rng) -> (Vec<usize>, Vec<usize>) {
        let shares: Vec<f64> = self.arms().into_iter().map(|(_, share)| share).collect();
        let mut drawn = Vec::with_capacity(self.customers);
        let mut arms = Vec::with_capacity(self.customers);
        for _ in 0..self.customers {
            drawn.push(rng.random_range(0..self.history.rows()));
            let mut rest: f64 = rng.random::<f64>() * shares.iter().sum::<f64>();
            let arm = shares.iter().position(|share| {
                rest -= share;
                rest < 0.0
            });
            arms.push(arm.unwrap_or(shares.len() - 1));
        }
        (drawn, arms)
    }

    /// The arms, the control first.
    fn arms(&self) -> Vec<(String, f64)> {
        let control = &self.plan.control;
        if self.plan.shares.is_empty() {
            return vec![(control.clone(), 0.5), ("treatment".to_owned(), 0.5)];
        }
        let mut arms = self.plan.shares.clone();
        arms.sort_by_key(|(name, _)| name != control);
        arms
    }

    fn table(
        &self,
        rows: &[usize],
        arms: &[usize],
        moved: &[(usize, f64)],
    ) -> Result<FlatTable, ReviewError> {
        let names = self.arms();
        let plan = self.plan;
        let mut wanted: Vec<&str> = plan
            .metrics
            .iter()
            .flat_map(super::Metric::columns)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let ids = (0..rows.len()).map(|row| Some(row.to_string())).collect();
        let of_arm = arms.iter().map(|arm| Some(names[*arm].0.clone())).collect();
        let mut columns = vec![
            Column {
                name: plan.customer.clone(),
                values: Values::Text(ids),
            },
            Column {
                name: plan.arm.clone(),
                values: Values::Text(of_arm),
            },
        ];
        for name in wanted {
            let source = self.history.numbers(name)?;
            let mut values: Vec<f64> = rows.iter().map(|row| source[*row]).collect();
            for (place, effect) in moved {
                self.shift(name, &mut values, rows, arms, (*place, *effect))?;
            }
            columns.push(Column {
                name: name.to_owned(),
                values: Values::Number(values),
            });
        }
        Ok(FlatTable::new(columns)?)
    }

    /// Moves the treatment's values of a metric, where `name` is the column that holds it.
    fn shift(
        &self,
        name: &str,
        values: &mut [f64],
        rows: &[usize],
        arms: &[usize],
        (place, effect): (usize, f64),
    ) -> Result<(), ReviewError> {
        let weights = match &self.plan.metrics[place].column {
            super::Column::Mean(column) if column == name => None,
            super::Column::Ratio {
                numerator,
                denominator,
            } if numerator == name => Some(self.history.numbers(denominator)?),
            _ => return Ok(()),
        };
        for ((value, row), arm) in values.iter_mut().zip(rows).zip(arms) {
            if *arm > 0 {
                *value += effect * weights.map_or(1.0, |weights| weights[*row]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
