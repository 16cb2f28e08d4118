//! Everything recorded about one customer, and what of it was known at an instant.
//!
//! Two clocks matter: when a thing happened (`occurred_at`) and when lagom learnt it
//! (`recorded_at`). A [`View`] at `t` holds exactly what happened before `t` *and* was recorded
//! before `t`, so nothing computed from a view can have seen the future.

mod builder;
mod events;
mod keys;
mod known;
mod slots;
mod stored;

use crate::domain::event::EventRow;
use crate::domain::{Customer, Event, EventId, Invoice, InvoiceId, Timestamp};
use events::{CHECKED, Events};
use slots::Slots;

pub use builder::HistoryBuilder;
pub use known::Known;
pub(crate) use slots::Slot;
pub use stored::StoredError;

/// Something with the instant at which lagom learnt it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<T> {
    /// When lagom learnt it.
    pub recorded_at: Timestamp,
    /// What.
    pub value: T,
}

impl Recorded<Customer> {
    /// Known since the customer exists.
    #[must_use]
    pub fn at_creation(value: Customer) -> Self {
        Self {
            recorded_at: value.created_at,
            value,
        }
    }
}

impl Recorded<Invoice> {
    /// Known since it was issued.
    #[must_use]
    pub fn at_issue(value: Invoice) -> Self {
        Self {
            recorded_at: value.issued_at,
            value,
        }
    }
}

/// What became of an event offered to a [`History`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is in.
    New,
    /// Its id was there already; nothing changed.
    Duplicate,
}

/// All records of one customer, in the order in which things happened.
#[derive(Debug, Clone, Default)]
pub struct History {
    customers: Vec<Recorded<Customer>>,
    invoices: Vec<Recorded<Invoice>>,
    /// Slot of each of `invoices`.
    invoice_slots: Vec<Slot>,
    slots: Slots,
    events: Events,
}

/// Inserts behind every element that was recorded no later, which keeps arrival order on ties.
fn insert_recorded<T>(list: &mut Vec<Recorded<T>>, recorded_at: Timestamp, value: T) -> usize {
    let at = list.partition_point(|other| other.recorded_at <= recorded_at);
    list.insert(at, Recorded { recorded_at, value });
    at
}

/// The slot of the invoice that an event names.
fn slot_of(slots: &mut Slots, row: &EventRow<'_>) -> Option<Slot> {
    let text = row.invoice_id?;
    Some(slots.of(text, || InvoiceId::new(text).expect(CHECKED)))
}

impl History {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A history of records in any order, at a cost of one sort.
    #[must_use]
    pub fn from_records(
        customers: Vec<Recorded<Customer>>,
        invoices: Vec<Recorded<Invoice>>,
        events: &[Event],
    ) -> Self {
        let mut builder = HistoryBuilder::new();
        builder.reserve(events.len());
        customers.into_iter().for_each(|one| builder.describe(one));
        invoices.into_iter().for_each(|one| builder.invoice(one));
        events.iter().for_each(|event| builder.append(&event.row()));
        builder.finish()
    }

    /// Records a (new) description of the customer.
    pub fn record_customer(&mut self, recorded_at: Timestamp, customer: Customer) {
        insert_recorded(&mut self.customers, recorded_at, customer);
    }

    /// Records an invoice, or a correction of one of the same id.
    pub fn record_invoice(&mut self, recorded_at: Timestamp, mut invoice: Invoice) {
        let slot = self.slots.share(&mut invoice.invoice_id);
        let at = insert_recorded(&mut self.invoices, recorded_at, invoice);
        self.invoice_slots.insert(at, slot);
    }

    /// Records an event once; late and out-of-order events find their place.
    pub fn record_event(&mut self, event: &Event) -> Inserted {
        let row = event.row();
        if self.events.contains(row.event_id) {
            return Inserted::Duplicate;
        }
        let slot = slot_of(&mut self.slots, &row);
        self.events.insert(&row, slot);
        Inserted::New
    }

    /// Whether an event of this id is recorded.
    #[must_use]
    pub fn contains_event(&self, id: &EventId) -> bool {
        self.events.contains(id.as_str())
    }

    /// All events, by occurrence.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = Known<'_>> + ExactSizeIterator + Clone {
        let packed = self.events.packed().iter();
        packed.map(|packed| Known::new(self, packed))
    }

    /// All descriptions of the customer, by recording.
    #[must_use]
    pub fn customers(&self) -> &[Recorded<Customer>] {
        &self.customers
    }

    /// All invoices and corrections, by recording.
    #[must_use]
    pub fn invoices(&self) -> &[Recorded<Invoice>] {
        &self.invoices
    }

    /// What was known just before `now`.
    #[must_use]
    pub fn as_of(&self, now: Timestamp) -> View<'_> {
        View { history: self, now }
    }
}

/// What was known of a customer just before an instant.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    history: &'a History,
    now: Timestamp,
}

impl<'a> View<'a> {
    /// The instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The customer as last described.
    #[must_use]
    pub fn customer(&self) -> Option<&'a Customer> {
        let known = self
            .history
            .customers
            .partition_point(|one| one.recorded_at < self.now);
        self.history.customers[..known].last().map(|one| &one.value)
    }

    /// Every invoice issued and recorded, each in its last known form, by first recording.
    #[must_use]
    pub fn invoices(&self) -> Vec<&'a Invoice> {
        let mut invoices = Vec::new();
        self.each_invoice(&mut Vec::new(), |_, invoice| invoices.push(invoice));
        invoices
    }

    /// Hands over what [`Self::invoices`] lists, with each one's slot. `last` is memory to reuse.
    pub(crate) fn each_invoice(
        &self,
        last: &mut Vec<Option<u32>>,
        mut visit: impl FnMut(Slot, &'a Invoice),
    ) {
        let history = self.history;
        let known = history
            .invoices
            .partition_point(|one| one.recorded_at < self.now);
        last.clear();
        last.resize(history.slots.len(), None);
        for (place, slot) in history.invoice_slots[..known].iter().enumerate() {
            last[slot.index()] = Some(place as u32);
        }
        for slot in &history.invoice_slots[..known] {
            // The first recording takes the last, so that a correction keeps the invoice's place.
            let Some(place) = last[slot.index()].take() else {
                continue;
            };
            let invoice = &history.invoices[place as usize].value;
            if invoice.issued_at < self.now {
                visit(*slot, invoice);
            }
        }
    }

    /// How many slots there are; each is below it.
    pub(crate) fn slots(&self) -> usize {
        self.history.slots.len()
    }

    /// The slot of an invoice, if it was ever named.
    pub(crate) fn slot(&self, id: &InvoiceId) -> Option<Slot> {
        self.history.slots.find(id.as_str()).ok()
    }

    /// The invoice of this id in its last known form.
    #[must_use]
    pub fn invoice(&self, id: &InvoiceId) -> Option<&'a Invoice> {
        self.history
            .invoices
            .iter()
            .rev()
            .filter(|one| one.recorded_at < self.now)
            .map(|one| &one.value)
            .find(|invoice| &invoice.invoice_id == id)
            .filter(|invoice| invoice.issued_at < self.now)
    }

    /// Every event that had happened and was recorded, by occurrence.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = Known<'a>> + Clone + use<'a> {
        let View { history, now } = *self;
        let packed = history.events.packed();
        let happened = packed.partition_point(|event| event.occurred_at() < now);
        let known = packed[..happened]
            .iter()
            .filter(move |event| history.events.recorded_at(event) < now);
        known.map(move |event| Known::new(history, event))
    }

    /// Those of [`Self::events`] that name this invoice.
    pub fn events_of(
        &self,
        invoice_id: &InvoiceId,
    ) -> impl DoubleEndedIterator<Item = Known<'a>> + Clone + use<'a> {
        let slot = self.slot(invoice_id);
        self.events()
            .filter(move |event| slot.is_some() && event.slot() == slot)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::{CustomerId, EventType};

    fn event(id: &str, occurred: i64, recorded: i64) -> Event {
        Event::new(
            EventId::new(id).unwrap(),
            EventType::InvoiceOpened,
            CustomerId::new("c").unwrap(),
            Timestamp::from_micros(occurred).unwrap(),
            Timestamp::from_micros(recorded).unwrap(),
        )
    }

    fn seen(history: &History, at: i64) -> Vec<&str> {
        let view = history.as_of(Timestamp::from_micros(at).unwrap());
        view.events().map(Known::event_id).collect()
    }

    #[test]
    fn a_view_holds_what_had_happened_and_was_known() {
        let mut history = History::new();
        for late in [
            event("late", 10, 30),
            event("early", 5, 6),
            event("mid", 10, 11),
        ] {
            assert_eq!(history.record_event(&late), Inserted::New);
        }
        assert_eq!(
            history.record_event(&event("mid", 99, 99)),
            Inserted::Duplicate
        );
        assert_eq!(seen(&history, 5), Vec::<&str>::new());
        assert_eq!(seen(&history, 11), ["early"]);
        assert_eq!(seen(&history, 12), ["early", "mid"]);
        assert_eq!(seen(&history, 31), ["early", "mid", "late"]);
    }

    #[test]
    fn sorting_at_once_equals_recording_one_by_one() {
        let events = vec![event("b", 3, 9), event("a", 3, 9), event("c", 1, 2)];
        let at_once = History::from_records(Vec::new(), Vec::new(), &events);
        let mut one_by_one = History::new();
        for event in events {
            one_by_one.record_event(&event);
        }
        assert!(
            at_once
                .events()
                .map(Known::to_event)
                .eq(one_by_one.events().map(Known::to_event))
        );
    }
}
