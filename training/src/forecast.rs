//! Expected cash by week from open invoices, held against the past: see [`lagom_model::forecast`].
//!
//! The past is tried with a twin that is trained on what was known at the earliest of the past
//! forecasts, so no forecast that is judged has seen what it is judged by. The twin is the curve
//! alone: nothing else of a version takes part in the cash that is judged.

mod associations;
mod discounts;
mod unissued;

pub use discounts::discount_effects;

use crate::labels::Settlement;
use crate::pipeline::{TrainError, TrainingConfig, fit_curve, last_recorded};
use crate::segments::{self, Wanted};
use lagom_features::domain::{Currency, Customer, CustomerId, Days, EventType, Timestamp, Zone};
use lagom_features::{Extractor, FeatureSpec, History, Ledger, Scratch, week_of};
use lagom_model::artefact::ModelVersion;
use lagom_model::forecast::{
    EarlyTenth, FORMAT, Forecast, Sum, Tried, Week, common_error, coverage,
};
use lagom_model::hazard::{Hazard, Moment};
use lagom_model::metrics::tenths;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Weeks at most: the curve of payment ends after ninety days.
pub const MOST_WEEKS: u32 = 12;
/// Past forecasts, one a week.
const PAST: u32 = 12;
const WEEK: i64 = 7;

/// Why there is no forecast.
#[derive(Debug, Error)]
pub enum ForecastError {
    /// Not a number of weeks.
    #[error("{0} weeks: from 1 to {MOST_WEEKS} can be forecast")]
    Weeks(u32),
    /// The version has no curve.
    #[error("model {0} has no curve of payment; train one on data with more settled invoices")]
    NoCurve(String),
    /// The twin could not be trained for another reason than too little data.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// One open invoice, as it was known at the forecast.
struct Open {
    owed: f64,
    currency: Currency,
    /// P(settled by the end of each week).
    paid: Vec<f64>,
    /// P(unpaid when a claim would be made), where that lies within the weeks.
    claimable: Option<f64>,
    churn: Option<f64>,
    /// P(late at all) where its customer is new and it is not late yet.
    early: Option<f64>,
    /// Whether it is the customer's first of this forecast, so that a customer counts once.
    first: bool,
    /// When it was settled, as far as is known at the end of the data.
    settled_at: Option<Timestamp>,
}

/// What a forecast is made with.
#[derive(Debug, Clone, Copy)]
struct Beliefs<'a> {
    spec: &'a FeatureSpec,
    curve: &'a Hazard,
    /// Whose risk of leaving is read, if anybody's.
    version: Option<&'a ModelVersion>,
}

/// How claims have been made: how late an invoice is then, and of how many that are so late.
#[derive(Debug, Clone, Copy)]
struct Claims {
    days_late: f64,
    share: f64,
}

/// Forecasts the `weeks` from `as_of` (the end of the data if none is given).
///
/// # Errors
/// [`ForecastError`].
pub fn forecast(
    histories: &BTreeMap<CustomerId, History>,
    version: &ModelVersion,
    weeks: u32,
    as_of: Option<Timestamp>,
    config: &TrainingConfig,
    seed: u64,
) -> Result<Forecast, ForecastError> {
    if !(1..=MOST_WEEKS).contains(&weeks) {
        return Err(ForecastError::Weeks(weeks));
    }
    let Some(head) = &version.parts().hazard else {
        return Err(ForecastError::NoCurve(version.id().to_owned()));
    };
    let beliefs = Beliefs {
        spec: version.spec(),
        curve: &head.hazard,
        version: Some(version),
    };
    let as_of = as_of.unwrap_or_else(|| last_recorded(histories) + Days::SHORTEST);
    let claims = claims(histories, as_of);
    let open = open(histories, beliefs, as_of, as_of, weeks, claims);
    let currency = main_currency(&open);
    let (mine, others): (Vec<_>, Vec<_>) =
        open.iter().partition(|one| Some(one.currency) == currency);

    let (twin, mut notes) = twin(histories, config, as_of, seed)?;
    let twin = twin.as_ref().map(|curve| Beliefs {
        spec: &config.spec,
        curve,
        version: None,
    });
    let tried = twin.map_or_else(Vec::new, |twin| {
        past(as_of, weeks, |at, ahead| {
            said_and_came(histories, twin, (at, as_of), ahead)
        })
    });
    let unissued = currency
        .and_then(|currency| unissued::of(histories, (beliefs, twin), currency, as_of, weeks));
    let common = common_error(tried.iter().copied());
    let counted = |chance: &dyn Fn(&Open) -> Option<f64>| {
        let mut sum = Sum::default();
        let mut any = false;
        for p in open.iter().filter_map(chance) {
            sum.add(1.0, p);
            any = true;
        }
        any.then(|| sum.expected(0.0))
    };
    notes.extend(NOTES.map(str::to_owned));
    Ok(Forecast {
        format: FORMAT,
        model_id: version.id().to_owned(),
        as_of,
        currency: currency.map_or_else(String::new, |currency| currency.to_string()),
        invoices: mine.len(),
        other_currencies: others.len(),
        owed_minor: mine.iter().map(|one| one.owed as i64).sum(),
        weeks: told(as_of, &by_week(&mine, weeks), common),
        churn: counted(&|one| one.churn.filter(|_| one.first)),
        cases: counted(&|one| {
            one.claimable
                .zip(claims)
                .map(|(p, claims)| p * claims.share)
        }),
        common_error: common,
        coverage: coverage(&tried),
        unissued,
        associations: associations::of(histories, as_of),
        discounts: Vec::new(),
        early: by_early_risk(&mine),
        notes,
    })
}

const NOTES: [&str; 3] = [
    "Cash is of invoices that are open now; those not issued yet are told apart, and only of customers \
     who are invoiced in a rhythm. What a part of which is paid counts when the rest is settled.",
    "How options go with time to pay is an association: customers chose them, or were given them, \
     for reasons that may be what makes them pay. Only an experiment tells the effect.",
    "Collection cases follow the past: the share of invoices that late of which a claim was made.",
];

/// Standard normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// Invoices of new customers in tenths of their early risk; fewer where there are fewer than ten.
fn by_early_risk(open: &[&Open]) -> Vec<EarlyTenth> {
    let new = open.iter().filter_map(|one| Some((one.early?, one.owed)));
    let (risks, owed): (Vec<f64>, Vec<f64>) = new.unzip();
    let tenths = tenths(&risks).into_iter().zip(1..);
    let told = tenths.map(|(rows, tenth)| EarlyTenth {
        tenth,
        invoices: rows.len(),
        risk: rows.iter().map(|row| risks[*row]).sum::<f64>() / rows.len() as f64,
        owed_minor: rows.iter().map(|row| owed[*row] as i64).sum(),
    });
    told.collect()
}

fn main_currency(open: &[Open]) -> Option<Currency> {
    let mut owed: BTreeMap<String, (f64, Currency)> = BTreeMap::new();
    for one in open {
        let sum = owed
            .entry(one.currency.to_string())
            .or_insert((0.0, one.currency));
        sum.0 += 1.0;
    }
    let most = owed.into_values().max_by(|a, b| a.0.total_cmp(&b.0));
    most.map(|(_, currency)| currency)
}

fn by_week(open: &[&Open], weeks: u32) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); weeks as usize];
    for one in open {
        let mut before = 0.0;
        for (sum, paid) in sums.iter_mut().zip(&one.paid) {
            sum.add(one.owed, (paid - before).max(0.0));
            before = *paid;
        }
    }
    sums
}

/// The invoices that are open at `at` as far as is known then; what became of them is read at
/// `end`.
fn open(
    histories: &BTreeMap<CustomerId, History>,
    beliefs: Beliefs<'_>,
    at: Timestamp,
    end: Timestamp,
    weeks: u32,
    claims: Option<Claims>,
) -> Vec<Open> {
    let extractor = Extractor::new(beliefs.spec);
    let paid_by =
        |vector: &[f64], moment, days: &[f64]| beliefs.curve.paid_by(vector, moment, days).ok();
    let days: Vec<f64> = (1..=weeks)
        .map(|week| f64::from(week) * WEEK as f64)
        .collect();
    let week = BTreeSet::from([week_of(at)]);
    let segments = segments::of(beliefs.spec, histories.values(), Wanted::At(&week));
    let mut all = Vec::new();
    let (mut vector, mut scratch) = (Vec::new(), Scratch::new());
    for history in histories.values() {
        let view = history.as_of(at);
        let ledger = Ledger::of(&view);
        let known = history.as_of(end);
        let zone = view
            .customer()
            .map_or_else(Zone::utc, Customer::zone_or_utc);
        let mut first = true;
        for state in ledger.invoices() {
            if state.is_closed() || state.outstanding_minor <= 0 {
                continue;
            }
            let id = &state.invoice.invoice_id;
            vector.clear();
            let made =
                (extractor).extract_among(&mut scratch, &view, &ledger, id, &segments, &mut vector);
            if made.is_err() {
                continue;
            }
            let moment = Moment::of(state, &zone, at);
            let Some(paid) = paid_by(&vector, moment, &days) else {
                continue;
            };
            let claim = claims.filter(|_| !state.in_collection).and_then(|claims| {
                let day = moment.late_in_days + claims.days_late;
                let inside = (0.0..=days[days.len() - 1]).contains(&day);
                let paid = inside.then(|| paid_by(&vector, moment, &[day]))??;
                Some(1.0 - paid[0])
            });
            let settlement = Settlement::of(state.invoice, known.events_of(id), &zone);
            all.push(Open {
                owed: state.outstanding_minor as f64,
                currency: state.invoice.amount.currency,
                paid,
                claimable: claim,
                churn: beliefs.version.and_then(|one| one.churn_risk(&vector)),
                early: beliefs
                    .version
                    .and_then(|one| one.early_risk(&vector, moment)),
                first: std::mem::take(&mut first),
                settled_at: settlement.settled_from(at),
            });
        }
    }
    all
}

/// The curve of what was known at the earliest of the past forecasts, and why there is none.
fn twin(
    histories: &BTreeMap<CustomerId, History>,
    config: &TrainingConfig,
    as_of: Timestamp,
    seed: u64,
) -> Result<(Option<Hazard>, Vec<String>), ForecastError> {
    let first = as_of + Days::whole(-WEEK * i64::from(PAST));
    match fit_curve(histories, config, first, seed) {
        Ok(twin) => Ok((Some(twin), Vec::new())),
        Err(why @ (TrainError::NoPoints { .. } | TrainError::Fit { .. })) => {
            Ok((None, vec![format!("Not held against the past: {why}.")]))
        }
        Err(why) => Err(why.into()),
    }
}

/// Past forecasts, one a week and each of as many weeks as have come since: `of` tells what was said at
/// an instant and what came, week by week.
fn past(
    as_of: Timestamp,
    weeks: u32,
    mut of: impl FnMut(Timestamp, u32) -> Vec<(Sum, f64)>,
) -> Vec<Tried> {
    let mut tried = Vec::new();
    for ago in 1..=PAST {
        let at = as_of + Days::whole(-WEEK * i64::from(ago));
        let told = of(at, ago.min(weeks)).into_iter().zip(1..);
        tried.extend(told.map(|((said, came), ahead)| Tried { ahead, said, came }));
    }
    tried
}

/// What is expected week by week from `as_of`, past forecasts having had a `common` error.
fn told(as_of: Timestamp, sums: &[Sum], common: f64) -> Vec<Week> {
    let week = |(place, sum): (usize, &Sum)| Week {
        from: as_of + Days::whole(WEEK * place as i64),
        cash_minor: sum.expected(common),
    };
    sums.iter().enumerate().map(week).collect()
}

/// What a `twin` said at `at` of invoices open then, and what came of them.
fn said_and_came(
    histories: &BTreeMap<CustomerId, History>,
    twin: Beliefs<'_>,
    (at, end): (Timestamp, Timestamp),
    weeks: u32,
) -> Vec<(Sum, f64)> {
    let open = open(histories, twin, at, end, weeks, None);
    let currency = main_currency(&open);
    let mine: Vec<&Open> = open
        .iter()
        .filter(|one| Some(one.currency) == currency)
        .collect();
    let came = |week: i64| -> f64 {
        let from = at + Days::whole(WEEK * week);
        let until = from + Days::whole(WEEK);
        let inside = |settled: Timestamp| (from..until).contains(&settled);
        let paid = mine.iter().filter(|one| one.settled_at.is_some_and(inside));
        paid.map(|one| one.owed).sum()
    };
    let said = by_week(&mine, weeks).into_iter().zip(0..);
    said.map(|(said, week)| (said, came(week))).collect()
}

/// How late invoices are when a claim is made, and of how many that get so late one is.
fn claims(histories: &BTreeMap<CustomerId, History>, as_of: Timestamp) -> Option<Claims> {
    let (mut late, mut reached) = (Vec::new(), Vec::new());
    for history in histories.values() {
        let view = history.as_of(as_of);
        let zone = view
            .customer()
            .map_or_else(Zone::utc, Customer::zone_or_utc);
        for invoice in view.invoices() {
            let settlement = Settlement::of(invoice, view.events_of(&invoice.invoice_id), &zone);
            let from = settlement.late_from();
            let settled = settlement.settled_from(invoice.issued_at);
            reached.push(settled.unwrap_or(as_of).days_since(from));
            let mut events = view.events_of(&invoice.invoice_id);
            let opened = events.find(|event| event.kind() == EventType::CollectionOpened);
            if let Some(event) = opened {
                late.push(event.occurred_at().days_since(from));
            }
        }
    }
    late.sort_unstable_by(f64::total_cmp);
    let days_late = *late.get(late.len() / 2)?;
    let so_late = reached.iter().filter(|days| **days >= days_late).count();
    Some(Claims {
        days_late,
        share: (late.len() as f64 / so_late.max(1) as f64).min(1.0),
    })
}
