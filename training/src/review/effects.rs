//! Everything one metric says about one arm against the control.

use lagom_model::statistics::{
    Alpha, Interval, StatisticsError, TestResult,
    anytime_t::{AnytimeT, PooledComparison},
    asymptotic_cs::{AsymptoticCs, SequenceLook},
    bayes::Posterior,
    cuped::Cuped,
    effect::Effect,
    hybrid::{Hybrid, HybridLook},
    msprt::StatsigMsprt,
    proportions::ProportionComparison,
    regression::LinAdjusted,
    winsor::Cap,
};
use serde::Serialize;

use super::plan::{IntervalRule, Plan};

/// All estimates and intervals of one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effects {
    /// The values as observed, absolute and relative by every fixed-sample interval.
    #[serde(flatten)]
    pub raw: Effect,
    /// Sums behind the raw estimate: numerator (or the value itself) of control and treatment.
    pub total_c: f64,
    /// As `total_c`, treatment.
    pub total_t: f64,
    /// Sum of the denominators of a ratio, control.
    pub denominator_c: Option<f64>,
    /// As `denominator_c`, treatment.
    pub denominator_t: Option<f64>,
    /// Control customers left out because the metric is unknown.
    pub missing_c: u64,
    /// As `missing_c`, treatment.
    pub missing_t: u64,
    /// After winsorising, where the plan asks for it.
    pub winsorised: Option<Winsorised>,
    /// After adjustment, where the plan names covariates.
    pub adjusted: Option<Adjusted>,
    /// The confidence sequence of the raw difference.
    pub asymp_cs: SequenceReport,
    /// The hybrid rule's look at the raw difference.
    pub hybrid: HybridLook,
    /// The sequential test as Statsig computes it, for comparison.
    pub msprt_statsig: StatsigMsprt,
    /// The anytime-valid t test of the raw difference (means only).
    pub avlm_t: Option<AnytimeReport>,
    /// Proportions, when every value is 0 or 1.
    pub proportions: Option<ProportionComparison>,
    /// Posterior of the lift under a normal prior around zero.
    pub bayes: Option<Posterior>,
    /// What the decision uses.
    pub judged: Judged,
}

/// A metric after winsorising over all arms together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Winsorised {
    /// The caps: of the value, or of numerator and denominator.
    pub caps: Vec<Cap>,
    /// The effect on the clamped values.
    #[serde(flatten)]
    pub effect: Effect,
}

/// A metric after adjustment by what was known before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Adjusted {
    /// CUPED by the first covariate.
    pub cuped: Cuped,
    /// Lin's regression by all covariates.
    pub lin_hc2: LinAdjusted,
}

/// The two-sided sequence with its exact mixture and its one-sided bounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SequenceReport {
    /// The look.
    #[serde(flatten)]
    pub look: SequenceLook,
    /// The exactly optimal mixture width.
    pub rho_exact: f64,
    /// The interval with it.
    pub ci_exact_rho: Interval,
    /// Mixture width of the bounds.
    pub rho_one_sided: f64,
    /// Lower bound that holds at all times.
    pub lower_one_sided: f64,
    /// Upper bound that holds at all times.
    pub upper_one_sided: f64,
}

/// The anytime-valid t test with its tuned mixture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnytimeReport {
    /// The pooled comparison it rests on.
    #[serde(flatten)]
    pub pooled: PooledComparison,
    /// The test.
    pub g_opt: AnytimeT,
}

/// The estimate and the interval the decision uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// `raw`, `winsorised`, `lin_hc2` or `winsorised_lin_hc2`.
    pub estimate: &'static str,
    /// The plan's rule for intervals.
    pub rule: IntervalRule,
    /// Treatment minus control.
    pub diff: f64,
    /// Its standard error; of an adjusted estimate that for all customers like these.
    pub se: f64,
    /// `diff` over the absolute control estimate; absent when that is zero.
    pub lift: Option<f64>,
    /// Level of `ci`: the plan's, divided among the success metrics.
    pub alpha: f64,
    /// p-value by the rule.
    pub p: f64,
    /// Interval of `diff` by the rule.
    pub ci: Interval,
    /// The interval over the absolute control estimate, for the axis only; for tests read
    /// `relative_fieller`.
    pub ci_lift: Option<Interval>,
    /// Smallest difference this many customers would find with the plan's power.
    pub mde: f64,
    /// `mde` over the absolute control estimate.
    pub mde_lift: Option<f64>,
}

/// The design that turns an effect into an interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Design {
    pub(super) rule: IntervalRule,
    /// Customers of the two arms at the planned end.
    pub(super) planned: f64,
    pub(super) power: f64,
}

impl Design {
    /// The design of a comparison of arms with these shares of all customers; without a planned
    /// size the end is now.
    pub(super) fn of(plan: &Plan, share_of_both: f64, reached: f64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a count of customers")]
        let planned = plan.planned_customers as f64 * share_of_both;
        Self {
            rule: plan.interval,
            planned: if planned >= 1.0 {
                planned
            } else {
                reached.max(1.0)
            },
            power: plan.power,
        }
    }

    /// Interval and p-value of an effect by the plan's rule. A zero standard error leaves nothing
    /// to doubt or to show: an interval of width zero, p of 1 without a difference and 0 with one.
    pub(super) fn interval(
        &self,
        units: f64,
        effect: f64,
        se: f64,
        alpha: Alpha,
    ) -> Result<(Interval, f64), StatisticsError> {
        if se.is_nan() || se <= 0.0 {
            let p = if effect == 0.0 { 1.0 } else { 0.0 };
            return Ok((Interval::around(effect, 0.0), p));
        }
        Ok(match self.rule {
            IntervalRule::Fixed => TestResult::normal(effect, se, alpha)
                .map_or((Interval::around(effect, f64::INFINITY), 1.0), |test| {
                    (test.ci, test.p)
                }),
            IntervalRule::Sequential => {
                let look = AsymptoticCs::new(alpha, self.planned)?.look(units, effect, se);
                (look.ci, look.p)
            }
            IntervalRule::Hybrid => {
                let look = Hybrid::new(alpha, self.planned)?.look(units, effect, se);
                (look.ci, look.p)
            }
        })
    }
}
