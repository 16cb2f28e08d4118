//! The catalogues that the log has named: decisions are written as places in them.

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

    /// Remembers a catalogue that is on disk.
    pub(in crate::store) fn remember(&self, strategy_id: String, actions: Vec<ActionId>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(strategy_id, actions.into());
    }
}
