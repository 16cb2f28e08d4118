//! A history of records in any order, at a cost of one sort.

use super::events::Events;
use super::{History, Recorded, slot_of};
use crate::domain::event::EventRow;
use crate::domain::ids::IdError;
use crate::domain::{Customer, Invoice};

/// A [`History`] that is being filled with everything there is, without wide events in between.
#[derive(Debug)]
pub struct HistoryBuilder(History);

impl HistoryBuilder {
    /// With room for so many `events`.
    #[must_use]
    pub fn new(
        mut customers: Vec<Recorded<Customer>>,
        mut invoices: Vec<Recorded<Invoice>>,
        events: usize,
    ) -> Self {
        customers.sort_by_key(|one| one.recorded_at);
        invoices.sort_by_key(|one| one.recorded_at);
        let mut history = History {
            customers,
            events: Events::with_capacity(events),
            ..History::default()
        };
        let slots = &mut history.slots;
        let shared = invoices.iter_mut();
        let shared = shared.map(|one| slots.share(&mut one.value.invoice_id));
        history.invoice_slots = shared.collect();
        history.invoices = invoices;
        Self(history)
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
    pub fn finish(mut self) -> History {
        let history = &mut self.0;
        history.events.settle();
        history.slots.shrink();
        history.customers.shrink_to_fit();
        history.invoices.shrink_to_fit();
        self.0
    }
}
