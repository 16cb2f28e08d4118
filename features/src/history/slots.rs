//! Numbers for the invoices that a history names, so that passes over it compare no texts.

use crate::domain::InvoiceId;
use std::num::NonZeroU32;

/// The number of an invoice within one history. It depends on the order of arrival, so nothing that
/// is computed may depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(NonZeroU32);

impl Slot {
    /// From 0.
    pub(crate) fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The number itself, from 1.
    pub(super) fn number(self) -> NonZeroU32 {
        self.0
    }

    /// The slot of this number.
    pub(super) fn of_number(number: NonZeroU32) -> Self {
        Self(number)
    }

    fn of_index(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("a customer has fewer than 2^32 invoices"))
    }
}

/// The invoices that have a slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    /// By slot.
    ids: Vec<InvoiceId>,
    /// In the order of the ids.
    sorted: Vec<Slot>,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn id(&self, slot: Slot) -> &InvoiceId {
        &self.ids[slot.index()]
    }

    /// The slot of `id`, or where it would stand.
    pub(super) fn find(&self, id: &str) -> Result<Slot, usize> {
        let order = |slot: &Slot| self.id(*slot).as_str().cmp(id);
        self.sorted
            .binary_search_by(order)
            .map(|at| self.sorted[at])
    }

    /// The slot of `id`, a new one if it has none; from now on `id` shares its text with it.
    pub(super) fn share(&mut self, id: &mut InvoiceId) -> Slot {
        let slot = self.of(id.as_str(), || id.clone());
        id.clone_from(self.id(slot));
        slot
    }

    /// The slot of the invoice of this text, a new one of the id that `make` gives if it has none.
    pub(super) fn of(&mut self, text: &str, make: impl FnOnce() -> InvoiceId) -> Slot {
        self.find(text).unwrap_or_else(|at| {
            let slot = Slot::of_index(self.ids.len());
            self.ids.push(make());
            self.sorted.insert(at, slot);
            slot
        })
    }

    pub(super) fn shrink(&mut self) {
        self.ids.shrink_to_fit();
        self.sorted.shrink_to_fit();
    }
}
