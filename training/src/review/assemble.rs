//! From the table to the document: every arm against the control, every metric, then the verdicts.

use lagom_model::statistics::{
    ArmEstimate, Moments,
    balance::standardised_mean_difference,
    decision::{IntegrityFailure, Progress, decide},
    effect::Effect,
    srm::SrmTest,
};

use super::{
    cohort::{Arm, Cohort},
    contest::Contest,
    effects::Design,
    error::ReviewError,
    guardrail, judgement, over_time,
    plan::{Metric, Plan, Role},
    report::{Balance, Comparison, Family, MetricReport, Review},
    segments::SegmentRows,
    values::MetricValues,
};
use crate::flat_table::FlatTable;

/// Reviews `table` by `plan`; `failed` are checks that failed elsewhere, which withhold the verdict.
pub(super) fn review(
    table: &FlatTable,
    plan: &Plan,
    failed: &[IntegrityFailure],
) -> Result<Review, ReviewError> {
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
        comparisons.push((bench.name(treatment), bench.compare(treatment)?));
    }
    let mut failures = failed.to_vec();
    failures.extend(judgement::integrity(&cohort, &assigned));
    let multiplicity = Family::of(&comparisons, "success");
    let exploratory = Family::of(&comparisons, "informative");
    judgement::apply(&mut comparisons, &multiplicity, &failures, plan);
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
        log: None,
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
    /// `CONTROL_vs_ARM`.
    fn name(&self, treatment: &Arm) -> String {
        format!("{}_vs_{}", self.plan.control, treatment.name)
    }

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
            comparison: self.name(treatment),
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
        let watched = self.enrolled.filter(|_| metric.role != Role::Informative);
        let by_day = watched.map(|days| over_time::by_day(days, values, control, treatment));
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
            daily_cs: match &by_day {
                Some(days) => {
                    over_time::daily(days, values, plan.alpha, design.planned).map_err(fault)?
                }
                None => Vec::new(),
            },
            cohorts: by_day
                .map(|days| over_time::cohorts(&days, values, plan.alpha))
                .unwrap_or_default(),
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
                let mut moments = Moments::new(1);
                for row in arm.rows.iter().filter(|row| column[**row].is_finite()) {
                    moments.push(&[column[*row]]);
                }
                ArmEstimate::mean(&moments, 0)
            };
            let fault = |source| ReviewError::Statistics {
                metric: name.clone(),
                comparison: self.name(treatment),
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
