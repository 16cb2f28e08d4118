//! The events of a history, packed: a customer's events are most of what is held in memory, and
//! every pass over them reads them from end to end.
//!
//! What nearly every event has stands in 32 bytes. How an event came about repeats, so that each
//! [`Manner`] is kept once and events name it by its number. What few events have stands in a list
//! of its own.

use super::keys::{Key, Keys};
use super::slots::Slot;
use crate::domain::event::EventRow;
use crate::domain::{Channel, Currency, CustomerId, DecisionId, EventType, Timestamp, Tone};
use std::cmp::Ordering;

/// Why the ids of a row are well formed.
pub(super) const CHECKED: &str = "the ids of a row are checked before it is packed";

/// One event.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub(super) occurred_at: Timestamp,
    pub(super) recorded_at: Timestamp,
    /// Of the unit that its manner names.
    number: u32,
    pub(super) key: Key,
    pub(super) slot: Option<Slot>,
    manner: u8,
    pub(super) kind: EventType,
    has_rare: bool,
}

const _: () = assert!(size_of::<Packed>() == 32);

/// Number of a manner that is not in the list, which is full.
const OWN_MANNER: u8 = u8::MAX;

/// What the number of an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Nothing,
    Milliseconds,
    Minor(Currency),
}

/// How an event came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manner {
    pub(super) method: Option<Box<str>>,
    pub(super) device: Option<Box<str>>,
    pub(super) unit: Unit,
    pub(super) channel: Option<Channel>,
    pub(super) tone: Option<Tone>,
}

impl Manner {
    fn is_of(&self, row: &EventRow<'_>, unit: Unit) -> bool {
        self.unit == unit
            && self.channel == row.channel
            && self.tone == row.tone
            && self.method.as_deref() == row.method
            && self.device.as_deref() == row.device
    }

    fn of(row: &EventRow<'_>, unit: Unit) -> Self {
        Self {
            method: row.method.map(Box::from),
            device: row.device.map(Box::from),
            unit,
            channel: row.channel,
            tone: row.tone,
        }
    }
}

/// What few events have.
#[derive(Debug, Clone)]
pub(super) enum Rare {
    Until(Timestamp),
    Decision(DecisionId),
    Reason(Box<str>),
    /// Where not that of the history's first event.
    Customer(CustomerId),
    /// Of an event that has an amount as well.
    Dwell(u32),
    /// Where it does not fit in 32 bits.
    Number(i64),
    /// Where the history has too many of them.
    Manner(Box<Manner>),
}

/// All of them, in the order in which they happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    packed: Vec<Packed>,
    keys: Keys,
    manners: Vec<Manner>,
    /// By key.
    rare: Vec<(Key, Rare)>,
    customer_id: Option<CustomerId>,
}

impl Events {
    pub(super) fn reserve(&mut self, events: usize) {
        self.packed.reserve_exact(events);
    }

    pub(super) fn packed(&self) -> &[Packed] {
        &self.packed
    }

    pub(super) fn id(&self, packed: &Packed) -> &str {
        self.keys.text(packed.key)
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.keys.contains(id)
    }

    pub(super) fn customer_id(&self) -> Option<&CustomerId> {
        self.customer_id.as_ref()
    }

    #[inline]
    pub(super) fn manner(&self, packed: &Packed) -> &Manner {
        let kept = self.manners.get(usize::from(packed.manner));
        kept.unwrap_or_else(|| {
            let own = self.rare(packed).find_map(|rare| match rare {
                Rare::Manner(manner) => Some(&**manner),
                _ => None,
            });
            own.expect("what is not in the list stands with the event")
        })
    }

    #[inline]
    pub(super) fn number(&self, packed: &Packed) -> i64 {
        let long = self.rare(packed).find_map(|rare| match rare {
            Rare::Number(number) => Some(*number),
            _ => None,
        });
        long.unwrap_or_else(|| i64::from(packed.number))
    }

    #[inline]
    pub(super) fn rare(&self, packed: &Packed) -> impl Iterator<Item = &Rare> {
        let from = if packed.has_rare {
            self.rare.partition_point(|(key, _)| *key < packed.key)
        } else {
            self.rare.len()
        };
        let own = self.rare[from..].iter();
        own.take_while(|(key, _)| *key == packed.key)
            .map(|(_, rare)| rare)
    }

    /// Puts an event at the end, whenever it happened and whether it is there or not: only
    /// [`Self::settle`] makes the whole right again.
    pub(super) fn append(&mut self, row: &EventRow<'_>, slot: Option<Slot>) {
        let packed = self.pack(row, slot);
        self.packed.push(packed);
    }

    /// Orders what was appended, and of equal ids keeps the one that happened first.
    pub(super) fn settle(&mut self) {
        let Self { packed, keys, .. } = self;
        let order = |a: &Packed, b: &Packed| happened(keys, a, b).then(a.key.cmp(&b.key));
        packed.sort_unstable_by(order);
        keys.reserve(packed.len());
        packed.retain(|one| keys.enter(one.key));
        keys.shrink();
        packed.shrink_to_fit();
        self.rare.shrink_to_fit();
        self.manners.shrink_to_fit();
    }

    /// Puts an event in its place; false where one of its id is there.
    pub(super) fn insert(&mut self, row: &EventRow<'_>, slot: Option<Slot>) -> bool {
        if self.keys.contains(row.event_id) {
            return false;
        }
        let packed = self.pack(row, slot);
        self.keys.enter(packed.key);
        let before = |other: &Packed| happened(&self.keys, other, &packed) == Ordering::Less;
        // Most events are learnt in the order in which they happened.
        let at = match self.packed.last() {
            Some(last) if !before(last) => self.packed.partition_point(before),
            _ => self.packed.len(),
        };
        self.packed.insert(at, packed);
        true
    }

    fn pack(&mut self, row: &EventRow<'_>, slot: Option<Slot>) -> Packed {
        let key = self.keys.append(row.event_id);
        let before = self.rare.len();
        let (unit, number) = match (row.amount, row.dwell_ms) {
            (Some(amount), _) => (Unit::Minor(amount.currency), amount.minor_units),
            (None, Some(millis)) => (Unit::Milliseconds, i64::from(millis)),
            (None, None) => (Unit::Nothing, 0),
        };
        let mut keep = |rare| self.rare.push((key, rare));
        if let (Some(_), Some(millis)) = (row.amount, row.dwell_ms) {
            keep(Rare::Dwell(millis));
        }
        let short = u32::try_from(number).ok();
        if short.is_none() {
            keep(Rare::Number(number));
        }
        if let Some(until) = row.until {
            keep(Rare::Until(until));
        }
        if let Some(decision_id) = row.decision_id {
            let id = DecisionId::new(decision_id).expect(CHECKED);
            keep(Rare::Decision(id));
        }
        if let Some(reason) = row.reason {
            keep(Rare::Reason(reason.into()));
        }
        match &self.customer_id {
            None => self.customer_id = Some(row.customer_id.clone()),
            Some(first) if first != row.customer_id => {
                keep(Rare::Customer(row.customer_id.clone()));
            }
            Some(_) => {}
        }
        let manner = self.manner_of(row, unit, key);
        Packed {
            occurred_at: row.occurred_at,
            recorded_at: row.recorded_at,
            number: short.unwrap_or_default(),
            key,
            slot,
            manner,
            kind: row.kind,
            has_rare: self.rare.len() > before,
        }
    }

    fn manner_of(&mut self, row: &EventRow<'_>, unit: Unit, key: Key) -> u8 {
        let found = self.manners.iter().position(|one| one.is_of(row, unit));
        let number = u8::try_from(found.unwrap_or(self.manners.len())).unwrap_or(OWN_MANNER);
        if number == OWN_MANNER {
            let own = Box::new(Manner::of(row, unit));
            self.rare.push((key, Rare::Manner(own)));
        } else if found.is_none() {
            self.manners.push(Manner::of(row, unit));
        }
        number
    }
}

/// By occurrence, then by recording; the id decides between equals, so that arrival cannot.
fn happened(keys: &Keys, a: &Packed, b: &Packed) -> Ordering {
    let times = (a.occurred_at, a.recorded_at).cmp(&(b.occurred_at, b.recorded_at));
    times.then_with(|| keys.bytes(a.key).cmp(keys.bytes(b.key)))
}
