//! What came of an invoice and of a customer, as far as it is known: the outcomes that models are
//! fitted to.
//!
//! A label is read from what was recorded before `as_of` and only once its window has closed by
//! then. What is not known is `None`; it is neither a yes nor a no.

use lagom_features::Known;
use lagom_features::domain::{Date, Days, EventType, Invoice, Timestamp, Zone};

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
    /// lies at or after `as_of`.
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
    /// refund; `None` until that window has closed.
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
        let before = self.turns.partition_point(|(at, _)| *at < from);
        let gone = before > 0 && self.turns[before - 1].1;
        if gone || until > as_of {
            return None;
        }
        let inside = self.turns[before..].iter();
        Some(
            inside
                .take_while(|(at, _)| *at < until)
                .any(|&(_, left)| left),
        )
    }
}

#[cfg(test)]
mod tests;
