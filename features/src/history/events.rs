//! The events of a history, packed: a customer's events are most of what is held in memory, and
//! every pass over them reads them from end to end.
//!
//! What nearly every event has stands in 24 bytes. How an event came about repeats, so that each
//! [`Manner`] is kept once and events name it by its number. What few events have stands in a list
//! of its own.

use super::keys::{Key, Keys};
use super::slots::Slot;
use crate::domain::event::EventRow;
use crate::domain::{Channel, Currency, CustomerId, DecisionId, EventType, Timestamp, Tone};
use std::cmp::Ordering;
use std::num::NonZeroU32;

/// Why the ids of a row are well formed.
pub(super) const CHECKED: &str = "the ids of a row are checked before it is packed";

/// One event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed {
    /// Microseconds from the first accepted instant to when it happened, above the slot of its
    /// invoice in [`SLOT_BITS`]: 0 for none, all ones where the slot stands with the rare things.
    when_and_slot: u64,
    /// Microseconds until it was recorded in [`DELAY_BITS`], all ones where that stands with the
    /// rare things; its type in 6 bits, its manner in 8 and whether it has rare things in 1.
    rest: u64,
    /// Of the unit that its manner names.
    number: u32,
    pub(super) key: Key,
}

const _: () = assert!(size_of::<Packed>() == 24);

const SLOT_BITS: u32 = 10;
const SLOT_ELSEWHERE: u64 = (1 << SLOT_BITS) - 1;
/// Instants lie within 300 years, which take 54 bits.
const _: () = assert!(
    (Timestamp::MAX.micros() - Timestamp::MIN.micros()) as u64 >> (u64::BITS - SLOT_BITS) == 0
);

const DELAY_BITS: u32 = 49;
const DELAY_SHIFT: u32 = u64::BITS - DELAY_BITS;
const DELAY_ELSEWHERE: u64 = (1 << DELAY_BITS) - 1;
const KIND_SHIFT: u32 = 9;
const KIND_MASK: u64 = (1 << (DELAY_SHIFT - KIND_SHIFT)) - 1;
const MANNER_SHIFT: u32 = 1;
const _: () = assert!(EventType::ALL.len() as u64 <= KIND_MASK);

impl Packed {
    #[inline]
    pub(super) fn occurred_at(&self) -> Timestamp {
        Timestamp::after_min(self.when_and_slot >> SLOT_BITS)
    }

    #[inline]
    pub(super) fn kind(&self) -> EventType {
        EventType::ALL[(self.rest >> KIND_SHIFT & KIND_MASK) as usize]
    }

    #[inline]
    fn manner(&self) -> u8 {
        (self.rest >> MANNER_SHIFT) as u8
    }

    #[inline]
    fn has_rare(&self) -> bool {
        self.rest & 1 == 1
    }
}

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
    /// Where it was recorded before it happened, or more than 17 years later.
    Recorded(Timestamp),
    /// Where the history has too many of them.
    Slot(Slot),
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
        let kept = self.manners.get(usize::from(packed.manner()));
        kept.unwrap_or_else(|| {
            let own = self.rare(packed).find_map(|rare| match rare {
                Rare::Manner(manner) => Some(&**manner),
                _ => None,
            });
            own.expect("what is not in the list stands with the event")
        })
    }

    #[inline]
    pub(super) fn recorded_at(&self, packed: &Packed) -> Timestamp {
        recorded_at(&self.rare, packed)
    }

    #[inline]
    pub(super) fn slot(&self, packed: &Packed) -> Option<Slot> {
        let number = packed.when_and_slot & SLOT_ELSEWHERE;
        if number < SLOT_ELSEWHERE {
            return NonZeroU32::new(number as u32).map(Slot::of_number);
        }
        self.rare(packed).find_map(|rare| match rare {
            Rare::Slot(slot) => Some(*slot),
            _ => None,
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
        rare_of(&self.rare, packed)
    }

    /// Puts an event at the end, whenever it happened and whether it is there or not: only
    /// [`Self::settle`] makes the whole right again.
    pub(super) fn append(&mut self, row: &EventRow<'_>, slot: Option<Slot>) {
        let packed = self.pack(row, slot);
        self.packed.push(packed);
    }

    /// Orders what was appended, and of equal ids keeps the one that happened first.
    pub(super) fn settle(&mut self) {
        let Self {
            packed, keys, rare, ..
        } = self;
        let order = |a: &Packed, b: &Packed| happened(keys, rare, a, b).then(a.key.cmp(&b.key));
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
        let before =
            |other: &Packed| happened(&self.keys, &self.rare, other, &packed) == Ordering::Less;
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
        let since = row.occurred_at.micros() - Timestamp::MIN.micros();
        let delay = u64::try_from(row.recorded_at.micros() - row.occurred_at.micros());
        let delay = delay.ok().filter(|delay| *delay < DELAY_ELSEWHERE);
        if delay.is_none() {
            keep(Rare::Recorded(row.recorded_at));
        }
        let number_of_slot = slot.map_or(0, |slot| slot.number().get().into());
        if let Some(slot) = slot.filter(|_| number_of_slot >= SLOT_ELSEWHERE) {
            keep(Rare::Slot(slot));
        }
        let manner = self.manner_of(row, unit, key);
        let has_rare = self.rare.len() > before;
        Packed {
            when_and_slot: (since as u64) << SLOT_BITS | number_of_slot.min(SLOT_ELSEWHERE),
            rest: delay.unwrap_or(DELAY_ELSEWHERE) << DELAY_SHIFT
                | (row.kind.index() as u64) << KIND_SHIFT
                | u64::from(manner) << MANNER_SHIFT
                | u64::from(has_rare),
            number: short.unwrap_or_default(),
            key,
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

#[inline]
fn rare_of<'a>(
    rare: &'a [(Key, Rare)],
    packed: &Packed,
) -> impl Iterator<Item = &'a Rare> + use<'a> {
    let own_key = packed.key;
    let from = if packed.has_rare() {
        rare.partition_point(|(key, _)| *key < own_key)
    } else {
        rare.len()
    };
    let own = rare[from..].iter();
    own.take_while(move |(key, _)| *key == own_key)
        .map(|(_, rare)| rare)
}

#[inline]
fn recorded_at(rare: &[(Key, Rare)], packed: &Packed) -> Timestamp {
    let delay = packed.rest >> DELAY_SHIFT;
    if delay < DELAY_ELSEWHERE {
        return Timestamp::after_min((packed.when_and_slot >> SLOT_BITS) + delay);
    }
    let own = rare_of(rare, packed).find_map(|rare| match rare {
        Rare::Recorded(at) => Some(*at),
        _ => None,
    });
    own.expect("what does not fit in the bits stands with the event")
}

/// By occurrence, then by recording; the id decides between equals, so that arrival cannot.
fn happened(keys: &Keys, rare: &[(Key, Rare)], a: &Packed, b: &Packed) -> Ordering {
    let occurred = |one: &Packed| one.when_and_slot >> SLOT_BITS;
    let order = occurred(a).cmp(&occurred(b));
    let order = order.then_with(|| recorded_at(rare, a).cmp(&recorded_at(rare, b)));
    order.then_with(|| keys.bytes(a.key).cmp(keys.bytes(b.key)))
}
