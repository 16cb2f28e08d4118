//! Learning on a log that others write too: one process counts outcomes and publishes, the others
//! fold the same rounds in the same order, come to the same generations, and decide by each once it
//! is published. So whoever takes over has learnt already.

use super::{Learner, fold};
use crate::config::Config;
use crate::engine::{ChangeError, Failure, relearn};
use crate::store::{Publication, StoreError};
use lagom_model::bandit::Generation;
use lagom_model::log::{LoggedRound, Outcome};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;

/// How often the lease of learning is kept, or asked for. It lasts for several times this.
const KEEP: Duration = Duration::from_secs(2);

/// What another process has counted or published, and where it stands in the log.
#[derive(Debug)]
pub(crate) struct Lesson {
    pub(crate) seq: i64,
    pub(crate) said: Said,
}

#[derive(Debug)]
pub(crate) enum Said {
    Matured(Box<Outcome>),
    Published(Publication),
}

/// Ends the keeping of the lease with the learner.
pub(super) struct Keeping(Option<AbortHandle>);

impl Drop for Keeping {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Learner {
    /// Keeps the lease for as long as what is returned is kept, also while the learner is busy.
    pub(super) fn keep_lease(&self) -> Keeping {
        let engine = Arc::clone(&self.engine);
        if engine.store().shared().is_none() {
            return Keeping(None);
        }
        let keeping = tokio::spawn(async move {
            loop {
                let before = engine.leads();
                let leading = match engine.store().shared() {
                    Some(shared) => shared.lead(false).await,
                    None => return,
                };
                match leading {
                    Ok(leads) if leads != before => tracing::info!(leads, "the lease of learning"),
                    Ok(_) => {}
                    Err(error) => tracing::warn!(%error, "the lease of learning is not kept"),
                }
                tokio::time::sleep(KEEP).await;
            }
        });
        Keeping(Some(keeping.abort_handle()))
    }

    /// Counts what is due if it is for this process to do; whether there may be more.
    pub(super) async fn go_on(&mut self) -> Result<bool, Failure> {
        while let Ok(lesson) = self.lessons.try_recv() {
            self.follow(lesson).await;
        }
        if !self.engine.leads() || self.engine.is_slow() {
            return Ok(false);
        }
        let now = self.engine.clock().now();
        if self.engine.pending().first().is_none_or(|due| due > now) {
            return Ok(false);
        }
        if self.engine.store().shared().is_some() {
            self.know_everything().await?;
        }
        self.pass().await
    }

    /// What others had written before this process began to lead is taken in and learnt.
    async fn know_everything(&mut self) -> Result<(), Failure> {
        self.engine.catch_up().await?;
        while let Ok(lesson) = self.lessons.try_recv() {
            self.follow(lesson).await;
        }
        if self.stale {
            let config = Config::clone(&self.engine.config());
            self.relearn(config).await?;
        }
        Ok(())
    }

    /// Leads from now on, since what is asked for changes what is learnt.
    pub(super) async fn take_over(&mut self) -> Result<(), Failure> {
        if let Some(shared) = self.engine.store().shared() {
            shared.lead(true).await?;
            self.know_everything().await?;
        }
        Ok(())
    }

    /// Learns what another process has learnt.
    pub(super) async fn follow(&mut self, lesson: Lesson) {
        if lesson.seq <= self.learnt {
            return;
        }
        let followed = match lesson.said {
            Said::Matured(outcome) => self.fold_as_they_did(*outcome).await,
            Said::Published(said) => self.decide_by(&said),
        };
        if let Err(error) = followed {
            tracing::error!(%error, "what another replica has learnt is not learnt here");
            self.stale = true;
        }
    }

    async fn fold_as_they_did(&mut self, outcome: Outcome) -> Result<(), Failure> {
        if self.stale || self.own.contains(&outcome.decision_id) {
            return Ok(());
        }
        let decision = self.engine.decision(&outcome.decision_id).await?;
        fold(
            &mut self.learning,
            &self.isolated,
            &LoggedRound { decision, outcome },
        );
        Ok(())
    }

    /// By one's own generation where it is the one that was published; otherwise the log is learnt
    /// anew, and where that gives another one too, because this process is configured otherwise, the
    /// published one decides as far as it fits.
    fn decide_by(&mut self, said: &Publication) -> Result<(), Failure> {
        let published: Generation = serde_json::from_slice(&said.state)
            .map_err(|error| Failure::Internal(format!("a published generation: {error}")))?;
        let own = self.learning.generation();
        if !self.stale && own.digest() == published.digest() {
            let own = Arc::clone(own);
            self.engine.publish(&own);
            return Ok(());
        }
        if !self.apart {
            let learnt = relearn(self.engine.store(), &self.engine.config())?;
            if let Some(own) = learnt.published() {
                self.engine.publish(own);
                self.learn_from(learnt);
                return Ok(());
            }
            tracing::warn!("another replica is configured otherwise; its generations decide here");
        }
        (self.stale, self.apart) = (true, true);
        self.engine.publish(&Arc::new(published));
        Ok(())
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(error) => Self::Store(error),
            ChangeError::Ending => Self::Store(StoreError::Closed),
            error => Self::Internal(error.to_string()),
        }
    }
}
