//! The gate: whether the evidence allows a candidate to take over from the incumbent.
//!
//! It asks for everything at once: enough evidence, honest probabilities, a value whose lower
//! bound beats the incumbent's by the margin, and customers who are not treated worse.

use super::{
    calibration::Calibration,
    error::OpeError,
    estimate::Estimate,
    interval::skewed,
    overlap::{Overlap, Requirements},
};
use serde::{Deserialize, Serialize};

/// What a company demands of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GateSpec {
    /// Confidence of the two-sided intervals whose ends are asked, in (0.5, 1).
    pub confidence: f64,
    /// By how much the value of a life must be better, in the units of the value.
    pub margin: f64,
    /// Lives there must be.
    pub lives: usize,
    /// Effective number of lives (and customers) there must be.
    pub ess: f64,
    /// Least p-value of the test that actions were drawn with the logged probabilities.
    pub calibration: f64,
    /// How many more customers may be lost, a life.
    pub churn: f64,
    /// How many more complaints there may be, a life.
    pub complaints: f64,
    /// How many more contacts there may be, as a share of the incumbent's.
    pub contacts: f64,
}

impl Default for GateSpec {
    fn default() -> Self {
        Self {
            confidence: 0.95,
            margin: 0.0,
            lives: 500,
            ess: 200.0,
            calibration: 1e-3,
            churn: 0.01,
            complaints: 0.005,
            contacts: 0.25,
        }
    }
}

/// A metric under both policies on the same lives.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// Under the candidate.
    pub candidate: &'a Estimate,
    /// Under the incumbent.
    pub incumbent: &'a Estimate,
}

/// What the gate is shown.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// Number of each life's customer, from 0.
    pub customers: &'a [u32],
    /// Weights of whole lives under the candidate, then under the incumbent.
    pub overlap: [&'a Overlap; 2],
    /// Actions against logged probabilities.
    pub calibration: Option<&'a Calibration>,
    /// Why the candidate or its judges cannot be trusted on these lives, beforehand.
    pub objections: Vec<String>,
    /// The value of a life by the objective.
    pub value: Pair<'a>,
    /// Customers lost, a life.
    pub churn: Pair<'a>,
    /// Complaints, a life, where they are counted.
    pub complaints: Option<Pair<'a>>,
    /// Contacts, a life.
    pub contacts: Pair<'a>,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What is asked: `evidence`, `calibration`, `value`, `churn` and so on.
    pub name: String,
    /// Whether the answer lets the candidate through.
    pub passed: bool,
    /// The answer in words, with its numbers.
    pub words: String,
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the candidate may take over.
    pub passed: bool,
    /// Why, in a sentence or two.
    pub words: String,
    /// Every question.
    pub checks: Vec<Check>,
}

impl Verdict {
    /// The verdict of these checks: all must pass.
    #[must_use]
    pub fn of(checks: Vec<Check>) -> Self {
        let failed: Vec<&str> = checks
            .iter()
            .filter(|check| !check.passed)
            .map(|check| check.words.as_str())
            .collect();
        let words = if failed.is_empty() {
            let value = checks.iter().find(|check| check.name == "value");
            format!(
                "may take over: {}",
                value.map_or("nothing speaks against it", |check| check.words.as_str())
            )
        } else {
            format!("may not take over: {}", failed.join("; "))
        };
        Self {
            passed: failed.is_empty(),
            words,
            checks,
        }
    }
}

/// Judges.
///
/// # Errors
/// Estimates of different lives, or a confidence that is none.
pub fn judge(spec: &GateSpec, evidence: &Evidence<'_>) -> Result<Verdict, OpeError> {
    let mut checks = vec![enough(spec, evidence)];
    for objection in &evidence.objections {
        checks.push(check("trust", false, objection.clone()));
    }
    checks.push(honest(spec, evidence.calibration));
    let gain = difference(&evidence.value)?;
    let interval = skewed(&gain, Some(evidence.customers), spec.confidence)?;
    let (low, high, margin) = (interval.low, interval.high, spec.margin);
    checks.push(check(
        "value",
        low > margin,
        if low > margin {
            format!(
                "a life is worth {:.4} more ({low:.4} to {high:.4}), above the margin {margin}",
                gain.value
            )
        } else {
            format!(
                "a life is worth {:.4} more ({low:.4} to {high:.4}); the lower end must be above \
                 {margin}",
                gain.value
            )
        },
    ));
    checks.push(no_worse(
        spec,
        evidence,
        "churn",
        &evidence.churn,
        spec.churn,
    )?);
    if let Some(complaints) = &evidence.complaints {
        let allowed = spec.complaints;
        checks.push(no_worse(spec, evidence, "complaints", complaints, allowed)?);
    }
    let contacts = &evidence.contacts;
    let allowed = spec.contacts * contacts.incumbent.value.max(0.0);
    checks.push(no_worse(spec, evidence, "contacts", contacts, allowed)?);
    Ok(Verdict::of(checks))
}

fn check(name: &str, passed: bool, words: String) -> Check {
    Check {
        name: name.to_owned(),
        passed,
        words,
    }
}

fn difference(pair: &Pair<'_>) -> Result<Estimate, OpeError> {
    pair.candidate.minus(pair.incumbent)
}

fn enough(spec: &GateSpec, evidence: &Evidence<'_>) -> Check {
    let lives = evidence.customers.len();
    let required = Requirements {
        ess: spec.ess,
        ..Requirements::default()
    };
    let mut lacks = Vec::new();
    if lives < spec.lives {
        lacks.push(format!("{lives} lives, below {}", spec.lives));
    }
    for (who, overlap) in ["candidate", "incumbent"].iter().zip(evidence.overlap) {
        let shortfalls = overlap.shortfalls(&required);
        lacks.extend(shortfalls.iter().map(|one| format!("{who}: {one}")));
    }
    let words = if lacks.is_empty() {
        let ess = evidence.overlap[0].ess;
        format!("{lives} lives, effectively {ess:.0} under the candidate")
    } else {
        format!("not enough evidence ({})", lacks.join(", "))
    };
    check("evidence", lacks.is_empty(), words)
}

fn honest(spec: &GateSpec, calibration: Option<&Calibration>) -> Check {
    let Some(calibration) = calibration else {
        let words = "the log lacks probabilities, so they cannot be checked".to_owned();
        return check("calibration", false, words);
    };
    let p = calibration.p_value;
    let passed = p >= spec.calibration;
    let words = if passed {
        format!("actions were drawn as logged (p = {p:.3})")
    } else {
        format!("actions were not drawn with the probabilities logged (p = {p:.1e})")
    };
    check("calibration", passed, words)
}

/// Whether the upper end of what the candidate adds to a harm stays within what is allowed.
fn no_worse(
    spec: &GateSpec,
    evidence: &Evidence<'_>,
    name: &str,
    pair: &Pair<'_>,
    allowed: f64,
) -> Result<Check, OpeError> {
    let added = difference(pair)?;
    let interval = skewed(&added, Some(evidence.customers), spec.confidence)?;
    let (low, high) = (interval.low, interval.high);
    let state = if high <= allowed {
        "not worse"
    } else if low > 0.0 {
        "worse"
    } else {
        "not yet shown to be no worse"
    };
    let words = format!(
        "{name} {state}: {:+.4} a life ({low:+.4} to {high:+.4}), {allowed:.4} allowed",
        added.value
    );
    Ok(check(name, high <= allowed, words))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ope::study::{self, Reminding};

    fn judged(seed: u64, customers: u32, candidate: Reminding, spec: &GateSpec) -> Verdict {
        study::judged(seed, customers, candidate, spec).unwrap()
    }

    fn lenient() -> GateSpec {
        GateSpec {
            contacts: 2.0,
            ..GateSpec::default()
        }
    }

    fn passes(customers: u32, candidate: Reminding) -> u32 {
        (0..100)
            .map(|seed| u32::from(judged(seed, customers, candidate, &lenient()).passed))
            .sum()
    }

    #[test]
    fn a_better_policy_passes() {
        assert!(passes(4_000, Reminding([0.9, 0.2])) >= 95);
    }

    #[test]
    fn a_worse_policy_is_stopped() {
        assert_eq!(passes(2_000, Reminding([0.2, 0.5])), 0);
    }

    #[test]
    fn a_policy_that_was_only_lucky_is_stopped() {
        let spec = lenient();
        let mut passed = 0;
        for seed in 0..100 {
            let lucky = study::lucky(1_000 + seed).unwrap();
            passed += u32::from(judged(seed, 1_000, lucky, &spec).passed);
        }
        assert!(passed <= 5, "{passed}");
    }

    #[test]
    fn an_unsupported_policy_is_stopped_for_want_of_evidence() {
        for seed in 0..50 {
            let verdict = judged(seed, 150, Reminding([1.0, 1.0]), &lenient());
            assert!(!verdict.passed && verdict.words.contains("not enough evidence"));
        }
    }

    #[test]
    fn a_better_value_does_not_buy_harm_or_hindsight() {
        let candidate = Reminding([0.9, 0.2]);
        let verdict = judged(1, 4_000, candidate, &GateSpec::default());
        assert!(
            !verdict.passed && verdict.words.contains("contacts worse"),
            "{verdict:?}"
        );
        let strict = GateSpec {
            margin: 10.0,
            ..lenient()
        };
        assert!(!judged(1, 4_000, candidate, &strict).passed);
    }
}
