//! Arms of experiments that decide by a strategy of their own.

use crate::config::Config;
use crate::experiment::Place;
use lagom_model::bandit::{BanditError, Generation};
use lagom_model::decide::{Snapshot, SnapshotError, SnapshotParts};
use lagom_model::strategy::Strategy;
use std::sync::Arc;

/// Every such arm, with the live snapshot under its strategy.
#[derive(Debug, Clone, Default)]
pub(super) struct Arms(Vec<Own>);

#[derive(Debug, Clone)]
struct Own {
    experiment: String,
    arm: String,
    /// Its generation is of its own catalogue, of which nothing is learnt.
    snapshot: Arc<Snapshot>,
}

impl Arms {
    /// The arms of `config` beside the snapshot in force.
    pub(super) fn of<E>(config: &Config, live: &Snapshot) -> Result<Self, E>
    where
        E: From<SnapshotError> + From<BanditError>,
    {
        let specs = config.experiments.specs().iter();
        let arms = specs.flat_map(|spec| spec.arms.iter().map(move |arm| (spec, arm)));
        let mut own = Vec::new();
        for (spec, arm) in arms {
            let Some(strategy) = arm.own.as_ref().map(|own| &own.0) else {
                continue;
            };
            let learning = config.nothing_learnt_of(strategy, config.spec.fingerprint())?;
            own.push(Own {
                experiment: spec.name.clone(),
                arm: arm.name.clone(),
                snapshot: Arc::new(under(live, strategy, learning.generation())?),
            });
        }
        Ok(Self(own))
    }

    /// The same beside another snapshot.
    pub(super) fn beside(&self, live: &Snapshot) -> Self {
        let mut arms = self.clone();
        for one in &mut arms.0 {
            let parts = one.snapshot.parts();
            match under(live, &parts.strategy, &parts.generation) {
                Ok(snapshot) => one.snapshot = Arc::new(snapshot),
                // What is in force has other features than its configuration.
                Err(error) => {
                    tracing::error!(%error, arm = one.arm, "an arm's strategy does not fit; its last snapshot decides on");
                }
            }
        }
        arms
    }

    /// What decides where a customer is, if that arm has a strategy of its own.
    pub(super) fn at(&self, place: &Place) -> Option<&Arc<Snapshot>> {
        let (experiment, arm) = place.arm.as_ref()?;
        let mut all = self.0.iter();
        let own = all.find(|one| &one.experiment == experiment && &one.arm == arm)?;
        Some(&own.snapshot)
    }

    /// Their strategies.
    pub(super) fn strategies(&self) -> impl Iterator<Item = &Strategy> {
        self.0.iter().map(|one| one.snapshot.strategy())
    }
}

fn under(
    live: &Snapshot,
    strategy: &Arc<Strategy>,
    untaught: &Arc<Generation>,
) -> Result<Snapshot, SnapshotError> {
    Snapshot::new(SnapshotParts {
        strategy: Arc::clone(strategy),
        generation: Arc::clone(untaught),
        ..live.parts().clone()
    })
}
