//! Events at the door of one customer: new, duplicate or refused.

use crate::convert::FieldFault;
use crate::customers::CustomerState;
use crate::recording::{Recording, What};
use lagom_features::Known;
use lagom_features::domain::{Currency, EventId, InvoiceId, Timestamp};
use std::collections::HashSet;

/// What will be recorded of a customer once it is on disk.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    state: &'a CustomerState,
    at: Timestamp,
    ids: HashSet<EventId>,
    accepted: Vec<Recording>,
}

/// What became of an event that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    New,
    Duplicate,
}

impl<'a> Intake<'a> {
    /// Records learnt no earlier than `at`, and after everything before.
    pub(crate) fn new(state: &'a CustomerState, at: Timestamp) -> Self {
        Self {
            at: state.stamp(at),
            state,
            ids: HashSet::new(),
            accepted: Vec::new(),
        }
    }

    /// Takes an event in, whose path in the request is `path`.
    pub(crate) fn offer(&mut self, event: Recording, path: &str) -> Result<Offered, FieldFault> {
        if self.state.knows(&event.event_id) || self.ids.contains(&event.event_id) {
            return Ok(Offered::Duplicate);
        }
        self.one_currency(&event, path)?;
        self.ids.insert(event.event_id.clone());
        self.accepted.push(event.learnt(self.at));
        Ok(Offered::New)
    }

    /// What was accepted, in order.
    pub(crate) fn accepted(self) -> Vec<Recording> {
        self.accepted
    }

    /// Amounts of one invoice are of one currency: nothing here converts.
    fn one_currency(&self, event: &Recording, path: &str) -> Result<(), FieldFault> {
        let (given, invoice_id, field) = match &event.what {
            What::Fact(fact) => match (fact.amount, &fact.invoice_id) {
                (Some(amount), Some(invoice_id)) => {
                    (amount.currency, invoice_id, "fact.amount.currency")
                }
                _ => return Ok(()),
            },
            What::Invoice(invoice) => (
                invoice.amount.currency,
                &invoice.invoice_id,
                "invoice.amount.currency",
            ),
            What::Customer(_) => return Ok(()),
        };
        match self.currency(invoice_id) {
            Some(known) if known != given => Err(FieldFault::new(
                format!("{path}.{field}"),
                format!("{given} does not fit invoice `{invoice_id}`, which is in {known}"),
            )),
            _ => Ok(()),
        }
    }

    fn currency(&self, id: &InvoiceId) -> Option<Currency> {
        let of_new = |recording: &Recording| match &recording.what {
            What::Invoice(invoice) if &invoice.invoice_id == id => Some(invoice.amount.currency),
            What::Fact(fact) if fact.invoice_id.as_ref() == Some(id) => {
                fact.amount.map(|amount| amount.currency)
            }
            _ => None,
        };
        let history = &self.state.history;
        let invoices = history.invoices().iter().map(|one| &one.value);
        let events = history.events();
        let of_events = || {
            events
                .filter(|event| event.invoice_id() == Some(id))
                .find_map(Known::amount)
                .map(|amount| amount.currency)
        };
        invoices
            .filter(|invoice| &invoice.invoice_id == id)
            .map(|invoice| invoice.amount.currency)
            .next()
            .or_else(|| self.accepted.iter().find_map(of_new))
            .or_else(of_events)
    }
}
