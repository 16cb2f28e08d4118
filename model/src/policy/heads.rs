//! The parts of an outcome that the bandit predicts separately, and what the objective says they
//! are worth for one case. Weights and prices meet predictions at decision time, so changing one
//! changes decisions at once.

use crate::bandit::Valuation;
use crate::log::Outcome;
use crate::objective::Objective;
use crate::strategy::Strategy;

/// Names of the heads, in the order of every vector here.
pub const HEADS: [&str; 6] = [
    "collected",
    "churned",
    "complaint",
    "support_contacts",
    "opt_out",
    "collection_case",
];

/// How far apart actions can plausibly lie in each head; the scale on which exploration judges a
/// difference in value.
pub const SPANS: [f64; 6] = [0.3, 0.05, 0.05, 0.3, 0.05, 0.2];

/// Most support contacts that count: one furious caller must not outweigh a hundred customers.
const MOST_SUPPORT: f64 = 3.0;

/// What was observed of each head: the collected share of what was owed, and 0, 1 or a count.
#[must_use]
pub fn observed(outcome: &Outcome) -> [f64; 6] {
    let share = if outcome.outstanding_minor > 0 {
        outcome.collected_minor as f64 / outcome.outstanding_minor as f64
    } else {
        1.0
    };
    let flag = |happened: bool| f64::from(u8::from(happened));
    [
        share.clamp(0.0, 1.0),
        flag(outcome.churned),
        flag(outcome.complaint),
        f64::from(outcome.support_contacts).min(MOST_SUPPORT),
        flag(outcome.opt_out),
        flag(outcome.collection_case),
    ]
}

/// What one unit of each head is worth for a case, and what each action costs, in minor units.
pub fn value(
    objective: &Objective,
    strategy: &Strategy,
    outstanding_minor: i64,
    annual_margin_minor: Option<i64>,
    into: &mut Valuation,
) {
    into.head_weights.clear();
    into.head_weights.extend([
        objective.cash * outstanding_minor.max(0) as f64,
        -objective.churn_cost_minor(annual_margin_minor),
        -objective.complaint_minor,
        -objective.support_contact_minor,
        -objective.opt_out_minor,
        -objective.collection_case_minor,
    ]);
    into.action_values.clear();
    into.action_values.extend(
        strategy
            .catalogue()
            .iter()
            .enumerate()
            .map(|(place, action)| {
                objective.fee * strategy.fee_at(place) as f64
                    - objective.price_minor(action.kind, action.channel)
            }),
    );
}
