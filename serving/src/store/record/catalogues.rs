//! The catalogues that the log has named: decisions are written as places in them.

use crate::store::Entry;
use lagom_features::domain::ActionId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Catalogues by strategy.
#[derive(Debug, Default)]
pub(in crate::store) struct Catalogues(RwLock<HashMap<String, Arc<[ActionId]>>>);

impl Catalogues {
    /// The actions of a strategy, if the log has named them.
    pub(in crate::store) fn get(&self, strategy_id: &str) -> Option<Arc<[ActionId]>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(strategy_id).cloned()
    }

    /// Remembers the catalogue of an entry that is on disk, if it names one.
    pub(in crate::store) fn learn(&self, entry: &Entry) {
        if let Entry::Catalogue {
            strategy_id,
            actions,
        } = entry
        {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(strategy_id.clone(), actions.as_slice().into());
        }
    }
}
