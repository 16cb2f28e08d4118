//! The catalogues that the log has named: decisions are written as places in them.

use crate::store::{Catalogue, Entry, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Catalogues by strategy.
#[derive(Debug, Default)]
pub(in crate::store) struct Catalogues(RwLock<HashMap<String, Arc<Catalogue>>>);

impl Catalogues {
    /// The catalogue of a strategy, if the log has named them.
    pub(in crate::store) fn get(&self, strategy_id: &str) -> Option<Arc<Catalogue>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(strategy_id).cloned()
    }

    /// Remembers the catalogues of an append that is on disk. One that the log has named before is
    /// remembered anew: in the very list that decides places are found at once.
    pub(in crate::store) fn committed(&self, naming: &Naming, committed: &Result<(), StoreError>) {
        let before = naming.alone && matches!(committed, Err(StoreError::Duplicate { .. }));
        if committed.is_ok() || before {
            naming.entries.iter().for_each(|entry| self.learn(entry));
        }
    }

    /// Remembers the catalogue of an entry that is on disk, if it names one.
    pub(in crate::store) fn learn(&self, entry: &Entry) {
        if let Entry::Catalogue(one) = entry {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(one.strategy_id.clone(), Arc::clone(one));
        }
    }
}

/// What an append names, kept until it is on disk.
#[derive(Debug)]
pub(in crate::store) struct Naming {
    entries: Vec<Entry>,
    /// Whether the append has nothing else.
    alone: bool,
}

impl Naming {
    pub(in crate::store) fn of(mut entries: Vec<Entry>) -> Self {
        let alone = entries.len() == 1;
        entries.retain(|entry| matches!(entry, Entry::Catalogue(_)));
        Self { entries, alone }
    }
}
