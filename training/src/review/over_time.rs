//! What the experiment showed as customers enrolled, and whether their shares drifted meanwhile.

use std::collections::BTreeMap;

use lagom_model::statistics::{
    Alpha, Interval, Moments, StatisticsError,
    asymptotic_cs::AsymptoticCs,
    difference::Difference,
    running::Running,
    srm::sequential::{CONCENTRATION, SequentialSrm},
};
use serde::Serialize;

use super::{
    cohort::{Arm, Cohort},
    error::ReviewError,
    report::SequentialShares,
    values::{MetricValues, estimate},
};

/// The effect on everybody enrolled until the end of one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DailyLook {
    /// Day of enrolment, rounded down.
    pub day: i64,
    /// Control customers so far.
    pub n_c: f64,
    /// Treatment customers so far.
    pub n_t: f64,
    /// Treatment minus control.
    pub diff: f64,
    /// Standard error.
    pub se: f64,
    /// Lower end of the confidence sequence.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// Always-valid p-value of this look.
    pub p: f64,
    /// Lower end of the running intersection.
    pub run_lo: f64,
    /// Upper end of the running intersection.
    pub run_hi: f64,
    /// Smallest p-value so far.
    pub run_min_p: f64,
}

/// The effect on those who enrolled in one span of days: does it hold for newcomers, too?
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CohortLook {
    /// First day of enrolment.
    pub from_day: i64,
    /// Last day of enrolment.
    pub to_day: i64,
    /// Control customers.
    pub n_c: f64,
    /// Treatment customers.
    pub n_t: f64,
    /// Treatment minus control.
    pub diff: f64,
    /// Standard error.
    pub se: f64,
    /// Interval for one look.
    pub ci: Interval,
}

/// Cohorts that a time of enrolment is cut into, at most.
const COHORTS: i64 = 8;
/// Customers an arm below which a cohort is left out.
const FEWEST: f64 = 30.0;

/// Moments of both arms by day of enrolment.
pub(super) type ByDay = BTreeMap<i64, [Moments; 2]>;

/// Both arms of one metric by day of enrolment.
pub(super) fn by_day(
    enrolled: &[f64],
    values: &MetricValues,
    control: &Arm,
    treatment: &Arm,
) -> ByDay {
    let columns = values.judged();
    let width = columns.len();
    let mut days = ByDay::new();
    let mut unit = vec![0.0; width];
    for (side, arm) in [control, treatment].into_iter().enumerate() {
        for row in arm.rows.iter().filter(|row| values.known(**row)) {
            let Some(day) = day_of(enrolled[*row]) else {
                continue;
            };
            for (value, column) in unit.iter_mut().zip(columns) {
                *value = column[*row];
            }
            days.entry(day)
                .or_insert_with(|| [Moments::new(width), Moments::new(width)])[side]
                .push(&unit);
        }
    }
    days
}

/// Weeks of enrolment, or longer spans where there would be many, each by itself.
pub(super) fn cohorts(days: &ByDay, values: &MetricValues, alpha: Alpha) -> Vec<CohortLook> {
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value())
    else {
        return Vec::new();
    };
    let span = ((last - first + 1) / COHORTS / 7 + 1) * 7;
    let mut looks = Vec::new();
    for from_day in (*first..=*last).step_by(usize::try_from(span).unwrap_or(7)) {
        let to_day = (from_day + span - 1).min(*last);
        let mut sums = [0, 1].map(|_| Moments::new(values.judged().len()));
        for arms in days.range(from_day..=to_day).map(|(_, arms)| arms) {
            for (sum, part) in sums.iter_mut().zip(arms) {
                sum.merge(part);
            }
        }
        let [Ok(control), Ok(treatment)] =
            [0, 1].map(|side: usize| estimate(&sums[side], values.is_ratio()))
        else {
            continue;
        };
        let difference = Difference::between(&control, &treatment, alpha);
        if let Some(z) = difference
            .z
            .filter(|_| control.n.min(treatment.n) >= FEWEST)
        {
            looks.push(CohortLook {
                from_day,
                to_day,
                n_c: control.n,
                n_t: treatment.n,
                diff: difference.diff,
                se: difference.se,
                ci: z.ci,
            });
        }
    }
    looks
}

/// The days of one metric, two arms. Days before both arms have two customers and some spread are
/// left out.
pub(super) fn daily(
    days: &ByDay,
    values: &MetricValues,
    alpha: Alpha,
    planned: f64,
) -> Result<Vec<DailyLook>, StatisticsError> {
    let width = values.judged().len();
    let sequence = AsymptoticCs::new(alpha, planned)?;
    let mut total = [Moments::new(width), Moments::new(width)];
    let mut running = Running::default();
    let mut looks = Vec::new();
    for (day, arms) in days {
        for (sum, part) in total.iter_mut().zip(arms) {
            sum.merge(part);
        }
        let [Ok(control), Ok(treatment)] =
            [0, 1].map(|side| estimate(&total[side], values.is_ratio()))
        else {
            continue;
        };
        let difference = Difference::between(&control, &treatment, alpha);
        if difference.se.is_nan() || difference.se <= 0.0 {
            continue;
        }
        let look = sequence.look(control.n + treatment.n, difference.diff, difference.se);
        running.take(&look);
        looks.push(DailyLook {
            day: *day,
            n_c: control.n,
            n_t: treatment.n,
            diff: difference.diff,
            se: difference.se,
            lo: look.ci.low,
            hi: look.ci.high,
            p: look.p,
            run_lo: running.ci.low,
            run_hi: running.ci.high,
            run_min_p: running.min_p,
        });
    }
    Ok(looks)
}

/// The arms' shares watched from day to day of enrolment.
pub(super) fn shares(
    enrolled: &[f64],
    cohort: &Cohort,
    weights: &[f64],
) -> Result<SequentialShares, ReviewError> {
    let mut days: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    for (side, arm) in cohort.arms.iter().enumerate() {
        for row in &arm.rows {
            if let Some(day) = day_of(enrolled[*row]) {
                days.entry(day).or_insert_with(|| vec![0; weights.len()])[side] += 1;
            }
        }
    }
    let mut watch = SequentialSrm::new(weights, CONCENTRATION).map_err(ReviewError::Design)?;
    let mut seen = vec![0; weights.len()];
    let mut log_bf_by_day = Vec::with_capacity(days.len());
    for counts in days.values() {
        for (sum, count) in seen.iter_mut().zip(counts) {
            *sum += count;
        }
        log_bf_by_day.push(watch.look(&seen).map_err(ReviewError::Design)?);
    }
    Ok(SequentialShares {
        k: CONCENTRATION,
        days: days.keys().copied().collect(),
        log_bf_by_day,
        final_log_bf: watch.log_bf(),
        final_p: watch.p(),
        running_min_p: watch.running_min_p(),
    })
}

/// The day of a moment in days; unknown for a missing value.
#[expect(
    clippy::cast_possible_truncation,
    reason = "days since a start fit in 64 bits; the cast saturates"
)]
fn day_of(enrolled: f64) -> Option<i64> {
    enrolled.is_finite().then(|| enrolled.floor() as i64)
}
