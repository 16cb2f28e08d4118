//! Right before advice is carried out: whether it still holds, and whose contact it is.

use super::{Engine, Failure, reservations};
use crate::customers::CustomerState;
use crate::recording::{Recording, What};
use crate::store::{Entry, Reservation};
use lagom_features::domain::{Days, DecisionId, Event, EventId, EventType, Timestamp};
use lagom_features::{History, Ledger};
use lagom_model::guardrails::Facts;
use lagom_model::log::{Decision, RuleId};
use std::sync::Arc;
use tracing::Instrument;

/// How long after its slot a step may still be carried out; later the advice is out of date.
const GRACE: Days = Days::whole(1);
const PAST_SLOT: &str = "global.past_slot";

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
    /// A step that may proceed is reserved: it counts against the customer's budget for every other
    /// confirmation until it is reported as sent or skipped, or for two days after its own day. A cancellation is
    /// recorded as `contact_skipped` and stays.
    ///
    /// # Errors
    /// [`Failure`]; nothing was reserved or recorded then.
    pub async fn confirm(
        self: &Arc<Self>,
        id: &DecisionId,
        as_of: Option<Timestamp>,
    ) -> Result<Confirmation, Failure> {
        let decision = Arc::new(self.decision(id).await?);
        let at = self.instant(as_of, false)?;
        self.caught_up(|| async {
            let (engine, decision) = (Arc::clone(self), Arc::clone(&decision));
            let work = async move { engine.confirm_locked(&decision, at).await };
            let work = tokio::spawn(work.in_current_span());
            work.await
                .map_err(|error| Failure::Internal(error.to_string()))?
        })
        .await
    }

    async fn confirm_locked(
        &self,
        decision: &Decision,
        at: Timestamp,
    ) -> Result<Confirmation, Failure> {
        let customer = self.customers.get(&decision.customer_id)?;
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
            self.append(vec![entry]).await?;
            state.apply(recording);
            return Ok(Confirmation::Cancel(rules));
        }
        if reservations::needed(&state, decision, now) {
            let reservation = Reservation {
                decision_id: decision.decision_id.clone(),
                customer_id: decision.customer_id.clone(),
                invoice_id: decision.invoice_id.clone(),
                action: decision.action.clone(),
                reserved_at: now,
            };
            self.append(vec![Entry::Reserved(reservation.clone())])
                .await?;
            state.reservations.push(reservation);
            state.passed(now);
        } else {
            self.unchanged(&decision.customer_id).await?;
            state.looked(now);
        }
        Ok(Confirmation::Proceed)
    }

    /// The rules that forbid the action by what is known and reserved.
    fn forbidding(
        &self,
        state: &CustomerState,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Vec<RuleId>, Failure> {
        let view = state.history.as_of(now);
        let ledger = Ledger::of(&view);
        let mut facts = Facts::of(&view, &ledger, &decision.invoice_id)
            .ok_or_else(|| Failure::unknown("invoice", &decision.invoice_id))?;
        let send_at = decision.send_at.unwrap_or(now).max(now);
        let live = self.live.load_full();
        let own = Some(&decision.decision_id);
        let strategy = live.strategy(&decision.strategy_id);
        let reserved = reservations::open(state, own, strategy, now);
        facts.reserve(&decision.invoice_id, &reserved);
        let guardrails = live.snapshot.guardrails();
        let mut rules = guardrails.recheck(&facts, &decision.action, decision.fee_minor, send_at);
        let stale = decision.send_until.is_some_and(|until| until + GRACE < now);
        if stale
            && guardrails
                .rule_named(PAST_SLOT)
                .is_some_and(|rule| rule.enabled)
        {
            rules.push(PAST_SLOT.into());
        }
        Ok(rules)
    }
}

/// The key under which a cancellation of `decision` is recorded.
fn cancellation(decision: &Decision) -> EventId {
    EventId::new(format!("confirm-{}", decision.decision_id)).expect("made of an id")
}

fn skipped(history: &History, key: &EventId) -> Option<Vec<RuleId>> {
    let mut events = history.events();
    let skipped = events.find(|event| event.event_id() == key.as_str())?;
    let rules = skipped.reason().unwrap_or_default();
    Some(rules.split(", ").map(RuleId::from).collect())
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
    let named: Vec<&str> = rules.iter().map(RuleId::as_str).collect();
    event.reason = Some(named.join(", "));
    Recording {
        event_id,
        occurred_at: now,
        recorded_at: now,
        what: What::Fact(event),
    }
}
