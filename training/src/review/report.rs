//! The document of a review and how it is put together.

use lagom_model::statistics::{
    balance::standardised_mean_difference,
    decision::{Decision, IntegrityFailure, MetricEvidence, Progress, RoleEvidence, decide},
    effect::Effect,
    multiplicity,
    non_inferiority::Direction,
    srm::{self, SrmTest},
};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    cohort::{Arm, Cohort},
    effects::{Contest, Design, Effects},
    error::ReviewError,
    guardrail::{self, GuardrailReport},
    over_time::{self, DailyLook},
    plan::{IntervalRule, Metric, Plan, Role},
    segments::{SegmentReport, SegmentRows},
    sentence,
    values::MetricValues,
};
use crate::flat_table::FlatTable;

/// Customers an arm below which nothing is judged.
const FEWEST: u64 = 100;

/// Share of customers in several arms above which nothing is judged.
const MIXED_TOLERATED: f64 = 0.01;

/// A reviewed experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Review {
    /// Form of this document.
    pub schema_version: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// BLAKE3 of the plan's file; empty for a plan at hand.
    pub plan_digest: String,
    /// BLAKE3 of the facts' file; empty for a table at hand.
    pub facts_digest: String,
    /// The control arm.
    pub control: String,
    /// The plan's level.
    pub alpha: f64,
    /// The plan's rule for intervals.
    pub interval: IntervalRule,
    /// Customers planned, all arms together; zero when none were.
    pub planned_customers: u64,
    /// Customers compared, all arms together.
    pub customers: u64,
    /// The arms in the order of every list in this document, the control first.
    pub arms: Vec<String>,
    /// Their planned shares.
    pub shares: Vec<f64>,
    /// Who was left out.
    pub exclusions: Exclusions,
    /// The test of the arms' sizes as assigned.
    pub srm: SrmTest,
    /// The same watched from day to day, where the plan names a day of enrolment.
    pub seq_srm: Option<SequentialShares>,
    /// Integrity checks that failed; any of them withholds the verdicts.
    pub integrity_failures: Vec<IntegrityFailure>,
    /// The family of all success metrics in all arms.
    pub multiplicity: Family,
    /// Metrics that decide nothing, for exploration: read `bh`.
    pub exploratory: Family,
    /// One comparison a treatment arm, keyed `CONTROL_vs_ARM`.
    #[serde(serialize_with = "keyed")]
    pub comparisons: Vec<(String, Comparison)>,
}

/// Rows of the table that were not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Exclusions {
    /// Rows without an arm.
    pub without_arm: u64,
    /// Customers seen in several arms.
    pub mixed_customers: u64,
    /// Their rows, and rows without a customer.
    pub rows_of_mixed_or_nameless: u64,
    /// Customers whose window is still open.
    pub immature: u64,
}

/// The sequential test of the arms' shares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SequentialShares {
    /// Concentration of the prior.
    pub k: f64,
    /// Days of enrolment.
    pub days: Vec<i64>,
    /// Logarithm of the Bayes factor after each.
    pub log_bf_by_day: Vec<f64>,
    /// The last of them.
    pub final_log_bf: f64,
    /// `min(1, 1/BF)` after the last day.
    pub final_p: f64,
    /// The smallest p-value of all days.
    pub running_min_p: f64,
}

/// A family of hypotheses with adjusted p-values, all in the order of `names`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Family {
    /// `CONTROL_vs_ARM/mean.NAME` or `…/ratio.NAME`.
    pub names: Vec<String>,
    /// p-values by the plan's rule.
    pub p: Vec<f64>,
    /// Bonferroni.
    pub bonferroni: Vec<f64>,
    /// Holm: what superiority is judged by.
    pub holm: Vec<f64>,
    /// Hochberg.
    pub hochberg: Vec<f64>,
    /// Benjamini–Hochberg.
    pub bh: Vec<f64>,
    /// Benjamini–Yekutieli.
    pub by: Vec<f64>,
}

/// One arm against the control.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The arm compared.
    pub treatment: String,
    /// Its customers.
    pub customers_t: u64,
    /// The control's customers.
    pub customers_c: u64,
    /// The verdict by the rule agreed beforehand.
    pub decision: Decision,
    /// The verdict in a sentence.
    pub sentence: String,
    /// Covariates before the experiment: were the arms alike?
    #[serde(serialize_with = "keyed")]
    pub balance: Vec<(String, Balance)>,
    /// The metrics in the plan's order, keyed `mean.NAME` or `ratio.NAME`.
    #[serde(serialize_with = "keyed")]
    pub metrics: Vec<(String, MetricReport)>,
}

/// A covariate compared between the arms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Balance {
    /// Its difference.
    #[serde(flatten)]
    pub effect: Effect,
    /// The standardised mean difference; 0.1 is notable.
    pub smd: f64,
}

/// One metric of one arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricReport {
    /// Its name in the plan.
    pub name: String,
    /// Its part in the decision: `success`, `guardrail`, `informative`.
    pub role: &'static str,
    /// Which way is good; absent when it is not judged.
    pub direction: Option<Direction>,
    /// All estimates and intervals.
    #[serde(flatten)]
    pub effects: Effects,
    /// A success metric's p-value adjusted by Holm within the family.
    pub p_holm: Option<f64>,
    /// A success metric shown to be better.
    pub superior: Option<bool>,
    /// Shown to be worse; absent when not judged.
    pub deteriorates: Option<bool>,
    /// A guardrail's margin and state.
    pub guardrail: Option<GuardrailReport>,
    /// By segment, one report a segmentation of the plan.
    pub segments: Vec<SegmentReport>,
    /// By day of enrolment (cumulative), where the plan names one.
    pub daily_cs: Vec<DailyLook>,
}

/// Reviews `table` by `plan`.
pub(super) fn review(table: &FlatTable, plan: &Plan) -> Result<Review, ReviewError> {
    let cohort = Cohort::of(table, plan)?;
    let shares = cohort.shares(plan);
    let enrolled = match &plan.enrolled {
        Some(column) => Some(table.numbers(column)?),
        None => None,
    };
    let assigned = SrmTest::of_weights(&cohort.assigned, &shares).map_err(ReviewError::Design)?;
    let values = plan
        .metrics
        .iter()
        .map(|metric| MetricValues::of(table, metric, &cohort))
        .collect::<Result<Vec<_>, _>>()?;
    let bench = Bench {
        table,
        plan,
        cohort: &cohort,
        values: &values,
        enrolled,
        shares: &shares,
    };
    let mut comparisons = Vec::new();
    for treatment in cohort.treatments() {
        comparisons.push((
            format!("{}_vs_{}", plan.control, treatment.name),
            bench.compare(treatment)?,
        ));
    }
    let failures = integrity(&cohort, &assigned);
    let multiplicity = Family::of(&comparisons, "success");
    let exploratory = Family::of(&comparisons, "informative");
    judge(&mut comparisons, &multiplicity, &failures, plan);
    Ok(Review {
        schema_version: 1,
        experiment: plan.experiment.clone(),
        plan_digest: String::new(),
        facts_digest: String::new(),
        control: plan.control.clone(),
        alpha: plan.alpha.value(),
        interval: plan.interval,
        planned_customers: plan.planned_customers,
        customers: cohort.arms.iter().map(|arm| arm.rows.len() as u64).sum(),
        arms: cohort.arms.iter().map(|arm| arm.name.clone()).collect(),
        seq_srm: enrolled
            .map(|days| over_time::shares(days, &cohort, &shares))
            .transpose()?,
        shares,
        exclusions: cohort.exclusions,
        srm: assigned,
        integrity_failures: failures,
        multiplicity,
        exploratory,
        comparisons,
    })
}

/// What every comparison works on.
struct Bench<'a> {
    table: &'a FlatTable,
    plan: &'a Plan,
    cohort: &'a Cohort,
    values: &'a [MetricValues],
    enrolled: Option<&'a [f64]>,
    shares: &'a [f64],
}

impl Bench<'_> {
    fn compare(&self, treatment: &Arm) -> Result<Comparison, ReviewError> {
        let control = self.cohort.control();
        let segments = self
            .plan
            .segments
            .iter()
            .map(|segment| SegmentRows::of(self.table, segment, control, treatment))
            .collect::<Result<Vec<_>, _>>()?;
        let mut metrics = Vec::new();
        for (metric, values) in self.plan.metrics.iter().zip(self.values) {
            metrics.push((
                metric.key(),
                self.metric(metric, values, treatment, &segments)?,
            ));
        }
        Ok(Comparison {
            treatment: treatment.name.clone(),
            customers_t: treatment.rows.len() as u64,
            customers_c: control.rows.len() as u64,
            decision: decide(
                &[],
                &[],
                Progress {
                    reached: 0,
                    planned: 0,
                },
            ),
            sentence: String::new(),
            balance: self.balance(treatment)?,
            metrics,
        })
    }

    fn metric(
        &self,
        metric: &Metric,
        values: &MetricValues,
        treatment: &Arm,
        segments: &[SegmentRows],
    ) -> Result<MetricReport, ReviewError> {
        let plan = self.plan;
        let control = self.cohort.control();
        let (control_values, treatment_values) =
            (values.arm(&control.rows), values.arm(&treatment.rows));
        let fault = |source| ReviewError::Statistics {
            metric: metric.name.clone(),
            arm: treatment.name.clone(),
            control: control.name.clone(),
            source,
        };
        #[expect(clippy::cast_precision_loss, reason = "a count of customers")]
        let reached = (control_values.len() + treatment_values.len()) as f64;
        let design = Design::of(plan, self.share_of_both(treatment), reached);
        let family = self.cohort.treatments().count()
            * plan
                .metrics
                .iter()
                .filter(|m| m.role == Role::Success)
                .count();
        let contest = Contest {
            plan,
            metric,
            values,
            control: &control_values,
            treatment: &treatment_values,
            design,
            alpha: match metric.role {
                Role::Success => plan.alpha.shared_by(family),
                Role::Guardrail(_) | Role::Informative => plan.alpha,
            },
        };
        let effects = contest.effects().map_err(fault)?;
        let guardrail = match (metric.role, metric.direction) {
            (Role::Guardrail(margin), Some(direction)) => {
                Some(guardrail::judge(&contest, &effects, margin, direction).map_err(fault)?)
            }
            _ => None,
        };
        let deteriorates = match metric.direction {
            None => None,
            Some(direction) => {
                let (ci, _) = design
                    .interval(reached, effects.judged.diff, effects.judged.se, plan.alpha)
                    .map_err(fault)?;
                Some(direction.good_interval(ci).high < 0.0)
            }
        };
        let decisive = metric.role != Role::Informative;
        Ok(MetricReport {
            name: metric.name.clone(),
            role: match metric.role {
                Role::Success => "success",
                Role::Guardrail(_) => "guardrail",
                Role::Informative => "informative",
            },
            direction: metric.direction,
            p_holm: None,
            superior: None,
            deteriorates,
            guardrail,
            segments: segments
                .iter()
                .map(|rows| rows.report(values, plan.alpha))
                .collect::<Result<_, _>>()
                .map_err(fault)?,
            daily_cs: match self.enrolled {
                Some(days) if decisive => {
                    over_time::daily(days, values, control, treatment, plan.alpha, design.planned)
                        .map_err(fault)?
                }
                _ => Vec::new(),
            },
            effects,
        })
    }

    /// Share of all planned customers that belong to the control and `treatment`.
    fn share_of_both(&self, treatment: &Arm) -> f64 {
        let of = |name: &str| {
            let arms = self.cohort.arms.iter().zip(self.shares);
            arms.filter(|(arm, _)| arm.name == name)
                .map(|(_, share)| share)
                .sum::<f64>()
        };
        (of(&self.plan.control) + of(&treatment.name)) / self.shares.iter().sum::<f64>()
    }

    fn balance(&self, treatment: &Arm) -> Result<Vec<(String, Balance)>, ReviewError> {
        let mut names: Vec<&String> = self
            .plan
            .metrics
            .iter()
            .flat_map(|m| &m.covariates)
            .collect();
        names.sort();
        names.dedup();
        let mut balances = Vec::new();
        for name in names {
            let column = self.table.numbers(name)?;
            let estimate = |arm: &Arm| {
                let mut moments = lagom_model::statistics::Moments::new(1);
                for row in arm.rows.iter().filter(|row| column[**row].is_finite()) {
                    moments.push(&[column[*row]]);
                }
                lagom_model::statistics::ArmEstimate::mean(&moments, 0)
            };
            let fault = |source| ReviewError::Statistics {
                metric: name.clone(),
                arm: treatment.name.clone(),
                control: self.plan.control.clone(),
                source,
            };
            let control = estimate(self.cohort.control()).map_err(fault)?;
            let treated = estimate(treatment).map_err(fault)?;
            balances.push((
                name.clone(),
                Balance {
                    effect: Effect::between(&control, &treated, self.plan.alpha),
                    smd: standardised_mean_difference(&control, &treated),
                },
            ));
        }
        Ok(balances)
    }
}

fn integrity(cohort: &Cohort, shares: &SrmTest) -> Vec<IntegrityFailure> {
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
fn judge(
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

impl Family {
    fn of(comparisons: &[(String, Comparison)], role: &str) -> Self {
        let (mut names, mut p) = (Vec::new(), Vec::new());
        for (key, comparison) in comparisons {
            for (metric_key, metric) in comparison.metrics.iter().filter(|(_, m)| m.role == role) {
                names.push(format!("{key}/{metric_key}"));
                p.push(metric.effects.judged.p);
            }
        }
        Self {
            bonferroni: multiplicity::bonferroni(&p),
            holm: multiplicity::holm(&p),
            hochberg: multiplicity::hochberg(&p),
            bh: multiplicity::benjamini_hochberg(&p),
            by: multiplicity::benjamini_yekutieli(&p),
            names,
            p,
        }
    }
}

/// Writes named things as a map in their own order.
fn keyed<S: Serializer, T: Serialize>(
    items: &[(String, T)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(items.len()))?;
    for (key, item) in items {
        map.serialize_entry(key, item)?;
    }
    map.end()
}
