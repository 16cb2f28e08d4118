//! Forgetting customers: in the log, in memory and in what was learnt.

use super::{Engine, Failure};
use crate::customers::{Customer, CustomerState};
use crate::learner::Request;
use crate::store::{Entry, StoreError};
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use std::collections::{HashMap, HashSet};
use tokio::sync::{OwnedMutexGuard, oneshot};

/// Records erased in one write, those of one customer always together: while they are, nothing else
/// is written.
const TOGETHER: usize = 1_000;

/// Records of one customer, in order.
type Records = Vec<(i64, Entry)>;

/// What the log holds about one customer.
#[derive(Debug, Default)]
struct Theirs {
    records: Records,
    /// Up to where it is said that the customer was erased, if it is: whoever came after is new.
    said: Option<usize>,
}

/// A customer who is about to be forgotten, of whom nobody else says anything meanwhile.
struct Going {
    id: CustomerId,
    state: OwnedMutexGuard<CustomerState>,
}

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
    pub(crate) async fn erase_one(&self, id: &CustomerId) -> Result<u64, Failure> {
        let _alone = self.nobody_is_added().await;
        let customer = self.customers.get(id)?;
        let customer = customer.ok_or_else(|| Failure::unknown("customer", id))?;
        let going = Going {
            id: id.clone(),
            state: customer.lock_owned().await,
        };
        self.forget(vec![going]).await
    }

    /// Erases those of `ids` of whom nothing was recorded or decided since `before`. Called by the
    /// learner, between two outcomes. Returns how many customers and how many of their records went.
    pub(crate) async fn erase_idle(
        &self,
        ids: &[CustomerId],
        before: Timestamp,
    ) -> Result<(usize, u64), Failure> {
        self.catch_up().await?;
        let _alone = self.nobody_is_added().await;
        let mut going = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(customer): Option<Customer> = self.customers.get(id)? else {
                continue;
            };
            let state = customer.lock_owned().await;
            // What another replica records after this and before it hears of the erasure, within
            // milliseconds after years of silence, goes with the rest.
            if state.is_idle(before) && self.unchanged(id).await.is_ok() {
                let id = id.clone();
                going.push(Going { id, state });
            }
        }
        let customers = going.len();
        let records = self.forget(going).await?;
        Ok((customers, records))
    }

    async fn forget(&self, going: Vec<Going>) -> Result<u64, Failure> {
        if going.is_empty() {
            return Ok(0);
        }
        // Said first, so that no other replica appends on what it knew before: what is erased below is
        // then everything.
        if self.store.shared().is_some() {
            let said = going.iter().map(|one| Entry::Forgotten {
                digest: self.digest(&one.id),
            });
            self.append(said.collect()).await?;
        }
        let (theirs, decisions) = self.records_of(&going)?;
        if let Some(keeper) = &self.keeper {
            keeper.pause()?;
        }
        let mut count = 0;
        let mut next = Vec::new();
        for records in theirs {
            count += records.len() as u64;
            next.extend(records);
            if next.len() >= TOGETHER {
                self.store.erase(std::mem::take(&mut next)).await?;
            }
        }
        if !next.is_empty() {
            self.store.erase(next).await?;
        }
        if let Some(log) = self.store.own() {
            log.scrub()?;
            if let Some(keeper) = &self.keeper {
                let ids = going.iter().map(|one| &one.id);
                keeper.forget(ids, &decisions, log.erasures()?)?;
            }
        }
        self.pending.forget(&decisions);
        for Going { id, mut state } in going {
            self.rollout().forget(&id);
            self.take_out(&state.history);
            // Whoever waits for the lock finds this mark and looks the customer up again.
            *state = CustomerState::erased();
            self.customers.remove(&id);
        }
        Ok(count)
    }

    /// The records of each, and the ids of the decisions among them.
    fn records_of(
        &self,
        going: &[Going],
    ) -> Result<(Vec<Records>, HashSet<DecisionId>), StoreError> {
        let places: HashMap<&CustomerId, usize> =
            going.iter().map(|one| &one.id).zip(0..).collect();
        let digests: HashMap<[u8; 32], usize> = going
            .iter()
            .map(|one| self.digest(&one.id))
            .zip(0..)
            .collect();
        let mut theirs: Vec<Theirs> = going.iter().map(|_| Theirs::default()).collect();
        let mut decisions: HashMap<DecisionId, usize> = HashMap::new();
        self.store.scan(&mut |seq, entry| {
            let of = |id: &CustomerId| places.get(id).copied();
            let place = match &entry {
                Entry::Recorded(one) => of(one.customer_id()),
                Entry::Decided(one) => {
                    let place = of(&one.customer_id);
                    if let Some(place) = place {
                        decisions.insert(one.decision_id.clone(), place);
                    }
                    place
                }
                Entry::Reserved(one) => of(&one.customer_id),
                Entry::Matured(one) => decisions.get(&one.decision_id).copied(),
                Entry::Assigned(one) => of(&one.customer_id),
                Entry::Shadowed(one) => of(&one.customer_id),
                Entry::Catalogue(_)
                | Entry::Published(_)
                | Entry::Policy(_)
                | Entry::Phase(_)
                | Entry::Staged(_) => None,
                Entry::Forgotten { digest } => {
                    if let Some(place) = digests.get(digest) {
                        let one = &mut theirs[*place];
                        one.said = Some(one.records.len());
                    }
                    None
                }
            };
            if let Some(place) = place {
                theirs[place].records.push((seq, entry));
            }
            Ok(())
        })?;
        let records = theirs.into_iter().map(|mut one| {
            one.records.truncate(one.said.unwrap_or(one.records.len()));
            one.records
        });
        Ok((records.collect(), decisions.into_keys().collect()))
    }
}
