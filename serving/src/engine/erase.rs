//! Forgetting a customer: in the log, in memory and in what was learnt.

use super::{Engine, Failure};
use crate::customers::CustomerState;
use crate::learner::Request;
use crate::store::{Entry, StoreError};
use lagom_features::domain::{CustomerId, DecisionId};
use std::collections::HashSet;
use tokio::sync::oneshot;

/// Records of a customer, and the ids of the decisions among them.
type Theirs = (Vec<(i64, Entry)>, HashSet<DecisionId>);

impl Engine {
    /// Erases everything that the log holds about a customer, and learns the rest of it anew.
    /// Returns how many records were erased. Decisions, events and confirmations of this customer
    /// wait meanwhile; those of others do not.
    ///
    /// # Errors
    /// [`Failure::Unknown`], and [`Failure::Store`] where nothing or not everything could be erased;
    /// to repeat it is safe.
    pub async fn erase(&self, id: &CustomerId) -> Result<u64, Failure> {
        self.catch_up().await?;
        if !self.knows(id) {
            return Err(Failure::unknown("customer", id));
        }
        let (done, answer) = oneshot::channel();
        let request = Request::Erase(id.clone(), done);
        let ending = |_| Failure::Store(StoreError::Closed);
        self.requests
            .send(request)
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.map_err(ending)?
    }

    /// Called by the learner, between two outcomes.
    pub(crate) async fn erase_records(&self, id: &CustomerId) -> Result<u64, Failure> {
        let customer = self.customers.get(id)?;
        let customer = customer.ok_or_else(|| Failure::unknown("customer", id))?;
        let mut state = customer.lock().await;
        // Said first, so that no other replica appends on what it knew before: what is erased below is
        // then everything.
        if self.store.shared().is_some() {
            let digest = self.digest(id);
            self.append(vec![Entry::Forgotten { digest }]).await?;
        }
        let (records, decisions) = self.records_of(id)?;
        let count = records.len() as u64;
        if let Some(keeper) = &self.keeper {
            keeper.pause()?;
        }
        self.store.erase(records).await?;
        if let Some((keeper, log)) = self.keeper.as_ref().zip(self.store.own()) {
            keeper.forget(id, &decisions, log.erasures()?)?;
        }
        self.pending.forget(&decisions);
        self.rollout().forget(id);
        // Whoever waits for the lock finds this mark and looks the customer up again.
        *state = CustomerState::erased();
        self.customers.remove(id);
        Ok(count)
    }

    /// Up to where it is said that the customer was erased, if it is: whoever came after is new.
    fn records_of(&self, id: &CustomerId) -> Result<Theirs, StoreError> {
        let digest = self.digest(id);
        let mut last = None;
        let mut records = Vec::new();
        let mut decisions = HashSet::new();
        self.store.scan(&mut |seq, entry| {
            let theirs = match &entry {
                Entry::Recorded(one) => one.customer_id() == id,
                Entry::Decided(one) => {
                    let theirs = &one.customer_id == id;
                    if theirs {
                        decisions.insert(one.decision_id.clone());
                    }
                    theirs
                }
                Entry::Reserved(one) => &one.customer_id == id,
                Entry::Matured(one) => decisions.contains(&one.decision_id),
                Entry::Assigned(one) => &one.customer_id == id,
                Entry::Shadowed(one) => &one.customer_id == id,
                Entry::Catalogue(_)
                | Entry::Published(_)
                | Entry::Policy(_)
                | Entry::Phase(_)
                | Entry::Staged(_) => false,
                Entry::Forgotten { digest: whose } => {
                    last = (*whose == digest).then_some(records.len()).or(last);
                    false
                }
            };
            if theirs {
                records.push((seq, entry));
            }
            Ok(())
        })?;
        records.truncate(last.unwrap_or(records.len()));
        Ok((records, decisions))
    }
}
