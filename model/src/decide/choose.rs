//! Score → distribution → draw, for each policy.

use super::snapshot::{PolicyKind, Snapshot};
use crate::bandit::explore::{floor, tilt::tilt};
use crate::bandit::{
    ActionSet, Anchor, BanditError, BaseMeasure, BaseScratch, Scorer, Scratch, Valuation, draw,
    select,
};
use crate::guardrails::{Facts, GentleFirst, RuleRef, Verdict};
use crate::policy::heads::{self, Stakes};
use crate::policy::{gentle, ladder, uniform};
use crate::statistics::special::normal;
use crate::strategy::WAIT;
use lagom_features::LedgerMemory;
use lagom_features::domain::DecisionId;
use std::sync::Arc;

/// Share of its anchor's exploration that an anchored policy keeps, however little it expects of a step:
/// enough that the next log can still speak of every step, too little to spoil what this one proves.
const KEPT: f64 = 0.2;

/// What a policy reads of a case.
pub(super) struct Case<'a> {
    pub(super) facts: &'a Facts,
    pub(super) features: &'a [f64],
    pub(super) payment_propensity: Option<f64>,
    pub(super) churn_risk: Option<f64>,
    pub(super) outstanding_minor: i64,
    pub(super) annual_margin_minor: Option<i64>,
    pub(super) decision_id: &'a DecisionId,
}

/// What a policy chose, and how likely everything else was.
pub(super) struct Chosen {
    pub(super) action: usize,
    pub(super) probability: f64,
    /// Place and probability of every eligible action, by place.
    pub(super) distribution: Vec<(usize, f64)>,
    pub(super) draw: f64,
    pub(super) policy: PolicyKind,
    pub(super) generation: u64,
    pub(super) expected_value: Option<f64>,
    pub(super) shadow_price_minor: Option<f64>,
    pub(super) fallback: Option<String>,
}

/// Memory that deciding reuses from one decision to the next; it holds nothing that a decision
/// depends on.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(super) verdicts: Vec<Verdict>,
    pub(super) ledger: LedgerMemory,
    pub(super) extraction: lagom_features::Scratch,
    scorer: Option<Scorer>,
    scratch: Scratch,
    base: BaseScratch,
    valuation: Valuation,
    context: Vec<f64>,
    mask: Vec<bool>,
    values: Vec<f64>,
    /// What the rule of gentleness has closed in `mask`.
    closed: Vec<usize>,
    closed_by: Option<RuleRef>,
}

impl Workspace {
    /// Empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds open the actions of the catalogue that `allowed` says, in its order, and waiting:
    /// no rule may force a contact.
    pub(super) fn open(&mut self, allowed: impl Iterator<Item = bool>) {
        self.mask.clear();
        self.mask.extend(allowed);
        self.mask[WAIT] = true;
        self.closed.clear();
    }
}

/// Chooses among the actions that `workspace.verdicts` allow.
pub(super) fn choose(
    snapshot: &Snapshot,
    policy: PolicyKind,
    case: &Case<'_>,
    workspace: &mut Workspace,
) -> Result<Chosen, BanditError> {
    let parts = snapshot.parts();
    let generation = &parts.generation;
    let verdicts = std::mem::take(&mut workspace.verdicts);
    let allowed = |verdict: &Verdict| matches!(verdict, Verdict::Allowed);
    workspace.open(verdicts.iter().map(allowed));
    workspace.verdicts = verdicts;
    let u = draw(case.decision_id.as_str(), &generation.digest());
    let Spread {
        distribution,
        scored,
        fallback,
    } = spread(snapshot, policy, case, workspace)?;
    if let Some(rule) = workspace.closed_by {
        for &place in &workspace.closed {
            workspace.verdicts[place] = Verdict::Refused(rule);
        }
    }
    let probabilities: Vec<f64> = distribution.iter().map(|&(_, p)| p).collect();
    let at = select(&probabilities, u).unwrap_or(0);
    let (action, probability) = distribution[at];
    Ok(Chosen {
        action,
        probability,
        draw: u,
        policy: if fallback.is_some() && snapshot.stand_in().is_some() {
            PolicyKind::Ladder
        } else {
            policy
        },
        generation: generation.number(),
        expected_value: if scored {
            against_waiting(&workspace.scratch, action)
        } else {
            None
        },
        shadow_price_minor: if scored {
            let channel = snapshot.strategy().catalogue()[action].channel;
            let prices = generation.shadow_prices();
            channel.and_then(|channel| prices?.get(&channel).copied())
        } else {
            None
        },
        distribution,
        fallback,
    })
}

/// A distribution over the actions that are open, and how it came about.
pub(super) struct Spread {
    /// Place and probability of every open action, by place.
    pub(super) distribution: Vec<(usize, f64)>,
    /// Whether the bandit's scores made it.
    pub(super) scored: bool,
    /// Why another policy than the one asked for made it, if one did.
    pub(super) fallback: Option<String>,
}

/// The distribution of `policy` over the actions that `workspace` holds open; deciding and
/// evaluating both come here, so that what is valued is what would be served.
pub(super) fn spread(
    snapshot: &Snapshot,
    policy: PolicyKind,
    case: &Case<'_>,
    workspace: &mut Workspace,
) -> Result<Spread, BanditError> {
    let parts = snapshot.parts();
    let generation = &parts.generation;
    let ladder = |mask: &[bool]| ladder::choose(case.facts, snapshot.strategy(), mask);
    let unscored = |distribution, fallback| Spread {
        distribution,
        scored: false,
        fallback,
    };
    Ok(match policy {
        PolicyKind::Ladder => unscored(vec![(ladder(&workspace.mask), 1.0)], None),
        PolicyKind::Uniform => unscored(uniform(&workspace.mask), None),
        PolicyKind::Bandit if let Some(reason) = snapshot.stand_in() => unscored(
            vec![(ladder(&workspace.mask), 1.0)],
            Some(reason.to_owned()),
        ),
        PolicyKind::Bandit if generation.labels() < parts.cold_start.rounds as f64 => {
            let rung = ladder(&workspace.mask);
            if let Some(GentleFirst { rule, .. }) = snapshot.guardrails().gentle_first(case.facts) {
                let scale = snapshot.strategy().scale();
                let Workspace { mask, closed, .. } = workspace;
                gentle::close_unlearnt(scale, mask, rung, closed);
                workspace.closed_by = Some(rule);
            }
            let explored = mixed(
                snapshot.base(),
                &workspace.mask,
                rung,
                parts.cold_start.exploration,
                &mut workspace.base,
            );
            let reason = format!(
                "{} of {} outcomes have matured; the ladder decides, explored a little",
                generation.labels(),
                parts.cold_start.rounds
            );
            unscored(explored, Some(reason))
        }
        PolicyKind::Bandit => {
            let anchor = generation.anchor();
            let anchor = anchor.map(|anchor| (anchor, ladder(&workspace.mask)));
            Spread {
                distribution: score(snapshot, case, anchor, workspace)?,
                scored: true,
                fallback: None,
            }
        }
    })
}

fn uniform(mask: &[bool]) -> Vec<(usize, f64)> {
    let mut probabilities = Vec::with_capacity(mask.len());
    uniform::fill(mask, &mut probabilities);
    places(mask)
        .map(|place| (place, probabilities[place]))
        .collect()
}

fn places(mask: &[bool]) -> impl Iterator<Item = usize> + '_ {
    mask.iter()
        .enumerate()
        .filter_map(|(place, &open)| open.then_some(place))
}

/// The ladder's rung, with `share` of the base measure mixed in.
fn mixed(
    base: &BaseMeasure,
    mask: &[bool],
    rung: usize,
    share: f64,
    scratch: &mut BaseScratch,
) -> Vec<(usize, f64)> {
    let eligible: Vec<u32> = places(mask).map(|place| place as u32).collect();
    let mut measure = Vec::with_capacity(eligible.len());
    base.restrict(&eligible, scratch, &mut measure);
    eligible
        .iter()
        .zip(measure)
        .map(|(&place, base)| {
            let place = place as usize;
            let own = if place == rung { 1.0 - share } else { 0.0 };
            (place, own + share * base)
        })
        .collect()
}

/// The ladder's step, explored, and tilted by the values in `scratch`.
fn anchored(
    snapshot: &Snapshot,
    (anchor, rung): (Anchor, usize),
    scratch: &Scratch,
    base_scratch: &mut BaseScratch,
) -> Vec<(usize, f64)> {
    let mut base = Vec::with_capacity(scratch.eligible().len());
    snapshot
        .base()
        .restrict(scratch.eligible(), base_scratch, &mut base);
    let share = anchor.exploration;
    let places = scratch.eligible().iter().map(|&place| place as usize);
    let explored: Vec<f64> = places
        .clone()
        .zip(&base)
        .map(|(place, base)| {
            let own = if place == rung { 1.0 - share } else { 0.0 };
            own + share * base
        })
        .collect();
    let mut chances = vec![0.0; base.len()];
    tilt(anchor.tilt_minor, scratch.values(), &explored, &mut chances);
    floor::mix(KEPT * share, &base, &mut chances);
    places.zip(chances).collect()
}

/// The bandit's distribution under this case's valuation; with an anchor and the ladder's step, no
/// farther from it than the anchor says.
fn score(
    snapshot: &Snapshot,
    case: &Case<'_>,
    anchor: Option<(Anchor, usize)>,
    workspace: &mut Workspace,
) -> Result<Vec<(usize, f64)>, BanditError> {
    let parts = snapshot.parts();
    let stakes = Stakes {
        outstanding_minor: case.outstanding_minor,
        annual_margin_minor: case.annual_margin_minor,
    };
    let (recovery, age_days) = (
        parts.generation.recovery(),
        parts.context.age_days(case.features),
    );
    heads::value(
        &parts.objective,
        &parts.strategy,
        stakes,
        heads::later(&parts.objective, recovery, age_days),
        parts.generation.shadow_prices(),
        &mut workspace.valuation,
    );
    let digest = parts.generation.digest();
    let scorer = match workspace.scorer.take() {
        Some(mut scorer) if scorer.generation().digest() == digest => {
            scorer.revalue(&workspace.valuation)?;
            scorer
        }
        _ => Scorer::new(Arc::clone(&parts.generation), &workspace.valuation)?,
    };
    parts.context.of(
        case.features,
        case.payment_propensity,
        case.churn_risk,
        &mut workspace.context,
    );
    let Workspace {
        scratch,
        context,
        mask,
        values,
        closed,
        ..
    } = workspace;
    let eligible = ActionSet::from_predicate(mask.len(), |place| mask[place]);
    let scorer = workspace.scorer.insert(scorer);
    scorer.score(context, &eligible, scratch)?;
    let gentle_first = snapshot.guardrails().gentle_first(case.facts);
    if let Some(GentleFirst {
        rule, credibility, ..
    }) = gentle_first
    {
        values.clear();
        values.resize(mask.len(), 0.0);
        for (&place, &value) in scratch.eligible().iter().zip(scratch.values()) {
            values[place as usize] = value;
        }
        let quantile = normal::quantile(credibility);
        let worth = &workspace.valuation.head_weights;
        let credibly = |a: usize, b: usize| {
            let deviation = parts.generation.deviation(context, (a, b), worth);
            deviation.is_some_and(|sd| values[a] - values[b] >= quantile * sd)
        };
        let scale = snapshot.strategy().scale();
        match anchor {
            // The ladder's own step is the company's, and what it is tilted from.
            Some((_, rung)) => gentle::close_unlearnt(scale, mask, rung, closed),
            None => gentle::close(scale, mask, |place| values[place], credibly, closed),
        }
        workspace.closed_by = Some(rule);
        if !closed.is_empty() {
            scratch.retain(|place| mask[place as usize]);
        }
    }
    if let Some(anchor) = anchor {
        return Ok(anchored(snapshot, anchor, scratch, &mut workspace.base));
    }
    if let Some(rule) = gentle_first {
        let worth = &workspace.valuation.head_weights;
        hold_back(rule.against_waiting, scorer, context, worth, scratch);
    }
    scorer.spread(context, scratch);
    let chances = scratch.eligible().iter().zip(scratch.probabilities());
    Ok(chances
        .map(|(&place, &probability)| (place as usize, probability))
        .collect())
}

/// Holds every step back until the best of them is seen, with probability `surely`, to gain something
/// against waiting.
fn hold_back(
    surely: f64,
    scorer: &Scorer,
    context: &[f64],
    head_weights: &[f64],
    scratch: &mut Scratch,
) {
    let Some(best) = scratch.best_beside(WAIT).filter(|_| surely > 0.5) else {
        return;
    };
    let gains = heads::gains(head_weights);
    // A generation that was read back has no posterior: it decides nothing, it explains.
    let doubt = (scorer.generation()).deviation(context, (best, WAIT), &gains);
    let less = normal::quantile(surely) * doubt.unwrap_or(0.0);
    scratch.hold_back(WAIT, less, scorer.span());
}

/// Expected value of `action` less that of waiting, in the objective's units; what was held back of it is
/// a matter of choosing and not of what is expected.
fn against_waiting(scratch: &Scratch, action: usize) -> Option<f64> {
    let value = |wanted: usize| {
        let at = scratch
            .eligible()
            .iter()
            .position(|&place| place as usize == wanted)?;
        scratch.values().get(at).copied()
    };
    let held_back = if action == WAIT {
        0.0
    } else {
        scratch.held_back()
    };
    Some(value(action)? + held_back - value(WAIT)?)
}
