//! A candidate beside the version in force, and that one beside the holdout: what the log says of
//! stages, and what is watched.

use lagom_features::domain::{EventType, Timestamp};
use lagom_model::log::{Decision, Outcome};
use lagom_model::rollout::Stage;
use lagom_model::rollout::guard::{Guard, GuardSpec, Watched};

use crate::experiment::{Experiments, HOLDOUT, LAGOM};
use crate::recording::{Recording, What};
use crate::store::Entry;

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

/// Guards of a rollout: of the canary, and of the live version beside the holdout.
pub(crate) const SIDES: usize = 2;

/// Where the rollout stands, as the log tells it.
#[derive(Debug, Clone)]
pub(crate) struct Rollout {
    spec: GuardSpec,
    last: Option<Staged>,
    guard: Option<Guard>,
    /// Share of the customers for whom the ladder decides for good.
    holdout: f64,
    live: Option<Live>,
    /// Which guards are others than those that were written last.
    begun: [bool; SIDES],
}

/// A version that decides for all, from its first decision on, beside the holdout. A canary has a
/// guard of its own.
#[derive(Debug, Clone)]
struct Live {
    model: String,
    guard: Guard,
}

/// The live version as it stands beside the holdout.
#[derive(Debug, Clone)]
pub struct Beside {
    /// Which version.
    pub model: String,
    /// Customers decided about for the holdout and by the version.
    pub exposed: [u64; 2],
    /// Its sequences.
    pub watched: Vec<Watched>,
    /// What harm was found.
    pub harm: Option<String>,
    /// Whether the customers are split by the holdout's share; where not, harm proves nothing.
    pub split_holds: bool,
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
    /// The live version beside the holdout; `None` without a holdout or before its first decision.
    pub live: Option<Beside>,
}

impl Rollout {
    pub(crate) fn new(spec: GuardSpec, experiments: &Experiments) -> Self {
        Self {
            spec,
            last: None,
            guard: None,
            holdout: experiments.holdout().share,
            live: None,
            begun: [true; SIDES],
        }
    }

    /// Under the same configuration, with nothing seen yet.
    pub(crate) fn nothing_seen(&self) -> Self {
        Self {
            spec: self.spec,
            last: None,
            guard: None,
            holdout: self.holdout,
            live: None,
            begun: [true; SIDES],
        }
    }

    /// Goes on under the same configuration with what was written of another.
    pub(crate) fn going_on(
        &self,
        last: Option<Staged>,
        guard: Option<Guard>,
        live: Option<(String, Guard)>,
    ) -> Self {
        Self {
            last,
            guard,
            live: live.map(|(model, guard)| Live { model, guard }),
            begun: [false; SIDES],
            ..self.nothing_seen()
        }
    }

    /// The same, of which nothing is written.
    pub(crate) fn begun_anew(self) -> Self {
        Self {
            begun: [true; SIDES],
            ..self
        }
    }

    /// The same, as it is written.
    pub(crate) fn written(self) -> Self {
        Self {
            begun: [false; SIDES],
            ..self
        }
    }

    /// Whether the guard of a side is another one than was written last.
    pub(crate) fn begun(&self, side: usize) -> bool {
        self.begun[side]
    }

    /// What is taken for harm, and the holdout's share.
    pub(crate) fn under(&self) -> (GuardSpec, f64) {
        (self.spec, self.holdout)
    }

    /// Whether these are what is taken for harm and the holdout's share.
    pub(crate) fn is_under(&self, spec: GuardSpec, holdout: f64) -> bool {
        self.spec == spec && self.holdout.total_cmp(&holdout).is_eq()
    }

    /// The guard of a side.
    pub(crate) fn guard(&self, side: usize) -> Option<&Guard> {
        match side {
            0 => self.guard.as_ref(),
            _ => self.live.as_ref().map(|live| &live.guard),
        }
    }

    /// The same, to be changed.
    pub(crate) fn side(&mut self, side: usize) -> Option<&mut Guard> {
        match side {
            0 => self.guard.as_mut(),
            _ => self.live.as_mut().map(|live| &mut live.guard),
        }
    }

    /// Which version is watched beside the holdout.
    pub(crate) fn live_model(&self) -> Option<&str> {
        self.live.as_ref().map(|live| live.model.as_str())
    }

    /// Takes in a record of the log.
    pub(crate) fn take(&mut self, entry: &Entry) {
        match entry {
            Entry::Recorded(one) => self.recorded(one),
            Entry::Decided(one) => self.decided(one),
            Entry::Matured(one) => self.matured(one),
            Entry::Staged(one) => self.staged(Staged::clone(one)),
            Entry::Policy(_) => self.watch_anew(),
            _ => {}
        }
    }

    /// Another spec holds from the next canary on: a sequence keeps the level it began with. Under
    /// another holdout the live version is watched anew.
    pub(crate) fn respecify(&mut self, spec: GuardSpec, experiments: &Experiments) {
        self.spec = spec;
        let share = experiments.holdout().share;
        if share.total_cmp(&self.holdout).is_ne() {
            self.holdout = share;
            self.watch_anew();
        }
    }

    /// Nothing is held against the live version of what was seen so far: the policy was paused or
    /// resumed, or another version took over.
    pub(crate) fn watch_anew(&mut self) {
        self.begun[1] = true;
        self.live = None;
    }

    pub(crate) fn staged(&mut self, staged: Staged) {
        self.begun[0] = true;
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
        self.decided_live(decision);
        let (Some(guard), Some(last)) = (&mut self.guard, &self.last) else {
            return;
        };
        let arm = decision.experiment.as_deref().zip(decision.arm.as_deref());
        if arm.is_none_or(|arm| arm == (HOLDOUT, LAGOM)) {
            let canary = decision.model_id.as_ref() == Some(&last.model);
            guard.decided(decision.into(), canary);
        }
    }

    /// A decision of the live version, or of the holdout beside it.
    fn decided_live(&mut self, decision: &Decision) {
        let arm = decision.experiment.as_deref().zip(decision.arm.as_deref());
        let held_out = arm == Some((HOLDOUT, HOLDOUT));
        let model = decides_for_all(decision, self.last.as_ref());
        if !held_out && model.is_none() {
            return;
        }
        if let Some(model) = model
            && self.live.as_ref().is_none_or(|live| live.model != model)
        {
            self.begun[1] = true;
            self.live = Guard::beside_holdout(self.spec, self.holdout)
                .inspect_err(|error| tracing::debug!(%error, "no holdout to stand beside"))
                .ok()
                .map(|guard| Live {
                    model: model.to_owned(),
                    guard,
                });
        }
        if let Some(live) = &mut self.live {
            live.guard.decided(decision.into(), !held_out);
        }
    }

    fn guards(&mut self) -> impl Iterator<Item = &mut Guard> {
        let live = self.live.as_mut().map(|live| &mut live.guard);
        self.guard.iter_mut().chain(live)
    }

    pub(crate) fn recorded(&mut self, one: &Recording) {
        if let What::Fact(event) = &one.what {
            for guard in self.guards() {
                guard.happened(&event.customer_id, event.kind, event.occurred_at);
            }
        }
    }

    pub(crate) fn matured(&mut self, outcome: &Outcome) {
        for guard in self.guards() {
            guard.matured(&outcome.decision_id);
        }
    }

    pub(crate) fn forget(&mut self, customer: &lagom_features::domain::CustomerId) {
        for guard in self.guards() {
            guard.forget(customer);
        }
    }

    /// Which version must not decide for all any longer, and why, where harm was found beside the
    /// holdout and nobody wants to be asked.
    pub(crate) fn must_be_taken_back(&self) -> Option<(String, String)> {
        let live = self.live.as_ref()?;
        let harm = live.guard.harm()?;
        let certain = self.spec.automatic && live.guard.split_holds();
        certain.then(|| (live.model.clone(), harm.to_owned()))
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
            live: self.live.as_ref().map(|live| Beside {
                model: live.model.clone(),
                exposed: live.guard.exposed(),
                watched: live.guard.watched(),
                harm: live.guard.harm().map(str::to_owned),
                split_holds: live.guard.split_holds(),
            }),
        }
    }
}

/// The version that made a decision for one of those who are not held out, where it decides for all:
/// it is not the one on its way.
pub(crate) fn decides_for_all<'a>(
    decision: &'a Decision,
    staged: Option<&Staged>,
) -> Option<&'a str> {
    let arm = decision.experiment.as_deref().zip(decision.arm.as_deref());
    if arm.is_none_or(|(experiment, arm)| experiment != HOLDOUT || arm == HOLDOUT) {
        return None;
    }
    let model = decision.model_id.as_deref()?;
    let on_its_way = staged.is_some_and(|one| one.stage.is_some() && one.model == model);
    (!on_its_way).then_some(model)
}

/// Whether an event moves a sequence.
pub(crate) fn is_watched(kind: EventType) -> bool {
    lagom_model::rollout::guard::EVENTS.contains(&kind)
}
