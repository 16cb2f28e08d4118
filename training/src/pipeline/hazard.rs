//! The hazard of settlement: person-period rows of every decision, censored where nothing is known
//! any more, and the curve of a twin judged on later decisions.

use super::TrainingConfig;
use super::examples::{Examples, Target, feature_columns, season};
use super::thin::keeps;
use crate::dataset::{Dataset, Point};
use crate::fit::{Cells, Columns, FitError, FitOptions, fit_logistic};
use lagom_features::domain::Timestamp;
use lagom_model::hazard::{
    AtDay, Clock, HORIZON_DAYS, Hazard, HazardHead, Moment, Period, Settlements, Side, Sides,
    periods,
};
use lagom_model::linear::{LinearModel, Value};
use lagom_model::metrics::{ClusteredGap, Metrics, clustered_gaps, reliability};
use lagom_model::statistics::drift::KolmogorovSmirnov;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Days at which the curve is judged, beside the day whose propensity is quoted.
const JUDGED_DAYS: [u16; 4] = [7, 14, 30, 60];
/// Person-period rows of a model, about; where there are more, decisions are thinned. With a quarter of
/// them the curve of 20,000 invoices is half a hundredth worse in log-loss.
const MOST_ROWS: usize = 240_000;
/// A column of which the earlier and the later half of the decisions differ by this much (the largest
/// distance between their distributions) says when a decision was made, not by whom: what it seems to
/// say of payment is the trend of the window, and later decisions lie where it was never seen. How many
/// invoices a customer has had is such a column in the first year of any log.
const TELLS_TIME: f64 = 0.5;
/// Pairs of columns that are tried at least, of which those stay that are clearly better on decisions
/// held out: a period means something else for those who pay by direct debit, or half now and half a
/// week later, and a sum of curves cannot say so.
const PAIRS: usize = 6;
/// Half of the shortest time there is, in days: a settlement at the very instant at which a period
/// begins belongs to it, whichever way the difference of two days was rounded.
const HALF_A_MICROSECOND: f64 = 0.5e-6 / 86_400.0;

/// A period of a decision that was seen, and whether the invoice was settled in it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PersonPeriod {
    point: usize,
    period: Period,
    settled: bool,
}

/// The periods of `point` that had been seen by `as_of`, the last one cut off there. A settlement
/// ends them; the rest of a decision that nobody saw the end of is censored, not a no.
fn seen(place: usize, point: &Point, as_of: Timestamp) -> Vec<PersonPeriod> {
    let observed = as_of.days_since(point.at).min(HORIZON_DAYS);
    let settled_at = point.settled_at.filter(|at| *at < as_of);
    let settled = settled_at.map(|at| at.days_since(point.at) + HALF_A_MICROSECOND);
    let mut rows = Vec::new();
    if point.settled_before || observed <= 0.0 {
        return rows;
    }
    for period in periods(point.moment.late_in_days, observed) {
        let inside = settled.is_some_and(|days| days < period.until);
        rows.push(PersonPeriod {
            point: place,
            period,
            settled: inside,
        });
        if inside {
            break;
        }
    }
    rows
}

/// The hazard alone, fitted to everything that happened before `known_until` and has been reported.
pub(super) fn curve(
    dataset: &Dataset,
    config: &TrainingConfig,
    known_until: Timestamp,
    seed: u64,
) -> Result<Hazard, FitError> {
    fit_until(dataset, config, known_until, seed).map(|(hazard, _)| hazard)
}

/// Fits the hazard to everything that happened before `known_until` and has been reported, and judges a
/// twin, which is returned as well. The twin is fitted to the data set `as_of` its day: in one of today
/// stands also what was recorded later of what had happened by then.
pub(super) fn fit(
    dataset: &Dataset,
    config: &TrainingConfig,
    known_until: Timestamp,
    seed: u64,
    as_of: impl FnOnce(Timestamp) -> (Dataset, Timestamp),
) -> Result<(HazardHead, Option<Hazard>), FitError> {
    let (hazard, rows) = fit_until(dataset, config, known_until, seed)?;
    let mut head = HazardHead {
        rows,
        hazard,
        fitted_before: None,
        judged_from: None,
        held_out: Vec::new(),
    };
    // By the same instants as the model of the one horizon, so that both are judged on the same rows.
    let (fitted_before, judged_from, ..) = Examples::of(dataset, Target::Paid).parted(config);
    let (then, known_then) = as_of(fitted_before);
    let twin = curve(&then, config, known_then, seed).ok();
    if let Some(twin) = &twin {
        head.fitted_before = Some(fitted_before);
        head.judged_from = Some(judged_from);
        let on = |point: &Point| point.issued_at >= judged_from;
        head.held_out = judge(twin, dataset, config.paid_days, on, known_until)?;
    }
    Ok((head, twin))
}

/// The hazard of what was known by `as_of`, and its rows.
fn fit_until(
    dataset: &Dataset,
    config: &TrainingConfig,
    as_of: Timestamp,
    seed: u64,
) -> Result<(Hazard, usize), FitError> {
    let points = dataset.points().iter().enumerate();
    let known = points.filter(|(_, point)| point.at < as_of);
    let rows: Vec<PersonPeriod> = known
        .flat_map(|(place, point)| seen(place, point, as_of))
        .collect();
    let clock = clock(dataset, &rows);
    let hidden = telling_time(dataset, config, &rows);
    let sides = |on: &dyn Fn(&PersonPeriod) -> bool| {
        let rows: Vec<&PersonPeriod> = rows.iter().filter(|row| on(row)).collect();
        fit_sides(dataset, config, (&clock, &hidden), &rows, seed)
    };
    let apart = (
        sides(&|row| !row.period.is_later()),
        sides(&|row| row.period.is_later()),
    );
    // Where too little was seen of one of the two, the same models have both.
    let (soon, later) = match apart {
        (Ok(soon), Ok(later)) => (soon, Some(later)),
        _ => (sides(&|_| true)?, None),
    };
    let hazard = Hazard {
        before: soon.before,
        due: soon.due,
        after: soon.after,
        clock,
        later,
    };
    Ok((hazard, rows.len()))
}

/// How time passes within the periods of `rows`.
fn clock(dataset: &Dataset, rows: &[PersonPeriod]) -> Clock {
    let mut seen = Settlements::default();
    for row in rows {
        let point = &dataset.points()[row.point];
        let late = point.moment.late_in_days;
        let until = match (row.settled, point.settled_at) {
            (true, Some(at)) => at.days_since(point.at) + HALF_A_MICROSECOND,
            _ => row.period.until,
        };
        seen.see(row.period.from - late, until - late, row.settled);
    }
    seen.clock()
}

/// The columns of which the decisions of `rows` say little but when they were made; see [`TELLS_TIME`].
/// A month is not one of them: it comes again, and is shown after a year only.
fn telling_time(dataset: &Dataset, config: &TrainingConfig, rows: &[PersonPeriod]) -> Vec<usize> {
    let mut points: Vec<usize> = rows.iter().map(|row| row.point).collect();
    points.dedup();
    points.sort_by_key(|point| dataset.points()[*point].at);
    let seasons = season(&config.spec);
    let (earlier, later) = points.split_at(points.len() / 2);
    // Unknown is a value of its own, below all others.
    let cells = |of: &[usize], place: usize| -> Vec<f64> {
        let cell = |point: &usize| dataset.features()[(*point, place)];
        let known = |cell: f64| if cell.is_nan() { f64::MIN } else { cell };
        of.iter().map(cell).map(known).collect()
    };
    let tells = |place: &usize| {
        let halves = (cells(earlier, *place), cells(later, *place));
        KolmogorovSmirnov::between(&halves.0, &halves.1).is_ok_and(|ks| ks.d >= TELLS_TIME)
    };
    let places = (0..dataset.names().len()).filter(|place| !seasons.contains(place));
    places.filter(tells).collect()
}

/// A model for each side of the due date.
fn fit_sides(
    dataset: &Dataset,
    config: &TrainingConfig,
    shown: (&Clock, &[usize]),
    rows: &[&PersonPeriod],
    seed: u64,
) -> Result<Sides, FitError> {
    let on = |sides: &[Side]| {
        let kept = rows.iter().filter(|row| sides.contains(&row.period.side()));
        let kept: Vec<&PersonPeriod> = kept.copied().collect();
        fit_side(dataset, config, shown, &kept, seed)
    };
    // Where too little was settled on the due date, or before it, one model has both.
    let apart = (on(&[Side::Before]), on(&[Side::Due]));
    let (before, due) = match apart {
        (Ok(before), Ok(due)) => (before, Some(due)),
        _ => (on(&[Side::Before, Side::Due])?, None),
    };
    let after = on(&[Side::After])?;
    Ok(Sides { before, due, after })
}

/// The model of one side of the due date.
fn fit_side(
    dataset: &Dataset,
    config: &TrainingConfig,
    (clock, hidden): (&Clock, &[usize]),
    rows: &[&PersonPeriod],
    seed: u64,
) -> Result<LinearModel, FitError> {
    let points = dataset.points();
    let mut invoices = HashMap::new();
    let mut group_of = |row: &PersonPeriod| {
        let point = &points[row.point];
        let next = invoices.len();
        *invoices
            .entry((&point.customer_id, &point.invoice_id))
            .or_insert(next)
    };
    let step = rows.len().div_ceil(MOST_ROWS).max(1);
    let (mut kept, mut groups) = (Vec::new(), Vec::new());
    for row in rows {
        if keeps(row.point, step) {
            kept.push(**row);
            groups.push(group_of(row));
        }
    }
    let times: Vec<f64> = kept
        .iter()
        .map(|row| points[row.point].at.days_since(Timestamp::MIN))
        .collect();
    let outcomes: Vec<bool> = kept.iter().map(|row| row.settled).collect();
    let columns = columns(dataset, config, (clock, hidden), &kept, &times)?;
    let options = FitOptions {
        form: config.form,
        // A map learnt on the periods of later decisions, which are cut off where the data ends, is
        // not one for the periods of all: it bent hazards that were right as they stood.
        calibrate: false,
        most_pairs: config.most_pairs.max(PAIRS),
        times: Some(times),
        groups: Some(groups),
        seed,
        ..FitOptions::default()
    };
    Ok(fit_logistic(&columns, &outcomes, &options)?.0)
}

fn columns(
    dataset: &Dataset,
    config: &TrainingConfig,
    (clock, hidden): (&Clock, &[usize]),
    rows: &[PersonPeriod],
    times: &[f64],
) -> Result<Columns<'static>, FitError> {
    let points: Vec<usize> = rows.iter().map(|row| row.point).collect();
    let mut columns = feature_columns(dataset, config, &points, times);
    for &place in hidden {
        columns[place].1 = Cells::Number(Cow::Owned(vec![f64::NAN; points.len()]));
    }
    let of = |row: &PersonPeriod| (dataset.points()[row.point].moment, row.period);
    columns.extend(own_columns(clock, rows.iter().map(of)));
    let columns = Columns::new(columns)?.bent(config.spec.splines())?;
    columns.directed(config.directions())
}

/// [`Hazard::OWN_COLUMNS`] of some periods.
fn own_columns(
    clock: &Clock,
    periods: impl Iterator<Item = (Moment, Period)>,
) -> impl Iterator<Item = (String, Cells<'static>)> {
    let rows: Vec<_> = periods
        .map(|(moment, period)| Hazard::own(clock, moment, &period))
        .collect();
    let cells = move |place: usize| match rows.first().map(|row| row[place]) {
        Some(Value::Text(_)) => {
            let text = |row: &[Value<'static>; 4]| match row[place] {
                Value::Text(text) => Some(text.to_owned()),
                Value::Number(_) | Value::Missing => None,
            };
            Cells::Text(rows.iter().map(text).collect())
        }
        _ => {
            let number = |row: &[Value<'static>; 4]| match row[place] {
                Value::Number(number) => number,
                Value::Text(_) | Value::Missing => f64::NAN,
            };
            Cells::Number(rows.iter().map(number).collect())
        }
    };
    let names = Hazard::OWN_COLUMNS.iter().enumerate();
    names.map(move |(place, name)| ((*name).to_owned(), cells(place)))
}

/// What was quoted at one day of some decisions, and what came.
pub(super) struct Told {
    days: u16,
    outcomes: Vec<bool>,
    predicted: Vec<f64>,
    customers: Vec<usize>,
}

impl Told {
    /// How far each tenth is off, decisions over one customer hanging together.
    pub(super) fn gaps(&self) -> (u16, Vec<ClusteredGap>) {
        let gaps = clustered_gaps(&self.outcomes, &self.predicted, &self.customers);
        (self.days, gaps)
    }

    /// Metrics and tenths.
    pub(super) fn figures(&self) -> Result<AtDay, FitError> {
        let bins = reliability(&self.outcomes, &self.predicted);
        let gaps = bins
            .iter()
            .map(|bin| (bin.mean_predicted - bin.observed).abs());
        Ok(AtDay {
            days: self.days,
            metrics: Metrics::of(&self.outcomes, &self.predicted)?,
            worst_decile: gaps.fold(0.0, f64::max),
            bins,
        })
    }
}

/// What is quoted of decisions of which the outcome is known by `as_of`, day by day, each by the curve that
/// `by` names and not at all where it names none; days of which nothing is known are left out.
pub(super) fn tell<'a>(
    dataset: &Dataset,
    quoted: u16,
    by: impl Fn(&Point) -> Option<&'a Hazard>,
    as_of: Timestamp,
) -> Result<Vec<Told>, FitError> {
    let judged: BTreeSet<u16> = JUDGED_DAYS.into_iter().chain([quoted]).collect();
    let days: Vec<f64> = judged.iter().copied().map(f64::from).collect();
    let of_day = |days| Told {
        days,
        outcomes: Vec::new(),
        predicted: Vec::new(),
        customers: Vec::new(),
    };
    let mut told: Vec<Told> = judged.into_iter().map(of_day).collect();
    let mut customers = HashMap::new();
    for (place, point) in dataset.points().iter().enumerate() {
        let Some(hazard) = by(point).filter(|_| !point.settled_before) else {
            continue;
        };
        let next = customers.len();
        let customer = *customers.entry(&point.customer_id).or_insert(next);
        let vector = dataset.row(place).to_vec();
        let curve = hazard.paid_by(&vector, point.moment, &days)?;
        let observed = as_of.days_since(point.at);
        let settled = point.settled_at.map(|at| at.days_since(point.at));
        for ((day, paid), told) in days.iter().zip(curve).zip(told.iter_mut()) {
            if observed >= *day {
                told.outcomes.push(settled.is_some_and(|at| at < *day));
                told.predicted.push(paid);
                told.customers.push(customer);
            }
        }
    }
    told.retain(|told| !told.outcomes.is_empty());
    Ok(told)
}

/// Figures on those of the decisions `on` which the outcome is known.
pub(super) fn judge(
    hazard: &Hazard,
    dataset: &Dataset,
    quoted: u16,
    on: impl Fn(&Point) -> bool,
    as_of: Timestamp,
) -> Result<Vec<AtDay>, FitError> {
    let by = |point: &Point| on(point).then_some(hazard);
    let told = tell(dataset, quoted, by, as_of)?;
    told.iter().map(Told::figures).collect()
}

#[cfg(test)]
mod tests;
