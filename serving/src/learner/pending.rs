//! Decisions whose windows have not closed, by the instant at which they are counted.

use lagom_features::domain::{Days, DecisionId, Timestamp};
use lagom_model::log::{Decision, Outcome};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A decision and when it is due.
pub(crate) type Due = (Timestamp, DecisionId);

/// The queue of the learner.
#[derive(Debug)]
pub struct Pending {
    window_days: u16,
    grace: Days,
    queue: Mutex<BTreeSet<Due>>,
    removed: watch::Sender<()>,
}

impl Pending {
    /// Counts decisions `grace_hours` after their window of `window_days`: late reports of what
    /// happened within it still count.
    #[must_use]
    pub fn new(window_days: u16, grace_hours: u16) -> Self {
        Self {
            window_days,
            grace: Days::hours(i64::from(grace_hours)),
            queue: Mutex::default(),
            removed: watch::Sender::new(()),
        }
    }

    /// Length of the window.
    #[must_use]
    pub fn window_days(&self) -> u16 {
        self.window_days
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue().len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue().is_empty()
    }

    /// All that wait, the first due first.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<Due> {
        self.queue().iter().cloned().collect()
    }

    /// When the first is due.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.queue().first().map(|(at, _)| *at)
    }

    /// Returns when nothing that is due at `at` waits any more.
    pub async fn settled(&self, at: Timestamp) {
        let mut removed = self.removed.subscribe();
        while self.first().is_some_and(|due| due <= at) {
            if removed.changed().await.is_err() {
                return;
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, BTreeSet<Due>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, decision: &Decision) {
        self.add_made(&decision.decision_id, decision.decided_at);
    }

    /// Adds a decision that was made at `at`.
    pub(crate) fn add_made(&self, id: &DecisionId, at: Timestamp) {
        let window = Days::whole(i64::from(self.window_days));
        self.queue().insert((at + window + self.grace, id.clone()));
    }

    /// The first `most` that are due at `now`; they stay until they are removed.
    pub(crate) fn due(&self, now: Timestamp, most: usize) -> Vec<Due> {
        let queue = self.queue();
        let due = queue.iter().take_while(|(at, _)| *at <= now);
        due.take(most).cloned().collect()
    }

    pub(crate) fn forget(&self, decisions: &HashSet<DecisionId>) {
        self.queue().retain(|(_, id)| !decisions.contains(id));
        self.removed.send_replace(());
    }

    /// Another process has counted a decision.
    pub(crate) fn counted(&self, outcome: &Outcome) {
        let due = (outcome.matured_at + self.grace, outcome.decision_id.clone());
        if !self.queue().remove(&due) {
            // Its window is another one there.
            self.queue().retain(|(_, id)| *id != outcome.decision_id);
        }
        self.removed.send_replace(());
    }

    pub(crate) fn remove(&self, done: &[Due]) {
        let mut queue = self.queue();
        for due in done {
            queue.remove(due);
        }
        drop(queue);
        self.removed.send_replace(());
    }
}
