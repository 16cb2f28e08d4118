//! Right before advice is carried out: whether it still holds, and whose contact it is.

use super::{Engine, Failure};
use crate::customers::CustomerState;
use crate::recording::{Recording, What};
use crate::store::{Entry, Reservation};
use lagom_features::domain::{Days, DecisionId, Event, EventId, EventType, Timestamp};
use lagom_features::{History, Ledger};
use lagom_model::guardrails::Facts;
use lagom_model::log::{Decision, RuleId};
use std::borrow::Cow;
use std::sync::Arc;

/// How long a contact that may proceed counts without being reported: a sender that confirms and
/// then fails must not silence the customer's other invoices for ever.
const RESERVATION_LASTS: Days = Days::whole(2);

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// Carry it out; the contact is counted from now on.
    Proceed,
    /// Do not, because of these rules.
    Cancel(Vec<RuleId>),
}

impl Engine {
    /// Judges a decision's action again by what is known now.
    ///
    /// A contact that may proceed is reserved: it counts against the customer's budget for every
    /// other confirmation until it is reported as sent or skipped, or for two days. A cancellation is
    /// recorded as `contact_skipped` and stays.
    ///
    /// # Errors
    /// [`Failure`]; nothing was reserved or recorded then.
    pub async fn confirm(
        self: &Arc<Self>,
        id: &DecisionId,
        as_of: Option<Timestamp>,
    ) -> Result<Confirmation, Failure> {
        let decision = self.decision(id)?;
        let at = self.instant(as_of, false)?;
        let engine = Arc::clone(self);
        let work = tokio::spawn(async move { engine.confirm_locked(&decision, at).await });
        work.await
            .map_err(|error| Failure::Internal(error.to_string()))?
    }

    async fn confirm_locked(
        &self,
        decision: &Decision,
        at: Timestamp,
    ) -> Result<Confirmation, Failure> {
        let customer = self.customers.get(&decision.customer_id);
        let customer =
            customer.ok_or_else(|| Failure::unknown("customer", &decision.customer_id))?;
        let mut state = customer.lock().await;
        let cancelled_by = cancellation(decision);
        if let Some(reason) = skipped(&state.history, &cancelled_by) {
            return Ok(Confirmation::Cancel(reason));
        }
        let now = state.stamp(at);
        let rules = self.forbidding(&state, decision, now)?;
        if !rules.is_empty() {
            let recording = skipping(decision, cancelled_by, &rules, now);
            let entry = Entry::Recorded(Box::new(recording.clone()));
            self.store.append(vec![entry]).await?;
            state.apply(recording);
            return Ok(Confirmation::Cancel(rules));
        }
        if decision.action.kind.is_contact() && !reserved(&state, &decision.decision_id) {
            let reservation = Reservation {
                decision_id: decision.decision_id.clone(),
                customer_id: decision.customer_id.clone(),
                invoice_id: decision.invoice_id.clone(),
                action: decision.action.clone(),
                reserved_at: now,
            };
            self.store
                .append(vec![Entry::Reserved(reservation.clone())])
                .await?;
            state.reservations.push(reservation);
        }
        state.passed(now);
        Ok(Confirmation::Proceed)
    }

    /// The rules that forbid the action by what is known and reserved.
    fn forbidding(
        &self,
        state: &CustomerState,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Vec<RuleId>, Failure> {
        let history = with_reservations(state, decision, now);
        let view = history.as_of(now);
        let ledger = Ledger::of(&view);
        let facts = Facts::of(&view, &ledger, &decision.invoice_id)
            .ok_or_else(|| Failure::unknown("invoice", &decision.invoice_id))?;
        let send_at = decision.send_at.unwrap_or(now);
        Ok(self.snapshot().guardrails().recheck(
            &facts,
            &decision.action,
            decision.fee_minor,
            send_at,
        ))
    }
}

fn reserved(state: &CustomerState, id: &DecisionId) -> bool {
    state.reservations.iter().any(|one| &one.decision_id == id)
}

/// The key under which a cancellation of `decision` is recorded.
fn cancellation(decision: &Decision) -> EventId {
    EventId::new(format!("confirm-{}", decision.decision_id)).expect("made of an id")
}

fn skipped(history: &History, key: &EventId) -> Option<Vec<RuleId>> {
    let skipped = history
        .events()
        .iter()
        .find(|event| &event.event_id == key)?;
    let rules = skipped.reason.as_deref().unwrap_or_default();
    Some(rules.split(", ").map(str::to_owned).collect())
}

fn skipping(decision: &Decision, event_id: EventId, rules: &[RuleId], now: Timestamp) -> Recording {
    let mut event = Event::new(
        event_id.clone(),
        EventType::ContactSkipped,
        decision.customer_id.clone(),
        now,
        now,
    );
    event.invoice_id = Some(decision.invoice_id.clone());
    event.decision_id = Some(decision.decision_id.clone());
    event.channel = decision.action.channel;
    event.tone = decision.action.tone;
    event.reason = Some(rules.join(", "));
    Recording {
        event_id,
        occurred_at: now,
        recorded_at: now,
        what: What::Fact(event),
    }
}

/// The history, and in it a contact for each reservation of another decision that was neither
/// sent nor skipped yet and has not expired.
fn with_reservations<'a>(
    state: &'a CustomerState,
    decision: &Decision,
    now: Timestamp,
) -> Cow<'a, History> {
    let mut history = Cow::Borrowed(&state.history);
    for one in &state.reservations {
        let reported = |event: &Event| {
            let told = matches!(
                event.kind,
                EventType::ContactSent | EventType::ContactSkipped
            );
            told && event.decision_id.as_ref() == Some(&one.decision_id)
        };
        let own = one.decision_id == decision.decision_id;
        let expired = one.reserved_at + RESERVATION_LASTS < now;
        if own || expired || state.history.events().iter().any(reported) {
            continue;
        }
        let key = EventId::new(format!("reserved-{}", one.decision_id)).expect("made of an id");
        let at = one.reserved_at;
        let customer_id = one.customer_id.clone();
        let mut contact = Event::new(key, EventType::ContactSent, customer_id, at, at);
        contact.invoice_id = Some(one.invoice_id.clone());
        contact.decision_id = Some(one.decision_id.clone());
        contact.channel = one.action.channel;
        contact.tone = one.action.tone;
        history.to_mut().record_event(contact);
    }
    history
}
