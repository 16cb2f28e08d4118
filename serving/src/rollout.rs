//! A candidate beside the version in force: what the log says of its stages, and what is watched.

use lagom_features::domain::{EventType, Timestamp};
use lagom_model::log::{Decision, Outcome};
use lagom_model::rollout::Stage;
use lagom_model::rollout::guard::{Guard, GuardSpec, Watched};

use crate::experiment::{HOLDOUT, LAGOM};
use crate::recording::{Recording, What};

/// A stage that the server took up, or left. In the log, before anything is decided by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Staged {
    /// By the server's clock.
    pub at: Timestamp,
    /// Number of the registry's step that put the candidate there.
    pub number: u64,
    /// Which version.
    pub model: String,
    /// Where it stands from now on; `None` off its way.
    pub stage: Option<Stage>,
    /// Why it left, or what put it there.
    pub reason: String,
}

/// Where the rollout stands, as the log tells it.
#[derive(Debug)]
pub(crate) struct Rollout {
    spec: GuardSpec,
    last: Option<Staged>,
    guard: Option<Guard>,
}

/// What a page and the metrics show.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The last stage that was taken up or left.
    pub staged: Option<Staged>,
    /// Customers decided about by the version in force and by the canary, since it began.
    pub exposed: [u64; 2],
    /// The sequences of a canary; none of a shadow.
    pub watched: Vec<Watched>,
    /// What harm was found.
    pub harm: Option<String>,
}

impl Rollout {
    pub(crate) fn new(spec: GuardSpec) -> Self {
        Self {
            spec,
            last: None,
            guard: None,
        }
    }

    /// Another spec holds from the next canary on: a sequence keeps the level it began with.
    pub(crate) fn respecify(&mut self, spec: GuardSpec) {
        self.spec = spec;
    }

    pub(crate) fn staged(&mut self, staged: Staged) {
        self.guard = match staged.stage {
            Some(Stage::Canary { share }) => Guard::new(self.spec, share)
                .inspect_err(|error| tracing::error!(%error, "the canary is not watched"))
                .ok(),
            Some(Stage::Shadow) | None => None,
        };
        self.last = Some(staged);
    }

    pub(crate) fn last(&self) -> Option<&Staged> {
        self.last.as_ref()
    }

    /// A decision that the candidate or the version in force made; those of an experiment or of
    /// the holdout belong to neither.
    pub(crate) fn decided(&mut self, decision: &Decision) {
        let (Some(guard), Some(last)) = (&mut self.guard, &self.last) else {
            return;
        };
        let arm = decision.experiment.as_deref().zip(decision.arm.as_deref());
        if arm.is_none_or(|arm| arm == (HOLDOUT, LAGOM)) {
            let canary = decision.model_id.as_ref() == Some(&last.model);
            guard.decided(decision.into(), canary);
        }
    }

    pub(crate) fn recorded(&mut self, one: &Recording) {
        if let (Some(guard), What::Fact(event)) = (&mut self.guard, &one.what) {
            guard.happened(&event.customer_id, event.kind, event.occurred_at);
        }
    }

    pub(crate) fn matured(&mut self, outcome: &Outcome) {
        if let Some(guard) = &mut self.guard {
            guard.matured(&outcome.decision_id);
        }
    }

    pub(crate) fn forget(&mut self, customer: &lagom_features::domain::CustomerId) {
        if let Some(guard) = &mut self.guard {
            guard.forget(customer);
        }
    }

    /// Why the canary must go, where harm was found and nobody wants to be asked.
    pub(crate) fn must_go(&self) -> Option<(Staged, String)> {
        let harm = self.guard.as_ref()?.harm()?;
        let staged = self.last.clone()?;
        self.spec.automatic.then(|| (staged, harm.to_owned()))
    }

    pub(crate) fn standing(&self) -> Standing {
        let guard = self.guard.as_ref();
        Standing {
            staged: self.last.clone(),
            exposed: guard.map_or([0; 2], Guard::exposed),
            watched: guard.map_or_else(Vec::new, Guard::watched),
            harm: guard.and_then(Guard::harm).map(str::to_owned),
        }
    }
}

/// Whether an event moves a sequence.
pub(crate) fn is_watched(kind: EventType) -> bool {
    lagom_model::rollout::guard::EVENTS.contains(&kind)
}
