//! The policy's own numbers behind a decision, while the generation that made it is remembered.

use super::Engine;
use lagom_features::Ledger;
use lagom_model::bandit::Generation;
use lagom_model::log::Decision;
use lagom_model::policy::explain::{Explained, explain};
use lagom_model::policy::heads::Stakes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Generations that are remembered; each is some hundred kilobytes.
const REMEMBERED: usize = 64;

/// The generations published last, the latest at the end.
#[derive(Debug)]
pub(super) struct Recent(Mutex<VecDeque<Arc<Generation>>>);

impl Recent {
    pub(super) fn starting_with(generation: Arc<Generation>) -> Self {
        Self(Mutex::new(VecDeque::from([generation])))
    }

    pub(super) fn remember(&self, generation: &Arc<Generation>) {
        let mut all = self.all();
        if all.len() == REMEMBERED {
            all.pop_front();
        }
        all.push_back(Arc::new(generation.without_doubt()));
    }

    fn numbered(&self, number: u64) -> Option<Arc<Generation>> {
        let all = self.all();
        all.iter().find(|one| one.number() == number).cloned()
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Arc<Generation>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// What the policy's numbers say of a decision; `None` where it was not chosen by value or its
    /// generation is not remembered any more.
    pub async fn explained(&self, decision: &Decision) -> Option<Explained> {
        let generation = self.recent.numbered(decision.policy_generation)?;
        let snapshot = self.snapshot().with_generation(generation).ok()?;
        let stakes = self
            .with_history(&decision.customer_id, |history| {
                let view = history.as_of(decision.decided_at);
                let ledger = Ledger::of(&view);
                let outstanding_minor = ledger.invoice(&decision.invoice_id)?.outstanding_minor;
                Some(Stakes {
                    outstanding_minor,
                    annual_margin_minor: view.customer().and_then(|one| one.annual_margin_minor),
                })
            })
            .await??;
        explain(decision, &snapshot, stakes).unwrap_or_else(|error| {
            tracing::error!(%error, "a decision cannot be explained");
            None
        })
    }
}
