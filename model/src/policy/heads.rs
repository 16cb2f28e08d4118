//! The parts of an outcome that the bandit predicts separately, and what the objective says they
//! are worth for one case. Weights and prices meet predictions at decision time, so changing one
//! changes decisions at once.

use crate::bandit::{Recovery, Valuation};
use crate::log::Outcome;
use crate::objective::Objective;
use crate::policy::scarcity::ShadowPrices;
use crate::strategy::Strategy;
use lagom_features::domain::{Action, Channel, Kind};

/// Names of the heads, in the order of every vector here.
pub const HEADS: [&str; 6] = [
    "collected",
    "churned",
    "complaint",
    "support_contacts",
    "opt_out",
    "collection_case",
];

/// Place of the collected share among the heads.
pub const COLLECTED: usize = 0;

/// How far apart actions can plausibly lie in each head; the scale on which exploration judges a
/// difference in value.
pub const SPANS: [f64; 6] = [0.3, 0.05, 0.05, 0.3, 0.05, 0.2];

/// How much harder than the bandit's general prior each head's effects of actions are shrunk: a penalty
/// is noise over prior variance, and what a message does is small beside the noise of what happens
/// anyway. Cash of one case has a standard deviation of .35 and messages move it by a few hundredths
/// together, some levels by less than .005; leaving has .14 and moves by .0005 a level; and so on by the
/// shares in [`expected`]. A choice among hundreds of steps is a choice of the luckiest estimate: under
/// the general prior the chosen contact was thought to add 50 SEK where it cost 6.
pub const FIRMNESS: [f64; 6] = [200.0, 3_000.0, 2_000.0, 500.0, 2_000.0, 200.0];

/// The prior's part for how an effect depends on the case, apart from [`FIRMNESS`]: whom a message
/// helps is most of what is to be learnt, since what it does on average is next to nothing.
pub const CONTEXT_FIRMNESS: f64 = 0.1;

/// What is worth gaining: collected cash and collection cases that are avoided; what the other heads
/// count is harm.
const GAINS: [bool; 6] = [true, false, false, false, false, true];

/// The worth of each head, with zero for those that a step can only harm.
#[must_use]
pub fn gains(head_weights: &[f64]) -> [f64; 6] {
    let mut gains = [0.0; 6];
    let heads = head_weights.iter().zip(GAINS);
    for (gain, (&weight, counts)) in gains.iter_mut().zip(heads) {
        *gain = if counts { weight } else { 0.0 };
    }
    gains
}

/// What a step is expected to stir up beside what happens anyway, before anything is learnt: the
/// mean of the prior, on which the bandit learns the deviation. Cash has none: that a message helps
/// must be seen.
///
/// Harm is rare and its noise large (one customer who leaves outweighs the gain of dozens of
/// messages), so that a policy which began with "messages harm nobody" would need tens of thousands
/// of outcomes to learn better, at its customers' cost. The figures are published ones and
/// assumptions: support 4 % after a reminder, a fifth to a half after a claim; complaints per message
/// .1 % (e-mail, mailbox) to 1 % (phone), 3 % (claim); opt-outs .1 % (e-mail), .4 % (SMS); churn of
/// 12 % a year, 1.3 times that for two months after a reminder and 3 times after a claim.
#[must_use]
pub fn expected(action: &Action) -> [f64; 6] {
    let Some(channel) = action.channel.filter(|_| action.kind.is_contact()) else {
        return [0.0; 6];
    };
    let (complaint, opt_out) = match channel {
        Channel::Email => (0.001, 0.001),
        Channel::Sms => (0.003, 0.004),
        Channel::Letter => (0.002, 0.0),
        Channel::AppPush => (0.001, 0.002),
        Channel::DigitalMailbox => (0.001, 0.0),
        Channel::Phone => (0.01, 0.0),
    };
    let (churned, complaint, support) = match action.kind {
        Kind::CollectionClaim => (0.03, 0.03, 0.3),
        Kind::PreDueNotice | Kind::DueDateNotice => (0.0, complaint, 0.01),
        Kind::InvoiceRedelivery => (0.005, complaint, 0.01),
        _ => (0.005, complaint, 0.04),
    };
    [0.0, churned, complaint, support, opt_out, 0.0]
}

const DAYS_A_YEAR: f64 = 365.0;

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

/// What a decision depends on beside its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stakes {
    /// Owed when it was made, in minor units.
    pub outstanding_minor: i64,
    /// Margin of the customer, in minor units a year, if recorded.
    pub annual_margin_minor: Option<i64>,
}

/// What a share of a bill that its window leaves unpaid is worth, in `[0, 1]` of one that is
/// collected: what still comes in until [`cash_days_after_due`](Objective::cash_days_after_due), less
/// the interest until then. `age_days` after the due date the window opens.
#[must_use]
pub fn later(objective: &Objective, recovery: Option<&Recovery>, age_days: f64) -> f64 {
    let Some(recovery) = recovery.filter(|_| age_days.is_finite()) else {
        return 0.0;
    };
    let until = f64::from(objective.cash_days_after_due);
    let years = (until - age_days).max(0.0) / 2.0 / DAYS_A_YEAR;
    recovery.later(age_days, until) * (1.0 - objective.interest_per_year * years).max(0.0)
}

/// What one unit of each head is worth for a case, and what is known of each action
/// beside what is learnt: its price and the harm [`expected`] of it, in minor units.
/// What is collected within the window is worth its amount less what would come in [`later`]; a step
/// over a scarce channel costs the channel's shadow price beside its own.
pub fn value(
    objective: &Objective,
    strategy: &Strategy,
    stakes: Stakes,
    later: f64,
    shadow_prices: Option<&ShadowPrices>,
    into: &mut Valuation,
) {
    into.head_weights.clear();
    into.head_weights.extend([
        objective.cash * stakes.outstanding_minor.max(0) as f64 * (1.0 - later),
        -objective.churn_cost_minor(stakes.annual_margin_minor),
        -objective.complaint_minor,
        -objective.support_contact_minor,
        -objective.opt_out_minor,
        -objective.collection_case_minor,
    ]);
    into.action_values.clear();
    let catalogue = strategy.catalogue().iter().enumerate();
    into.action_values.extend(catalogue.map(|(place, action)| {
        let harm: f64 = (expected(action).iter().zip(&into.head_weights))
            .map(|(head, weight)| head * weight)
            .sum();
        let price = strategy.price_at(place).map(|price| price as f64);
        let price = price.unwrap_or_else(|| objective.price_minor(action.kind, action.channel));
        let scarce = action
            .channel
            .and_then(|channel| shadow_prices?.get(&channel));
        objective.fee * strategy.fee_at(place) as f64 - price - scarce.unwrap_or(&0.0) + harm
    }));
}
