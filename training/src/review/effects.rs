//! Everything one metric says about one arm against the control.

use lagom_model::statistics::{
    Alpha, ArmEstimate, Interval, Moments, StatisticsError, TestResult,
    anytime_t::{AnytimeT, PooledComparison, tuned_g},
    asymptotic_cs::{AsymptoticCs, SequenceLook},
    bayes::{Posterior, Prior},
    cuped::{Cuped, linearise_ratio},
    effect::Effect,
    hybrid::{Hybrid, HybridLook},
    msprt::StatsigMsprt,
    power::{Demand, Sides},
    proportions::{ProportionComparison, TwoProportions},
    regression::{ArmSample, LinAdjusted, lin_adjust},
    winsor::Cap,
};
use serde::Serialize;

use super::{
    plan::{IntervalRule, Metric, Plan},
    values::{ArmValues, MetricValues},
};

/// The lift's prior of the Bayesian display: normal around zero with this standard deviation.
const PRIOR_SD: f64 = 0.3;

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

/// Two arms of one metric and what they are compared by.
pub(super) struct Contest<'a> {
    pub(super) plan: &'a Plan,
    pub(super) metric: &'a Metric,
    pub(super) values: &'a MetricValues,
    pub(super) control: &'a ArmValues,
    pub(super) treatment: &'a ArmValues,
    pub(super) design: Design,
    /// The level of the judged interval.
    pub(super) alpha: Alpha,
}

impl Contest<'_> {
    /// Both arms' estimates by the columns `of` an arm.
    fn estimates(
        &self,
        of: impl Fn(&ArmValues) -> &[Vec<f64>],
    ) -> Result<(ArmEstimate, ArmEstimate), StatisticsError> {
        Ok((
            self.control.estimate(of(self.control))?,
            self.treatment.estimate(of(self.treatment))?,
        ))
    }

    /// Every estimate and interval.
    pub(super) fn effects(&self) -> Result<Effects, StatisticsError> {
        let level = self.plan.alpha;
        let (control, treatment) = self.estimates(|arm| &arm.raw)?;
        let raw = Effect::between(&control, &treatment, level);
        let winsorised = match self.values.caps() {
            None => None,
            Some(caps) => {
                let (control, treatment) = self.estimates(ArmValues::judged)?;
                Some(Winsorised {
                    caps: caps.to_vec(),
                    effect: Effect::between(&control, &treatment, level),
                })
            }
        };
        let adjusted = if self.metric.covariates.is_empty() {
            None
        } else {
            Some(self.adjusted()?)
        };
        let (units, diff, se) = (raw.n_c + raw.n_t, raw.absolute.diff, raw.absolute.se);
        let judged = self.judged(
            winsorised.as_ref().map_or(&raw, |w| &w.effect),
            winsorised.is_some(),
            adjusted.as_ref(),
        )?;
        Ok(Effects {
            total_c: self.control.total(0).unwrap_or(0.0),
            total_t: self.treatment.total(0).unwrap_or(0.0),
            denominator_c: self.control.total(1),
            denominator_t: self.treatment.total(1),
            missing_c: self.control.missing,
            missing_t: self.treatment.missing,
            asymp_cs: sequence_report(
                &AsymptoticCs::new(level, self.design.planned)?,
                units,
                diff,
                se,
            ),
            hybrid: Hybrid::new(level, self.design.planned)?.look(units, diff, se),
            msprt_statsig: StatsigMsprt::between(&control, &treatment, level),
            avlm_t: (!self.values.is_ratio()).then(|| anytime(&control, &treatment, level)),
            proportions: self.proportions().map(|arms| arms.compare(level)),
            bayes: self.posterior(&raw)?,
            winsorised,
            adjusted,
            judged,
            raw,
        })
    }

    /// The arms as proportions, when every value is 0 or 1.
    pub(super) fn proportions(&self) -> Option<TwoProportions> {
        let (events_c, events_t) = (self.control.events()?, self.treatment.events()?);
        TwoProportions::new(
            events_c,
            self.control.len() as u64,
            events_t,
            self.treatment.len() as u64,
        )
        .ok()
    }

    fn posterior(&self, raw: &Effect) -> Result<Option<Posterior>, StatisticsError> {
        let (Some(lift), Some(direction)) = (&raw.relative_delta, self.metric.direction) else {
            return Ok(None);
        };
        if lift.se.is_nan() || lift.se <= 0.0 {
            return Ok(None);
        }
        let prior = Prior::Normal {
            mean: 0.0,
            sd: PRIOR_SD,
        };
        Posterior::of(direction.good(lift.lift), lift.se, prior, self.plan.alpha).map(Some)
    }

    /// CUPED and Lin's regression on the judged values; a ratio is linearised with the control's
    /// numbers first.
    fn adjusted(&self) -> Result<Adjusted, StatisticsError> {
        let level = self.plan.alpha;
        let [moments_c, moments_t] = [self.control, self.treatment].map(|arm| {
            let columns: Vec<&[f64]> = arm
                .judged()
                .iter()
                .chain(&arm.covariates)
                .map(Vec::as_slice)
                .collect();
            Moments::of_columns(&columns)
        });
        let (moments_c, moments_t) = (moments_c?, moments_t?);
        if !self.values.is_ratio() {
            return Ok(Adjusted {
                cuped: Cuped::adjust(&moments_c, &moments_t, 0, 1, level)?,
                lin_hc2: lin(
                    &self.control.judged()[0],
                    &self.control.covariates,
                    &self.treatment.judged()[0],
                    &self.treatment.covariates,
                    level,
                )?,
            });
        }
        let (linear_c, linear_t) = linearise_ratio(&moments_c, &moments_t, 0, 1, &[2])?;
        let size = moments_c.mean(1);
        let ratio = moments_c.mean(0) / size;
        let unit = |arm: &ArmValues| -> Vec<f64> {
            let columns = arm.judged();
            columns[0]
                .iter()
                .zip(&columns[1])
                .map(|(m, d)| ratio + (m - ratio * d) / size)
                .collect()
        };
        Ok(Adjusted {
            cuped: Cuped::adjust(&linear_c, &linear_t, 0, 1, level)?,
            lin_hc2: lin(
                &unit(self.control),
                &self.control.covariates,
                &unit(self.treatment),
                &self.treatment.covariates,
                level,
            )?,
        })
    }

    fn judged(
        &self,
        base: &Effect,
        winsorised: bool,
        adjusted: Option<&Adjusted>,
    ) -> Result<Judged, StatisticsError> {
        let (estimate, diff, se) = match (winsorised, adjusted) {
            (false, None) => ("raw", base.absolute.diff, base.absolute.se),
            (true, None) => ("winsorised", base.absolute.diff, base.absolute.se),
            (false, Some(a)) => ("lin_hc2", a.lin_hc2.diff, a.lin_hc2.se_population),
            (true, Some(a)) => (
                "winsorised_lin_hc2",
                a.lin_hc2.diff,
                a.lin_hc2.se_population,
            ),
        };
        let units = base.n_c + base.n_t;
        let (ci, p) = self.design.interval(units, diff, se, self.alpha)?;
        let mde =
            Demand::new(self.alpha, self.design.power, Sides::Two)?.minimal_detectable_effect(se);
        let scale = base.mean_c.abs();
        let over = |value: f64| (scale > 0.0).then(|| value / scale);
        Ok(Judged {
            estimate,
            rule: self.design.rule,
            diff,
            se,
            lift: over(diff),
            alpha: self.alpha.value(),
            p,
            ci,
            ci_lift: (scale > 0.0).then(|| Interval {
                low: ci.low / scale,
                high: ci.high / scale,
            }),
            mde,
            mde_lift: over(mde),
        })
    }
}

fn lin(
    outcome_c: &[f64],
    covariates_c: &[Vec<f64>],
    outcome_t: &[f64],
    covariates_t: &[Vec<f64>],
    alpha: Alpha,
) -> Result<LinAdjusted, StatisticsError> {
    let [columns_c, columns_t] = [covariates_c, covariates_t]
        .map(|columns| columns.iter().map(Vec::as_slice).collect::<Vec<_>>());
    lin_adjust(
        ArmSample {
            outcome: outcome_c,
            covariates: &columns_c,
        },
        ArmSample {
            outcome: outcome_t,
            covariates: &columns_t,
        },
        alpha,
    )
}

fn sequence_report(sequence: &AsymptoticCs, units: f64, diff: f64, se: f64) -> SequenceReport {
    SequenceReport {
        look: sequence.look(units, diff, se),
        rho_exact: sequence.rho_exact(),
        ci_exact_rho: sequence.look_with(units, diff, se, sequence.rho_exact()).ci,
        rho_one_sided: sequence.rho_one_sided(),
        lower_one_sided: sequence.lower_bound(units, diff, se),
        upper_one_sided: sequence.upper_bound(units, diff, se),
    }
}

fn anytime(control: &ArmEstimate, treatment: &ArmEstimate, alpha: Alpha) -> AnytimeReport {
    let pooled = PooledComparison::between(control, treatment);
    let units = control.n + treatment.n;
    AnytimeReport {
        g_opt: AnytimeT::look(&pooled, units, tuned_g(units, alpha), alpha),
        pooled,
    }
}
