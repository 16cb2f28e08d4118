//! The customer's invoices as rows: what each was, when it was settled, whether it was late.

use super::row::days;
use super::{Moment, Scratch};
use crate::domain::{EventType, Timestamp};
use crate::history::Known;
use crate::ledger::Ledger;
use crate::spec::feature::Column;
use std::cmp::Ordering;

/// One invoice, in numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// Its place in the ledger.
    pub(super) place: u32,
    pub(super) in_question: bool,
    pub(super) issued_at: Timestamp,
    pub(super) settled_at: Option<Timestamp>,
    /// First instant after the due date.
    pub(super) late_from: Timestamp,
    pub(super) open: bool,
    /// 1 or 0 once `late_from` has passed, before that NaN.
    pub(super) late: f64,
    lag_days: f64,
    amount: f64,
    outstanding: f64,
    terms_days: f64,
    delivered_at: Option<Timestamp>,
    opened_at: Option<Timestamp>,
}

impl Facts {
    pub(super) fn value(&self, column: Column) -> f64 {
        match column {
            Column::Amount => self.amount,
            Column::LogAmount => libm::log1p(self.amount),
            Column::LagDays => self.lag_days,
            Column::Late => self.late,
            Column::DaysToSettle => self
                .settled_at
                .map_or(f64::NAN, |at| days(self.issued_at, at)),
            Column::Outstanding => self.outstanding,
            Column::TermsDays => self.terms_days,
            Column::Opened => f64::from(u8::from(self.opened_at.is_some())),
            Column::DaysToOpen => self.opened_at.map_or(f64::NAN, |at| {
                days(self.delivered_at.unwrap_or(self.issued_at), at).max(0.0)
            }),
            _ => f64::NAN,
        }
    }
}

/// Fills `scratch.facts` in the ledger's order.
pub(super) fn gather(scratch: &mut Scratch, ledger: &Ledger<'_>, moment: &Moment<'_>) {
    scratch.facts.clear();
    for (place, state) in ledger.invoices().iter().enumerate() {
        let invoice = state.invoice;
        let late_from = state.late_from(&moment.zone);
        let late = if late_from < moment.now {
            let still_open = state.settled_at.is_none_or(|at| at >= late_from);
            f64::from(u8::from(still_open))
        } else {
            f64::NAN
        };
        let in_currency = |minor: i64| {
            if Some(invoice.amount.currency) == moment.currency {
                minor as f64
            } else {
                f64::NAN
            }
        };
        let issued_on = invoice.issued_at.date(&moment.zone);
        let terms = invoice
            .terms_days
            .map_or_else(|| invoice.due_on.days_since(issued_on), i32::from);
        scratch.facts.push(Facts {
            place: place as u32,
            in_question: Some(place) == moment.place,
            issued_at: invoice.issued_at,
            settled_at: state.settled_at,
            late_from,
            open: !state.is_closed(),
            late,
            lag_days: state.lag_days(&moment.zone).map_or(f64::NAN, f64::from),
            amount: in_currency(invoice.amount.minor_units),
            outstanding: in_currency(state.outstanding_minor.max(0)),
            terms_days: f64::from(terms),
            delivered_at: None,
            opened_at: None,
        });
    }
}

/// Notes deliveries and openings, which come latest first, so that the first of each stays.
pub(super) fn note_engagement(facts: &mut [Facts], event: Known<'_>, place: Option<usize>) {
    let Some(place) = place else {
        return;
    };
    let noted = match event.kind() {
        EventType::InvoiceDelivered => &mut facts[place].delivered_at,
        EventType::InvoiceOpened | EventType::InvoiceViewed => &mut facts[place].opened_at,
        _ => return,
    };
    *noted = Some(event.occurred_at());
}

/// Fills `scratch.order` with the invoices that have an instant, latest first; the id decides
/// between equals, so that the order of arrival cannot.
pub(super) fn order_backwards(
    scratch: &mut Scratch,
    ledger: &Ledger<'_>,
    when: impl Fn(&Facts) -> Option<Timestamp>,
) {
    let Scratch { facts, order, .. } = scratch;
    order.clear();
    order.extend((0..facts.len() as u32).filter(|&place| when(&facts[place as usize]).is_some()));
    let id = |place: u32| &ledger.invoices()[place as usize].invoice.invoice_id;
    order.sort_unstable_by(|&a, &b| {
        let latest_first = when(&facts[b as usize]).cmp(&when(&facts[a as usize]));
        match latest_first {
            Ordering::Equal => id(b).cmp(id(a)),
            decided => decided,
        }
    });
}
