//! Shadow, canary, and the way back: the registry says what is wanted, the log what was done.
//!
//! ```text
//! registry ──follow──> log ──> candidate beside the live snapshot ──decide──> shadow or canary
//!     ^                                                               │
//!     └───withdrawn, with the reason <── harm <── guard <── log <─────┘
//! ```

use super::{Engine, Failure};
use crate::experiment::uniform;
use crate::registry::{self, RegistryError};
use crate::rollout::{Rollout, Staged, Standing};
use crate::store::{Entry, StoreError};
use lagom_features::domain::CustomerId;
use lagom_model::decide::{Predictor, Snapshot, SnapshotError};
use lagom_model::rollout::{Candidate, Stage};
use std::sync::{Arc, MutexGuard, PoisonError};
use thiserror::Error;

/// A candidate that decides beside the version in force.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) candidate: Candidate,
    model: Arc<dyn Predictor>,
    /// The live snapshot with the candidate's model in it.
    pub(super) snapshot: Arc<Snapshot>,
}

impl Trial {
    fn new(
        candidate: Candidate,
        model: Arc<dyn Predictor>,
        live: &Snapshot,
    ) -> Result<Self, SnapshotError> {
        let snapshot = Arc::new(live.with_model(Some(Arc::clone(&model)))?);
        Ok(Self {
            candidate,
            model,
            snapshot,
        })
    }

    /// The same beside another live snapshot; gone where it does not fit.
    pub(super) fn beside(&self, live: &Snapshot) -> Option<Self> {
        Self::new(self.candidate.clone(), Arc::clone(&self.model), live)
            .inspect_err(|error| tracing::error!(%error, "the candidate does not fit any more"))
            .ok()
    }

    /// Whether it decides for this customer: the same ones as long as the share does not fall.
    pub(super) fn takes(&self, customer: &CustomerId) -> bool {
        match self.candidate.stage {
            Stage::Shadow => false,
            Stage::Canary { share } => {
                uniform(&[&self.candidate.id, "canary", customer.as_str()]) < share
            }
        }
    }

    pub(super) fn is_shadow(&self) -> bool {
        self.candidate.stage == Stage::Shadow
    }
}

/// Why the registry cannot be followed; what decided decides on.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A version reads other features.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread ended.
    #[error("{0}")]
    Ended(String),
}

impl From<FollowError> for Failure {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Store(error) => error.into(),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl Engine {
    /// Where the rollout stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.rollout().standing()
    }

    pub(crate) fn rollout(&self) -> MutexGuard<'_, Rollout> {
        self.rollout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides as the registry says from now on: by its current version, beside its candidate. A
    /// canary that harms goes first, with the reason, in the log and in the registry; and so does a
    /// version that harms beside the holdout.
    ///
    /// # Errors
    /// [`FollowError`]; what decided decides on.
    pub async fn follow(&self) -> Result<(), FollowError> {
        let _one_at_a_time = self.following.lock().await;
        self.catch_up().await?;
        let must_go = self.rollout().must_go();
        if let Some((staged, harm)) = must_go {
            self.roll_back(staged, harm).await?;
        }
        let must_be_taken_back = self.rollout().must_be_taken_back();
        if let Some((model, harm)) = must_be_taken_back {
            self.take_back(model, harm).await?;
        }
        let dir = self.config().models.clone();
        let pointers = on_disk(move || registry::pointers(&dir)).await?;
        if let Some(id) = pointers.current
            && self.snapshot().model_id() != Some(id.as_str())
        {
            let model = self.load(&id).await?;
            self.adopt(Some(&model)).map_err(|error| match error {
                super::ChangeError::Snapshot(error) => error.into(),
                other => FollowError::Ended(other.to_string()),
            })?;
            tracing::info!(model = id, "another model decides");
            self.learn_anew();
        }
        self.follow_candidate(pointers.candidate).await
    }

    async fn follow_candidate(&self, wanted: Option<Candidate>) -> Result<(), FollowError> {
        let last = self.rollout().last().cloned();
        let last = last.as_ref();
        let stands = last.and_then(|last| last.stage).is_some();
        let Some(wanted) = wanted else {
            return match last {
                Some(last) if stands => {
                    let reason = "promoted or withdrawn".to_owned();
                    self.leave(last.clone(), reason).await
                }
                _ => Ok(()),
            };
        };
        let known =
            last.is_some_and(|last| last.number == wanted.number && last.model == wanted.id);
        if let (true, false, Some(last)) = (known, stands, last) {
            // It was rolled back, and the registry was not told before the process ended.
            return self.withdraw(last).await;
        }
        let live = self.live.load_full();
        let trial = live.trial.as_ref().map(|trial| &trial.candidate);
        if known && trial == Some(&wanted) {
            return Ok(());
        }
        let model = self.load(&wanted.id).await?;
        let trial = Trial::new(wanted.clone(), model, &live.snapshot)?;
        if !known {
            let staged = Staged {
                at: self.clock.now(),
                number: wanted.number,
                model: wanted.id.clone(),
                stage: Some(wanted.stage),
                reason: "staged in the registry".to_owned(),
            };
            self.write_down(staged).await?;
        }
        tracing::info!(model = wanted.id, stage = %wanted.stage, "a candidate stands beside");
        self.try_beside(Some(&trial));
        Ok(())
    }

    /// Takes a canary that harms off its way: at once here, then in the log, then in the registry.
    async fn roll_back(&self, staged: Staged, harm: String) -> Result<(), FollowError> {
        tracing::error!(model = staged.model, harm, "the canary is rolled back");
        self.leave(staged.clone(), format!("rolled back: {harm}"))
            .await?;
        self.metrics.rolled_back(&harm);
        let last = self.rollout().last().cloned();
        self.withdraw(&last.unwrap_or(staged)).await
    }

    /// Lets the version before it decide again or, where there is none, the ladder: the policy is
    /// paused until somebody resumes it.
    async fn take_back(&self, model: String, harm: String) -> Result<(), FollowError> {
        tracing::error!(model, harm, "the live version is taken back");
        let reason = format!("rolled back: {harm}");
        let dir = self.config().models.clone();
        let (id, words) = (model.clone(), reason.clone());
        let taken = on_disk(move || registry::take_back(&dir, &id, &words)).await;
        match taken {
            Ok(_) => self.rollout().watch_anew(),
            Err(FollowError::Registry(RegistryError::Step(_))) => {
                let paused = self.pause(true, reason).await;
                paused.map_err(|error| FollowError::Ended(error.to_string()))?;
            }
            Err(error) => return Err(error),
        }
        self.metrics.rolled_back(&harm);
        Ok(())
    }

    async fn leave(&self, staged: Staged, reason: String) -> Result<(), FollowError> {
        self.try_beside(None);
        self.write_down(Staged {
            at: self.clock.now(),
            stage: None,
            reason,
            ..staged
        })
        .await
    }

    async fn withdraw(&self, left: &Staged) -> Result<(), FollowError> {
        let (dir, number) = (self.config().models.clone(), left.number);
        let reason = left.reason.clone();
        on_disk(move || registry::withdraw(&dir, number, &reason)).await?;
        Ok(())
    }

    async fn write_down(&self, staged: Staged) -> Result<(), FollowError> {
        let _house = self.phases.writing().await;
        self.append(vec![Entry::Staged(Box::new(staged.clone()))])
            .await?;
        self.rollout().staged(staged);
        Ok(())
    }

    async fn load(&self, id: &str) -> Result<Arc<dyn Predictor>, FollowError> {
        let (dir, id) = (self.config().models.clone(), id.to_owned());
        let version = on_disk(move || registry::version(&dir, &id)).await?;
        Ok(Arc::new(version))
    }
}

/// Reads or changes the registry on a thread that may wait for the disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RegistryError> + Send + 'static,
) -> Result<T, FollowError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| FollowError::Ended(error.to_string()))??)
}
