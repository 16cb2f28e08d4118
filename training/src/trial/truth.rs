//! The true value of every eligible step of a decision.
//!
//! ```text
//! value(a)     = objective · E[outcome | a now, nothing by anybody afterwards]
//! value(wait)  = max( value(nothing ever), max over later days and messages of value(message then, if unpaid) )
//! ```
//! Waiting keeps every later step open, and is worth the best of them. A step now is valued without a
//! second one, so that the value of waiting is, if anything, flattered.

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

/// What a step is to the world: the part of the day and the variant are nothing.
type Likeness = (Kind, Option<Channel>, Option<Tone>, i32);

/// The true values of the eligible steps.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Place in the catalogue and value in minor units, in the decision's order.
    pub values: Vec<(usize, f64)>,
}

impl Truth {
    /// Values the eligible steps of a decision; `None` where the invoice is paid.
    #[must_use]
    pub fn of(seen: &Seen<'_>) -> Option<Self> {
        let mut outlook = seen.life.outlook(&seen.decision.invoice_id, HORIZON)?;
        let (snapshot, today) = (seen.snapshot, seen.life.today());
        let catalogue = snapshot.strategy().catalogue();
        let mut known: HashMap<Likeness, f64> = HashMap::new();
        let mut values = Vec::with_capacity(seen.decision.eligible.len());
        let mut places = catalogue.iter().enumerate();
        for choice in &seen.decision.eligible {
            // Choices stand in the catalogue's order.
            let (place, action) = places.find(|(_, action)| action.id() == choice.action)?;
            let ahead = action
                .timing
                .map_or(0, |timing| i32::from(timing.day_offset));
            let alike = (action.kind, action.channel, action.tone, ahead);
            let value = *known.entry(alike).or_insert_with(|| {
                if action.is_wait() {
                    waiting(&mut outlook, snapshot, today)
                } else {
                    step(&mut outlook, snapshot, action, today, ahead)
                }
            });
            values.push((place, value));
        }
        Some(Self { values })
    }

    /// The place of the most valuable step, the first of equals, with its value.
    #[must_use]
    pub fn best(&self) -> Option<(usize, f64)> {
        let better =
            |best: (usize, f64), one: (usize, f64)| if one.1 > best.1 { one } else { best };
        self.values.iter().copied().reduce(better)
    }

    /// The value of the step at this place of the catalogue.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<f64> {
        let found = self.values.iter().find(|(one, _)| *one == place);
        found.map(|&(_, value)| value)
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

fn step(
    outlook: &mut Outlook<'_>,
    snapshot: &Snapshot,
    action: &Action,
    today: Date,
    ahead: i32,
) -> f64 {
    let objective = &snapshot.parts().objective;
    let prospect = outlook.prospect(Some((action, today.plus_days(ahead))));
    let price = snapshot.strategy().price_minor(action).map_or_else(
        || objective.price_minor(action.kind, action.channel),
        |price| price as f64,
    );
    worth(&prospect, objective) - prospect.taken * price
}

fn worth(prospect: &Prospect, objective: &Objective) -> f64 {
    objective.cash * prospect.collected_minor
        - objective.complaint_minor * prospect.complaint
        - objective.support_contact_minor * prospect.support_contacts
        - objective.opt_out_minor * prospect.opt_out
        - objective.collection_case_minor * prospect.collection_case
        - objective.churn_cost_minor(None) * prospect.churned
}

fn waiting(outlook: &mut Outlook<'_>, snapshot: &Snapshot, today: Date) -> f64 {
    let objective = &snapshot.parts().objective;
    let mut best = worth(&outlook.prospect(None), objective);
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
            best = best.max(step(outlook, snapshot, action, today, ahead));
        }
    }
    best
}
