//! Taking in what other replicas append to a shared log, and trying again where they were faster.
//!
//! Records are taken in in the order of the log, each under the lock of what it is about; so
//! whoever holds that lock from reading to the end of an append either has seen everything or is
//! told that it has not.

use super::{Engine, Failure};
use crate::customers::CustomerState;
use crate::learner::{Lesson, Said};
use crate::store::{Entry, Shared, StoreError};
use lagom_features::domain::CustomerId;
use std::time::Duration;
use tokio::sync::watch;

/// How often a call that others have overtaken is tried again.
const TRIES: usize = 20;
/// How often news is looked for when nobody needs it.
const LOOK: Duration = Duration::from_millis(50);

impl Engine {
    /// Takes in everything that others have appended by now; nothing to do on a log of one's own.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        let Some(shared) = self.store.shared() else {
            return Ok(());
        };
        let _one_at_a_time = self.catching_up.lock().await;
        loop {
            let news = shared.news().await?;
            if news.is_empty() {
                return Ok(());
            }
            for (seq, entry) in news {
                self.take_in(shared, seq, entry).await;
            }
        }
    }

    /// Does `work`, again after catching up where others have written about the same meanwhile, or
    /// where what is not known here may be news.
    pub(super) async fn caught_up<T, W>(&self, work: impl Fn() -> W) -> Result<T, Failure>
    where
        W: Future<Output = Result<T, Failure>>,
    {
        let mut may_be_news = self.store.shared().is_some();
        for _ in 0..TRIES {
            match work().await {
                Err(Failure::Store(StoreError::Overtaken)) => {}
                Err(Failure::Unknown { .. }) if may_be_news => may_be_news = false,
                done => return done,
            }
            self.catch_up().await?;
        }
        Err(StoreError::Overtaken.into())
    }

    /// For an answer that appends nothing: whether it was given on everything about the customer.
    pub(super) async fn unchanged(&self, customer: &CustomerId) -> Result<(), StoreError> {
        match self.store.shared() {
            Some(shared) => shared.unchanged(customer).await,
            None => Ok(()),
        }
    }

    /// Whether outcomes are counted here: one process does it.
    pub(crate) fn leads(&self) -> bool {
        self.store.shared().is_none_or(Shared::leads)
    }

    /// What was appended here and its report lost comes back as news too, so that everything is
    /// taken in at most once by what it says.
    async fn take_in(&self, shared: &dyn Shared, seq: i64, entry: Entry) {
        match entry {
            Entry::Recorded(one) => {
                self.clock.observe(one.recorded_at);
                let id = one.customer_id().clone();
                self.of_customer(shared, seq, &id, |state| {
                    if !state.knows(&one.event_id) {
                        self.rollout().recorded(&one);
                        state.apply(*one);
                    }
                })
                .await;
            }
            Entry::Decided(one) => {
                self.clock.observe(one.decided_at);
                self.of_customer(shared, seq, &one.customer_id, |state| {
                    state.passed(one.decided_at);
                    self.rollout().decided(&one);
                    self.pending.add(&one);
                })
                .await;
            }
            Entry::Reserved(one) => {
                let id = one.customer_id.clone();
                self.of_customer(shared, seq, &id, |state| {
                    state.passed(one.reserved_at);
                    if !state.reservations.contains(&one) {
                        state.reservations.push(one);
                    }
                })
                .await;
            }
            Entry::Assigned(one) => {
                let id = one.customer_id.clone();
                self.of_customer(shared, seq, &id, |state| {
                    if !state.assignments.contains(&one) {
                        state.assignments.push(one);
                    }
                })
                .await;
            }
            Entry::Forgotten { digest } => {
                let whose = |id: &CustomerId| self.digest(id) == digest;
                if let Some(id) = self.customers.find(whose) {
                    let customer = self.customers.get_or_insert(&id);
                    // On a log that others write too everybody is in memory.
                    let Ok(customer) = customer else { return };
                    let mut state = customer.lock().await;
                    self.take_out(&state.history);
                    *state = CustomerState::erased();
                    self.rollout().forget(&id);
                    self.customers.remove(&id);
                }
                shared.took(seq);
            }
            Entry::Policy(one) => {
                let _house = self.phases.writing().await;
                if !shared.has(seq) {
                    self.put_policy(one);
                    shared.took(seq);
                }
            }
            Entry::Phase(one) => {
                let _house = self.phases.writing().await;
                if !shared.has(seq) {
                    self.phases.add(*one);
                    shared.took(seq);
                }
            }
            Entry::Matured(outcome) => {
                self.pending.counted(&outcome);
                self.rollout().matured(&outcome);
                self.teach(seq, Said::Matured(outcome));
                shared.took(seq);
            }
            Entry::Published(one) => {
                self.teach(seq, Said::Published(one));
                shared.took(seq);
            }
            Entry::Staged(one) => {
                let _house = self.phases.writing().await;
                if !shared.has(seq) {
                    if one.stage.is_none() {
                        self.try_beside(None);
                    }
                    self.rollout().staged(*one);
                    shared.took(seq);
                }
            }
            Entry::Catalogue(_) | Entry::Shadowed(_) => shared.took(seq),
        }
    }

    async fn of_customer(
        &self,
        shared: &dyn Shared,
        seq: i64,
        id: &CustomerId,
        apply: impl FnOnce(&mut CustomerState),
    ) {
        // On a log that others write too everybody is in memory.
        let Ok(mut state) = self.locked(id).await else {
            return;
        };
        if !shared.has(seq) {
            apply(&mut state);
            shared.took(seq);
        }
    }

    /// The learner has gone where nobody hears it: the server is ending.
    fn teach(&self, seq: i64, said: Said) {
        let _ = self.lessons.send(Lesson { seq, said });
    }

    /// What the log keeps of an erased customer, so that other replicas forget it too.
    pub(super) fn digest(&self, id: &CustomerId) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for part in ["forgotten", self.tenant.as_str(), id.as_str()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// Catches up again and again until `stop`; what cannot be read is reported once.
    pub(crate) async fn keep_up(&self, mut stop: watch::Receiver<bool>) {
        let mut failing = false;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            match self.catch_up().await {
                Ok(()) if failing => {
                    tracing::info!("what others write is taken in again");
                    failing = false;
                }
                Err(error) if !failing => {
                    tracing::error!(%error, "what others write is not taken in");
                    failing = true;
                }
                _ => {}
            }
        }
    }
}
