//! Cash of invoices that are not issued yet, from customers who are invoiced in a rhythm.
//!
//! ```text
//! next_k = the k-th issue after the last     k = 1, 2, …, up to the end of the weeks
//! cash_w = Σ_i Σ_k amount_i · g^k · (F_i(end of w − next_k) − F_i(beginning of w − next_k))
//! ```
//! `amount` is the median of what was billed with the customer's last issues; when the next are expected,
//! [`Rhythm`] tells. `F` is the curve of payment of the customer's last invoice at its issue, as it was known then, and
//! `g` the share of the gaps of everybody in rhythm after which another invoice came: who leaves is in
//! it. Customers without a rhythm, and those who are still to come, are not in the sum; the share of
//! later cash that is theirs is told from the past.

use super::past::{Known, Past, settled};
use super::rhythm::{Issue, LEAST_GAPS, Rhythm};
use super::{Beliefs, Cash, WEEK, told};
use crate::dataset::zone_of;
use crate::labels::Loyalty;
use crate::segments::{self, Wanted};
use lagom_features::domain::{Currency, CustomerId, Days, Timestamp};
use lagom_features::{Extractor, History, Ledger, Scratch, View, week_of};
use lagom_model::forecast::{Sum, Unissued, common_error, coverage, learn};
use lagom_model::hazard::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// Invoices that are issued within so many days of each other are one issue.
const TOGETHER_DAYS: f64 = 1.0;

/// The issues of a customer that were known, in the order of time.
fn issues(view: &View<'_>, currency: Currency) -> Vec<Issue> {
    let invoices = view.invoices().into_iter();
    let billed =
        invoices.filter(|one| one.amount.currency == currency && one.amount.minor_units > 0);
    let mut all: Vec<Issue> = billed
        .map(|one| Issue {
            at: one.issued_at,
            minor: one.amount.minor_units as f64,
            invoice_id: one.invoice_id.clone(),
        })
        .collect();
    all.sort_by(|a, b| (a.at, &a.invoice_id).cmp(&(b.at, &b.invoice_id)));
    let mut merged: Vec<Issue> = Vec::with_capacity(all.len());
    for issue in all {
        match merged.last_mut() {
            Some(last) if issue.at.days_since(last.at) < TOGETHER_DAYS => {
                last.minor += issue.minor;
                last.invoice_id = issue.invoice_id;
            }
            _ => merged.push(issue),
        }
    }
    merged
}

/// A customer in rhythm at the time of a forecast.
struct InRhythm<'a> {
    id: &'a CustomerId,
    history: &'a History,
    last: Issue,
    rhythm: Rhythm,
}

/// Who is in rhythm at `at`, and the share of the gaps of such customers that another issue ended.
fn in_rhythm(
    histories: &BTreeMap<CustomerId, History>,
    currency: Currency,
    at: Timestamp,
) -> (Vec<InRhythm<'_>>, f64) {
    let mut found = Vec::new();
    // As if half of one gap more had been ended: a share of nothing is not certain.
    let (mut ended, mut gaps) = (0.5, 1.0);
    for (id, history) in histories {
        let view = history.as_of(at);
        let zone = zone_of(&view);
        let mut issues = issues(&view, currency);
        for place in LEAST_GAPS..issues.len() {
            let Some(rhythm) = Rhythm::of(&issues[..=place], &zone) else {
                continue;
            };
            let until = rhythm.ends(&issues[place]);
            // Not yet known to have ended: it counts once it is, whatever came meanwhile.
            if until < at {
                let next = issues.get(place + 1);
                gaps += 1.0;
                ended += f64::from(u8::from(next.is_some_and(|next| next.at < until)));
            }
        }
        let gone = Loyalty::of(view.events()).gone_before(at);
        if let Some(rhythm) = Rhythm::of(&issues, &zone).filter(|_| !gone)
            && let Some(last) = issues.pop()
            && at <= rhythm.ends(&last)
        {
            found.push(InRhythm {
                id,
                history,
                last,
                rhythm,
            });
        }
    }
    (found, ended / gaps)
}

/// What is expected of customers in rhythm.
pub(super) struct Said<'a> {
    pub(super) customers: BTreeSet<&'a CustomerId>,
    invoices: f64,
    billed_minor: f64,
    go_on: f64,
    pub(super) weeks: Vec<Sum>,
}

impl Said<'_> {
    /// With the intervals that the `past` has taught.
    pub(super) fn told(&self, as_of: Timestamp, past: &Past) -> Unissued {
        let weeks = self.weeks.len() as u32;
        let widening = learn(&past.unissued, past.now, weeks);
        Unissued {
            customers: self.customers.len(),
            invoices: self.invoices,
            billed_minor: self.billed_minor,
            go_on: self.go_on,
            weeks: told(as_of, &self.weeks, &widening),
            common_error: common_error(&widening),
            coverage: coverage(&past.unissued, past.now, weeks),
            widening,
            share_of_later: past.share_of_later,
        }
    }
}

/// The `weeks` from `at`, by what was known then.
pub(super) fn said<'a>(
    histories: &'a BTreeMap<CustomerId, History>,
    beliefs: Beliefs<'_>,
    currency: Currency,
    at: Timestamp,
    weeks: u32,
) -> Said<'a> {
    let (customers, go_on) = in_rhythm(histories, currency, at);
    let mut said = Said {
        customers: BTreeSet::new(),
        invoices: 0.0,
        billed_minor: 0.0,
        go_on,
        weeks: vec![Sum::default(); weeks as usize],
    };
    // The curve of the last invoice is of the instant at which its issue became known.
    let known = customers.iter().map(|one| known_at(one));
    let instants: Vec<Timestamp> = known.collect();
    let needed: BTreeSet<Timestamp> = instants.iter().map(|at| week_of(*at)).collect();
    let segments = segments::of(beliefs.spec, histories.values(), Wanted::At(&needed));
    let extractor = Extractor::new(beliefs.spec);
    let (mut vector, mut scratch) = (Vec::new(), Scratch::new());
    let horizon = Days::whole(WEEK * i64::from(weeks));
    for (one, known) in customers.iter().zip(instants) {
        let view = one.history.as_of(known);
        let ledger = Ledger::of(&view);
        let id = &one.last.invoice_id;
        vector.clear();
        let made =
            extractor.extract_among(&mut scratch, &view, &ledger, id, &segments, &mut vector);
        let Some(state) = ledger.invoice(id).filter(|_| made.is_ok()) else {
            continue;
        };
        let zone = zone_of(&view);
        let moment = Moment::of(state, &zone, known);
        let mut chance = 1.0;
        for ahead in 1.. {
            let next = one.rhythm.next(&one.last, ahead, at, &zone);
            if next >= at + horizon {
                break;
            }
            chance *= go_on;
            let ends = (1..=weeks).map(|week| {
                let end = at + Days::whole(WEEK * i64::from(week));
                end.days_since(next).max(0.0)
            });
            let days: Vec<f64> = ends.collect();
            let Ok(paid) = beliefs.curve.paid_by(&vector, moment, &days) else {
                continue;
            };
            let mut before = 0.0;
            for (sum, paid) in said.weeks.iter_mut().zip(paid) {
                sum.add(one.rhythm.minor, chance * (paid - before).max(0.0));
                before = paid;
            }
            said.invoices += chance;
            said.billed_minor += chance * one.rhythm.minor;
        }
        said.customers.insert(one.id);
    }
    said
}

/// When the issue of a customer's last invoice became known.
fn known_at(one: &InRhythm<'_>) -> Timestamp {
    let recordings = one.history.invoices().iter();
    let of_last = recordings.filter(|known| known.value.invoice_id == one.last.invoice_id);
    let first = of_last.map(|known| known.recorded_at.max(known.value.issued_at));
    first.min().unwrap_or(one.last.at) + Days::SHORTEST
}

/// A past forecast, and what came of it.
pub(super) struct Later {
    pub(super) said: Vec<Sum>,
    /// Of customers in rhythm at the time.
    pub(super) came: Known,
    /// Cash of the others, as known now.
    pub(super) others: f64,
}

/// What was said at `at`, `ago` weeks before now, and what came of invoices that were not known then.
pub(super) fn tried(
    histories: &BTreeMap<CustomerId, History>,
    beliefs: Beliefs<'_>,
    currency: Currency,
    (at, ago): (Timestamp, u32),
    weeks: u32,
) -> Later {
    let said = said(histories, beliefs, currency, at, weeks);
    let (mut own, mut others) = (Known::new(at, ago, weeks), Known::new(at, ago, weeks));
    let now = at + Days::whole(WEEK * i64::from(ago));
    for (id, history) in histories {
        let then = history.as_of(at);
        let came = if said.customers.contains(id) {
            &mut own
        } else {
            &mut others
        };
        for invoice in history.as_of(now).invoices() {
            let new = then.invoice(&invoice.invoice_id).is_none();
            if !new || invoice.amount.currency != currency {
                continue;
            }
            let cash = Cash {
                invoice_id: &invoice.invoice_id,
                from: at,
                minor: None,
            };
            came.add(history, |view| settled(view, &cash));
        }
    }
    Later {
        said: said.weeks,
        came: own,
        others: others.total(),
    }
}
