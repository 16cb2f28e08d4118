//! From a decision and a history to an [`Outcome`]: counted when the window has closed, by
//! intention to treat. A step that was cancelled because the customer had paid is an outcome of
//! the decision, not a reason to drop it.

use crate::log::{Decision, Executed, Outcome};
use crate::objective::Objective;
use lagom_features::domain::{Days, EventType, Timestamp};
use lagom_features::{History, Known, Ledger};

/// Reasons of `contact_skipped` that have nothing to do with the customer begin with this.
pub const TECHNICAL: &str = "technical";

/// The outcome of `decision` by what `history` knows at `now`, if its window of `window_days`
/// has closed by then; `None` while it is open.
///
/// Only what happened in `[decided_at, decided_at + window_days)` counts, whenever it was
/// recorded up to `now`. A complaint, a call or a withdrawn consent that names the decision behind it
/// counts for that one alone; one that names none counts for every decision whose window it is in.
#[must_use]
pub fn mature(
    decision: &Decision,
    history: &History,
    objective: &Objective,
    window_days: u16,
    now: Timestamp,
) -> Option<Outcome> {
    let from = decision.decided_at;
    let until = from + Days::whole(i64::from(window_days));
    (now >= until).then(|| between(decision, history, objective, until, now))
}

/// What came of `decision` in `[decided_at, until)`, by what `history` knows at `now`: a window of
/// any length, so that the life of an invoice can be cut at its decisions without counting
/// anything twice.
#[must_use]
pub fn between(
    decision: &Decision,
    history: &History,
    objective: &Objective,
    until: Timestamp,
    now: Timestamp,
) -> Outcome {
    let from = decision.decided_at;
    let before = Ledger::of(&history.as_of(from));
    let outstanding_minor = before
        .invoice(&decision.invoice_id)
        .map_or(0, |state| state.outstanding_minor.max(0));
    let now_known = history.as_of(now);
    let window = || {
        now_known
            .events()
            .filter(|event| event.occurred_at() >= from && event.occurred_at() < until)
    };
    let on_invoice = |event: &Known<'_>| event.invoice_id() == Some(&decision.invoice_id);
    let happened = |kind: EventType| window().any(|event| event.kind() == kind);
    // Harm that another decision is known to have caused is that decision's.
    let own = || {
        window().filter(|event| {
            let cause = event.decision_id();
            cause.is_none_or(|cause| *cause == decision.decision_id)
        })
    };
    let stirred = |kind: EventType| own().any(|event| event.kind() == kind);

    let (mut net_minor, mut settled_after) = (0_i64, None);
    for event in window().filter(on_invoice) {
        let amount = event.amount().map_or(0, |money| money.minor_units);
        match event.kind() {
            EventType::PaymentSucceeded => net_minor = net_minor.saturating_add(amount),
            EventType::PaymentRefunded => net_minor = net_minor.saturating_sub(amount),
            _ => continue,
        }
        if net_minor < outstanding_minor {
            settled_after = None;
        } else if settled_after.is_none() {
            settled_after = Some(event.occurred_at().days_since(from));
        }
    }
    let executed = executed(decision, window());
    let sent = executed == Executed::Sent;
    let price = decision.price_minor.unwrap_or_else(|| {
        let action = &decision.action;
        objective.price_minor(action.kind, action.channel).round() as i64
    });
    let margin = now_known.customer().and_then(|one| one.annual_margin_minor);
    let mut outcome = Outcome {
        decision_id: decision.decision_id.clone(),
        matured_at: until,
        outstanding_minor,
        collected_minor: net_minor.clamp(0, outstanding_minor),
        days_to_payment: settled_after,
        paid: settled_after.is_some() || outstanding_minor == 0,
        churned: happened(EventType::CustomerChurned),
        complaint: stirred(EventType::ComplaintMade),
        support_contacts: count(own(), EventType::SupportContacted),
        opt_out: stirred(EventType::ConsentWithdrawn),
        collection_case: window()
            .filter(on_invoice)
            .any(|event| event.kind() == EventType::CollectionOpened),
        cost_minor: if sent { price } else { 0 },
        fee_minor: if sent { decision.fee_minor } else { 0 },
        value_minor: 0.0,
        censored: false,
        executed,
    };
    outcome.value_minor = objective.value_minor(&outcome, margin);
    outcome
}

fn count<'a>(events: impl Iterator<Item = Known<'a>>, kind: EventType) -> u32 {
    let n = events.filter(|event| event.kind() == kind).count();
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A contact counts as sent unless a `contact_skipped` of the decision says otherwise: silence of
/// the sending system must not read as mercy.
fn executed<'a>(decision: &Decision, events: impl Iterator<Item = Known<'a>>) -> Executed {
    let skipped = events
        .filter(|event| event.kind() == EventType::ContactSkipped)
        .find(|event| event.decision_id() == Some(&decision.decision_id));
    match skipped {
        None => Executed::Sent,
        Some(event) => {
            let reason = event.reason().unwrap_or("unstated").to_owned();
            if reason.starts_with(TECHNICAL) {
                Executed::Failed { reason }
            } else {
                Executed::Cancelled { rule: reason }
            }
        }
    }
}
