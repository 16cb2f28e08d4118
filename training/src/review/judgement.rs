//! The verdicts: integrity first, then the rule agreed beforehand.

use lagom_model::statistics::{
    decision::{IntegrityFailure, MetricEvidence, Progress, RoleEvidence, decide},
    srm::{self, SrmTest},
};

use super::{
    cohort::Cohort,
    plan::Plan,
    report::{Comparison, Family},
    sentence,
};

/// Customers an arm below which nothing is judged.
const FEWEST: u64 = 100;

/// Share of customers in several arms above which nothing is judged.
const MIXED_TOLERATED: f64 = 0.01;

/// The integrity checks that a table of customers allows.
pub(super) fn integrity(cohort: &Cohort, shares: &SrmTest) -> Vec<IntegrityFailure> {
    let mut failures = Vec::new();
    if shares.leak_units > 0 {
        failures.push(IntegrityFailure::Leak {
            customers: shares.leak_units,
        });
    }
    if shares.p < srm::ALPHA {
        failures.push(IntegrityFailure::SampleRatio { p: shares.p });
    }
    let mixed = cohort.exclusions.mixed_customers;
    let assigned: u64 = cohort.assigned.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of customers")]
    let mixed_share = mixed as f64 / (assigned + mixed) as f64;
    if mixed_share > MIXED_TOLERATED {
        failures.push(IntegrityFailure::MixedExposure { customers: mixed });
    }
    let arms = std::iter::once(cohort.control()).chain(cohort.treatments());
    let smaller_arm = arms.map(|arm| arm.rows.len() as u64).min().unwrap_or(0);
    if smaller_arm < FEWEST {
        failures.push(IntegrityFailure::TooFewCustomers {
            smaller_arm,
            needed: FEWEST,
        });
    }
    failures
}

/// Applies the decision rule to every comparison.
pub(super) fn apply(
    comparisons: &mut [(String, Comparison)],
    family: &Family,
    failures: &[IntegrityFailure],
    plan: &Plan,
) {
    let reached: u64 = comparisons.iter().map(|(_, c)| c.customers_t).sum::<u64>()
        + comparisons.first().map_or(0, |(_, c)| c.customers_c);
    let progress = Progress {
        reached,
        planned: plan.planned_customers,
    };
    for (key, comparison) in comparisons {
        let mut evidence = Vec::new();
        for (metric_key, metric) in &mut comparison.metrics {
            if metric.role == "success" {
                let name = format!("{key}/{metric_key}");
                let p = family
                    .names
                    .iter()
                    .position(|n| *n == name)
                    .map(|at| family.holm[at]);
                let better = metric
                    .direction
                    .is_some_and(|d| d.good(metric.effects.judged.diff) > 0.0);
                metric.p_holm = p;
                metric.superior = Some(better && p.is_some_and(|p| p < plan.alpha.value()));
            }
            evidence.push(MetricEvidence {
                name: metric.name.clone(),
                role: match (&metric.guardrail, metric.superior) {
                    (Some(guardrail), _) => RoleEvidence::Guardrail {
                        state: guardrail.state,
                    },
                    (None, Some(superior)) => RoleEvidence::Success { superior },
                    (None, None) => RoleEvidence::Informative,
                },
                deteriorates: metric.deteriorates.unwrap_or(false),
            });
        }
        comparison.decision = decide(failures, &evidence, progress);
        comparison.sentence =
            sentence::of(&comparison.decision, &plan.control, &comparison.treatment);
    }
}
