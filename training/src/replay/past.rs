//! The past of one customer as a replay makes it.

use lagom_features::domain::{Days, Event, EventId, EventType, Kind, Money};
use lagom_features::{History, Known};
use lagom_model::log::Decision;
use std::borrow::Cow;

/// A history in which some decisions were carried out otherwise than they were.
pub(super) struct Past<'a> {
    history: Cow<'a, History>,
}

impl<'a> Past<'a> {
    /// The past as it was lived.
    pub(super) fn of(lived: &'a History) -> Self {
        Self {
            history: Cow::Borrowed(lived),
        }
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Takes out what the company did on the advice of `logged`, and puts in that it did `again`.
    /// What the customer did stays.
    pub(super) fn replace(&mut self, logged: &Decision, again: &Decision, review: Days) {
        let own = |event: &Known<'_>| {
            is_ours(event.kind()) && event.decision_id() == Some(&logged.decision_id)
        };
        let old = &self.history;
        let kept = old.events().filter(|event| !own(event));
        let kept = kept.map(Known::to_event);
        let events: Vec<Event> = kept.chain(done(old, again, review)).collect();
        let (customers, invoices) = (old.customers().to_vec(), old.invoices().to_vec());
        self.history = Cow::Owned(History::from_records(customers, invoices, &events));
    }
}

/// What happens by the company's own hand when it follows an advice.
fn is_ours(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::ContactSent
            | EventType::ContactSkipped
            | EventType::HoldPlaced
            | EventType::CollectionOpened
    )
}

/// What is done on this advice at the beginning of its slot: a message is sent, or a person takes the
/// case for `review`. Debits are left out: whether one would have gone through is not known.
fn done(history: &History, decision: &Decision, review: Days) -> Option<Event> {
    let action = &decision.action;
    let kind = match action.kind {
        Kind::HumanReview => EventType::HoldPlaced,
        kind if kind.is_contact() => EventType::ContactSent,
        _ => return None,
    };
    let at = decision.send_at.unwrap_or(decision.decided_at);
    let id = EventId::new(format!("replay:{}", decision.decision_id)).ok()?;
    let invoice = history
        .as_of(decision.decided_at)
        .invoice(&decision.invoice_id)?;
    let mut event = Event::new(id, kind, decision.customer_id.clone(), at, at);
    event.invoice_id = Some(decision.invoice_id.clone());
    event.decision_id = Some(decision.decision_id.clone());
    event.reason = Some(action.to_string());
    event.channel = action.channel;
    event.tone = action.tone;
    event.until = (kind == EventType::HoldPlaced).then(|| at + review);
    event.amount =
        (decision.fee_minor > 0).then(|| Money::new(decision.fee_minor, invoice.amount.currency));
    Some(event)
}
