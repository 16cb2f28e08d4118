//! The way of a policy into service, in a world whose truth is known.
//!
//! ```text
//! history: the ladder, explored a little ──before `learn_days`──> policy
//!                     └──lives begun after──> off-policy value, verdict of the gate
//! life:    other people of the same world, once under the ladder and once under the policy
//! ```
//! The policy that lives is the very one that was judged: it learns nothing from the lives it is judged
//! on, nor while it is compared with the ladder.

use super::{TrialPlan, Who, live, simulated};
use crate::simulated_log::SimulationError;
use crate::simulator::Tally;
use crate::tables::Tables;
use crate::valuation::{
    Anchoring, AnchoringPlan, OwnLog, Policy, ValuationError, ValuationOptions, choose,
};
use lagom_features::domain::Days;
use lagom_model::decide::{PolicyKind, Snapshot, SnapshotError, SnapshotParts};
use lagom_model::ope::gate::GateSpec;
use lagom_model::ope::valuation::Valuation;
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

/// One seed.
#[derive(Debug, Clone)]
pub struct Promotion {
    /// Decisions of the history.
    pub decisions: usize,
    /// How far the policy was let go, by its first months.
    pub anchoring: Option<Anchoring>,
    /// What the log of the history says of the policy, against what was lived.
    pub valuation: Valuation,
    /// What the world counted under the ladder.
    pub ladder: Tally,
    /// Under the policy.
    pub policy: Tally,
    /// Under somebody who sees every latent trait and values each step by the objective.
    pub optimum: Tally,
}

/// Brings a policy into service for one seed.
///
/// # Errors
/// [`PromotionError`]: a history too short for `learn_days` and the horizon, parts that do not fit.
pub fn promote(
    plan: &PromotionPlan,
    seed: u64,
    each_day: &(impl Fn() + Sync),
) -> Result<Promotion, PromotionError> {
    let trial = &plan.trial;
    let mut learning = trial.learning.clone();
    let untaught = Arc::clone(learning.generation());
    // A bandit that has learnt nothing is the ladder with the floor's exploration.
    let past = simulated(
        trial,
        seed + HISTORY,
        PolicyKind::Bandit,
        untaught,
        None,
        None,
        each_day,
    )?;
    let decisions = past.decisions.len();
    let log = OwnLog::of(Tables::from(past))?;
    let start = trial.start.start(&trial.world.time_zone);
    let from = start + Days::whole(i64::from(plan.learn_days));
    let of = |generation| {
        Snapshot::new(SnapshotParts {
            generation,
            ..trial.parts.clone()
        })
    };
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
    let chosen = anchoring.as_ref().and_then(|one| one.chosen);
    let learning = learning.anchored(chosen).map_err(ValuationError::from)?;
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
    drop(log);
    let of = |who| live(trial, who, seed, None, each_day).map(|life| life.tally);
    let policy = || {
        let kind = PolicyKind::Bandit;
        simulated(trial, seed, kind, taught, None, None, each_day).map(|log| log.truth)
    };
    let optimum = || {
        let who = Who::Clairvoyant;
        live(trial, who, seed, Some(&mut super::Clairvoyant), each_day).map(|life| life.tally)
    };
    let (ladder, (policy, optimum)) =
        rayon::join(|| of(Who::Ladder), || rayon::join(policy, optimum));
    Ok(Promotion {
        decisions,
        anchoring,
        valuation,
        ladder: ladder?,
        policy: policy?,
        optimum: optimum?,
    })
}
