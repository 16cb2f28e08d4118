//! A history of records in any order, at a cost of one sort.

use super::{History, Recorded, slot_of};
use crate::domain::event::EventRow;
use crate::domain::ids::IdError;
use crate::domain::{Customer, Invoice};

/// A [`History`] that is being filled with everything there is, without wide events in between.
#[derive(Debug, Default)]
pub struct HistoryBuilder(History);

impl HistoryBuilder {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a description of the customer. Of those recorded at one instant, the last taken holds.
    pub fn describe(&mut self, customer: Recorded<Customer>) {
        self.0.customers.push(customer);
    }

    /// Takes an invoice or a correction. Of those recorded at one instant, the last taken holds.
    pub fn invoice(&mut self, invoice: Recorded<Invoice>) {
        self.0.invoices.push(invoice);
    }

    /// Makes room for so many events more.
    pub fn reserve(&mut self, events: usize) {
        self.0.events.reserve(events);
    }

    /// Takes an event. Of those with one id, the one that happened first stays.
    ///
    /// # Errors
    /// [`IdError`] where one of its ids cannot be one; it is then not taken.
    pub fn push(&mut self, row: &EventRow<'_>) -> Result<(), IdError> {
        row.check_ids()?;
        self.append(row);
        Ok(())
    }

    /// [`Self::push`] of a row whose ids are known to be well formed.
    pub(super) fn append(&mut self, row: &EventRow<'_>) {
        let slot = slot_of(&mut self.0.slots, row);
        self.0.events.append(row, slot);
    }

    /// The history.
    #[must_use]
    pub fn finish(self) -> History {
        let mut history = self.0;
        history.customers.sort_by_key(|one| one.recorded_at);
        history.invoices.sort_by_key(|one| one.recorded_at);
        let slots = &mut history.slots;
        let invoices = history.invoices.iter_mut();
        history.invoice_slots = invoices
            .map(|one| slots.share(&mut one.value.invoice_id))
            .collect();
        history.events.settle();
        history.slots.shrink();
        history.customers.shrink_to_fit();
        history.invoices.shrink_to_fit();
        history
    }
}
