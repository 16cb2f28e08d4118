//! Policies valued on lagom's own log: the decision replaced, and the whole life of an invoice.
//!
//! ```text
//! tables ──> lives that begin after `from` ──each policy asked in each place──> values, verdict
//! ```
//! Two estimands, never mixed. The **one-step** value replaces one decision and lets the logging
//! policy go on: its reward is the matured outcome. The **episode** value lets the policy take
//! every decision of an invoice for a fixed number of days after the first; each stretch between
//! two decisions is counted once. Learning and judging are parted in time: a policy may learn from
//! what had matured at `from`, and is judged on lives that began then or later.

mod action_features;
mod agreement;
mod anchoring;
mod confounding;
mod figures;
mod visits;

pub use agreement::{Agreement, Question};
pub use anchoring::{Anchoring, AnchoringPlan, Half, Reached, TILTS_MINOR, choose};
pub use confounding::Confounding;

use crate::progress::work;
use crate::segments;
use crate::tables::{TableError, Tables};
use lagom_features::domain::{CustomerId, Days, DecisionId, InvoiceId, Timestamp};
use lagom_features::{History, Segments};
use lagom_model::bandit::BanditError;
use lagom_model::decide::{DecideError, PolicyKind, Snapshot, SnapshotError};
use lagom_model::log::{Choice, Decision, Executed, LoggedRound, Outcome, join};
use lagom_model::objective::Objective;
use lagom_model::ope::OpeError;
use lagom_model::ope::Round;
use lagom_model::ope::calibration::CalibrationCount;
use lagom_model::ope::gate::{Evidence, GateSpec, Pair, judge};
use lagom_model::ope::valuation::{Reach, Valuation};
use lagom_model::outcome::between;
use lagom_model::policy::learning::Learning;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use thiserror::Error;
use visits::{Asked, Collected};

/// Why a policy cannot be valued.
#[derive(Debug, Error)]
pub enum ValuationError {
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The bandit cannot learn from the log.
    #[error(transparent)]
    Learn(#[from] BanditError),
    /// A policy cannot decide.
    #[error("decision {decision_id}: {source}")]
    Decide {
        /// Which.
        decision_id: String,
        /// Why.
        source: DecideError,
    },
    /// What was learnt does not fit the snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The numbers cannot be estimated.
    #[error(transparent)]
    Ope(#[from] OpeError),
    /// No invoice's life lies wholly in the period.
    #[error(
        "no invoice has its first decision from {from} on and {days} days of record after it; \
         choose an earlier --from, a shorter --horizon, or wait"
    )]
    NoLives {
        /// From when.
        from: Timestamp,
        /// The horizon.
        days: u16,
    },
    /// A logged decision has no probability.
    #[error("decision {decision_id}: logged probability {value} is not in (0, 1]")]
    Propensity {
        /// Which.
        decision_id: String,
        /// Its probability.
        value: f64,
    },
}

/// From here on a logged probability counts as 1.
const CERTAIN: f64 = 1.0 - 1e-9;

/// The log, read and put in order.
#[derive(Debug)]
pub struct OwnLog {
    histories: BTreeMap<CustomerId, History>,
    /// Of years before this log: they teach, and are not judged on.
    earlier: Vec<LoggedRound>,
    rounds: Vec<LoggedRound>,
    lives: Vec<Vec<Decision>>,
    end: Timestamp,
}

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub enum Policy<'a> {
    /// The policies that wrote the log.
    Logged,
    /// A policy of a snapshot.
    Of(&'a Snapshot, PolicyKind),
    /// One that decided in shadow: its chances, by the decision beside which it stood. Lives that
    /// it did not see whole are left out.
    Shadowed(&'a Shadows),
}

/// Chances of a policy in shadow, by decision.
pub type Shadows = HashMap<DecisionId, Vec<Choice>>;

impl Policy<'_> {
    fn saw(self, life: &[Decision]) -> bool {
        match self {
            Self::Shadowed(shadows) => life
                .iter()
                .all(|decision| shadows.contains_key(&decision.decision_id)),
            Self::Logged | Self::Of(..) => true,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct ValuationOptions {
    /// Lives begin here or later.
    pub from: Timestamp,
    /// And before this instant; whenever they do where `None`.
    pub until: Option<Timestamp>,
    /// Days after the first decision that are counted.
    pub horizon_days: u16,
    /// Lives of one half of the customers; of all where `None`.
    pub half: Option<Half>,
    /// What the gate demands.
    pub gate: GateSpec,
    /// Why the candidate cannot be trusted on this period, beforehand.
    pub objections: Vec<String>,
}

impl OwnLog {
    /// Reads the canonical tables of a folder.
    ///
    /// # Errors
    /// [`ValuationError::Table`], and a logged probability that is none.
    pub fn read(data: &Path) -> Result<Self, ValuationError> {
        Self::of(Tables::read(data)?)
    }

    /// Takes tables that are at hand.
    ///
    /// # Errors
    /// [`ValuationError::Propensity`].
    pub fn of(mut tables: Tables) -> Result<Self, ValuationError> {
        let histories = tables.take_histories();
        let decisions = std::mem::take(&mut tables.decisions);
        let mut by_invoice: BTreeMap<(CustomerId, InvoiceId), Vec<Decision>> = BTreeMap::new();
        let mut end = crate::pipeline::last_recorded(&histories);
        for decision in &decisions {
            let value = decision.probability;
            if !(value > 0.0 && value <= 1.0 + 1e-9) {
                return Err(ValuationError::Propensity {
                    decision_id: decision.decision_id.to_string(),
                    value,
                });
            }
            end = end.max(decision.decided_at);
            let of = (decision.customer_id.clone(), decision.invoice_id.clone());
            by_invoice.entry(of).or_default().push(decision.clone());
        }
        let mut lives: Vec<Vec<Decision>> = by_invoice.into_values().collect();
        for life in &mut lives {
            life.sort_by(|a, b| {
                (a.decided_at, &a.decision_id).cmp(&(b.decided_at, &b.decision_id))
            });
        }
        let (rounds, _) = join(decisions, tables.outcomes);
        Ok(Self {
            histories,
            earlier: Vec::new(),
            rounds,
            lives,
            end,
        })
    }

    /// This log with those of years before it: they teach a policy first, and none is judged on them.
    #[must_use]
    pub fn after(mut self, earlier: Vec<LoggedRound>) -> Self {
        self.earlier = earlier;
        self
    }

    /// Every decision whose outcome has matured, those of earlier years first.
    #[must_use]
    pub fn into_rounds(mut self) -> Vec<LoggedRound> {
        self.earlier.append(&mut self.rounds);
        self.earlier
    }

    /// When the first decision was made.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        let times = self.lives.iter().flatten().map(|one| one.decided_at);
        times.min().unwrap_or(self.end)
    }

    /// The instant by which half of the decisions had been made.
    #[must_use]
    pub fn middle(&self) -> Timestamp {
        let mut times: Vec<Timestamp> = self
            .lives
            .iter()
            .flatten()
            .map(|one| one.decided_at)
            .collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(self.end)
    }

    /// When the last decision was made or the last event recorded.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Lets the bandit learn from what had matured before `until`.
    ///
    /// # Errors
    /// [`BanditError`].
    pub fn teach(&self, learning: &mut Learning, until: Timestamp) -> Result<(), ValuationError> {
        self.teach_by(learning, until, None)
    }

    /// The same, by one half of the customers where `half` names one.
    ///
    /// # Errors
    /// [`BanditError`].
    pub fn teach_by(
        &self,
        learning: &mut Learning,
        until: Timestamp,
        half: Option<Half>,
    ) -> Result<(), ValuationError> {
        for round in self.earlier.iter().chain(&self.rounds) {
            let teaches = half.is_none_or(|half| half.holds(&round.decision.customer_id));
            if teaches && round.outcome.matured_at < until {
                learning.fold(round)?;
            }
        }
        learning.publish()?;
        Ok(())
    }

    /// What all customers added up to at the decisions that `policy` has to be given features for.
    fn everybody(&self, policy: Policy<'_>) -> Segments {
        match policy {
            Policy::Of(snapshot, _) => {
                let decisions = self.lives.iter().flatten();
                segments::of_decisions(&snapshot.parts().spec, &self.histories, decisions)
            }
            Policy::Logged | Policy::Shadowed(_) => Segments::default(),
        }
    }

    /// Values `candidate` against `incumbent` under `objective`.
    ///
    /// # Errors
    /// [`ValuationError`].
    pub fn value(
        &self,
        candidate: Policy<'_>,
        incumbent: Policy<'_>,
        objective: &Objective,
        options: &ValuationOptions,
    ) -> Result<Valuation, ValuationError> {
        let horizon = Days::whole(i64::from(options.horizon_days));
        let outcomes: HashMap<&str, &Outcome> = self
            .rounds
            .iter()
            .map(|round| (round.outcome.decision_id.as_str(), &round.outcome))
            .collect();
        let mut places = Vec::new();
        let mut left_out = 0;
        for life in &self.lives {
            let first = life[0].decided_at;
            let too_late = options.until.is_some_and(|until| first >= until);
            let other = options
                .half
                .is_some_and(|half| !half.holds(&life[0].customer_id));
            if other || first < options.from || too_late || first + horizon > self.end {
                continue;
            }
            match self.histories.get(&life[0].customer_id) {
                Some(history)
                    if known(life, history)
                        && candidate.saw(life)
                        && incumbent.saw(life)
                        && !is_drawn_without_chance(life) =>
                {
                    places.push((life, history));
                }
                _ => left_out += 1,
            }
        }
        let everybody = [candidate, incumbent].map(|policy| self.everybody(policy));
        let everybody = everybody.each_ref();
        let valuing = work("valuing", "lives", places.len());
        let found = places
            .par_iter()
            .map_init(
                || Asked::new((candidate, incumbent), everybody),
                |asked, (life, history)| {
                    valuing.advance(1);
                    asked.live(life, history, horizon)
                },
            )
            .collect::<Result<Vec<_>, ValuationError>>()?;
        let Some(width) = found.iter().flatten().next().map(|one| one.taken.len()) else {
            return Err(ValuationError::NoLives {
                from: options.from,
                days: options.horizon_days,
            });
        };
        let mut whole = Collected::new(width);
        let mut single = Collected::new(width);
        let mut customers: HashMap<&CustomerId, u32> = HashMap::new();
        let mut segments = Vec::new();
        let mut calibration = CalibrationCount::default();
        let mut reach = Reach::default();
        for ((life, history), visits) in places.iter().zip(&found) {
            let next = u32::try_from(customers.len()).unwrap_or(u32::MAX);
            let customer = *customers.entry(&life[0].customer_id).or_insert(next);
            let last = life[0].decided_at + horizon;
            for (at, (decision, visit)) in life.iter().zip(visits).enumerate() {
                see(&mut calibration, decision);
                reach.explored += f64::from(u8::from(decision.probability < CERTAIN));
                reach.unsupported += visit.unsupported;
                let until = life
                    .get(at + 1)
                    .map_or(last, |next| next.decided_at.min(last));
                let stretch = between(decision, history, objective, until, self.end);
                whole.push(visit, &figures::rewards(decision, &stretch));
                let outcome = outcomes.get(decision.decision_id.as_str()).copied();
                if let Some(outcome) = outcome.filter(|one| counts(one)) {
                    let margin = history
                        .as_of(outcome.matured_at)
                        .customer()
                        .and_then(|one| one.annual_margin_minor);
                    let mut outcome = outcome.clone();
                    outcome.value_minor = objective.value_minor(&outcome, margin);
                    single.push(visit, &figures::rewards(decision, &outcome));
                    single.lives.end(customer);
                }
            }
            whole.lives.end(customer);
            segments.push(figures::segment_of(life, history));
        }
        let confidence = options.gate.confidence;
        let (episode, worths) = whole.estimand(confidence, &segments)?;
        let one_step = if single.lives.is_empty() {
            None
        } else {
            Some(single.estimand(confidence, &[])?.0)
        };
        let calibration = calibration.finish();
        let decisions = whole.lives.decisions().max(1) as f64;
        reach.explored /= decisions;
        reach.unsupported /= decisions;
        let mut objections = options.objections.clone();
        objections.extend(reach.shortfalls());
        let pair = |metric: usize| Pair {
            candidate: &worths[0][metric].doubly_robust,
            incumbent: &worths[1][metric].doubly_robust,
        };
        let (new, old) = (whole.overlap(0), whole.overlap(1));
        let verdict = judge(
            &options.gate,
            &Evidence {
                customers: whole.lives.customers(),
                overlap: [&new, &old],
                calibration: calibration.as_ref(),
                objections,
                value: pair(figures::VALUE),
                churn: pair(figures::CHURN),
                complaints: Some(pair(figures::COMPLAINTS)),
                contacts: pair(figures::CONTACTS),
            },
        )?;
        Ok(Valuation {
            from: options.from,
            horizon_days: options.horizon_days,
            lives: whole.lives.len(),
            decisions: whole.lives.decisions(),
            customers: customers.len(),
            left_out,
            reach: Some(reach),
            one_step,
            episode,
            calibration,
            verdict,
        })
    }
}

/// Whether every place of a life was known when it was decided.
fn known(life: &[Decision], history: &History) -> bool {
    life.iter().all(|decision| {
        let view = history.as_of(decision.decided_at);
        view.customer().is_some() && view.invoice(&decision.invoice_id).is_some()
    })
}

/// Whether chance put the customer into an arm in which the ladder leaves nothing to chance. Who was
/// drawn otherwise stands for this one, and of this one the log knows a single course.
fn is_drawn_without_chance(life: &[Decision]) -> bool {
    let ladder = PolicyKind::Ladder.name();
    life.iter()
        .all(|one| one.arm.is_some() && one.policy == ladder)
}

/// Failures that have nothing to do with the customer, and windows cut short, tell nothing.
fn counts(outcome: &Outcome) -> bool {
    !outcome.censored && !matches!(outcome.executed, Executed::Failed { .. })
}

fn see(calibration: &mut CalibrationCount, decision: &Decision) {
    let logged: Vec<f64> = decision
        .eligible
        .iter()
        .map(|one| one.probability)
        .collect();
    let id = decision.action.id();
    if let Some(action) = decision.eligible.iter().position(|one| one.action == id) {
        calibration.see(&Round {
            action,
            reward: 0.0,
            propensity: decision.probability,
            target: &logged,
            logging: Some(&logged),
            predicted: None,
        });
    }
}
