//! What all customers add up to, week by week, for a spec with features by segment.
//!
//! A week is a function of what was recorded before its Monday, so it is not stored: a start adds it up
//! again and gets the same bits. It is added up before anybody asks, in the hours between the Monday and
//! its first decision; who asks about a week that is not held waits until it has been. Who is erased is
//! taken out of the weeks held, which are then what a start would make of the rest.

use super::{Engine, Failure};
use crate::clock::Source;
use crate::store::StoreError;
use arc_swap::ArcSwap;
use lagom_features::domain::{Days, Timestamp};
use lagom_features::{FeatureSpec, History, Pooling, PoolingMemory, Segments, Week, week_of};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

/// Weeks held at once: this one, the next, and what is asked about the past.
const HELD: usize = 8;
/// How long before a week is first looked at it is added up; what was recorded before its Monday has
/// arrived by then, from other replicas too.
const AHEAD: Days = Days::hours(3);
/// How often is looked whether it is time.
const LOOK: Duration = Duration::from_millis(250);
/// How long is waited after customers could not be read.
const AGAIN: Duration = Duration::from_secs(10);

/// The weeks held, and who adds the next one up.
#[derive(Debug, Default)]
pub(super) struct Everybody {
    held: ArcSwap<Segments>,
    /// How many have been taken out; held while the weeks are changed.
    gone: std::sync::Mutex<u64>,
    /// One adds up at a time, and while one does nobody is erased here.
    adding: Mutex<()>,
}

impl Everybody {
    pub(super) fn held(&self) -> Arc<Segments> {
        self.held.load_full()
    }

    fn gone(&self) -> MutexGuard<'_, u64> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// The weeks held, and with them the one that begins at `week`.
    pub(super) async fn with_week(
        self: &Arc<Self>,
        week: Timestamp,
    ) -> Result<Arc<Segments>, Failure> {
        let (engine, runtime) = (Arc::clone(self), Handle::current());
        let added = tokio::task::spawn_blocking(move || {
            let snapshot = engine.snapshot();
            runtime.block_on(engine.add_up(&snapshot.parts().spec, week, || false))
        });
        added
            .await
            .map_err(|error| Failure::Internal(error.to_string()))?
    }

    /// Adds everybody up, unless somebody else just has.
    async fn add_up(
        &self,
        spec: &FeatureSpec,
        week: Timestamp,
        stop: impl Fn() -> bool,
    ) -> Result<Arc<Segments>, Failure> {
        let Some(pooling) = Pooling::new(spec) else {
            return Ok(self.everybody.held());
        };
        self.catch_up().await?;
        let _alone = self.everybody.adding.lock().await;
        let held = self.everybody.held();
        if held.week(spec.fingerprint(), week).is_some() {
            return Ok(held);
        }
        loop {
            let gone = *self.everybody.gone();
            let began = Instant::now();
            let (mut added, mut memory) = (pooling.begin(week), PoolingMemory::default());
            let mut customers = 0_u64;
            let add = |history: &_| {
                customers += 1;
                pooling.add(&mut memory, history, &mut added);
            };
            if !self.customers.each_history(&stop, add).await? {
                return Err(StoreError::Closed.into());
            }
            let took = began.elapsed();
            if let Some(segments) = self.take_week(&pooling, added, gone) {
                tracing::info!(%week, customers, ?took, "the customers are added up by segment");
                return Ok(segments);
            }
        }
    }

    /// The weeks held and this one; none where somebody was erased while it was added up, who may be in
    /// it or not.
    fn take_week(&self, pooling: &Pooling, added: Week, before: u64) -> Option<Arc<Segments>> {
        let gone = self.everybody.gone();
        if *gone != before {
            return None;
        }
        let (week, held) = (added.at(), self.everybody.held());
        let mut segments = if held.is_of(pooling) {
            Segments::clone(&held)
        } else {
            Segments::of(pooling)
        };
        segments.put(Arc::new(added));
        let others = segments.begin().filter(|at| *at != week);
        let others: Vec<Timestamp> = others.collect();
        for at in others.iter().take((others.len() + 1).saturating_sub(HELD)) {
            segments.remove(*at);
        }
        let segments = Arc::new(segments);
        // What lies ahead is answered, and not held: more will be recorded before it.
        if week + AHEAD <= self.clock.now() {
            self.everybody.held.store(Arc::clone(&segments));
        }
        Some(segments)
    }

    /// Nobody is added up until this is dropped.
    pub(super) async fn nobody_is_added(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.everybody.adding.lock().await
    }

    /// Takes a customer who is erased out of the weeks held.
    pub(super) fn take_out(&self, history: &History) {
        let mut gone = self.everybody.gone();
        *gone += 1;
        let held = self.everybody.held();
        if held.begin().next().is_none() {
            return;
        }
        let snapshot = self.snapshot();
        let pooling = Pooling::new(&snapshot.parts().spec);
        let rest = match pooling.filter(|pooling| held.is_of(pooling)) {
            Some(pooling) if self.clock.source() == Source::Wall => {
                let mut rest = Segments::clone(&held);
                rest.take_out(&pooling, history);
                rest
            }
            // By the events' clock records may have come in that were stamped before the Monday, and were
            // not added.
            _ => Segments::default(),
        };
        self.everybody.held.store(Arc::new(rest));
    }

    /// Adds up the week that `spec` looks at next, by the wall clock. What cannot be read now is read
    /// again by whoever needs it.
    pub(crate) async fn add_up_now(&self, spec: &FeatureSpec) {
        if self.clock.source() == Source::Events {
            return;
        }
        let week = week_of(self.clock.now());
        if let Err(error) = self.add_up(spec, week, || false).await {
            tracing::warn!(%error, "the customers are not added up by segment");
        }
    }

    /// Adds up each week before it is looked at, until `stop`. The events' clock leaps over that time, so
    /// by it a week is added up when it is asked for.
    pub(crate) fn add_up_ahead(&self, stop: &dyn Fn() -> bool) {
        if self.clock.source() == Source::Events {
            return;
        }
        while !stop() {
            std::thread::sleep(LOOK);
            let snapshot = self.snapshot();
            let spec = &snapshot.parts().spec;
            let week = week_of(self.clock.now() + AHEAD);
            let is_held = || {
                self.everybody
                    .held()
                    .week(spec.fingerprint(), week)
                    .is_some()
            };
            if spec.pooled().next().is_none() || is_held() {
                continue;
            }
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let added = runtime
                .map_err(|error| Failure::Internal(error.to_string()))
                .and_then(|runtime| runtime.block_on(self.add_up(spec, week, stop)));
            if let Err(error) = added
                && !stop()
            {
                tracing::warn!(%error, "the customers are not added up by segment");
                let again = Instant::now() + AGAIN;
                while !stop() && Instant::now() < again {
                    std::thread::sleep(LOOK);
                }
            }
        }
    }
}
