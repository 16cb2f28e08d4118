//! Forecasts of weeks that are over, each by a curve that was fitted before it was made, and what came,
//! as it was known at the end of each later week.

use super::{Beliefs, Cash, ForecastError, WEEK, by_week, open, unissued};
use crate::dataset::zone_of;
use crate::labels::Settlement;
use crate::pipeline::{TrainError, TrainingConfig, fit_curve};
use lagom_features::domain::{Currency, CustomerId, Days, Timestamp};
use lagom_features::{History, View};
use lagom_model::forecast::{Sum, Tried};
use lagom_model::hazard::Hazard;
use std::collections::BTreeMap;

/// Weeks for which one twin forecasts before another is fitted, as a version is in service for a while.
const REFIT: u32 = 8;
/// Past forecasts of the farthest week that are left to be judged, once the first have given the errors
/// that intervals are made of.
const JUDGED: u32 = 6;

/// Everything tried.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// Of invoices that were open.
    pub(super) open: Vec<Tried>,
    /// Of those that were not issued yet.
    pub(super) unissued: Vec<Tried>,
    /// Of both.
    pub(super) together: Vec<Tried>,
    /// Weeks from the first forecast to now: the origin of the forecast that is made now.
    pub(super) now: u32,
    /// Of the cash from invoices issued later, the share of customers in rhythm.
    pub(super) share_of_later: Option<f64>,
}

/// Cash week by week from an instant on, as it was known at the end of each week and every week later.
#[derive(Debug)]
pub(super) struct Known {
    at: Timestamp,
    ago: u32,
    /// By week ahead, then by how many weeks after its end it was known.
    weeks: Vec<Vec<f64>>,
}

impl Known {
    /// Nothing yet of up to `weeks` from `at`, which is `ago` weeks before now.
    pub(super) fn new(at: Timestamp, ago: u32, weeks: u32) -> Self {
        let since = |week| vec![0.0; (ago - week) as usize];
        Self {
            at,
            ago,
            weeks: (0..weeks.min(ago)).map(since).collect(),
        }
    }

    /// Adds an invoice: `of` tells from what was known at an instant when it was settled, from `at` on,
    /// and what that brought.
    pub(super) fn add(
        &mut self,
        history: &History,
        of: impl Fn(&View<'_>) -> Option<(Timestamp, f64)>,
    ) {
        for later in 1..=self.ago {
            let end = self.at + Days::whole(WEEK * i64::from(later));
            let Some((settled, minor)) = of(&history.as_of(end)) else {
                continue;
            };
            let week = (settled.days_since(self.at) / WEEK as f64) as usize;
            // Known at `end`, so its own week is over by then.
            if let Some(known) = self.weeks.get_mut(week)
                && let Some(since) = (later as usize).checked_sub(week + 1)
            {
                known[since] += minor;
            }
        }
    }

    /// What is known now of all weeks.
    pub(super) fn total(&self) -> f64 {
        self.weeks.iter().filter_map(|week| week.last()).sum()
    }
}

/// When an invoice was settled from `at` on, as `view` knows it.
pub(super) fn settled(view: &View<'_>, cash: &Cash<'_>) -> Option<(Timestamp, f64)> {
    let invoice = view.invoice(cash.invoice_id)?;
    let zone = zone_of(view);
    let settlement = Settlement::of(invoice, view.events_of(cash.invoice_id), &zone);
    let minor = cash.minor.unwrap_or(invoice.amount.minor_units as f64);
    settlement.settled_from(cash.from).map(|at| (at, minor))
}

/// A curve of what was known `ago` weeks before now.
struct Twin {
    ago: u32,
    curve: Hazard,
}

/// The twins there are, the latest last, and why there is none from before.
fn twins(
    histories: &BTreeMap<CustomerId, History>,
    config: &TrainingConfig,
    as_of: Timestamp,
    weeks: u32,
    seed: u64,
) -> Result<(Vec<Twin>, Vec<String>), ForecastError> {
    let far = 2 * weeks + JUDGED;
    let (mut twins, mut notes) = (Vec::new(), Vec::new());
    for ago in (1..=far.div_ceil(REFIT)).rev().map(|block| block * REFIT) {
        let first = as_of + Days::whole(-WEEK * i64::from(ago));
        match fit_curve(histories, config, first, seed) {
            Ok(curve) => twins.push(Twin { ago, curve }),
            Err(why @ (TrainError::NoPoints { .. } | TrainError::Fit { .. })) => {
                let since = match ago - REFIT {
                    0 => "the past".to_owned(),
                    weeks => format!("what is more than {weeks} weeks ago"),
                };
                notes = vec![format!("Not held against {since}: {why}.")];
            }
            Err(why) => return Err(why.into()),
        }
    }
    Ok((twins, notes))
}

/// Tries forecasts of up to `weeks`, one a week; the notes say of what there was too little.
pub(super) fn of(
    histories: &BTreeMap<CustomerId, History>,
    config: &TrainingConfig,
    currency: Currency,
    as_of: Timestamp,
    weeks: u32,
    seed: u64,
) -> Result<(Past, Vec<String>), ForecastError> {
    let (twins, notes) = twins(histories, config, as_of, weeks, seed)?;
    let mut past = Past::default();
    let Some(first) = twins.first() else {
        return Ok((past, notes));
    };
    past.now = first.ago;
    let (mut own, mut all) = (0.0, 0.0);
    for ago in (1..=first.ago).rev() {
        let Some(twin) = twins.iter().rev().find(|twin| twin.ago >= ago) else {
            continue;
        };
        let beliefs = Beliefs {
            spec: &config.spec,
            curve: &twin.curve,
            version: None,
        };
        let at = as_of + Days::whole(-WEEK * i64::from(ago));
        let ahead = ago.min(weeks);
        let mut came = Known::new(at, ago, ahead);
        let now = open(histories, beliefs, at, ahead, None);
        let mine: Vec<_> = now.iter().filter(|one| one.currency == currency).collect();
        for one in &mine {
            came.add(one.history, |view| settled(view, &one.cash(at)));
        }
        let open = tried(past.now - ago, &by_week(&mine, ahead), &came);
        let later = unissued::tried(histories, beliefs, currency, (at, ago), ahead);
        own += later.came.total();
        all += later.came.total() + later.others;
        let unissued = tried(past.now - ago, &later.said, &later.came);
        past.together.extend(open.iter().zip(&unissued).map(both));
        past.open.extend(open);
        past.unissued.extend(unissued);
    }
    past.share_of_later = (all > 0.0).then(|| own / all);
    Ok((past, notes))
}

fn tried(origin: u32, said: &[Sum], came: &Known) -> Vec<Tried> {
    let weeks = said.iter().zip(&came.weeks).zip(1..);
    let one = |((said, came), ahead): ((&Sum, &Vec<f64>), u32)| Tried {
        origin,
        ahead,
        said: *said,
        came: came.clone(),
    };
    weeks.map(one).collect()
}

/// One week of open invoices and of those that were not issued yet.
fn both((open, unissued): (&Tried, &Tried)) -> Tried {
    let came = open.came.iter().zip(&unissued.came);
    Tried {
        origin: open.origin,
        ahead: open.ahead,
        said: open.said.plus(unissued.said),
        came: came.map(|(open, unissued)| open + unissued).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Cash, Known, settled};
    use lagom_features::History;
    use lagom_features::domain::{
        Currency, CustomerId, Days, Event, EventId, EventType, Invoice, InvoiceId, Money,
        Timestamp, Zone,
    };

    #[test]
    fn a_payment_that_is_told_of_late_is_cash_from_when_it_is_known() {
        let at = Timestamp::parse("2026-03-02").unwrap();
        let day = |days| at + Days::whole(days);
        let (customer, id) = (CustomerId::new("c").unwrap(), InvoiceId::new("i").unwrap());
        let amount = Money::new(500, Currency::SEK);
        let mut history = History::new();
        let invoice = Invoice {
            invoice_id: id.clone(),
            customer_id: customer.clone(),
            issued_at: day(-10),
            due_on: day(5).date(&Zone::utc()),
            amount,
            terms_days: None,
            payment_method: None,
            billing_channel: None,
            product: None,
        };
        history.record_invoice(day(-10), invoice);
        // Paid in the second week, recorded in the fourth.
        let (paid, told) = (day(9), day(23));
        let event_id = EventId::new("e").unwrap();
        let mut event = Event::new(event_id, EventType::PaymentSucceeded, customer, paid, told);
        event.invoice_id = Some(id.clone());
        event.amount = Some(amount);
        history.record_event(&event);
        let cash = Cash {
            invoice_id: &id,
            from: at,
            minor: None,
        };
        let mut known = Known::new(at, 5, 3);
        known.add(&history, |view| settled(view, &cash));
        assert_eq!(known.weeks[0], [0.0; 5]);
        assert_eq!(known.weeks[1], [0.0, 0.0, 500.0, 500.0]);
        assert_eq!(known.weeks[2], [0.0; 3]);
        assert_eq!(known.total(), 500.0);
    }
}
