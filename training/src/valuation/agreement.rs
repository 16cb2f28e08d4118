//! Whether the log of an exploring arm says of the ladder what the ladder's own arm shows.
//!
//! ```text
//! control arm        ──first invoice of each customer──> what the ladder did: mean, spread
//! arm that explores  ──the same, weighted to the ladder──> what it would have done: sequential DR
//! ```
//! Only the first life of a customer in the experiment is looked at: until its first decision both
//! arms are alike, later ones stand on what the arms did before. The estimand is the episode value,
//! and every metric of it is compared ([`lagom_model::statistics::agreement`]). Beside them stands how
//! often the arm took the ladder's step, drawn and promised: a false probability shows there first.

use super::figures;
use super::visits::{Asked, Collected, Repeated};
use super::{OwnLog, Policy, ValuationError, known};
use crate::progress::work;
use lagom_features::domain::{CustomerId, Days, Timestamp};
use lagom_features::{History, Segments};
use lagom_model::decide::{PolicyKind, Snapshot};
use lagom_model::log::Decision;
use lagom_model::objective::Objective;
use lagom_model::ope::Estimate;
use lagom_model::ope::valuation::{METRICS, MOST_UNSUPPORTED};
use lagom_model::outcome::between;
use lagom_model::statistics::agreement::{Compared, FEWEST_EFFECTIVE, State, compare};
use lagom_model::statistics::{ArmEstimate, Moments};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// Share of the control's decisions that the ladder has to take again, if it is the one that decided.
const LEAST_REPEATED: f64 = 0.99;

/// Metrics that are money.
const MONEY: [&str; 2] = ["value", "collected"];

/// An arm against the control: the ladder by weighting and by experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// What it came to.
    pub state: State,
    /// Why nothing can be said, where that is so.
    pub reason: Option<String>,
    /// Days after the first decision that are counted.
    pub horizon_days: u16,
    /// Customers of the control, one invoice each.
    pub customers_c: u64,
    /// Customers of the arm, likewise.
    pub customers_t: u64,
    /// How many customers of equal weight the weighted ones are worth.
    pub effective: f64,
    /// Mean probability that the ladder takes a step which the arm could not have taken.
    pub unsupported: f64,
    /// Share of the control's decisions that this ladder would have taken.
    pub repeated: f64,
    /// Every metric of a life, money in major units; and `repeated`, the share of the arm's decisions
    /// that the ladder would have taken: as drawn (experimental), and as the logged probabilities say.
    pub metrics: Vec<Compared>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Name of the experiment.
    pub experiment: &'a str,
    /// Its arm in which the ladder decides.
    pub control: &'a str,
    /// The day of the question: what came later is not looked at.
    pub as_of: Timestamp,
    /// Days after the first decision that are counted.
    pub horizon_days: u16,
}

/// The first life of a customer in an experiment.
type First<'a> = (&'a [Decision], &'a History);

impl OwnLog {
    /// Compares what the log of every other arm says of `ladder` with what the control shows.
    ///
    /// # Errors
    /// [`ValuationError`] where the ladder cannot be asked.
    pub fn agreement(
        &self,
        ladder: &Snapshot,
        objective: &Objective,
        question: Question<'_>,
    ) -> Result<BTreeMap<String, Agreement>, ValuationError> {
        let mut arms = self.first_lives(&question);
        let control = arms.remove(question.control).unwrap_or_default();
        let seen = self.see(&control, ladder, objective, question)?;
        let mut found = BTreeMap::new();
        for (arm, lives) in arms {
            let explored = self.see(&lives, ladder, objective, question)?;
            found.insert(arm.to_owned(), judge(&seen, &explored, question)?);
        }
        Ok(found)
    }

    /// By arm, the lives in which a customer met the experiment, where they can be followed.
    fn first_lives<'a>(&'a self, question: &Question<'a>) -> BTreeMap<&'a str, Vec<First<'a>>> {
        let horizon = Days::whole(i64::from(question.horizon_days));
        let theirs = |one: &&Decision| one.experiment.as_deref() == Some(question.experiment);
        let all = self.lives.iter().flatten().filter(theirs);
        let last = all.clone().map(|one| one.decided_at).max();
        let mut exposed: BTreeMap<&CustomerId, Timestamp> = BTreeMap::new();
        for one in all {
            let first = exposed.entry(&one.customer_id).or_insert(one.decided_at);
            *first = one.decided_at.min(*first);
        }
        let end = last.map_or(question.as_of, |last| last.min(question.as_of));
        let mut arms: BTreeMap<&str, Vec<First<'_>>> = BTreeMap::new();
        for life in &self.lives {
            let first = &life[0];
            let (Some(arm), Some(history)) =
                (first.arm.as_deref(), self.histories.get(&first.customer_id))
            else {
                continue;
            };
            let until = first.decided_at + horizon;
            let followed = life.partition_point(|one| one.decided_at < until);
            let within = &life[..followed];
            let whole = within
                .iter()
                .all(|one| theirs(&one) && one.arm.as_deref() == Some(arm));
            let met = exposed.get(&first.customer_id) == Some(&first.decided_at);
            if whole && met && until <= end && known(within, history) {
                arms.entry(arm).or_default().push((within, history));
            }
        }
        for lives in arms.values_mut() {
            // Two invoices may be asked about in one instant; the first by name stands for both.
            lives.dedup_by(|one, other| one.0[0].customer_id == other.0[0].customer_id);
        }
        arms
    }

    fn see(
        &self,
        lives: &[First<'_>],
        ladder: &Snapshot,
        objective: &Objective,
        question: Question<'_>,
    ) -> Result<Seen, ValuationError> {
        let horizon = Days::whole(i64::from(question.horizon_days));
        let policy = Policy::Of(ladder, PolicyKind::Ladder);
        let everybody = self.everybody(policy);
        let nobody = Segments::none();
        let comparing = work("comparing with the ladder", "lives", lives.len());
        let visits = lives
            .par_iter()
            .map_init(
                || Asked::new((policy, Policy::Logged), [&everybody, nobody]),
                |asked, (life, history)| {
                    comparing.advance(1);
                    asked.live(life, history, horizon)
                },
            )
            .collect::<Result<Vec<_>, ValuationError>>()?;
        let width = visits
            .iter()
            .flatten()
            .next()
            .map_or(0, |one| one.taken.len());
        let mut seen = Seen {
            lives: Collected::new(width),
            sums: Moments::new(METRICS.len()),
            unsupported: 0.0,
            repeated: Repeated::default(),
            decisions: 0.0,
        };
        for (customer, ((life, history), visits)) in lives.iter().zip(&visits).enumerate() {
            let last = life[0].decided_at + horizon;
            let mut sums = [0.0; METRICS.len()];
            for (at, (decision, visit)) in life.iter().zip(visits).enumerate() {
                let until = life.get(at + 1).map_or(last, |next| next.decided_at);
                let stretch = between(decision, history, objective, until, question.as_of);
                let rewards = figures::rewards(decision, &stretch);
                for (sum, reward) in sums.iter_mut().zip(rewards) {
                    *sum += reward;
                }
                seen.lives.push(visit, &rewards);
                seen.unsupported += visit.unsupported;
                seen.repeated += visit.repeated;
                seen.decisions += 1.0;
            }
            seen.lives.lives.end(customer as u32);
            seen.sums.push(&sums);
        }
        Ok(seen)
    }
}

/// The lives of an arm, with the ladder's part in them.
struct Seen {
    lives: Collected,
    /// Every metric, a customer a unit.
    sums: Moments,
    unsupported: f64,
    /// Decisions that the ladder would have taken, and the moments of their number.
    repeated: Repeated,
    decisions: f64,
}

impl Seen {
    /// The share of decisions that the ladder would have taken, as drawn. Draws are independent given
    /// what came before, so the variance that the logged probabilities promise is that of a sum, however
    /// decisions of a customer hang together.
    fn drawn(&self) -> ArmEstimate {
        ArmEstimate {
            n: self.decisions,
            mean: self.repeated.seen / self.decisions,
            variance: self.repeated.variance / self.decisions,
        }
    }

    /// The same share by the logged probabilities.
    fn promised(&self) -> ArmEstimate {
        ArmEstimate {
            n: self.decisions,
            mean: self.repeated.expected / self.decisions,
            variance: 0.0,
        }
    }
}

fn judge(
    control: &Seen,
    explored: &Seen,
    question: Question<'_>,
) -> Result<Agreement, ValuationError> {
    let overlap = explored.lives.overlap(0);
    let mut agreement = Agreement {
        state: State::CannotSay,
        reason: None,
        horizon_days: question.horizon_days,
        customers_c: control.sums.count(),
        customers_t: explored.sums.count(),
        effective: if overlap.ess.is_finite() {
            overlap.ess
        } else {
            0.0
        },
        unsupported: explored.unsupported / explored.decisions.max(1.0),
        repeated: control.repeated.seen / control.decisions.max(1.0),
        metrics: Vec::new(),
    };
    agreement.reason = shortfall(&agreement);
    if agreement.reason.is_some() {
        return Ok(agreement);
    }
    let worths = explored.lives.worth_of_candidate()?;
    let mut metrics = Vec::new();
    for (place, (name, worth)) in METRICS.iter().zip(&worths).enumerate() {
        let Ok(experimental) = ArmEstimate::mean(&control.sums, place) else {
            return Ok(agreement);
        };
        let unit = if MONEY.contains(name) { 0.01 } else { 1.0 };
        let off_policy = estimate(&worth.doubly_robust);
        metrics.push((*name, scaled(experimental, unit), scaled(off_policy, unit)));
    }
    metrics.push(("repeated", explored.drawn(), explored.promised()));
    (agreement.metrics, agreement.state) = compare(&metrics);
    Ok(agreement)
}

/// Why the two cannot be compared; none where they can.
fn shortfall(found: &Agreement) -> Option<String> {
    if found.customers_c < 2 || found.customers_t < 2 {
        return Some(format!(
            "{} customers of the control and {} of the arm could be followed for {} days",
            found.customers_c, found.customers_t, found.horizon_days
        ));
    }
    if found.repeated < LEAST_REPEATED {
        return Some(format!(
            "the ladder that is configured would have taken {:.1} % of the control's decisions: it is \
             not the one that decided",
            100.0 * found.repeated
        ));
    }
    if found.unsupported > MOST_UNSUPPORTED {
        return Some(format!(
            "{:.1} % of what the ladder does the arm could never have done",
            100.0 * found.unsupported
        ));
    }
    (found.effective < FEWEST_EFFECTIVE).then(|| {
        format!(
            "the arm followed the ladder as if {:.0} customers had been put on it; {FEWEST_EFFECTIVE:.0} \
             are needed",
            found.effective
        )
    })
}

fn scaled(arm: ArmEstimate, unit: f64) -> ArmEstimate {
    ArmEstimate {
        n: arm.n,
        mean: unit * arm.mean,
        variance: unit * unit * arm.variance,
    }
}

/// A value with its spread, one life a customer.
fn estimate(value: &Estimate) -> ArmEstimate {
    let n = value.influence.len() as f64;
    let squares: f64 = value.influence.iter().map(|one| one * one).sum();
    ArmEstimate {
        n,
        mean: value.value,
        variance: squares / (n - 1.0),
    }
}
