//! What came of an invoice and of a customer, as far as it is known: the outcomes that models are
//! fitted to.
//!
//! A label is read from what was recorded before the data ends, and only once its window has closed
//! and late reports have had their time ([`reported_until`]). What is not known is `None`; it is
//! neither a yes nor a no.

use lagom_features::domain::{CustomerId, Date, Days, EventType, Invoice, Timestamp, Zone};
use lagom_features::{History, Known};
use std::collections::BTreeMap;

/// Share of the payments that have been reported when a window counts as closed.
const REPORTED: f64 = 0.99;
/// Delays of reports beyond this are those of a migration, not of a bank.
const LONGEST_DELAY_DAYS: i64 = 14;

/// The instant, at most `as_of`, before which everything that happened has been reported by `as_of`:
/// `as_of` less the delay with which all but a hundredth of the payments, credits and departures
/// were recorded, at most two weeks. A window that closes later may yet be contradicted.
#[must_use]
pub fn reported_until(histories: &BTreeMap<CustomerId, History>, as_of: Timestamp) -> Timestamp {
    let mut delays = Delays::default();
    histories
        .values()
        .for_each(|history| delays.see(history, as_of));
    delays.reported_until(as_of)
}

/// How late payments, credits and departures were reported, in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delays(Vec<i64>);

impl Delays {
    /// Adds the reports about one customer that were recorded before `as_of`.
    pub(crate) fn see(&mut self, history: &History, as_of: Timestamp) {
        let reports = |kind| {
            matches!(
                kind,
                EventType::PaymentSucceeded | EventType::CreditIssued | EventType::CustomerChurned
            )
        };
        let longest = Days::whole(LONGEST_DELAY_DAYS).micros();
        let known = history.as_of(as_of);
        let told = known.events().filter(|event| reports(event.kind()));
        self.0.extend(told.map(|event| {
            let delay = event.recorded_at().micros() - event.occurred_at().micros();
            delay.clamp(0, longest)
        }));
    }

    /// [`reported_until`] of the customers that were seen.
    pub(crate) fn reported_until(mut self, as_of: Timestamp) -> Timestamp {
        if self.0.is_empty() {
            return as_of;
        }
        let place = ((self.0.len() - 1) as f64 * REPORTED).ceil() as usize;
        let (_, delay, _) = self.0.select_nth_unstable(place);
        Timestamp::from_micros(as_of.micros() - *delay).unwrap_or(as_of)
    }
}

/// How one invoice was settled: what was owed after each event, in the order of occurrence.
#[derive(Debug, Clone)]
pub struct Settlement {
    issued_minor: i64,
    /// First instant after the due date that held when it passed.
    late_from: Timestamp,
    steps: Vec<(Timestamp, i64)>,
}

impl Settlement {
    /// Of `invoice`, by the `events` about it in the order of occurrence. A due date that was moved
    /// before it passed counts, one moved later does not.
    #[must_use]
    pub fn of<'a>(invoice: &Invoice, events: impl Iterator<Item = Known<'a>>, zone: &Zone) -> Self {
        let late_from = |due_on: Date| due_on.plus_days(1).start(zone);
        let mut settlement = Self {
            issued_minor: invoice.amount.minor_units,
            late_from: late_from(invoice.due_on),
            steps: Vec::new(),
        };
        let mut owed = invoice.amount.minor_units;
        for event in events {
            let amount = || event.amount().map_or(0, |money| money.minor_units);
            owed = match event.kind() {
                EventType::PaymentSucceeded | EventType::CreditIssued => {
                    owed.saturating_sub(amount())
                }
                EventType::PaymentRefunded => owed.saturating_add(amount()),
                EventType::DueDateChanged => {
                    if let Some(until) = event.until()
                        && event.occurred_at() < settlement.late_from
                    {
                        settlement.late_from = late_from(until.date(&Zone::utc()));
                    }
                    continue;
                }
                _ => continue,
            };
            settlement.steps.push((event.occurred_at(), owed));
        }
        settlement
    }

    /// First instant at which the invoice counts as late.
    #[must_use]
    pub fn late_from(&self) -> Timestamp {
        self.late_from
    }

    /// What was owed just before `at`, in minor units.
    #[must_use]
    pub fn owed_before(&self, at: Timestamp) -> i64 {
        let before = self.steps.partition_point(|(when, _)| *when < at);
        match before.checked_sub(1) {
            Some(last) => self.steps[last].1,
            None => self.issued_minor,
        }
    }

    /// Whether anything was still owed at the first instant after the due date; `None` while that
    /// lies at or after `as_of`, before which everything has been reported.
    #[must_use]
    pub fn late(&self, as_of: Timestamp) -> Option<bool> {
        (self.late_from < as_of).then(|| self.owed_before(self.late_from) > 0)
    }

    /// First instant at or after `from` at which nothing more was owed, as far as is known.
    #[must_use]
    pub fn settled_from(&self, from: Timestamp) -> Option<Timestamp> {
        let mut settled = self
            .steps
            .iter()
            .filter(|&&(at, owed)| at >= from && owed <= 0);
        settled.next().map(|&(at, _)| at)
    }

    /// Whether the invoice was settled in `[from, from + days)`, perhaps to be opened again by a
    /// refund; `None` until that window has closed by `as_of`, before which everything has been
    /// reported.
    #[must_use]
    pub fn paid_within(&self, from: Timestamp, days: u16, as_of: Timestamp) -> Option<bool> {
        let until = from + Days::whole(i64::from(days));
        let mut inside = self
            .steps
            .iter()
            .filter(|(at, _)| (from..until).contains(at));
        (until <= as_of).then(|| inside.any(|&(_, owed)| owed <= 0))
    }
}

/// When a customer left and came back.
#[derive(Debug, Clone, Default)]
pub struct Loyalty {
    /// True where the customer left, in the order of occurrence.
    turns: Vec<(Timestamp, bool)>,
}

impl Loyalty {
    /// By the customer's events, in the order of occurrence.
    #[must_use]
    pub fn of<'a>(events: impl Iterator<Item = Known<'a>>) -> Self {
        let turns = events.filter_map(|event| match event.kind() {
            EventType::CustomerChurned => Some((event.occurred_at(), true)),
            EventType::CustomerReturned => Some((event.occurred_at(), false)),
            _ => None,
        });
        Self {
            turns: turns.collect(),
        }
    }

    /// Whether the customer left in `[from, from + days)`; `None` until that window has closed,
    /// and for one who had left before.
    #[must_use]
    pub fn left_within(&self, from: Timestamp, days: u16, as_of: Timestamp) -> Option<bool> {
        let until = from + Days::whole(i64::from(days));
        if self.gone_before(from) || until > as_of {
            return None;
        }
        Some(self.left_from(from).is_some_and(|at| at < until))
    }

    /// Whether the customer had left before `at` and not come back.
    #[must_use]
    pub fn gone_before(&self, at: Timestamp) -> bool {
        let before = self.turns.partition_point(|(when, _)| *when < at);
        before > 0 && self.turns[before - 1].1
    }

    /// When the customer first left at or after `from`, as far as is known.
    #[must_use]
    pub fn left_from(&self, from: Timestamp) -> Option<Timestamp> {
        let before = self.turns.partition_point(|(at, _)| *at < from);
        let mut later = self.turns[before..].iter();
        later.find(|(_, left)| *left).map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests;
