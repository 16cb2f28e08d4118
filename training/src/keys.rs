//! Ids of millions of records, each in sixteen bytes.

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// 128 bits of an id, the same on every machine and in every run. Two of twelve million ids share
/// them with a probability of 2e-25.
pub(crate) type Key = [u64; 2];

const SEEDS: [u64; 2] = [0x006c_6167_6f6d_0001, 0x006c_6167_6f6d_0002];

pub(crate) fn key(id: &str) -> Key {
    SEEDS.map(|seed| FixedState::with_seed(seed).hash_one(id))
}

/// Keys numbered from 0 in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Index {
    keys: Vec<Key>,
    slots: HashTable<u32>,
}

impl Index {
    pub(crate) fn with_capacity(keys: usize) -> Self {
        Self {
            keys: Vec::with_capacity(keys),
            slots: HashTable::with_capacity(keys),
        }
    }

    pub(crate) fn get(&self, key: Key) -> Option<usize> {
        self.slot(key).map(|place| place as usize)
    }

    /// Where each of `keys` stands. Lookups that depend on nothing wait for memory together, where
    /// the same ones between other work wait one by one: in an index of millions, most of the time.
    pub(crate) fn get_all(&self, keys: &[Key], places: &mut Vec<Option<u32>>) {
        places.clear();
        places.extend(keys.iter().map(|key| self.slot(*key)));
    }

    /// Has memory bring near what [`Self::place`] of these keys will look at.
    pub(crate) fn fetch(&self, keys: impl Iterator<Item = Key>) {
        let found = keys.filter(|key| self.slot(*key).is_some()).count();
        std::hint::black_box(found);
    }

    fn slot(&self, key: Key) -> Option<u32> {
        let same = |place: &u32| self.keys[*place as usize] == key;
        self.slots.find(key[0], same).copied()
    }

    /// Where `key` stands, and whether it came just now.
    pub(crate) fn place(&mut self, key: Key) -> (usize, bool) {
        if let Some(place) = self.get(key) {
            return (place, false);
        }
        let place = self.keys.len();
        self.keys.push(key);
        let keys = &self.keys;
        // Memory ends long before four billion keys.
        let slot = u32::try_from(place).unwrap_or(u32::MAX);
        self.slots
            .insert_unique(key[0], slot, |one| keys[*one as usize][0]);
        (place, true)
    }

    /// The keys alone, when nothing more is looked up.
    pub(crate) fn into_keys(self) -> Vec<Key> {
        self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_where_it_came_first_and_is_the_same_in_every_run() {
        let mut index = Index::with_capacity(1);
        for n in 0..1_000 {
            assert_eq!(index.place(key(&format!("inv-{n}"))), (n, true));
        }
        assert_eq!(index.place(key("inv-7")), (7, false));
        assert_eq!(index.get(key("inv-999")), Some(999));
        assert_eq!(index.get(key("inv-1000")), None);
        let mut places = Vec::new();
        index.get_all(&["inv-1000", "inv-8"].map(key), &mut places);
        assert_eq!(places, [None, Some(8)]);
        assert_ne!(key("a")[0], key("a")[1]);
        assert_eq!(key("inv-7"), key("inv-7"));
    }
}
