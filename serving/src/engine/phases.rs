//! What was agreed of each experiment is in the log before its first decision.

use super::{Engine, Failure};
use crate::experiment::Phase;
use crate::store::Entry;
use lagom_features::domain::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use tokio::sync::{Mutex, MutexGuard};

/// The phases that are on disk.
#[derive(Debug)]
pub(super) struct Phases {
    log: RwLock<Vec<Phase>>,
    /// Whether what is configured agrees with the log.
    settled: AtomicBool,
    writing: Mutex<()>,
}

impl Phases {
    pub(super) fn new(log: Vec<Phase>) -> Self {
        Self {
            log: RwLock::new(log),
            settled: AtomicBool::new(false),
            writing: Mutex::new(()),
        }
    }

    pub(super) fn all(&self) -> Vec<Phase> {
        self.log
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The lock of what concerns all customers, from reading it to the end of an append.
    pub(super) async fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// Takes in a phase that is on disk.
    pub(super) fn add(&self, phase: Phase) {
        let mut log = self.log.write().unwrap_or_else(PoisonError::into_inner);
        if !log.contains(&phase) {
            log.push(phase);
        }
    }

    /// What is configured has changed.
    pub(super) fn unsettle(&self) {
        self.settled.store(false, Ordering::Release);
    }
}

impl Engine {
    /// Writes down the phases that begin with a decision at `at`.
    pub(super) async fn begin_phases(&self, at: Timestamp) -> Result<(), Failure> {
        if self.phases.settled.load(Ordering::Acquire) {
            return Ok(());
        }
        let _one_at_a_time = self.phases.writing().await;
        let begin = self.experiments().phases_after(&self.phases.all(), at);
        if !begin.is_empty() {
            let entries = begin
                .iter()
                .map(|one| Entry::Phase(Box::new(one.clone())))
                .collect();
            self.append(entries).await?;
            begin.into_iter().for_each(|one| self.phases.add(one));
        }
        self.phases.settled.store(true, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
