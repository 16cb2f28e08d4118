//! Learning in the background: when the window of a decision has closed, its outcome is counted,
//! folded into the policy, and written down; what was learnt is published as a generation that is
//! on disk before it decides.
//!
//! A decision is counted by what was known a grace after its window, whenever that is done, so
//! that the same events always give the same outcomes. The order is that of the decisions.

mod follower;
mod pending;

pub(crate) use follower::{Lesson, Said};
pub use pending::Pending;

use crate::config::Config;
use crate::engine::{Booted, ChangeError, Engine, Failure, Learnt, relearn};
use crate::store::{Entry, Publication, StoreError};
use lagom_features::domain::{CustomerId, DecisionId, Timestamp};
use lagom_model::bandit::Generation;
use lagom_model::log::{Decision, LoggedRound, Outcome};
use lagom_model::outcome::mature;
use lagom_model::policy::learning::{Learning, OpenRound};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Outcomes counted between two writes.
const TOGETHER: usize = 256;
/// How often the wall clock is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What changes what was learnt, and so is done between two outcomes.
#[derive(Debug)]
pub(crate) enum Request {
    /// Decide by another configuration.
    Reconfigure(Box<Config>, oneshot::Sender<Result<(), ChangeError>>),
    /// Begin again from the history of the version in force.
    BeginAgain,
    /// Forget a customer.
    Erase(CustomerId, oneshot::Sender<Result<u64, Failure>>),
    /// Forget those customers of whom nothing was recorded or decided since then; how many went.
    EraseIdle(
        Vec<CustomerId>,
        Timestamp,
        oneshot::Sender<Result<usize, Failure>>,
    ),
}

/// The learner.
#[derive(Debug)]
pub(crate) struct Learner {
    engine: Arc<Engine>,
    learning: Learning,
    isolated: Vec<String>,
    requests: mpsc::Receiver<Request>,
    lessons: mpsc::UnboundedReceiver<Lesson>,
    /// Whether what was learnt here is no longer what the log says, and has to be learnt anew.
    stale: bool,
    /// Whether the log learnt anew gives another generation than the one that was published.
    apart: bool,
    /// Decisions whose outcomes were counted here last: if the report of their commit was lost, they
    /// may come back as if another had counted them.
    own: HashSet<DecisionId>,
    /// Up to which record the whole log was learnt when it was last learnt anew.
    learnt: i64,
}

/// What has to be held of a decision until its outcome is known; nothing where it is of an `isolated`
/// experiment, from whose customers nothing is learnt, whoever decided for them.
pub(crate) fn opened(
    learning: &Learning,
    isolated: &[String],
    decision: &Decision,
) -> Option<OpenRound> {
    let of = decision.experiment.as_ref();
    let apart = of.is_some_and(|name| isolated.contains(name));
    (!apart).then(|| learning.open(decision))
}

/// Learns from a round, and says what there is to publish after it.
///
/// Online and on restart the same rounds pass through here in the same order, and so the same
/// generations come out.
pub(crate) fn close(
    learning: &mut Learning,
    round: &OpenRound,
    outcome: &Outcome,
) -> Option<Arc<Generation>> {
    let folded = learning
        .close(round, outcome)
        .and_then(|_| learning.refresh());
    folded.unwrap_or_else(|error| {
        tracing::error!(%error, "an outcome could not be learnt from");
        None
    })
}

/// Opens and closes a round.
fn fold(
    learning: &mut Learning,
    isolated: &[String],
    LoggedRound { decision, outcome }: &LoggedRound,
) -> Option<Arc<Generation>> {
    let round = opened(learning, isolated, decision)?;
    close(learning, &round, outcome)
}

/// What is written of a generation.
pub(crate) fn publication(
    generation: &Generation,
    rounds: u64,
    isolated: &[String],
    published_at: Timestamp,
) -> Publication {
    Publication {
        generation: generation.number(),
        published_at,
        outcomes: rounds,
        excluded: isolated.to_vec(),
        state: serde_json::to_vec(generation).expect("a generation is numbers and names"),
    }
}

impl Learner {
    pub(crate) fn new(booted: Booted) -> Self {
        let isolated = booted.engine.experiments().isolated();
        Self {
            engine: booted.engine,
            learning: booted.learning,
            isolated,
            requests: booted.requests,
            lessons: booted.lessons,
            stale: false,
            apart: false,
            own: HashSet::new(),
            learnt: 0,
        }
    }

    /// Learns until `stop`.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut moved = self.engine.clock().moved();
        let _keeping = self.keep_lease();
        loop {
            while let Ok(request) = self.requests.try_recv() {
                self.change(request).await;
            }
            match self.go_on().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "learning stands still"),
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                Some(request) = self.requests.recv() => self.change(request).await,
                Some(lesson) = self.lessons.recv() => self.follow(lesson).await,
                _ = moved.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Whoever asked may have gone away; the change holds all the same.
    async fn change(&mut self, request: Request) {
        if matches!(request, Request::BeginAgain) {
            return self.begin_again().await;
        }
        if let Err(error) = self.take_over().await {
            tracing::error!(%error, "learning cannot be taken over");
        }
        match request {
            Request::BeginAgain => {}
            Request::Reconfigure(config, done) => {
                let changed = self.relearn(*config).await;
                let _ = done.send(changed);
            }
            Request::Erase(id, done) => {
                let erased = self.erase(&id).await;
                let _ = done.send(erased);
            }
            Request::EraseIdle(ids, before, done) => {
                let erased = self.erase_idle(&ids, before).await;
                let _ = done.send(erased);
            }
        }
    }

    /// What is published then, the other replicas follow.
    async fn begin_again(&mut self) {
        if self.engine.leads() {
            let config = Config::clone(&self.engine.config());
            if let Err(error) = self.relearn(config).await {
                tracing::error!(%error, "the history of the new version is not learnt");
            }
        }
    }

    /// Learns the log anew under `config` and decides by both from now on.
    async fn relearn(&mut self, config: Config) -> Result<(), ChangeError> {
        let learnt = relearn(self.engine.store(), &config)?;
        self.engine.put_in_force(config, &learnt).await?;
        self.learn_from(learnt);
        Ok(())
    }

    /// Goes on from the whole log.
    fn learn_from(&mut self, learnt: Learnt) {
        self.learnt = learnt.upto;
        (self.learning, self.isolated) = learnt.into_learning();
        (self.stale, self.apart) = (false, false);
    }

    async fn erase(&mut self, id: &CustomerId) -> Result<u64, Failure> {
        let count = self.engine.erase_one(id).await?;
        let config = Config::clone(&self.engine.config());
        self.relearn(config).await?;
        Ok(count)
    }

    async fn erase_idle(
        &mut self,
        ids: &[CustomerId],
        before: Timestamp,
    ) -> Result<usize, Failure> {
        let (customers, records) = self.engine.erase_idle(ids, before).await?;
        if customers > 0 {
            let config = Config::clone(&self.engine.config());
            self.relearn(config).await?;
            self.engine.metrics().retired(customers);
            tracing::info!(customers, records, "idle customers are erased");
        }
        Ok(customers)
    }

    /// Counts and learns what is due; whether there may be more.
    async fn pass(&mut self) -> Result<bool, Failure> {
        let engine = Arc::clone(&self.engine);
        let due = engine.pending().due(engine.clock().now(), TOGETHER);
        if due.is_empty() {
            return Ok(false);
        }
        let mut rounds = Vec::with_capacity(due.len());
        for (at, id) in &due {
            rounds.push(self.round(*at, id).await?);
        }
        let mut entries = Vec::with_capacity(rounds.len());
        let mut latest = None;
        for ((at, _), round) in due.iter().zip(&rounds) {
            entries.push(Entry::Matured(Box::new(round.outcome.clone())));
            if let Some(generation) = fold(&mut self.learning, &self.isolated, round) {
                let learnt = self.learning.rounds();
                let said = publication(&generation, learnt, &self.isolated, *at);
                entries.push(Entry::Published(said));
                latest = Some(generation);
            }
        }
        self.own = due.iter().map(|(_, id)| id.clone()).collect();
        if let Err(error) = self.write(entries).await {
            // What was folded is not written, or was written by another.
            self.stale = true;
            return Err(error);
        }
        if let Some(generation) = latest {
            engine.publish(&generation);
        }
        for round in &rounds {
            engine.metrics().outcome(&round.outcome);
            engine.rollout().matured(&round.outcome);
        }
        engine.pending().remove(&due);
        Ok(true)
    }

    async fn round(&self, at: Timestamp, id: &DecisionId) -> Result<LoggedRound, Failure> {
        let decision = self.engine.decision(id).await?;
        let outcome: Outcome = self
            .engine
            .with_history(&decision.customer_id, |history| {
                let snapshot = self.engine.snapshot();
                let objective = &snapshot.parts().objective;
                let window = self.engine.pending().window_days();
                mature(&decision, history, objective, window, at)
            })
            .await
            .flatten()
            .ok_or_else(|| Failure::Internal(format!("decision `{id}` is not due")))?;
        Ok(LoggedRound { decision, outcome })
    }

    /// What was folded must be written, or memory would know more than the log: tried until it
    /// succeeds.
    async fn write(&self, entries: Vec<Entry>) -> Result<(), Failure> {
        loop {
            match self.engine.store().append(entries.clone()).await {
                Ok(()) => return Ok(()),
                Err(error @ (StoreError::Full { .. } | StoreError::Io { .. })) => {
                    self.engine.metrics().write_error();
                    tracing::warn!(%error, "outcomes wait for the disk");
                    tokio::time::sleep(LOOK).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
