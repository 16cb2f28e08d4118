//! Expected cash by week from open invoices, held against the past: see [`lagom_model::forecast`].
//!
//! The past is tried with twins, each fitted to what was known before the first of the forecasts that are
//! made with it, so no forecast that is judged has seen what it is judged by. A twin is the curve
//! alone: nothing else of a version takes part in the cash that is judged.

mod associations;
mod discounts;
mod past;
mod rhythm;
mod unissued;

pub use discounts::discount_effects;

use crate::dataset::zone_of;
use crate::labels::Settlement;
use crate::pipeline::{TrainError, TrainingConfig, last_recorded};
use crate::segments::{self, Wanted};
use lagom_features::domain::{Currency, CustomerId, Days, EventType, InvoiceId, Timestamp};
use lagom_features::{Extractor, FeatureSpec, History, Ledger, Scratch, week_of};
use lagom_model::artefact::ModelVersion;
use lagom_model::forecast::{
    EarlyTenth, FORMAT, Forecast, LEAST, Sum, Together, Week, Widening, common_error, coverage,
    learn,
};
use lagom_model::hazard::{Hazard, Moment};
use lagom_model::metrics::tenths;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// Weeks at most: the curve of payment ends after ninety days.
pub const MOST_WEEKS: u32 = 12;
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

/// Cash that an invoice may bring from an instant on.
#[derive(Debug, Clone, Copy)]
struct Cash<'a> {
    invoice_id: &'a InvoiceId,
    from: Timestamp,
    /// How much; what is billed where none is given.
    minor: Option<f64>,
}

/// One open invoice, as it was known at the forecast.
struct Open<'a> {
    history: &'a History,
    invoice_id: &'a InvoiceId,
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
}

impl Open<'_> {
    /// What it may bring from `from` on.
    fn cash(&self, from: Timestamp) -> Cash<'_> {
        Cash {
            invoice_id: self.invoice_id,
            from,
            minor: Some(self.owed),
        }
    }
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
    let open = open(histories, beliefs, as_of, weeks, claims);
    let currency = main_currency(&open);
    let (mine, others): (Vec<_>, Vec<_>) =
        open.iter().partition(|one| Some(one.currency) == currency);

    let (past, mut notes) = match currency {
        Some(currency) => past::of(histories, config, currency, as_of, weeks, seed)?,
        None => (past::Past::default(), Vec::new()),
    };
    let said = by_week(&mine, weeks);
    let widening = learn(&past.open, past.now, weeks);
    notes.extend(untried("open invoices", &widening));
    let later = currency.and_then(|currency| {
        let said = unissued::said(histories, beliefs, currency, as_of, weeks);
        (!said.customers.is_empty()).then_some(said)
    });
    let together = later.as_ref().map(|later| {
        let sums = said.iter().zip(&later.weeks);
        let sums: Vec<Sum> = sums.map(|(open, later)| open.plus(*later)).collect();
        let widening = learn(&past.together, past.now, weeks);
        Together {
            weeks: told(as_of, &sums, &widening),
            coverage: coverage(&past.together, past.now, weeks),
            widening,
        }
    });
    let unissued = later.map(|later| later.told(as_of, &past));
    let later = unissued.as_ref().map(|later| &later.widening);
    notes.extend(later.and_then(|later| untried("invoices not issued yet", later)));
    let counted = |chance: &dyn Fn(&Open) -> Option<f64>| {
        let mut sum = Sum::default();
        let mut any = false;
        for p in open.iter().filter_map(chance) {
            sum.add(1.0, p);
            any = true;
        }
        any.then(|| sum.expected())
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
        weeks: told(as_of, &said, &widening),
        churn: counted(&|one| one.churn.filter(|_| one.first)),
        cases: counted(&|one| {
            one.claimable
                .zip(claims)
                .map(|(p, claims)| p * claims.share)
        }),
        common_error: common_error(&widening),
        coverage: coverage(&past.open, past.now, weeks),
        widening,
        unissued,
        together,
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

/// Which weeks' intervals rest on too few past forecasts to be more than a guess, in words.
fn untried(of: &str, widening: &[Widening]) -> Option<String> {
    let few: Vec<String> = (widening.iter().filter(|one| one.errors < LEAST))
        .map(|one| one.ahead.to_string())
        .collect();
    let none = widening.iter().all(|one| one.errors == 0);
    (!few.is_empty()).then(|| {
        let how = if none {
            "they are of chance alone, and too narrow"
        } else {
            "they are guessed from nearer weeks"
        };
        format!(
            "Of {of}, fewer than {LEAST} past forecasts are known of weeks ahead {}: what their \
             intervals leave out has not been seen; {how}.",
            few.join(", ")
        )
    })
}

/// Standard normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// Invoices of new customers in tenths of their early risk; fewer where there are fewer than ten.
fn by_early_risk(open: &[&Open<'_>]) -> Vec<EarlyTenth> {
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

fn main_currency(open: &[Open<'_>]) -> Option<Currency> {
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

fn by_week(open: &[&Open<'_>], weeks: u32) -> Vec<Sum> {
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

/// The invoices that are open at `at` as far as is known then.
fn open<'a>(
    histories: &'a BTreeMap<CustomerId, History>,
    beliefs: Beliefs<'_>,
    at: Timestamp,
    weeks: u32,
    claims: Option<Claims>,
) -> Vec<Open<'a>> {
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
        let zone = zone_of(&view);
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
            all.push(Open {
                history,
                invoice_id: id,
                owed: state.outstanding_minor as f64,
                currency: state.invoice.amount.currency,
                paid,
                claimable: claim,
                churn: beliefs.version.and_then(|one| one.churn_risk(&vector)),
                early: beliefs
                    .version
                    .and_then(|one| one.early_risk(&vector, moment)),
                first: std::mem::take(&mut first),
            });
        }
    }
    all
}

/// What is expected week by week from `as_of`, with the intervals that the past has taught.
fn told(as_of: Timestamp, sums: &[Sum], widening: &[Widening]) -> Vec<Week> {
    let week = |(place, (sum, widening)): (usize, (&Sum, &Widening))| Week {
        from: as_of + Days::whole(WEEK * place as i64),
        cash_minor: widening.expected(*sum),
    };
    sums.iter().zip(widening).enumerate().map(week).collect()
}

/// How late invoices are when a claim is made, and of how many that get so late one is.
fn claims(histories: &BTreeMap<CustomerId, History>, as_of: Timestamp) -> Option<Claims> {
    let (mut late, mut reached) = (Vec::new(), Vec::new());
    for history in histories.values() {
        let view = history.as_of(as_of);
        let zone = zone_of(&view);
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
