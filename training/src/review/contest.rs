//! How the numbers of one metric are computed for two arms.

use lagom_model::statistics::{
    Alpha, ArmEstimate, Interval, Moments, StatisticsError,
    anytime_t::{AnytimeT, PooledComparison, tuned_g},
    asymptotic_cs::AsymptoticCs,
    bayes::{Posterior, Prior},
    cuped::{Cuped, linearise_ratio},
    effect::Effect,
    hybrid::Hybrid,
    msprt::StatsigMsprt,
    power::{Demand, Sides},
    proportions::TwoProportions,
    regression::{ArmSample, LinAdjusted, lin_adjust},
};

use super::{
    effects::{Adjusted, AnytimeReport, Design, Effects, Judged, SequenceReport, Winsorised},
    plan::{Metric, Plan},
    values::{ArmValues, MetricValues},
};

/// The lift's prior of the Bayesian display: normal around zero with this standard deviation.
const PRIOR_SD: f64 = 0.3;

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
        let adjusted = match self.metric.covariates.as_slice() {
            [] => None,
            // What does not vary explains nothing; the judged estimate then says that it is raw.
            _ => match self.adjusted() {
                Err(
                    StatisticsError::ZeroDenominator { .. } | StatisticsError::Collinear { .. },
                ) => None,
                adjusted => Some(adjusted?),
            },
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
