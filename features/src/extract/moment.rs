//! What every feature of a vector is computed against.

use crate::domain::{Currency, Customer, Timestamp, Zone};
use crate::history::View;
use crate::ledger::InvoiceState;
use crate::spec::feature::Window;

/// The instant, and whom and what it is asked about.
pub(super) struct Moment<'a> {
    pub(super) now: Timestamp,
    pub(super) zone: Zone,
    pub(super) customer: Option<&'a Customer>,
    /// Of which money is counted.
    pub(super) currency: Option<Currency>,
    /// Of the invoice in question, if there is one.
    pub(super) state: Option<&'a InvoiceState<'a>>,
    /// Of the same, in the ledger.
    pub(super) place: Option<usize>,
    pub(super) autopay: Option<bool>,
}

impl<'a> Moment<'a> {
    /// Without an invoice in question.
    pub(super) fn of(view: &View<'a>) -> Self {
        let customer = view.customer();
        Self {
            now: view.now(),
            zone: customer.map_or_else(Zone::utc, Customer::zone_or_utc),
            customer,
            currency: None,
            state: None,
            place: None,
            autopay: customer.and_then(|one| one.autopay),
        }
    }

    /// First instant that a window lets through, and how many rows.
    pub(super) fn bounds(&self, window: Window) -> (Timestamp, u32) {
        let since = match window {
            Window::Lifetime | Window::Last(_) => Timestamp::MIN,
            Window::Length(length) => self.now - length,
            // The spec lets these two stand only where an invoice is in question.
            Window::SinceDue => self
                .state
                .map_or(Timestamp::MAX, |state| state.due_on.start(&self.zone)),
            Window::SinceIssue => self
                .state
                .map_or(Timestamp::MAX, |state| state.invoice.issued_at),
        };
        let rows = match window {
            Window::Last(rows) => rows,
            _ => u32::MAX,
        };
        (since, rows)
    }
}
