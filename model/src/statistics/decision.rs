//! The decision rule, agreed before the start.
//!
//! Ship when **at least one** success metric is superior **and every** guardrail is shown to be
//! within its margin **and no** metric deteriorates **and** the experiment's integrity holds
//! (Schultzberg, Ankargren and Frånberg 2024, arXiv 2402.11609). The level is shared by the success
//! metrics only; guardrails are an intersection-union test and need no correction.
//!
//! A failed integrity check *withholds* the verdict: the numbers cannot be trusted either way. A
//! failed guardrail *is* the verdict.

use serde::Serialize;

use super::non_inferiority::GuardrailState;

/// What the rule needs to know of one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricEvidence {
    /// The metric's name.
    pub name: String,
    /// Its part in the decision.
    pub role: RoleEvidence,
    /// Whether it is shown to be worse than in the control arm (two-sided interval wholly bad).
    pub deteriorates: bool,
}

/// A metric's part in the decision, with what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "role")]
pub enum RoleEvidence {
    /// A goal of the experiment.
    Success {
        /// Shown to be better than the control, after correction for the other goals.
        superior: bool,
    },
    /// Something that must not be harmed beyond a margin.
    Guardrail {
        /// What was found.
        state: GuardrailState,
    },
    /// Shown, never decisive, not even by deteriorating.
    Informative,
}

/// Why a verdict is withheld.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "check")]
pub enum IntegrityFailure {
    /// The arms' sizes do not fit their shares.
    SampleRatio {
        /// p-value of the test of shares.
        p: f64,
    },
    /// Customers were seen in an arm of share zero.
    Leak {
        /// How many.
        customers: u64,
    },
    /// Customers were exposed to more than one arm.
    MixedExposure {
        /// How many.
        customers: u64,
    },
    /// The reviewed policy learnt from this experiment's customers although it must not.
    TrainingNotIsolated,
    /// The plan was changed after the start.
    PlanChanged,
    /// What an arm's logged probabilities say of the control is not what the control shows
    /// ([`super::agreement`]).
    OffPolicyDisagrees {
        /// The arm.
        arm: String,
    },
    /// Nobody, or nearly nobody, can be compared yet.
    TooFewCustomers {
        /// Customers in the smaller arm.
        smaller_arm: u64,
        /// Customers needed an arm.
        needed: u64,
    },
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The treatment is better, and harms nothing.
    Ship,
    /// Nothing is settled, and the planned end is not reached.
    KeepRunning,
    /// A guardrail or another metric is shown to be harmed.
    StopForHarm,
    /// The planned end is reached and the rule for shipping is not met.
    KeepControl,
    /// An integrity check failed.
    CannotJudge,
}

/// One ground of the verdict, for a sentence in any language.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// An integrity check failed.
    Integrity(IntegrityFailure),
    /// A guardrail is harmed.
    GuardrailHarmful {
        /// Its name.
        metric: String,
    },
    /// A metric is shown to be worse.
    Deteriorated {
        /// Its name.
        metric: String,
    },
    /// A success metric is shown to be better.
    Superior {
        /// Its name.
        metric: String,
    },
    /// No success metric is shown to be better.
    NoneSuperior,
    /// A guardrail is not yet shown to be safe.
    GuardrailOpen {
        /// Its name.
        metric: String,
    },
    /// Every guardrail is within its margin.
    GuardrailsSafe,
    /// The planned size is not reached.
    PlannedSizeNotReached {
        /// Customers so far.
        reached: u64,
        /// Customers planned.
        planned: u64,
    },
}

/// The verdict and its grounds, most important first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// How far the experiment has come, in customers of both arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Matured customers so far.
    pub reached: u64,
    /// Customers planned; zero when none were planned, which counts as reached.
    pub planned: u64,
}

impl Progress {
    fn complete(self) -> bool {
        self.reached >= self.planned
    }
}

/// Applies the rule.
#[must_use]
pub fn decide(
    failures: &[IntegrityFailure],
    metrics: &[MetricEvidence],
    progress: Progress,
) -> Decision {
    if !failures.is_empty() {
        return Decision {
            verdict: Verdict::CannotJudge,
            reasons: failures.iter().cloned().map(Reason::Integrity).collect(),
        };
    }
    let harm = harmed(metrics);
    if !harm.is_empty() {
        return Decision {
            verdict: Verdict::StopForHarm,
            reasons: harm,
        };
    }
    let superior: Vec<Reason> = metrics
        .iter()
        .filter(|m| m.role == RoleEvidence::Success { superior: true })
        .map(|m| Reason::Superior {
            metric: m.name.clone(),
        })
        .collect();
    let open: Vec<Reason> = metrics
        .iter()
        .filter(|m| matches!(m.role, RoleEvidence::Guardrail { state } if state != GuardrailState::Safe))
        .map(|m| Reason::GuardrailOpen { metric: m.name.clone() })
        .collect();
    let guarded = metrics
        .iter()
        .any(|m| matches!(m.role, RoleEvidence::Guardrail { .. }));
    let ships = !superior.is_empty() && open.is_empty();

    let mut reasons = if superior.is_empty() {
        vec![Reason::NoneSuperior]
    } else {
        superior
    };
    if open.is_empty() && guarded {
        reasons.push(Reason::GuardrailsSafe);
    }
    reasons.extend(open);
    let verdict = if ships {
        Verdict::Ship
    } else if progress.complete() {
        Verdict::KeepControl
    } else {
        reasons.push(Reason::PlannedSizeNotReached {
            reached: progress.reached,
            planned: progress.planned,
        });
        Verdict::KeepRunning
    };
    Decision { verdict, reasons }
}

fn harmed(metrics: &[MetricEvidence]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for metric in metrics {
        let name = metric.name.clone();
        match metric.role {
            RoleEvidence::Guardrail {
                state: GuardrailState::Harmful,
            } => reasons.push(Reason::GuardrailHarmful { metric: name }),
            RoleEvidence::Success { .. } | RoleEvidence::Guardrail { .. }
                if metric.deteriorates =>
            {
                reasons.push(Reason::Deteriorated { metric: name });
            }
            _ => {}
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success(superior: bool, deteriorates: bool) -> MetricEvidence {
        MetricEvidence {
            name: "cash".into(),
            role: RoleEvidence::Success { superior },
            deteriorates,
        }
    }

    fn guardrail(state: GuardrailState) -> MetricEvidence {
        MetricEvidence {
            name: "complaints".into(),
            role: RoleEvidence::Guardrail { state },
            deteriorates: false,
        }
    }

    const HALFWAY: Progress = Progress {
        reached: 500,
        planned: 1000,
    };
    const DONE: Progress = Progress {
        reached: 1000,
        planned: 1000,
    };

    #[test]
    fn ships_only_with_success_and_every_guardrail_safe() {
        let safe = guardrail(GuardrailState::Safe);
        let open = guardrail(GuardrailState::NotYetShownSafe);
        let verdict = |metrics: &[MetricEvidence], progress| decide(&[], metrics, progress).verdict;
        assert_eq!(
            verdict(&[success(true, false), safe.clone()], HALFWAY),
            Verdict::Ship
        );
        assert_eq!(
            verdict(&[success(true, false), open.clone()], HALFWAY),
            Verdict::KeepRunning
        );
        assert_eq!(
            verdict(&[success(true, false), open], DONE),
            Verdict::KeepControl
        );
        assert_eq!(
            verdict(&[success(false, false), safe], DONE),
            Verdict::KeepControl
        );
    }

    #[test]
    fn harm_is_shown_and_a_broken_experiment_is_not_judged() {
        let harmful = guardrail(GuardrailState::Harmful);
        let harmed = decide(&[], &[success(true, false), harmful.clone()], HALFWAY);
        assert_eq!(harmed.verdict, Verdict::StopForHarm);
        assert_eq!(
            decide(&[], &[success(false, true)], HALFWAY).verdict,
            Verdict::StopForHarm
        );
        let broken = decide(
            &[IntegrityFailure::PlanChanged],
            &[success(true, false), harmful],
            DONE,
        );
        assert_eq!(broken.verdict, Verdict::CannotJudge);
        assert_eq!(
            broken.reasons,
            [Reason::Integrity(IntegrityFailure::PlanChanged)]
        );
    }
}
