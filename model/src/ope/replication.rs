//! Are the estimators, intervals and the gate right about a world whose truth is known?
//!
//! The world of [`study`](super::study) is drawn again and again; what is estimated from each log
//! is held against the truth in closed form.

use super::error::OpeError;
use super::estimate::Estimate;
use super::gate::GateSpec;
use super::interval::skewed;
use super::numeric::{mean, real, sum};
use super::round::Round;
use super::sequence::{EmpiricalBernstein, Wealth, asymptotic};
use super::study::{
    FirstStep, LOGGED, Log, Reminding, first_payment, first_steps, judged, lucky, truth,
};
use serde::Serialize;

/// The policy that is valued.
const TARGET: Reminding = Reminding([0.7, 0.4]);
/// Customers of a log, with one to three lives each.
const CUSTOMERS: u32 = 1_000;
/// Rounds of a log that is watched from its first to its last.
const WATCHED: usize = 2_000;
/// A watched log is looked at after every so many rounds.
const LOOK: usize = 20;
/// Rounds before the first look at the asymptotic sequence, which promises nothing earlier.
const BURN_IN: usize = 100;
const CONFIDENCE: f64 = 0.95;
/// Policies to be put in order, on one log of so many customers.
const POLICIES: usize = 50;
const ORDERED: u32 = 10_000;
/// Verdicts of the gate on each kind of candidate at most: one costs as much as twenty logs.
const VERDICTS: u32 = 400;

/// How right an estimator was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    /// Its name.
    pub name: &'static str,
    /// Mean of its values, less the truth.
    pub bias: f64,
    /// Standard error of that mean.
    pub monte_carlo_error: f64,
    /// Share of 95 % intervals, clustered by customer, that held the truth.
    pub coverage: f64,
}

/// How often a sequence held the truth at every look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Watched {
    /// Its name.
    pub name: &'static str,
    /// Share of logs at none of whose looks the truth was lost.
    pub coverage: f64,
}

/// How often the gate was right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateRate {
    /// What kind of candidate it was shown.
    pub candidate: &'static str,
    /// On logs of so many customers.
    pub customers: u32,
    /// How often.
    pub judged: u32,
    /// Share of right verdicts.
    pub right: f64,
}

/// What the study found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replication {
    /// Logs drawn for every figure but the last two.
    pub replications: u32,
    /// Customers of each.
    pub customers: u32,
    /// The true value of a life.
    pub truth: f64,
    /// Estimators of the episode value.
    pub estimators: Vec<Coverage>,
    /// Sequences over one-step values.
    pub sequences: Vec<Watched>,
    /// Policies that were put in order.
    pub policies: usize,
    /// Pearson correlation of their estimated and true values.
    pub correlation: f64,
    /// Verdicts of the gate.
    pub gate: Vec<GateRate>,
}

impl Replication {
    /// Whether everything is as promised: no bias beyond four Monte-Carlo errors, 95 ± 1.5 % of
    /// intervals and at least 95 % of sequences right (with three standard errors of leave where
    /// few logs were drawn), a correlation of at least 0.95, and 95 % of verdicts right.
    #[must_use]
    pub fn holds(&self) -> bool {
        let leave = 3.0 * (CONFIDENCE * (1.0 - CONFIDENCE) / f64::from(self.replications)).sqrt();
        self.estimators.iter().all(|one| {
            one.bias.abs() <= 4.0 * one.monte_carlo_error
                && (one.coverage - CONFIDENCE).abs() <= leave.max(0.015)
        }) && self
            .sequences
            .iter()
            .all(|one| one.coverage >= CONFIDENCE - leave)
            && self.correlation >= 0.95
            && self.gate.iter().all(|one| one.right >= 0.95)
    }
}

/// Draws the world `replications` times, from `seed` on.
///
/// # Errors
/// What the estimators refuse; no replications.
pub fn replicate(replications: u32, seed: u64) -> Result<Replication, OpeError> {
    if replications < 2 {
        return Err(OpeError::Parameter {
            name: "the number of replications",
            value: f64::from(replications),
            allowed: "at least 2",
        });
    }
    Ok(Replication {
        replications,
        customers: CUSTOMERS,
        truth: truth(TARGET),
        estimators: estimators(replications, seed)?,
        sequences: sequences(replications, seed)?,
        policies: POLICIES,
        correlation: ordered(seed)?,
        gate: gate(replications.min(VERDICTS), seed)?,
    })
}

fn estimators(replications: u32, seed: u64) -> Result<Vec<Coverage>, OpeError> {
    const NAMES: [&str; 3] = [
        "per-decision",
        "per-decision, self-normalised",
        "sequential doubly robust",
    ];
    let mut found = NAMES.map(|_| (Vec::new(), 0_u32));
    for one in 0..u64::from(replications) {
        let log = Log::draw(seed + one, CUSTOMERS);
        let worth = log.lives.value(&log.follow(TARGET))?.swap_remove(0);
        let weighted = worth.weighted.ok_or_else(|| OpeError::Missing {
            estimator: NAMES[1].to_owned(),
            what: "weights at every step",
        })?;
        let estimates = [worth.per_decision, weighted, worth.doubly_robust];
        for (estimate, (values, covered)) in estimates.iter().zip(&mut found) {
            let interval = skewed(estimate, Some(log.lives.customers()), CONFIDENCE)?;
            *covered += u32::from(interval.covers(truth(TARGET)));
            values.push(estimate.value);
        }
    }
    let coverage = |(name, (values, covered)): (&'static str, (Vec<f64>, u32))| {
        let (mean, spread) = moments(&values);
        Coverage {
            name,
            bias: mean - truth(TARGET),
            monte_carlo_error: spread / f64::from(replications).sqrt(),
            coverage: f64::from(covered) / f64::from(replications),
        }
    };
    Ok(NAMES.into_iter().zip(found).map(coverage).collect())
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = mean(values);
    let squares = sum(values.iter().map(|value| (value - mean).powi(2)));
    (mean, (squares / real(values.len() - 1)).sqrt())
}

fn sequences(replications: u32, seed: u64) -> Result<Vec<Watched>, OpeError> {
    const NAMES: [&str; 4] = [
        "wealth",
        "empirical Bernstein",
        "empirical Bernstein, doubly robust",
        "asymptotic",
    ];
    let mut held = [0_u32; 4];
    for one in 0..u64::from(replications) {
        let steps = first_steps(seed + one, WATCHED);
        for (count, kept) in held.iter_mut().zip(watch(&steps)?) {
            *count += u32::from(kept);
        }
    }
    let watched = |(name, count)| Watched {
        name,
        coverage: f64::from(count) / f64::from(replications),
    };
    Ok(NAMES.into_iter().zip(held).map(watched).collect())
}

/// Whether each sequence held the truth at every look.
fn watch(steps: &[FirstStep]) -> Result<[bool; 4], OpeError> {
    let truth = first_payment(TARGET);
    let unit = (0.0, 1.0);
    let mut wealth = Wealth::new(unit, CONFIDENCE)?;
    let mut plain = EmpiricalBernstein::new(0.0, unit, CONFIDENCE)?;
    let mut robust = EmpiricalBernstein::new(1.0, unit, CONFIDENCE)?;
    let mut weighed = Vec::with_capacity(steps.len());
    let mut held = [true; 4];
    for (place, step) in steps.iter().enumerate() {
        let shares = |policy: Reminding| [1.0 - policy.0[step.kind], policy.0[step.kind]];
        let (target, logging) = (shares(TARGET), shares(LOGGED));
        let action = usize::from(step.reminded);
        let round = Round {
            action,
            reward: f64::from(u8::from(step.paid)),
            propensity: logging[action],
            target: &target,
            logging: Some(&logging),
            // A model of somebody who has seen other customers, and is a little wrong.
            predicted: Some(&[0.2, 0.35]),
        };
        wealth.push(round.weight(), round.reward)?;
        plain.push(&round)?;
        robust.push(&round)?;
        weighed.push(round.weight() * round.reward);
        if (place + 1) % LOOK == 0 {
            held[0] &= wealth.interval().covers(truth);
            held[1] &= plain.interval().covers(truth);
            held[2] &= robust.interval().covers(truth);
            if place >= BURN_IN {
                let now = asymptotic(
                    &Estimate::mean_of(&weighed),
                    None,
                    real(WATCHED),
                    CONFIDENCE,
                )?;
                held[3] &= now.covers(truth);
            }
        }
    }
    Ok(held)
}

/// Correlation of estimated and true values over policies all over the square.
fn ordered(seed: u64) -> Result<f64, OpeError> {
    let log = Log::draw(seed, ORDERED);
    let (mut estimated, mut true_values) = (Vec::new(), Vec::new());
    for place in 0..POLICIES {
        let (row, column) = (place / 5, place % 5);
        let policy = Reminding([0.05 + 0.1 * real(row), 0.1 + 0.2 * real(column)]);
        let worth = log.lives.value(&log.follow(policy))?.swap_remove(0);
        estimated.push(worth.doubly_robust.value);
        true_values.push(truth(policy));
    }
    let ((mean, spread), (true_mean, true_spread)) = (moments(&estimated), moments(&true_values));
    let together: f64 = estimated
        .iter()
        .zip(&true_values)
        .map(|(value, true_value)| (value - mean) * (true_value - true_mean))
        .sum();
    Ok(together / (real(POLICIES - 1) * spread * true_spread))
}

fn gate(verdicts: u32, seed: u64) -> Result<Vec<GateRate>, OpeError> {
    // The world's better policies remind more than its log does: contacts are not what is tried.
    let spec = GateSpec {
        contacts: 2.0,
        ..GateSpec::default()
    };
    let kinds = [
        ("better", 4_000, true),
        ("worse", 2_000, false),
        ("lucky", 1_000, false),
        ("unsupported", 150, false),
    ];
    let mut rates = Vec::with_capacity(kinds.len());
    for (candidate, customers, passes) in kinds {
        let mut right = 0;
        for one in 0..u64::from(verdicts) {
            let policy = match candidate {
                "better" => Reminding([0.9, 0.2]),
                "worse" => Reminding([0.2, 0.5]),
                "lucky" => lucky(seed + 1_000_000 + one)?,
                _ => Reminding([1.0, 1.0]),
            };
            let verdict = judged(seed + one, customers, policy, &spec)?;
            right += u32::from(verdict.passed == passes);
        }
        rates.push(GateRate {
            candidate,
            customers,
            judged: verdicts,
            right: f64::from(right) / f64::from(verdicts),
        });
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_small_study_finds_what_is_promised() {
        let found = replicate(60, 1).unwrap();
        assert!(found.holds(), "{found:#?}");
        assert!(replicate(1, 1).is_err());
    }

    #[test]
    fn a_study_that_finds_otherwise_does_not_hold() {
        let found = replicate(20, 5).unwrap();
        let biased = |bias| Replication {
            estimators: vec![Coverage {
                bias,
                ..found.estimators[0].clone()
            }],
            ..found.clone()
        };
        assert!(!biased(0.5).holds());
        let unsafe_gate = Replication {
            gate: vec![GateRate {
                right: 0.5,
                ..found.gate[0].clone()
            }],
            ..found.clone()
        };
        assert!(!unsafe_gate.holds());
    }
}
