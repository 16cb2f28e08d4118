//! What a company is willing to do: the catalogue of actions, when each may be used, what it
//! costs the customer, and the ladder that a person would climb.
//!
//! A [`StrategySpec`] is what stands in `[strategy]`; a [`Strategy`] is a spec without faults,
//! expanded into the catalogue. Prices stand in the objective, laws in the guardrails.

mod catalogue;
mod fault;
mod spec;
mod when;

pub use fault::{StrategyError, StrategyFault};
pub use spec::{LadderSpec, StageSpec, StepSpec, StrategySpec, Track};
pub use when::{Share, ShareError, When};

pub(crate) use catalogue::Entry;

use crate::guardrails::Facts;
use crate::policy::gentle::Harshness;
use lagom_features::domain::{Action, ActionId, Currency, Timing};
use std::collections::HashMap;

/// Place of [`Action::WAIT`] in every catalogue.
pub const WAIT: usize = 0;
/// Place of the action that asks a person, in every catalogue.
pub const HUMAN_REVIEW: usize = 1;

/// A strategy without faults, with its catalogue.
#[derive(Debug, Clone)]
pub struct Strategy {
    spec: StrategySpec,
    id: String,
    actions: Vec<Action>,
    ids: Vec<ActionId>,
    entries: Vec<Entry>,
    timings: Vec<Timing>,
    fees: Vec<i64>,
    places: HashMap<Action, usize>,
    named: HashMap<ActionId, usize>,
    scale: Vec<Option<Harshness>>,
}

impl Strategy {
    /// Checks a spec and expands its catalogue.
    ///
    /// # Errors
    /// [`StrategyError`] lists every fault at once.
    pub fn new(spec: StrategySpec) -> Result<Self, StrategyError> {
        let id = spec.digest();
        let mut faults = Vec::new();
        let expanded = catalogue::expand(&spec, &mut faults);
        fault::check(&spec, &mut faults);
        if !faults.is_empty() {
            return Err(StrategyError { faults });
        }
        let places = expanded.actions.iter().cloned().zip(0..).collect();
        let ids: Vec<_> = expanded.actions.iter().map(Action::id).collect();
        let fees = expanded
            .entries
            .iter()
            .map(|entry| expanded.fees[entry.fee]);
        let scale = expanded.actions.iter().zip(fees);
        Ok(Self {
            spec,
            id,
            scale: scale.map(|(one, fee)| Harshness::of(one, fee)).collect(),
            named: ids.iter().cloned().zip(0..).collect(),
            ids,
            actions: expanded.actions,
            entries: expanded.entries,
            timings: expanded.timings,
            fees: expanded.fees,
            places,
        })
    }

    /// Digest of the spec; equal strategies have equal ids.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The spec as given.
    #[must_use]
    pub fn spec(&self) -> &StrategySpec {
        &self.spec
    }

    /// Every action that can ever be advised: waiting first, then a person's review, then the
    /// steps in the order of the spec.
    #[must_use]
    pub fn catalogue(&self) -> &[Action] {
        &self.actions
    }

    /// The id of each action, in the catalogue's order.
    #[must_use]
    pub fn ids(&self) -> &[ActionId] {
        &self.ids
    }

    /// Where `action` stands in the catalogue.
    #[must_use]
    pub fn place(&self, action: &Action) -> Option<usize> {
        self.places.get(action).copied()
    }

    /// Where the action of this name stands in the catalogue.
    #[must_use]
    pub fn place_of(&self, id: &ActionId) -> Option<usize> {
        self.named.get(id).copied()
    }

    /// Fee charged to the customer with `action`, in minor units of [`Self::currency`]; nothing
    /// for an action outside the catalogue.
    #[must_use]
    pub fn fee_minor(&self, action: &Action) -> i64 {
        self.place(action).map_or(0, |place| self.fee_at(place))
    }

    /// Fee charged with the action at `place` of the catalogue, in minor units.
    pub(crate) fn fee_at(&self, place: usize) -> i64 {
        self.fees[self.entries[place].fee]
    }

    /// What carrying out `action` costs, where its step says so, in minor units of
    /// [`Self::currency`].
    #[must_use]
    pub fn price_minor(&self, action: &Action) -> Option<i64> {
        self.price_at(self.place(action)?)
    }

    /// What carrying out the action at `place` of the catalogue costs, where its step says so, in minor
    /// units.
    pub(crate) fn price_at(&self, place: usize) -> Option<i64> {
        self.spec.steps[self.entries[place].step?].price_minor
    }

    /// Discount that `action` offers, in minor units of [`Self::currency`].
    #[must_use]
    pub fn discount_minor(&self, action: &Action) -> Option<i64> {
        let step = self.entries[self.place(action)?].step?;
        self.spec.steps[step].discount_minor
    }

    /// Currency of all fees.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.spec.currency
    }

    /// Name of the text that the sending system fills in; none for what sends no message.
    #[must_use]
    pub fn template_key(&self, action: &Action) -> Option<String> {
        let step = self.entries[self.place(action)?].step?;
        let (channel, tone) = (action.channel?, action.tone?);
        let key = self.spec.steps[step]
            .template
            .replace("{kind}", action.kind.name())
            .replace("{channel}", channel.name())
            .replace("{tone}", tone.name());
        Some(match &action.variant {
            Some(variant) => format!("{key}_{variant}"),
            None => key,
        })
    }

    /// The rungs that are meant for this case, in the order in which they are climbed.
    #[must_use]
    pub fn ladder(&self, facts: &Facts) -> Vec<&LadderSpec> {
        let rungs = self.spec.ladder.iter();
        rungs
            .filter(|rung| rung.when.holds(facts, self.spec.currency))
            .collect()
    }

    /// Stages that are meant for this case, open or not, one bit each.
    pub(crate) fn stages_for(&self, facts: &Facts) -> u32 {
        let bits = self.spec.stages.iter().enumerate();
        let left = |stage: &StageSpec| {
            let exit = stage.exit.as_ref();
            exit.is_some_and(|exit| exit.holds(facts, self.spec.currency))
        };
        bits.filter(|(_, stage)| stage.when.holds(facts, self.spec.currency) && !left(stage))
            .fold(0, |set, (bit, _)| set | (1 << bit))
    }

    /// Whether any stage or rung asks for a case's early risk.
    pub(crate) fn asks_early_risk(&self) -> bool {
        let stages = self.spec.stages.iter();
        let stages = stages.flat_map(|stage| [Some(&stage.when), stage.exit.as_ref()]);
        let rungs = self.spec.ladder.iter().map(|rung| &rung.when);
        let mut all = stages.flatten().chain(rungs);
        all.any(When::asks_early_risk)
    }

    /// What [`crate::guardrails`] reads of each action, beside [`Self::catalogue`].
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How harsh each action of the catalogue is.
    #[must_use]
    pub fn scale(&self) -> &[Option<Harshness>] {
        &self.scale
    }

    /// Every timing of the catalogue, once.
    pub(crate) fn timings(&self) -> &[Timing] {
        &self.timings
    }

    /// Every fee of the catalogue, once, nothing first.
    pub(crate) fn fees(&self) -> &[i64] {
        &self.fees
    }

    /// Stages open `days` after the due date, one bit each.
    pub(crate) fn open_stages(&self, days: i32) -> u32 {
        let open = |stage: &StageSpec| {
            days >= stage.from_day && stage.until_day.is_none_or(|until| days <= until)
        };
        let bits = self.spec.stages.iter().enumerate();
        bits.filter(|(_, stage)| open(stage))
            .fold(0, |set, (bit, _)| set | (1 << bit))
    }
}

impl Default for Strategy {
    fn default() -> Self {
        Self::new(StrategySpec::default()).expect("the default strategy is tested to be valid")
    }
}

#[cfg(test)]
mod tests;
