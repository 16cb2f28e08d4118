//! Policies tried in a world whose truth is known.
//!
//! Two questions, kept apart:
//!
//! * *What is a policy worth?* Each policy lives the same months with the same luck, and what it
//!   leaves behind is counted ([`Lived`]); harm is counted by its probabilities instead of its luck.
//! * *How good is each single decision of the bandit?* The world's own probabilities value every
//!   eligible step of every decision ([`truth`]), so that regret is exact ([`Curve`]).
//!
//! Beside the policies that serve stand three that cannot: `wait` does nothing, `clairvoyant` sees the
//! latent kind of every payer, and `linear` is the best policy of the bandit's own form, fitted to the
//! truth of other lives: what the bandit would become if it had learnt everything.

mod curve;
mod linear;
mod onlookers;
mod promotion;
pub mod truth;

pub use curve::{Asked, Curve, Step, Stretch, asked, regret, slope};
pub use promotion::{Promotion, PromotionError, PromotionPlan, Stage, promote};

use crate::simulated_log::{Onlooker, Plan, SimulatedLog, SimulationError, simulate_watched};
use crate::simulator::{Tally, World};
use lagom_features::domain::Date;
use lagom_model::bandit::Generation;
use lagom_model::decide::{PolicyKind, Snapshot, SnapshotParts};
use lagom_model::objective::Objective;
use lagom_model::policy::learning::Learning;
use linear::Pilot;
use onlookers::{AsLinear, Clairvoyant, Waiting, Witness};
use rayon::prelude::*;
use std::sync::Arc;

/// Days after the first due date before cash is judged: the bandit has learnt from something by then.
const LEAD_DAYS: i32 = 31;
/// Days after the last due date that is judged, until its cash is counted.
const TAIL_DAYS: i32 = 61;
/// Seeds of pilot lives lie this far from those of the trial.
const PILOT: u64 = 1_000_003;

/// What is tried.
#[derive(Debug, Clone)]
pub struct TrialPlan {
    /// The world.
    pub world: World,
    /// People in it.
    pub customers: usize,
    /// Days lived.
    pub days: u16,
    /// The first day.
    pub start: Date,
    /// After which outcomes count, in days.
    pub window_days: u16,
    /// Further hours for late reports.
    pub grace_hours: u16,
    /// Everything that decides, but for what is learnt.
    pub parts: SnapshotParts,
    /// The bandit before it has learnt anything.
    pub learning: Learning,
}

/// Who lives a life of the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Does nothing.
    Wait,
    /// The rules ladder.
    Ladder,
    /// Chance.
    Uniform,
    /// The bandit from a cold start.
    Bandit,
    /// The best of the bandit's own form.
    Linear,
    /// Sees every latent trait, and one further step ahead.
    Clairvoyant,
}

impl Who {
    /// All, in the order of tables.
    pub const ALL: [Self; 6] = [
        Self::Wait,
        Self::Ladder,
        Self::Uniform,
        Self::Bandit,
        Self::Linear,
        Self::Clairvoyant,
    ];

    /// For tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Ladder => "ladder",
            Self::Uniform => "uniform",
            Self::Bandit => "bandit",
            Self::Linear => "linear",
            Self::Clairvoyant => "clairvoyant",
        }
    }
}

/// One life.
#[derive(Debug, Clone)]
pub struct Lived {
    /// Who decided.
    pub who: Who,
    /// What the world counted.
    pub tally: Tally,
    /// Decisions made.
    pub decisions: usize,
    /// Of them, matured before the end.
    pub matured: usize,
}

/// All lives of one seed.
#[derive(Debug, Clone)]
pub struct Trial {
    /// In the order of [`Who::ALL`].
    pub lives: Vec<Lived>,
    /// The bandit's decisions, each valued by the truth.
    pub curve: Curve,
}

/// Net value of a life by the objective, in minor units an invoice; harm by its probabilities.
#[must_use]
pub fn value_per_invoice(tally: &Tally, objective: &Objective) -> f64 {
    let sent = tally.sent.iter();
    let cost: f64 = sent
        .map(|(&(kind, channel), &n)| n as f64 * objective.price_minor(kind, channel))
        .sum();
    let left = tally.churned.max(1) as f64;
    let margin = tally.lost_margin_minor as f64 / left;
    let harm = &tally.expected;
    let value = objective.cash * tally.collected_60_minor as f64
        - cost
        - objective.complaint_minor * harm.complaints
        - objective.support_contact_minor * harm.support_contacts
        - objective.opt_out_minor * harm.opt_outs
        - objective.collection_case_minor * tally.collection_cases as f64
        - objective.churn * margin * harm.churned;
    value / tally.invoices.max(1) as f64
}

/// Lives one seed under every policy.
///
/// # Errors
/// [`SimulationError`] where snapshot and learning do not fit together.
pub fn run(
    plan: &TrialPlan,
    seed: u64,
    each_day: &(impl Fn() + Sync),
) -> Result<Trial, SimulationError> {
    let mut pilot = Pilot::new();
    live(plan, Who::Bandit, seed + PILOT, Some(&mut pilot), each_day)?;
    let linear = pilot.fit()?;
    let lives: Vec<(Lived, Curve)> = Who::ALL
        .par_iter()
        .map(|&who| {
            let mut witness = Witness::new(linear.clone());
            let life = match who {
                Who::Wait => live(plan, who, seed, Some(&mut Waiting), each_day),
                Who::Ladder | Who::Uniform => live(plan, who, seed, None, each_day),
                Who::Bandit => live(plan, who, seed, Some(&mut witness), each_day),
                Who::Linear => {
                    let mut linear = AsLinear(linear.clone());
                    live(plan, who, seed, Some(&mut linear), each_day)
                }
                Who::Clairvoyant => live(plan, who, seed, Some(&mut Clairvoyant), each_day),
            };
            life.map(|life| (life, witness.curve))
        })
        .collect::<Result<_, SimulationError>>()?;
    let curve = lives.iter().find(|(life, _)| life.who == Who::Bandit);
    Ok(Trial {
        curve: curve.map(|(_, curve)| curve.clone()).unwrap_or_default(),
        lives: lives.into_iter().map(|(life, _)| life).collect(),
    })
}

fn live(
    plan: &TrialPlan,
    who: Who,
    seed: u64,
    onlooker: Option<&mut dyn Onlooker>,
    each_day: &impl Fn(),
) -> Result<Lived, SimulationError> {
    let policy = match who {
        Who::Ladder => PolicyKind::Ladder,
        Who::Bandit => PolicyKind::Bandit,
        _ => PolicyKind::Uniform,
    };
    let mut learning = plan.learning.clone();
    let generation = Arc::clone(learning.generation());
    let learns = (who == Who::Bandit).then_some(&mut learning);
    let log = simulated(plan, seed, policy, generation, learns, onlooker, each_day)?;
    Ok(Lived {
        who,
        tally: log.truth,
        decisions: log.decisions.len(),
        matured: log.outcomes.len(),
    })
}

/// A life under what a generation has learnt.
fn simulated(
    plan: &TrialPlan,
    seed: u64,
    policy: PolicyKind,
    generation: Arc<Generation>,
    learns: Option<&mut Learning>,
    onlooker: Option<&mut dyn Onlooker>,
    each_day: &impl Fn(),
) -> Result<SimulatedLog, SimulationError> {
    let snapshot = Snapshot::new(SnapshotParts {
        generation,
        ..plan.parts.clone()
    })?;
    let judged = (
        plan.start.plus_days(LEAD_DAYS),
        plan.start.plus_days(i32::from(plan.days) - TAIL_DAYS),
    );
    let simulated = Plan {
        world: plan.world.clone(),
        customers: plan.customers,
        days: plan.days,
        start: plan.start,
        seed,
        judged,
        window_days: plan.window_days,
        grace_hours: plan.grace_hours,
        policy,
    };
    // As short a borrow as that of the plan.
    let onlooker = onlooker.map(|one| one as &mut dyn Onlooker);
    simulate_watched(&simulated, snapshot, learns, onlooker, each_day)
}
