//! How far from the ladder a policy may go, by what a log can prove.
//!
//! A policy that does what the log hardly ever did may be excellent, and nothing in the log could show it.
//! So the policy is held to the explored ladder ([`Anchor`]) and let go as far as pays *surely*: of a grid
//! of tilts the one whose gain has the highest lower bound, among those that leave enough effective lives
//! and are not shown to cost cash, customers or patience.
//!
//! ```text
//! lives that ended before `until`, customers in two halves
//!   half 0 teaches ──> policies, each tilt ──valued on──> half 1
//!   half 1 teaches ──> policies, each tilt ──valued on──> half 0     both together: gain, interval, ESS
//! ```
//! Nobody's outcome both teaches and chooses, and nothing recorded from `until` on is read: the lives on
//! which the gate judges are still fresh. The next log, written by the policy that was let go, supports a
//! farther one; so a policy leaves the ladder in stages, each proven.

use super::{OwnLog, Policy, ValuationError, ValuationOptions};
use lagom_features::domain::{CustomerId, Days, Timestamp};
use lagom_model::bandit::{Anchor, Generation};
use lagom_model::decide::{PolicyKind, Snapshot, SnapshotError};
use lagom_model::objective::Objective;
use lagom_model::ope::gate::GateSpec;
use lagom_model::ope::interval::Interval;
use lagom_model::ope::overlap::Requirements;
use lagom_model::ope::valuation::Valuation;
use lagom_model::policy::learning::Learning;
use serde::Serialize;
use std::sync::Arc;

/// Tilts that are tried, in minor units, from a hair's breadth off the ladder outwards.
pub const TILTS_MINOR: [f64; 6] = [50_000.0, 20_000.0, 10_000.0, 5_000.0, 2_500.0, 1_000.0];

/// Least share of the lives that must count under a policy that is let go. Where fewer do, a few lives hold
/// the weight, and an interval from their variance promises too much.
const LEAST_SHARE: f64 = 0.9;

/// One half of the customers, the same wherever and whenever it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The one.
    First,
    /// The other.
    Second,
}

impl Half {
    /// The half of a customer.
    #[must_use]
    pub fn of(customer: &CustomerId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("lagom halves of customers 1");
        hasher.update(customer.as_str().as_bytes());
        if hasher.finalize().as_bytes()[0] & 1 == 0 {
            Self::First
        } else {
            Self::Second
        }
    }

    /// Whether it holds a customer.
    #[must_use]
    pub fn holds(self, customer: &CustomerId) -> bool {
        Self::of(customer) == self
    }
}

/// What choosing needs beside the log.
pub struct AnchoringPlan<'a> {
    /// The policy before it has learnt anything.
    pub untaught: &'a Learning,
    /// Makes a snapshot of what was learnt.
    pub snapshot: &'a (dyn Fn(Arc<Generation>) -> Result<Snapshot, SnapshotError> + Sync),
    /// What a life is worth.
    pub objective: &'a Objective,
    /// Share of exploration beside the ladder's own step.
    pub exploration: f64,
    /// Nothing recorded from here on is read.
    pub until: Timestamp,
    /// Days of an invoice's life that are counted.
    pub horizon_days: u16,
    /// Confidence, least effective lives, and the margins of harm.
    pub gate: GateSpec,
    /// What is tried, in minor units.
    pub tilts_minor: &'a [f64],
}

/// What one tilt was worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reached {
    /// How far the policy was let go.
    pub anchor: Anchor,
    /// Value of a life more than by the log, in minor units.
    pub gain: f64,
    /// Its interval.
    pub interval: Interval,
    /// Effective number of lives.
    pub ess: f64,
    /// Why it was not chosen whatever its gain; empty where it could be.
    pub objections: Vec<&'static str>,
}

/// What was tried, and what was chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Anchoring {
    /// The tilt whose gain is surest; none where every one was objected to.
    pub chosen: Option<Anchor>,
    /// Everything that was tried, from the ladder outwards.
    pub tried: Vec<Reached>,
}

impl Anchoring {
    /// How far the policy goes: as chosen, or where every tilt was objected to, no farther than the first
    /// that was tried. None where nothing was tried.
    #[must_use]
    pub fn anchor(&self) -> Option<Anchor> {
        let nearest = self.tried.first().map(|one| one.anchor);
        self.chosen.or(nearest)
    }
}

/// Chooses how far a policy may go.
///
/// # Errors
/// [`ValuationError`]: no life ended before `until`, or parts that do not fit.
pub fn choose(log: &OwnLog, plan: &AnchoringPlan<'_>) -> Result<Anchoring, ValuationError> {
    let horizon = Days::whole(i64::from(plan.horizon_days));
    let taught = [Half::First, Half::Second].map(|judges| {
        let teaches = match judges {
            Half::First => Half::Second,
            Half::Second => Half::First,
        };
        let mut learning = plan.untaught.clone();
        log.teach_by(&mut learning, plan.until, Some(teaches))?;
        Ok::<_, ValuationError>((judges, learning))
    });
    let [first, second] = taught;
    let halves = [first?, second?];
    let mut tried = Vec::with_capacity(plan.tilts_minor.len());
    for &tilt_minor in plan.tilts_minor {
        let anchor = Anchor {
            exploration: plan.exploration,
            tilt_minor,
        };
        let mut found = Vec::with_capacity(halves.len());
        for (half, learning) in &halves {
            let held = learning.clone().anchored(Some(anchor))?;
            let snapshot = (plan.snapshot)(Arc::clone(held.generation()))?;
            let options = ValuationOptions {
                from: log.start(),
                until: Some(plan.until - horizon),
                horizon_days: plan.horizon_days,
                half: Some(*half),
                gate: plan.gate.clone(),
                objections: Vec::new(),
            };
            let candidate = Policy::Of(&snapshot, PolicyKind::Bandit);
            found.push(log.value(candidate, Policy::Logged, plan.objective, &options)?);
        }
        tried.push(reached(anchor, &plan.gate, &found));
    }
    let open = tried.iter().filter(|one| one.objections.is_empty());
    let surest = open.max_by(|a, b| a.interval.low.total_cmp(&b.interval.low));
    Ok(Anchoring {
        chosen: surest.map(|one| one.anchor),
        tried,
    })
}

/// A metric of a life, candidate less log, of both halves together.
fn together(found: &[Valuation], metric: &str) -> (f64, Interval) {
    let lives: usize = found.iter().map(|one| one.lives).sum();
    let (mut value, mut below, mut above, mut confidence) = (0.0, 0.0, 0.0, 0.0);
    for one in found {
        let share = one.lives as f64 / lives as f64;
        let figure = &one.episode.difference[metric];
        value += share * figure.value;
        below += (share * (figure.value - figure.interval.low)).powi(2);
        above += (share * (figure.interval.high - figure.value)).powi(2);
        confidence = figure.interval.confidence;
    }
    let interval = Interval {
        low: value - f64::sqrt(below),
        high: value + f64::sqrt(above),
        confidence,
    };
    (value, interval)
}

fn reached(anchor: Anchor, gate: &GateSpec, found: &[Valuation]) -> Reached {
    let (gain, interval) = together(found, "value");
    let ess = found.iter().map(|one| one.episode.overlap.ess).sum();
    let incumbent = |metric: &str| {
        let lives: f64 = found.iter().map(|one| one.lives as f64).sum();
        let of = |one: &Valuation| one.lives as f64 * one.episode.incumbent[metric].value;
        found.iter().map(of).sum::<f64>() / lives
    };
    let mut objections = Vec::new();
    let lives: usize = found.iter().map(|one| one.lives).sum();
    if ess < gate.ess.max(LEAST_SHARE * lives as f64) {
        objections.push("too few effective lives");
    }
    let lacks = Requirements {
        ess: 0.0,
        ..Requirements::default()
    };
    let mut overlaps = found.iter().map(|one| &one.episode.overlap);
    if overlaps.any(|one| !one.shortfalls(&lacks).is_empty()) {
        objections.push("weights that do not average 1, or hang on one life");
    }
    // What is asked of harm is what the gate will ask; of cash, that it is not shown to be lost.
    for (metric, allowed, words) in [
        ("churned", gate.churn, "may lose customers"),
        ("complaints", gate.complaints, "may anger customers"),
        (
            "contacts",
            gate.contacts * incumbent("contacts").max(0.0),
            "may contact more",
        ),
    ] {
        if together(found, metric).1.high > allowed {
            objections.push(words);
        }
    }
    if together(found, "collected").1.high < 0.0 {
        objections.push("loses cash");
    }
    Reached {
        anchor,
        gain,
        interval,
        ess,
        objections,
    }
}
