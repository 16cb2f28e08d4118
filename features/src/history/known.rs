//! An event of a history, as everything that computes reads it.

use super::events::{Packed, Rare, Unit};
use super::{History, Slot};
use crate::domain::{
    Channel, Currency, CustomerId, DecisionId, Event, EventId, EventType, InvoiceId, Money,
    Timestamp, Tone,
};

/// One event of a [`History`]: what [`Event`] says, field by field, read where it stands.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    history: &'a History,
    packed: &'a Packed,
}

impl<'a> Known<'a> {
    pub(super) fn new(history: &'a History, packed: &'a Packed) -> Self {
        Self { history, packed }
    }

    /// Its key.
    #[must_use]
    pub fn event_id(self) -> &'a str {
        self.history.events.id(self.packed)
    }

    /// When it happened.
    #[must_use]
    #[inline]
    pub fn occurred_at(self) -> Timestamp {
        self.packed.occurred_at()
    }

    /// When lagom learnt it.
    #[must_use]
    #[inline]
    pub fn recorded_at(self) -> Timestamp {
        self.history.events.recorded_at(self.packed)
    }

    /// What happened.
    #[must_use]
    #[inline]
    pub fn kind(self) -> EventType {
        self.packed.kind()
    }

    /// About whom.
    #[must_use]
    pub fn customer_id(self) -> &'a CustomerId {
        let other = self.rare(|rare| match rare {
            Rare::Customer(id) => Some(id),
            _ => None,
        });
        let first = || self.history.events.customer_id();
        other.or_else(first).expect("set with the first event")
    }

    /// About which invoice.
    #[must_use]
    pub fn invoice_id(self) -> Option<&'a InvoiceId> {
        self.slot().map(|slot| self.history.slots.id(slot))
    }

    /// The number of that invoice within the history.
    #[inline]
    pub(crate) fn slot(self) -> Option<Slot> {
        self.history.events.slot(self.packed)
    }

    /// As a consequence of which decision.
    #[must_use]
    pub fn decision_id(self) -> Option<&'a DecisionId> {
        self.rare(|rare| match rare {
            Rare::Decision(id) => Some(id),
            _ => None,
        })
    }

    /// Over which channel.
    #[must_use]
    #[inline]
    pub fn channel(self) -> Option<Channel> {
        self.history.events.manner(self.packed).channel
    }

    /// In which tone.
    #[must_use]
    #[inline]
    pub fn tone(self) -> Option<Tone> {
        self.history.events.manner(self.packed).tone
    }

    /// How much.
    #[must_use]
    #[inline]
    pub fn amount(self) -> Option<Money> {
        match self.history.events.manner(self.packed).unit {
            Unit::Minor(currency) => {
                let minor_units = self.history.events.number(self.packed);
                Some(Money::new(minor_units, currency))
            }
            Unit::Milliseconds | Unit::Nothing => None,
        }
    }

    /// Of what the amount is.
    pub(super) fn currency(self) -> Option<&'a Currency> {
        match &self.history.events.manner(self.packed).unit {
            Unit::Minor(currency) => Some(currency),
            Unit::Milliseconds | Unit::Nothing => None,
        }
    }

    /// How it was paid.
    #[must_use]
    pub fn method(self) -> Option<&'a str> {
        self.history.events.manner(self.packed).method.as_deref()
    }

    /// On which kind of device.
    #[must_use]
    pub fn device(self) -> Option<&'a str> {
        self.history.events.manner(self.packed).device.as_deref()
    }

    /// For how long, in milliseconds.
    #[must_use]
    #[inline]
    pub fn dwell_ms(self) -> Option<u32> {
        match self.history.events.manner(self.packed).unit {
            Unit::Milliseconds => u32::try_from(self.history.events.number(self.packed)).ok(),
            Unit::Minor(_) | Unit::Nothing => self.rare(|rare| match rare {
                Rare::Dwell(millis) => Some(*millis),
                _ => None,
            }),
        }
    }

    /// Until when.
    #[must_use]
    pub fn until(self) -> Option<Timestamp> {
        self.rare(|rare| match rare {
            Rare::Until(until) => Some(*until),
            _ => None,
        })
    }

    /// Why, in the company's words.
    #[must_use]
    pub fn reason(self) -> Option<&'a str> {
        self.rare(|rare| match rare {
            Rare::Reason(reason) => Some(&**reason),
            _ => None,
        })
    }

    /// A copy that stands on its own.
    #[must_use]
    pub fn to_event(self) -> Event {
        Event {
            event_id: EventId::new(self.event_id()).expect("it was one when it was recorded"),
            occurred_at: self.occurred_at(),
            recorded_at: self.recorded_at(),
            customer_id: self.customer_id().clone(),
            invoice_id: self.invoice_id().cloned(),
            decision_id: self.decision_id().cloned(),
            kind: self.kind(),
            channel: self.channel(),
            tone: self.tone(),
            amount: self.amount(),
            method: self.method().map(str::to_owned),
            device: self.device().map(str::to_owned),
            dwell_ms: self.dwell_ms(),
            until: self.until(),
            reason: self.reason().map(str::to_owned),
        }
    }

    #[inline]
    fn rare<T>(self, pick: impl FnMut(&'a Rare) -> Option<T>) -> Option<T> {
        self.history.events.rare(self.packed).find_map(pick)
    }
}

impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_event().fmt(f)
    }
}
