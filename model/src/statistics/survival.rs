//! Time to pay, with invoices not yet paid counted for what they are: censored.

use serde::Serialize;

use super::{Alpha, StatisticsError, TestResult};

mod kaplan_meier;

pub use kaplan_meier::{KaplanMeier, Step};

/// Invoices of one arm.
#[derive(Debug, Clone, Copy)]
pub struct Durations<'a> {
    /// Days from the origin (due date) to payment, or to the day of review for unpaid invoices.
    pub time: &'a [f64],
    /// Whether the invoice was paid at `time`; else it is censored there.
    pub event: &'a [bool],
    /// Customer of each invoice: small integers, one a customer (they index an array).
    pub cluster: &'a [usize],
}

/// The mean time to pay within a horizon, and its variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RestrictedMean {
    /// Invoices.
    pub n: usize,
    /// Customers.
    pub clusters: usize,
    /// `∫₀^τ S(t) dt`, in days.
    pub rmst: f64,
    /// Share still unpaid at the horizon.
    #[serde(rename = "S_tau")]
    pub survival_at_tau: f64,
    /// Greenwood's variance, as if invoices were independent.
    pub var_greenwood: f64,
    /// The infinitesimal jackknife's variance, as if invoices were independent.
    pub var_ij: f64,
    /// The infinitesimal jackknife's variance with customers as clusters: the one to use.
    pub var_cluster_ij: f64,
}

/// The difference of restricted means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RmstDifference {
    /// Horizon in days.
    pub tau: f64,
    /// The control arm.
    pub control: RestrictedMean,
    /// The treatment arm.
    pub treatment: RestrictedMean,
    /// Treatment minus control, in days; negative is faster.
    pub diff: f64,
    /// Standard error with customers as clusters.
    pub se_cluster: f64,
    /// The normal test on `se_cluster`.
    pub z: Option<TestResult>,
    /// Standard error as if invoices were independent: too small, shown for comparison.
    pub se_naive: f64,
}

impl RestrictedMean {
    /// The restricted mean up to `tau` days.
    ///
    /// With `A(t) = ∫_t^τ S`, at risk `Y`, events `d` and `n` invoices, the influence of invoice i is
    /// ```text
    /// ψ_i = -[ A(x_i) 1{event, x_i ≤ τ} n/Y(x_i) - Σ_{t_j ≤ min(x_i, τ)} A(t_j) d_j n/Y_j² ]
    /// Var = Σ_customers (Σ ψ)² / n²
    /// Greenwood = Σ_j A(t_j)² d_j/(Y_j (Y_j - d_j))
    /// ```
    ///
    /// # Errors
    /// [`StatisticsError::Length`] for columns of unequal length, [`StatisticsError::TooFew`] below
    /// two invoices, [`StatisticsError::NotFinite`] for a missing or negative time,
    /// [`StatisticsError::OutOfRange`] unless `tau > 0`.
    pub fn of(durations: Durations<'_>, tau: f64) -> Result<Self, StatisticsError> {
        let curve = KaplanMeier::of(durations.time, durations.event)?;
        Self::with_curve(&curve, durations, tau)
    }

    /// As [`Self::of`], from a curve already computed of the same invoices.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn with_curve(
        curve: &KaplanMeier,
        durations: Durations<'_>,
        tau: f64,
    ) -> Result<Self, StatisticsError> {
        if durations.cluster.len() != durations.time.len() {
            return Err(StatisticsError::Length {
                left_name: "the times",
                left: durations.time.len(),
                right_name: "the customers",
                right: durations.cluster.len(),
            });
        }
        if !tau.is_finite() || tau <= 0.0 {
            return Err(StatisticsError::OutOfRange {
                what: "the horizon tau",
                range: "(0, ∞)",
                value: tau,
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of invoices")]
        let n = durations.time.len() as f64;
        let steps: Vec<Step> = curve
            .steps()
            .iter()
            .copied()
            .take_while(|s| s.time <= tau)
            .collect();
        let areas = areas_to_the_right(&steps, tau);
        let first = steps.first().map_or(tau, |step| step.time);
        let rmst = first + areas.first().copied().unwrap_or(0.0);

        let mut drift = Vec::with_capacity(steps.len());
        let (mut sum, mut var_greenwood) = (0.0, 0.0);
        for (step, area) in steps.iter().zip(&areas) {
            sum += area * step.events * n / (step.at_risk * step.at_risk);
            drift.push(sum);
            if step.at_risk > step.events {
                var_greenwood +=
                    area * area * step.events / (step.at_risk * (step.at_risk - step.events));
            }
        }

        let labels = durations.cluster.iter().max().map_or(0, |label| label + 1);
        let mut per_cluster = vec![f64::NAN; labels];
        let mut var_ij = 0.0;
        for ((time, event), cluster) in durations
            .time
            .iter()
            .zip(durations.event)
            .zip(durations.cluster)
        {
            let passed = steps.partition_point(|step| step.time <= *time);
            let mut influence = if passed == 0 { 0.0 } else { drift[passed - 1] };
            if *event && *time <= tau {
                // An event is itself a step, the last one passed.
                influence -= areas[passed - 1] * n / steps[passed - 1].at_risk;
            }
            var_ij += influence * influence;
            let total = &mut per_cluster[*cluster];
            *total = if total.is_nan() {
                influence
            } else {
                *total + influence
            };
        }
        let seen = per_cluster.iter().filter(|total| !total.is_nan());
        let clusters = seen.clone().count();
        let var_cluster: f64 = seen.map(|total| total * total).sum();
        Ok(Self {
            n: durations.time.len(),
            clusters,
            rmst,
            survival_at_tau: steps.last().map_or(1.0, |step| step.survival),
            var_greenwood,
            var_ij: var_ij / (n * n),
            var_cluster_ij: var_cluster / (n * n),
        })
    }
}

impl RmstDifference {
    /// Compares two arms up to `tau` days.
    ///
    /// # Errors
    /// As [`RestrictedMean::of`].
    pub fn between(
        control: Durations<'_>,
        treatment: Durations<'_>,
        tau: f64,
        alpha: Alpha,
    ) -> Result<Self, StatisticsError> {
        Ok(Self::of(
            RestrictedMean::of(control, tau)?,
            RestrictedMean::of(treatment, tau)?,
            tau,
            alpha,
        ))
    }

    /// Compares two restricted means already computed up to `tau` days.
    #[must_use]
    pub fn of(control: RestrictedMean, treatment: RestrictedMean, tau: f64, alpha: Alpha) -> Self {
        let diff = treatment.rmst - control.rmst;
        let se_cluster = (control.var_cluster_ij + treatment.var_cluster_ij).sqrt();
        Self {
            tau,
            control,
            treatment,
            diff,
            se_cluster,
            z: TestResult::normal(diff, se_cluster, alpha),
            se_naive: (control.var_greenwood + treatment.var_greenwood).sqrt(),
        }
    }
}

/// `A(t_j) = ∫_{t_j}^τ S` for every step.
fn areas_to_the_right(steps: &[Step], tau: f64) -> Vec<f64> {
    let mut areas = vec![0.0; steps.len()];
    let (mut end, mut area) = (tau, 0.0);
    for (step, slot) in steps.iter().zip(&mut areas).rev() {
        area += step.survival * (end - step.time);
        *slot = area;
        end = step.time;
    }
    areas
}
