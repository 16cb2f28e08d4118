//! Which actions of the catalogue may be chosen this time.

use serde::{Deserialize, Serialize};

/// A set of action indices as a bitmap of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActionSet {
    actions: usize,
    words: Vec<u64>,
}

impl ActionSet {
    /// No action of a catalogue of `actions`.
    #[must_use]
    pub fn none(actions: usize) -> Self {
        Self {
            actions,
            words: vec![0; actions.div_ceil(64)],
        }
    }

    /// Every action of a catalogue of `actions`.
    #[must_use]
    pub fn all(actions: usize) -> Self {
        Self::from_predicate(actions, |_| true)
    }

    /// The actions for which `eligible` holds.
    #[must_use]
    pub fn from_predicate(actions: usize, eligible: impl Fn(usize) -> bool) -> Self {
        let mut set = Self::none(actions);
        (0..actions)
            .filter(|&action| eligible(action))
            .for_each(|action| set.insert(action));
        set
    }

    /// Size of the catalogue the set is of.
    #[must_use]
    pub fn catalogue(&self) -> usize {
        self.actions
    }

    /// Adds an action; one outside the catalogue is not added.
    pub fn insert(&mut self, action: usize) {
        if action < self.actions {
            self.words[action / 64] |= 1 << (action % 64);
        }
    }

    /// Takes an action out.
    pub fn remove(&mut self, action: usize) {
        if action < self.actions {
            self.words[action / 64] &= !(1 << (action % 64));
        }
    }

    /// Whether an action is in the set.
    #[must_use]
    pub fn contains(&self, action: usize) -> bool {
        action < self.actions && self.words[action / 64] >> (action % 64) & 1 == 1
    }

    /// Number of actions in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether no action is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// The actions in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }
}
