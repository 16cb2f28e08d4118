//! Expands the steps of a strategy into single actions, with the bits that guardrails test.

use super::fault::StrategyFault;
use super::spec::{StageSpec, StepSpec, StrategySpec};
use crate::guardrails::facets::Facets;
use lagom_features::domain::action::ActionError;
use lagom_features::domain::{Action, Channel, Kind, Timing, Tone};
use std::collections::HashSet;

/// Most distinct timings of a catalogue: one bit each, the first means "at once".
pub(crate) const MAX_TIMINGS: usize = 63;
/// Most distinct fees of a catalogue, beside no fee.
pub(crate) const MAX_FEES: usize = 15;
/// Most stages: one bit each.
pub(crate) const MAX_STAGES: usize = 32;
/// Most actions of a catalogue.
pub(crate) const MAX_ACTIONS: usize = 4096;

/// What guardrails read of one action.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Kind, channel, tone and fee as one bit each.
    pub(crate) facets: Facets,
    /// Place of the timing among the strategy's, from 1; 0 is "at once".
    pub(crate) slot: usize,
    /// Stages that have this action, one bit each.
    pub(crate) stages: u32,
    /// Place of the fee among the strategy's.
    pub(crate) fee: usize,
    /// The step that this action comes from.
    pub(crate) step: Option<usize>,
}

/// A catalogue under construction.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) actions: Vec<Action>,
    pub(super) entries: Vec<Entry>,
    pub(super) timings: Vec<Timing>,
    pub(super) fees: Vec<i64>,
    seen: HashSet<Action>,
}

/// Reads `d1-evening` as the fourth part of an action's id, the one grammar there is for it.
fn timing(text: &str) -> Result<Timing, ActionError> {
    let action: Action = format!("{}.none.none.{text}", Kind::RetryDebit).parse()?;
    let timing = action.timing.filter(|_| action.variant.is_none());
    timing.ok_or_else(|| ActionError::Timing(text.to_owned()))
}

fn place<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter()
        .position(|one| *one == value)
        .unwrap_or_else(|| {
            list.push(value);
            list.len() - 1
        })
}

fn or_none<T: Copy>(list: &[T]) -> Vec<Option<T>> {
    if list.is_empty() {
        return vec![None];
    }
    list.iter().copied().map(Some).collect()
}

fn has(stage: &StageSpec, kind: Kind, channel: Option<Channel>, tone: Option<Tone>) -> bool {
    stage.kinds.contains(&kind)
        && (stage.channels.is_empty() || channel.is_none_or(|one| stage.channels.contains(&one)))
        && (stage.tones.is_empty() || tone.is_none_or(|one| stage.tones.contains(&one)))
}

impl Expanded {
    fn always(&mut self, kind: Kind) {
        let action = Action {
            kind,
            ..Action::WAIT
        };
        self.entries.push(Entry {
            facets: Facets::of(&action, 0),
            slot: 0,
            stages: u32::MAX,
            fee: 0,
            step: None,
        });
        self.actions.push(action);
    }

    fn step(
        &mut self,
        spec: &StrategySpec,
        at: usize,
        step: &StepSpec,
        faults: &mut Vec<StrategyFault>,
    ) {
        let fee = place(&mut self.fees, step.fee_minor);
        let variants: Vec<Option<String>> = match step.variants.as_slice() {
            [] => vec![None],
            some => some.iter().cloned().map(Some).collect(),
        };
        for text in &step.timings {
            match timing(text) {
                Ok(timing) => {
                    place(&mut self.timings, timing);
                }
                Err(error) => faults.push(StrategyFault::Timing {
                    step: at,
                    reason: error.to_string(),
                }),
            }
        }
        let timings = || step.timings.iter().filter_map(|text| timing(text).ok());
        for channel in or_none(&step.channels) {
            for tone in or_none(&step.tones) {
                let stages = spec.stages.iter().take(MAX_STAGES).enumerate();
                let stages = stages
                    .filter(|(_, stage)| has(stage, step.kind, channel, tone))
                    .fold(0, |set, (bit, _)| set | (1 << bit));
                for timing in timings() {
                    for variant in &variants {
                        let action = Action {
                            kind: step.kind,
                            channel,
                            tone,
                            timing: Some(timing),
                            variant: variant.clone(),
                        };
                        if !self.seen.insert(action.clone()) {
                            let action = action.to_string();
                            faults.push(StrategyFault::Twice { step: at, action });
                            continue;
                        }
                        if stages == 0 {
                            let action = action.to_string();
                            faults.push(StrategyFault::NoStage { step: at, action });
                        }
                        self.entries.push(Entry {
                            facets: Facets::of(&action, fee.min(MAX_FEES)),
                            slot: place(&mut self.timings, timing) + 1,
                            stages,
                            fee,
                            step: Some(at),
                        });
                        self.actions.push(action);
                    }
                }
            }
        }
    }
}

/// Expands every step; what cannot be expanded is added to `faults`.
pub(super) fn expand(spec: &StrategySpec, faults: &mut Vec<StrategyFault>) -> Expanded {
    let mut expanded = Expanded::default();
    expanded.fees.push(0);
    expanded.always(Kind::Wait);
    expanded.always(Kind::HumanReview);
    for (at, step) in spec.steps.iter().enumerate() {
        let product = [
            step.channels.len(),
            step.tones.len(),
            step.timings.len(),
            step.variants.len(),
        ];
        let size = product
            .iter()
            .fold(1_usize, |size, &n| size.saturating_mul(n.max(1)));
        if expanded.actions.len().saturating_add(size) > MAX_ACTIONS {
            faults.push(StrategyFault::TooMany {
                what: "actions",
                given: expanded.actions.len().saturating_add(size),
                most: MAX_ACTIONS,
            });
            break;
        }
        expanded.step(spec, at, step, faults);
    }
    for (what, given, most) in [
        ("timings", expanded.timings.len(), MAX_TIMINGS),
        ("fees", expanded.fees.len() - 1, MAX_FEES),
        ("stages", spec.stages.len(), MAX_STAGES),
    ] {
        if given > most {
            faults.push(StrategyFault::TooMany { what, given, most });
        }
    }
    expanded
}
