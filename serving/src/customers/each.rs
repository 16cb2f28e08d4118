//! Everybody once, whoever is in memory, without bringing anybody in.

use super::Customers;
use crate::store::StoreError;
use lagom_features::History;
use std::collections::HashSet;

/// Customers read at once of those who are not in memory.
const TOGETHER: usize = 256;

impl Customers {
    /// Hands over everybody's history, each under its lock, in any order. False where `stop` was true
    /// before the last of them.
    ///
    /// Who is let go from memory or brought in meanwhile is handed over once: the histories in memory
    /// come first, and what is kept of the others holds everything recorded of them by then.
    ///
    /// # Errors
    /// [`StoreError`] where somebody who is not in memory cannot be read.
    pub(crate) async fn each_history(
        &self,
        stop: impl Fn() -> bool,
        mut visit: impl FnMut(&History),
    ) -> Result<bool, StoreError> {
        let mut seen = HashSet::new();
        for part in self.parts() {
            if stop() {
                return Ok(false);
            }
            for (id, customer) in part {
                let state = customer.lock().await;
                if !state.is_erased() {
                    visit(&state.history);
                }
                drop(state);
                seen.insert(id);
            }
        }
        let Some(kept) = self.kept.get() else {
            return Ok(true);
        };
        let mut after = i64::MIN;
        loop {
            if stop() {
                return Ok(false);
            }
            let some = kept.histories(after, TOGETHER)?;
            let Some((last, ..)) = some.last() else {
                return Ok(true);
            };
            after = *last;
            let others = some.iter().filter(|(_, id, _)| !seen.contains(id));
            others.for_each(|(_, _, history)| visit(history));
        }
    }
}
