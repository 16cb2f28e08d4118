//! Cash of invoices that are not issued yet, from customers who are invoiced in a rhythm.
//!
//! ```text
//! next_k = last issue + k·gap                k = 1, 2, …, up to the end of the weeks
//! cash_w = Σ_i Σ_k amount_i · g^k · (F_i(end of w − next_k) − F_i(beginning of w − next_k))
//! ```
//! `gap` is the mean of the customer's last gaps and `amount` the median of what was billed with them.
//! `F` is the curve of payment of the customer's last invoice at its issue, as it was known then, and
//! `g` the share of the gaps of everybody in rhythm after which another invoice came: who leaves is in
//! it. Customers without a rhythm, and those who are still to come, are not in the sum; the share of
//! later cash that is theirs is told from the past.

use super::{Beliefs, WEEK, past, told};
use crate::labels::{Loyalty, Settlement};
use crate::segments::{self, Wanted};
use lagom_features::domain::{Currency, Customer, CustomerId, Days, InvoiceId, Timestamp, Zone};
use lagom_features::{Extractor, History, Ledger, Scratch, week_of};
use lagom_model::forecast::{Sum, Unissued, common_error, coverage};
use lagom_model::hazard::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// A rhythm is read of so many gaps at least …
const LEAST_GAPS: usize = 3;
/// … and of so many at most, the latest.
const MOST_GAPS: usize = 6;
/// How far each of them may lie from their median, as a share of it: months are 28 to 31 days.
const OFF: f64 = 0.2;
/// Gaps without an invoice after which a rhythm has ended.
const SILENT: f64 = 1.25;
/// Invoices that are issued within so many days of each other are one issue.
const TOGETHER_DAYS: f64 = 1.0;

/// What a customer was billed at one time.
#[derive(Debug, Clone, PartialEq)]
struct Issue {
    at: Timestamp,
    minor: f64,
    /// The last of its invoices.
    invoice_id: InvoiceId,
}

/// Issues that follow each other evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rhythm {
    gap_days: f64,
    minor: f64,
}

impl Rhythm {
    /// Of `issues` in the order of time, as the last of them shows it.
    fn of(issues: &[Issue]) -> Option<Self> {
        let latest = &issues[issues.len().saturating_sub(MOST_GAPS + 1)..];
        let gaps = latest
            .windows(2)
            .map(|pair| pair[1].at.days_since(pair[0].at));
        let gaps: Vec<f64> = gaps.collect();
        if gaps.len() < LEAST_GAPS {
            return None;
        }
        let usual = median(gaps.clone());
        let even = gaps.iter().all(|gap| (gap - usual).abs() <= OFF * usual);
        even.then(|| Self {
            gap_days: gaps.iter().sum::<f64>() / gaps.len() as f64,
            minor: median(latest.iter().map(|issue| issue.minor).collect()),
        })
    }

    /// When it has ended, unless another issue comes.
    fn ends(&self, last: &Issue) -> Timestamp {
        last.at + Days::hours((24.0 * SILENT * self.gap_days) as i64)
    }

    /// When the issue `ahead` gaps after `last` is expected: at once where that is over.
    fn next(&self, last: &Issue, ahead: u32, now: Timestamp) -> Timestamp {
        let hours = 24.0 * self.gap_days * f64::from(ahead);
        (last.at + Days::hours(hours.round() as i64)).max(now)
    }
}

/// The upper of the two in the middle; `values` are not empty.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The issues of a customer that were known at `at`, in the order of time.
fn issues(history: &History, currency: Currency, at: Timestamp) -> Vec<Issue> {
    let invoices = history.as_of(at).invoices().into_iter();
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
        let mut issues = issues(history, currency, at);
        for place in LEAST_GAPS..issues.len() {
            let Some(rhythm) = Rhythm::of(&issues[..=place]) else {
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
        let gone = Loyalty::of(history.as_of(at).events()).gone_before(at);
        if let Some(rhythm) = Rhythm::of(&issues).filter(|_| !gone)
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
struct Said<'a> {
    customers: BTreeSet<&'a CustomerId>,
    invoices: f64,
    billed_minor: f64,
    go_on: f64,
    weeks: Vec<Sum>,
}

/// The `weeks` from `at`, by what was known then.
fn said<'a>(
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
        let zone = view
            .customer()
            .map_or_else(Zone::utc, Customer::zone_or_utc);
        let moment = Moment::of(state, &zone, known);
        let mut chance = 1.0;
        for ahead in 1.. {
            let next = one.rhythm.next(&one.last, ahead, at);
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

/// Cash of one week from invoices that were not known at `at`: of `customers`, and of all.
fn came(
    histories: &BTreeMap<CustomerId, History>,
    customers: &BTreeSet<&CustomerId>,
    currency: Currency,
    (at, end): (Timestamp, Timestamp),
    weeks: u32,
) -> Vec<(f64, f64)> {
    let mut cash = vec![(0.0, 0.0); weeks as usize];
    for (id, history) in histories {
        let (then, known) = (history.as_of(at), history.as_of(end));
        let zone = known
            .customer()
            .map_or_else(Zone::utc, Customer::zone_or_utc);
        for invoice in known.invoices() {
            let new = then.invoice(&invoice.invoice_id).is_none();
            if !new || invoice.amount.currency != currency {
                continue;
            }
            let settlement = Settlement::of(invoice, known.events_of(&invoice.invoice_id), &zone);
            let Some(settled) = settlement.settled_from(at) else {
                continue;
            };
            let week = (settled.days_since(at) / WEEK as f64) as usize;
            if let Some((own, all)) = cash.get_mut(week) {
                *all += invoice.amount.minor_units as f64;
                if customers.contains(id) {
                    *own += invoice.amount.minor_units as f64;
                }
            }
        }
    }
    cash
}

/// The forecast of the `weeks` from `as_of`, held against the past where there is a `twin` that has not
/// seen it; none where nobody is invoiced in a rhythm.
pub(super) fn of(
    histories: &BTreeMap<CustomerId, History>,
    (beliefs, twin): (Beliefs<'_>, Option<Beliefs<'_>>),
    currency: Currency,
    as_of: Timestamp,
    weeks: u32,
) -> Option<Unissued> {
    let now = said(histories, beliefs, currency, as_of, weeks);
    if now.customers.is_empty() {
        return None;
    }
    let (mut own, mut all) = (0.0, 0.0);
    let tried = twin.map_or_else(Vec::new, |twin| {
        past(as_of, weeks, |at, ahead| {
            let then = said(histories, twin, currency, at, ahead);
            let came = came(histories, &then.customers, currency, (at, as_of), ahead);
            own += came.iter().map(|week| week.0).sum::<f64>();
            all += came.iter().map(|week| week.1).sum::<f64>();
            let came = came.into_iter().map(|week| week.0);
            then.weeks.into_iter().zip(came).collect()
        })
    });
    let common = common_error(tried.iter().copied());
    Some(Unissued {
        customers: now.customers.len(),
        invoices: now.invoices,
        billed_minor: now.billed_minor,
        go_on: now.go_on,
        weeks: told(as_of, &now.weeks, common),
        common_error: common,
        coverage: coverage(&tried),
        share_of_later: (all > 0.0).then(|| own / all),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Issue, Rhythm};
    use lagom_features::domain::{Days, InvoiceId, Timestamp};

    fn issues(days: &[i64]) -> Vec<Issue> {
        let start = Timestamp::parse("2026-01-01").unwrap();
        let one = |(place, day): (usize, &i64)| Issue {
            at: start + Days::whole(*day),
            minor: 100.0 + place as f64,
            invoice_id: InvoiceId::new(format!("i{place}")).unwrap(),
        };
        days.iter().enumerate().map(one).collect()
    }

    #[test]
    fn months_are_a_rhythm_and_what_comes_when_it_pleases_is_none() {
        let months = issues(&[0, 31, 59, 90, 120]);
        let rhythm = Rhythm::of(&months).unwrap();
        assert_eq!((rhythm.gap_days, rhythm.minor), (30.0, 102.0));
        assert_eq!(Rhythm::of(&months[..3]), None);
        assert_eq!(Rhythm::of(&issues(&[0, 31, 75, 90, 120])), None);
        // What was long ago is forgotten.
        let settled = issues(&[0, 3, 90, 120, 150, 180, 210, 240, 270]);
        assert_eq!(Rhythm::of(&settled).unwrap().gap_days, 30.0);
        assert_eq!(Rhythm::of(&[]), None);
    }

    #[test]
    fn the_next_issue_is_a_gap_after_the_last_or_at_once_and_silence_ends_it() {
        let months = issues(&[0, 30, 60, 90]);
        let (rhythm, last) = (Rhythm::of(&months).unwrap(), &months[3]);
        let day = |days| months[0].at + Days::whole(days);
        assert_eq!(rhythm.next(last, 1, day(100)), day(120));
        assert_eq!(rhythm.next(last, 2, day(100)), day(150));
        assert_eq!(rhythm.next(last, 1, day(123)), day(123));
        assert_eq!(rhythm.ends(last), day(127) + Days::hours(12));
    }
}
