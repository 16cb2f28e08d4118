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
}

/// The invoices that have a slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    /// Sorted by id.
    known: Vec<(InvoiceId, Slot)>,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The slot of `id`, or where it would stand.
    pub(super) fn find(&self, id: &InvoiceId) -> Result<Slot, usize> {
        self.place(id).map(|at| self.known[at].1)
    }

    /// The slot of `id`, a new one if it has none; from now on `id` shares its text with it.
    pub(super) fn share(&mut self, id: &mut InvoiceId) -> Slot {
        match self.place(id) {
            Ok(at) => {
                let (known, slot) = &self.known[at];
                id.clone_from(known);
                *slot
            }
            Err(at) => {
                let next = u32::try_from(self.known.len() + 1).unwrap_or(u32::MAX);
                let slot = Slot(NonZeroU32::new(next).unwrap_or(NonZeroU32::MAX));
                self.known.insert(at, (id.clone(), slot));
                slot
            }
        }
    }

    fn place(&self, id: &InvoiceId) -> Result<usize, usize> {
        self.known.binary_search_by(|(other, _)| other.cmp(id))
    }
}
