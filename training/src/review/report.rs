//! The document of a review.

use lagom_model::statistics::{
    decision::{Decision, IntegrityFailure},
    effect::Effect,
    multiplicity,
    non_inferiority::Direction,
    srm::SrmTest,
};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{
    effects::Effects,
    guardrail::GuardrailReport,
    log::LogReport,
    over_time::{CohortLook, DailyLook},
    plan::IntervalRule,
    segments::SegmentReport,
};

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
    /// What only a decision log can tell; absent for a table from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogReport>,
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
    /// By span of enrolment, each by itself, where the plan names a day.
    pub cohorts: Vec<CohortLook>,
}

impl Family {
    /// The metrics of one role in all comparisons.
    pub(super) fn of(comparisons: &[(String, Comparison)], role: &str) -> Self {
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
pub(super) fn keyed<S: Serializer, T: Serialize>(
    items: &[(String, T)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(items.len()))?;
    for (key, item) in items {
        map.serialize_entry(key, item)?;
    }
    map.end()
}
