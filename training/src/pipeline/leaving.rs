//! The hazard of leaving: every period of every decision that had ended when the data did, and the
//! chance of a twin judged on later decisions.

use super::TrainingConfig;
use super::examples::{Examples, Target, feature_columns};
use super::thin::keeps;
use crate::dataset::{Dataset, Point};
use crate::fit::{Cells, Columns, FitError, FitOptions, fit_logistic};
use lagom_features::domain::Timestamp;
use lagom_model::artefact::HeldOut;
use lagom_model::leaving::{Leaving, LeavingHead, PERIODS};
use lagom_model::metrics::Metrics;
use std::borrow::Cow;
use std::collections::HashMap;

/// Rows of a model, about; where there are more, decisions are thinned.
const MOST_ROWS: usize = 60_000;

/// A period of a decision that was seen to its end, and whether the customer left in it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    point: usize,
    period: usize,
    left: bool,
}

/// The periods of `point` that had ended by `known_until`, to the one in which the customer left. One
/// that was under way is left out, whatever happened in it: what is known of it depends on that.
fn seen(place: usize, point: &Point, horizon_days: u16, known_until: Timestamp) -> Vec<Seen> {
    if point.left_before {
        return Vec::new();
    }
    let length = Leaving::period_days(horizon_days);
    let observed = known_until.days_since(point.at);
    let left = point.left_at.map(|at| at.days_since(point.at));
    let mut rows = Vec::new();
    for period in 0..PERIODS {
        let until = (period + 1) as f64 * length;
        if until > observed {
            break;
        }
        let inside = left.is_some_and(|days| days < until);
        rows.push(Seen {
            point: place,
            period,
            left: inside,
        });
        if inside {
            break;
        }
    }
    rows
}

/// Fits the hazard to everything that happened before `known_until`, and judges a twin fitted on what
/// was known before.
pub(super) fn fit(
    dataset: &Dataset,
    config: &TrainingConfig,
    known_until: Timestamp,
    seed: u64,
) -> Result<LeavingHead, FitError> {
    let (leaving, rows, censored) = fit_until(dataset, config, known_until, seed)?;
    let mut head = LeavingHead {
        rows,
        censored,
        leaving,
        held_out: None,
    };
    let all = Examples::of(dataset, Target::Left);
    let (fitted_before, judged_from, _, judge) = all.parted(config);
    if let Ok((twin, fitted_rows, _)) = fit_until(dataset, config, fitted_before, seed) {
        let predicted = judge
            .vectors()
            .map(|vector| twin.left_by(&vector, f64::from(config.left_days)))
            .collect::<Result<Vec<f64>, _>>()?;
        if !predicted.is_empty() {
            head.held_out = Some(HeldOut {
                fitted_before,
                judged_from,
                fitted_rows,
                metrics: Metrics::of(&judge.outcomes, &predicted)?,
            });
        }
    }
    Ok(head)
}

/// The hazard, its rows, and the decisions among them whose whole horizon is not known.
fn fit_until(
    dataset: &Dataset,
    config: &TrainingConfig,
    known_until: Timestamp,
    seed: u64,
) -> Result<(Leaving, usize, usize), FitError> {
    let points = dataset.points();
    let mut customers = HashMap::new();
    let mut rows: Vec<(Seen, usize)> = Vec::new();
    let mut censored = 0;
    for (place, point) in points.iter().enumerate() {
        let next = customers.len();
        let customer = *customers.entry(&point.customer_id).or_insert(next);
        let of_point = seen(place, point, config.left_days, known_until);
        let whole = of_point.len() == PERIODS || of_point.last().is_some_and(|row| row.left);
        censored += usize::from(!of_point.is_empty() && !whole);
        rows.extend(of_point.into_iter().map(|row| (row, customer)));
    }
    let step = rows.len().div_ceil(MOST_ROWS).max(1);
    rows.retain(|(row, _)| keeps(row.point, step));
    let (kept, groups): (Vec<Seen>, Vec<usize>) = rows.into_iter().unzip();
    let times: Vec<f64> = kept
        .iter()
        .map(|row| points[row.point].at.days_since(Timestamp::MIN))
        .collect();
    let of_points: Vec<usize> = kept.iter().map(|row| row.point).collect();
    let mut columns = feature_columns(dataset, config, &of_points, &times);
    let period = |row: &Seen| Some(Leaving::own(row.period).to_owned());
    let periods: Vec<Option<String>> = kept.iter().map(period).collect();
    let name = Leaving::OWN_COLUMNS[0].to_owned();
    columns.push((name, Cells::Text(Cow::Owned(periods))));
    let outcomes: Vec<bool> = kept.iter().map(|row| row.left).collect();
    let options = FitOptions {
        form: config.form,
        // As for the hazard of payment: the periods of the latest decisions are the first ones only.
        calibrate: false,
        most_pairs: config.most_pairs,
        times: Some(times),
        groups: Some(groups),
        seed,
        ..FitOptions::default()
    };
    let columns = Columns::new(columns)?.bent(config.spec.splines())?;
    let (model, _) = fit_logistic(&columns, &outcomes, &options)?;
    let leaving = Leaving {
        horizon_days: config.left_days,
        model,
    };
    Ok((leaving, kept.len(), censored))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Seen, seen};
    use crate::dataset::{Point, Stage};
    use lagom_features::domain::{CustomerId, Days, InvoiceId, Timestamp};
    use lagom_model::hazard::Moment;

    fn point(left: Option<i64>) -> Point {
        let at = Timestamp::parse("2026-01-10").unwrap();
        Point {
            customer_id: CustomerId::new("c").unwrap(),
            invoice_id: InvoiceId::new("i").unwrap(),
            stage: Stage::Issue,
            at,
            issued_at: at,
            late_from: at,
            moment: Moment {
                late_in_days: 0.0,
                age_days: 0.0,
            },
            settled_at: None,
            settled_before: false,
            late: None,
            paid: None,
            left: None,
            left_at: left.map(|days| at + Days::whole(days)),
            left_before: false,
        }
    }

    #[test]
    fn a_period_counts_once_it_has_ended_whatever_happened_in_it() {
        let day = |days| Timestamp::parse("2026-01-10").unwrap() + Days::whole(days);
        let told = |left, until| -> Vec<(usize, bool)> {
            let rows = seen(0, &point(left), 90, day(until));
            rows.iter()
                .map(|row: &Seen| (row.period, row.left))
                .collect()
        };
        assert_eq!(told(None, 200), [(0, false), (1, false), (2, false)]);
        assert_eq!(told(None, 75), [(0, false), (1, false)]);
        assert_eq!(told(Some(40), 200), [(0, false), (1, true)]);
        // The customer left in a period that was under way, and may not be told from who stayed.
        assert_eq!(told(Some(40), 50), told(None, 50));
        // On the first day of the second period: the first was survived.
        assert_eq!(told(Some(30), 200), [(0, false), (1, true)]);
        let gone = Point {
            left_before: true,
            ..point(None)
        };
        assert!(seen(0, &gone, 90, day(200)).is_empty());
    }
}
