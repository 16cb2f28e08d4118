//! The event ids of a history, each kept in full, one behind another.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// Chosen anew by every process, so that nobody can choose ids that collide.
static HASHING: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Where an id stands: larger for one that came later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u32);

/// Ids, and which of them were entered.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    /// Each id behind its length, which fits in a byte.
    bytes: Vec<u8>,
    entered: usize,
    /// Open addressing with linear probing over a power of two: the place of an entered id plus
    /// one, or 0. Equal hashes mean nothing; the ids themselves are compared.
    table: Table,
}

/// Numbers in as few bytes as the largest of them needs.
#[derive(Debug, Clone)]
enum Table {
    Narrow(Box<[u16]>),
    Wide(Box<[u32]>),
}

impl Default for Table {
    fn default() -> Self {
        Self::Narrow(Box::default())
    }
}

impl Table {
    /// So many zeros, with room for numbers up to `largest`.
    fn new(places: usize, largest: usize) -> Self {
        if largest <= usize::from(u16::MAX) {
            Self::Narrow(vec![0; places].into())
        } else {
            Self::Wide(vec![0; places].into())
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Narrow(numbers) => numbers.len(),
            Self::Wide(numbers) => numbers.len(),
        }
    }

    fn get(&self, place: usize) -> u32 {
        match self {
            Self::Narrow(numbers) => numbers[place].into(),
            Self::Wide(numbers) => numbers[place],
        }
    }

    fn set(&mut self, place: usize, number: u32) {
        match self {
            Self::Wide(numbers) => numbers[place] = number,
            Self::Narrow(numbers) => match u16::try_from(number) {
                Ok(number) => numbers[place] = number,
                Err(_) => {
                    let mut wide: Box<[u32]> = numbers.iter().map(|&one| one.into()).collect();
                    wide[place] = number;
                    *self = Self::Wide(wide);
                }
            },
        }
    }
}

impl Keys {
    pub(super) fn reserve(&mut self, ids: usize) {
        self.resize((ids * 8).div_ceil(7).next_power_of_two().max(8));
    }

    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    pub(super) fn bytes(&self, key: Key) -> &[u8] {
        let at = key.0 as usize;
        let length = usize::from(self.bytes[at]);
        &self.bytes[at + 1..=at + length]
    }

    pub(super) fn text(&self, key: Key) -> &str {
        std::str::from_utf8(self.bytes(key)).expect("ids are texts")
    }

    /// Keeps an id without entering it.
    pub(super) fn append(&mut self, id: &str) -> Key {
        let key = u32::try_from(self.bytes.len()).expect("a customer's ids take less than 4 GiB");
        let length = u8::try_from(id.len()).expect("an id has at most 200 bytes");
        self.bytes.push(length);
        self.bytes.extend_from_slice(id.as_bytes());
        Key(key)
    }

    /// Enters a kept id; false where an equal one was entered before.
    pub(super) fn enter(&mut self, key: Key) -> bool {
        if (self.entered + 1) * 8 > self.table.len() * 7 {
            self.resize((self.table.len() * 2).max(8));
        }
        match self.find(self.bytes(key)) {
            Ok(_) => false,
            Err(free) => {
                self.table.set(free, key.0 + 1);
                self.entered += 1;
                true
            }
        }
    }

    /// Whether an equal id was entered.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.table.len() > 0 && self.find(id.as_bytes()).is_ok()
    }

    /// The entered id equal to these bytes, or the free place where it would stand.
    fn find(&self, id: &[u8]) -> Result<Key, usize> {
        let last = self.table.len() - 1;
        let mut place = HASHING.hash_one(id) as usize & last;
        while let Some(at) = self.table.get(place).checked_sub(1) {
            if self.bytes(Key(at)) == id {
                return Ok(Key(at));
            }
            place = (place + 1) & last;
        }
        Err(place)
    }

    fn resize(&mut self, places: usize) {
        if places <= self.table.len() {
            return;
        }
        let fresh = Table::new(places, self.bytes.len());
        let old = std::mem::replace(&mut self.table, fresh);
        let entries = (0..old.len()).map(|place| old.get(place));
        for at in entries.filter_map(|entry| entry.checked_sub(1)) {
            let free = self.find(self.bytes(Key(at)));
            let free = free.expect_err("no id is entered twice");
            self.table.set(free, at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn every_id_is_entered_once_however_many_share_a_place() {
        let mut keys = Keys::default();
        assert!(!keys.contains("id-0"));
        // More than 64 KiB of ids, so that their places outgrow a narrow table on the way.
        for number in 0..9_000 {
            let id = format!("id-{number}");
            assert!(!keys.contains(&id));
            let key = keys.append(&id);
            assert!(keys.enter(key));
            let again = keys.append(&id);
            assert!(!keys.enter(again));
            assert_eq!(keys.text(key), id);
        }
        assert!(matches!(keys.table, super::Table::Wide(_)));
        assert!((0..9_000).all(|number| keys.contains(&format!("id-{number}"))));
        assert!(!keys.contains("id-9000") && !keys.contains("id-"));
    }
}
