//! The true value of every eligible step of a decision.
//!
//! ```text
//! value(a)     = objective · E[outcome | a now, then m* if unpaid by then, or nothing: the better]
//! value(wait)  = max( value(nothing ever), value(m*) )
//! m*           = the best message on a later day, if nothing is done now
//! ```
//! Waiting keeps later steps open, and so does a step now: both may end in one further message, which is
//! chosen by somebody who sees every latent trait.

use crate::simulated_log::Seen;
use crate::simulator::{Horizon, Outlook, Prospect};
use lagom_features::domain::{Action, Channel, Date, Kind, Tone};
use lagom_model::decide::Snapshot;
use lagom_model::objective::Objective;
use std::collections::HashMap;

/// Cash counts as everywhere in a trial; leaving counts as long as the last step is held against it.
const HORIZON: Horizon = Horizon {
    cash_days_after_due: 60,
    churn_days: 80,
};
/// Days from now on which waiting may end in a message.
const LATER: [i32; 5] = [3, 6, 10, 15, 21];

/// The rule whose refusals rest on estimates.
const GENTLE_FIRST: &str = "global.gentle_first";

/// What a step is to the world: the part of the day and the variant are nothing.
type Likeness = (Kind, Option<Channel>, Option<Tone>, i32);

/// The true values of the eligible steps.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Place in the catalogue and value in minor units, in the decision's order.
    pub values: Vec<(usize, f64)>,
    /// The same of steps that the rule of gentleness has closed on the strength of estimates: what it
    /// costs to believe them is part of the regret.
    pub closed: Vec<(usize, f64)>,
}

impl Truth {
    /// Values the eligible steps of a decision; `None` where the invoice is paid.
    #[must_use]
    pub fn of(seen: &Seen<'_>) -> Option<Self> {
        let mut outlook = seen.life.outlook(&seen.decision.invoice_id, HORIZON)?;
        let (snapshot, today) = (seen.snapshot, seen.life.today());
        let catalogue = snapshot.strategy().catalogue();
        let mut known: HashMap<Likeness, f64> = HashMap::new();
        let quiet = worth(&outlook.prospect(&[]), &snapshot.parts().objective);
        let last = best_later(&mut outlook, snapshot, today);
        let waiting = last.as_ref().map_or(quiet, |later| later.value.max(quiet));
        let mut of = |action: &Action| {
            let ahead = action
                .timing
                .map_or(0, |timing| i32::from(timing.day_offset));
            let alike = (action.kind, action.channel, action.tone, ahead);
            *known.entry(alike).or_insert_with(|| {
                if action.is_wait() {
                    return waiting;
                }
                let now = (action, today.plus_days(ahead));
                let alone = value(&mut outlook, snapshot, &[now]);
                match &last {
                    Some(later) if later.on > now.1 => {
                        let then = (later.action, later.on);
                        alone.max(value(&mut outlook, snapshot, &[now, then]))
                    }
                    _ => alone,
                }
            })
        };
        // Both lists stand in the catalogue's order.
        let mut places = catalogue.iter().enumerate();
        let mut values = Vec::with_capacity(seen.decision.eligible.len());
        for choice in &seen.decision.eligible {
            let (place, action) = places.find(|(_, action)| action.id() == choice.action)?;
            values.push((place, of(action)));
        }
        let mut places = catalogue.iter().enumerate();
        let mut closed = Vec::new();
        let blocked = seen.decision.blocked.iter();
        for one in blocked.filter(|one| one.rule == GENTLE_FIRST) {
            let (place, action) = places.find(|(_, action)| action.id() == one.action)?;
            closed.push((place, of(action)));
        }
        Some(Self { values, closed })
    }

    /// The place of the most valuable step, the first of equals, with its value.
    #[must_use]
    pub fn best(&self) -> Option<(usize, f64)> {
        let better =
            |best: (usize, f64), one: (usize, f64)| if one.1 > best.1 { one } else { best };
        self.all().reduce(better)
    }

    /// The value of the step at this place of the catalogue.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<f64> {
        let found = self.all().find(|(one, _)| *one == place);
        found.map(|(_, value)| value)
    }

    /// Every step that the other rules allow.
    pub fn all(&self) -> impl Iterator<Item = (usize, f64)> {
        self.values.iter().chain(&self.closed).copied()
    }

    /// The mean value under probabilities in the decision's order.
    #[must_use]
    pub fn mean(&self, probabilities: impl Iterator<Item = f64>) -> f64 {
        let pairs = self.values.iter().zip(probabilities);
        pairs
            .map(|(&(_, value), probability)| value * probability)
            .sum()
    }
}

/// Of some steps, in minor units.
fn value(outlook: &mut Outlook<'_>, snapshot: &Snapshot, steps: &[(&Action, Date)]) -> f64 {
    let objective = &snapshot.parts().objective;
    let prospect = outlook.prospect(steps);
    let price = |action: &Action| match snapshot.strategy().price_minor(action) {
        Some(price) => price as f64,
        None => objective.price_minor(action.kind, action.channel),
    };
    let prices = steps.iter().zip(prospect.taken);
    worth(&prospect, objective)
        - prices
            .map(|((action, _), taken)| taken * price(action))
            .sum::<f64>()
}

fn worth(prospect: &Prospect, objective: &Objective) -> f64 {
    objective.cash * prospect.collected_minor
        - objective.complaint_minor * prospect.complaint
        - objective.support_contact_minor * prospect.support_contacts
        - objective.opt_out_minor * prospect.opt_out
        - objective.collection_case_minor * prospect.collection_case
        - objective.churn_cost_minor(None) * prospect.churned
}

/// A message on a later day, and what it is worth if nothing is done before.
struct Later<'a> {
    action: &'a Action,
    on: Date,
    value: f64,
}

/// The best of them, the first of equals.
fn best_later<'a>(
    outlook: &mut Outlook<'_>,
    snapshot: &'a Snapshot,
    today: Date,
) -> Option<Later<'a>> {
    let mut best: Option<Later<'a>> = None;
    let mut seen: Vec<(Kind, Option<Channel>, Option<Tone>)> = Vec::new();
    for action in snapshot.strategy().catalogue() {
        let open = matches!(
            action.kind,
            Kind::Reminder | Kind::InvoiceRedelivery | Kind::PlanOffer
        );
        let alike = (action.kind, action.channel, action.tone);
        if !open || seen.contains(&alike) {
            continue;
        }
        seen.push(alike);
        for ahead in LATER {
            let on = today.plus_days(ahead);
            let value = value(outlook, snapshot, &[(action, on)]);
            if best.as_ref().is_none_or(|best| value > best.value) {
                best = Some(Later { action, on, value });
            }
        }
    }
    best
}
