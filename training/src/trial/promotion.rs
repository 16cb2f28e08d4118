//! The way of a policy into service, in a world whose truth is known.
//!
//! ```text
//! history: what is in service (first the ladder, explored a little) ──before `learn_days`──> policy
//!                     └──lives begun after──> off-policy value, verdict of the gate
//! life:    other people of the same world, once under the ladder and once under the policy
//! stage:   the policy that passed writes the next history; what was refused leaves things as they are
//! ```
//! The policy that lives is the very one that was judged: it learns nothing from the lives it is judged
//! on, nor while it is compared with the ladder. A later stage learns from the histories before it too.

use super::{TrialPlan, Who, live, simulated};
use crate::simulated_log::SimulationError;
use crate::simulator::Tally;
use crate::tables::Tables;
use crate::valuation::{
    Anchoring, AnchoringPlan, OwnLog, Policy, ValuationError, ValuationOptions, choose,
};
use lagom_features::domain::Days;
use lagom_model::bandit::Generation;
use lagom_model::decide::{PolicyKind, Snapshot, SnapshotError, SnapshotParts};
use lagom_model::log::LoggedRound;
use lagom_model::ope::gate::GateSpec;
use lagom_model::ope::valuation::Valuation;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;
use thiserror::Error;

/// Seeds of histories lie this far from those of the lives that follow.
const HISTORY: u64 = 2_000_003;

/// What is tried.
#[derive(Debug, Clone)]
pub struct PromotionPlan {
    /// The world, and how long history and lives last.
    pub trial: TrialPlan,
    /// Days of history that the policy learns from; on the rest it is judged.
    pub learn_days: u16,
    /// Days of an invoice's life that the off-policy value counts.
    pub horizon_days: u16,
    /// What the gate demands.
    pub gate: GateSpec,
    /// How far from the ladder the policy may go, in minor units, of which the log chooses; see
    /// [`choose`]. Where there is none, the policy goes its own way.
    pub tilts_minor: Vec<f64>,
    /// Years of history after each of which a policy asks the gate, 1 or more.
    pub stages: usize,
}

/// Why a policy cannot be brought into service.
#[derive(Debug, Error)]
pub enum PromotionError {
    /// The world cannot be lived.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The policy cannot learn from the history or be valued on it.
    #[error(transparent)]
    Valuation(#[from] ValuationError),
    /// What was learnt does not fit the snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

/// What came of one history.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Decisions of the history.
    pub decisions: usize,
    /// How far the policy was let go, by its first months.
    pub anchoring: Option<Anchoring>,
    /// What the log of the history says of the policy, against what was in service then.
    pub valuation: Valuation,
    /// What the world counted under the policy, whatever the gate said.
    pub candidate: Tally,
    /// Under what is in service after the gate.
    pub in_service: Tally,
}

/// One seed.
#[derive(Debug, Clone)]
pub struct Promotion {
    /// History by history; never empty.
    pub stages: Vec<Stage>,
    /// What the world counted under the ladder.
    pub ladder: Tally,
    /// Under somebody who sees every latent trait and values each step by the objective, where that was
    /// asked for.
    pub optimum: Option<Tally>,
}

/// Brings policies into service for each of the seeds, in their order, on all cores. The first `optimum`
/// seeds are also lived with every latent trait seen, which takes as long as all the rest.
///
/// # Errors
/// [`PromotionError`]: a history too short for `learn_days` and the horizon, parts that do not fit.
pub fn promote(
    plan: &PromotionPlan,
    seeds: Range<u64>,
    optimum: u64,
    each_day: &(impl Fn() + Sync),
) -> Result<Vec<Promotion>, PromotionError> {
    let last = seeds.start.saturating_add(optimum);
    seeds
        .into_par_iter()
        .map(|seed| promote_one(plan, seed, seed < last, each_day))
        .collect()
}

fn promote_one(
    plan: &PromotionPlan,
    seed: u64,
    optimum: bool,
    each_day: &(impl Fn() + Sync),
) -> Result<Promotion, PromotionError> {
    let trial = &plan.trial;
    let ladder = live(trial, Who::Ladder, seed, None, each_day)?.tally;
    // A bandit that has learnt nothing is the ladder with the floor's exploration.
    let mut in_service = (Arc::clone(trial.learning.generation()), ladder.clone());
    let mut earlier = Vec::new();
    let mut stages = Vec::with_capacity(plan.stages);
    for number in 0..plan.stages {
        let (stage, next, log) = stage(plan, (seed, number), in_service, earlier, each_day)?;
        in_service = (next, stage.in_service.clone());
        stages.push(stage);
        earlier = log.into_rounds();
    }
    let optimum = optimum
        .then(|| {
            let who = Who::Clairvoyant;
            live(trial, who, seed, Some(&mut super::Clairvoyant), each_day).map(|life| life.tally)
        })
        .transpose()?;
    Ok(Promotion {
        stages,
        ladder,
        optimum,
    })
}

/// One history under what is `in_service`, with what the world counted under it; the policy learnt from it
/// and from `earlier`, its year, and what is in service then.
fn stage(
    plan: &PromotionPlan,
    (seed, number): (u64, usize),
    (in_service, before): (Arc<Generation>, Tally),
    earlier: Vec<LoggedRound>,
    each_day: &(impl Fn() + Sync),
) -> Result<(Stage, Arc<Generation>, OwnLog), PromotionError> {
    let trial = &plan.trial;
    let year = TrialPlan {
        start: trial
            .start
            .plus_days(i32::from(trial.days) * i32::try_from(number).unwrap_or(i32::MAX)),
        ..trial.clone()
    };
    let past = simulated(
        &year,
        seed + HISTORY * (1 + number as u64),
        PolicyKind::Bandit,
        Arc::clone(&in_service),
        None,
        None,
        each_day,
    )?;
    let decisions = past.decisions.len();
    let log = OwnLog::of(Tables::from(past))?.after(earlier);
    let from = year.start.start(&trial.world.time_zone) + Days::whole(i64::from(plan.learn_days));
    let of = |generation| {
        Snapshot::new(SnapshotParts {
            generation,
            ..trial.parts.clone()
        })
    };
    let mut learning = trial.learning.clone();
    let anchoring = if plan.tilts_minor.is_empty() {
        None
    } else {
        Some(choose(
            &log,
            &AnchoringPlan {
                untaught: &learning,
                snapshot: &of,
                objective: &trial.parts.objective,
                exploration: trial.parts.cold_start.exploration,
                until: from,
                horizon_days: plan.horizon_days,
                gate: plan.gate.clone(),
                tilts_minor: &plan.tilts_minor,
            },
        )?)
    };
    log.teach(&mut learning, from)?;
    let anchor = anchoring.as_ref().and_then(Anchoring::anchor);
    let learning = learning.anchored(anchor).map_err(ValuationError::from)?;
    let taught = Arc::clone(learning.generation());
    let snapshot = of(Arc::clone(&taught))?;
    let options = ValuationOptions {
        from,
        until: None,
        horizon_days: plan.horizon_days,
        half: None,
        gate: plan.gate.clone(),
        objections: Vec::new(),
    };
    let candidate = Policy::Of(&snapshot, PolicyKind::Bandit);
    let objective = &trial.parts.objective;
    let valuation = log.value(candidate, Policy::Logged, objective, &options)?;
    let kind = PolicyKind::Bandit;
    let generation = Arc::clone(&taught);
    let lived = simulated(trial, seed, kind, generation, None, None, each_day)?.truth;
    let (next, then) = if valuation.verdict.passed {
        (taught, lived.clone())
    } else {
        (in_service, before)
    };
    let stage = Stage {
        decisions,
        anchoring,
        valuation,
        candidate: lived,
        in_service: then,
    };
    Ok((stage, next, log))
}
