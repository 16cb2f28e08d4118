//! Steps that may proceed and of which nobody has told yet whether they were carried out.
//!
//! A reserved message may go out at any moment, so each other confirmation judges as if it had gone
//! out just before its own: a message let through on Monday for Thursday spends Thursday's budget
//! too. A reserved debit is money on its way.

use crate::customers::CustomerState;
use crate::store::Reservation;
use lagom_features::History;
use lagom_features::domain::{Days, Event, EventType, Kind, Timestamp};
use lagom_model::guardrails::Facts;
use lagom_model::guardrails::facts::Contact;
use lagom_model::log::Decision;
use lagom_model::strategy::Strategy;

/// Days after the day of a step on which its reservation expires: a sender that confirms and then
/// fails must not silence the customer's other invoices for ever.
const LASTS_DAYS: i64 = 2;

/// Whether `decision` has to be reserved before it may proceed.
pub(super) fn needed(state: &CustomerState, decision: &Decision, now: Timestamp) -> bool {
    let own = |one: &&Reservation| one.decision_id == decision.decision_id;
    let standing = |one: Reserved<'_>| !one.is_expired(now);
    let spends = !matches!(decision.action.kind, Kind::Wait | Kind::HumanReview);
    let mut reservations = state.reservations.iter().filter(own).map(Reserved);
    spends && !reservations.any(standing)
}

/// Adds to the facts of `decision` what is reserved by others, for a step carried out at `send_at`.
pub(super) fn count(
    state: &CustomerState,
    decision: &Decision,
    strategy: &Strategy,
    send_at: Timestamp,
    facts: &mut Facts,
) {
    let others = state.reservations.iter();
    let others = others.filter(|one| one.decision_id != decision.decision_id);
    let open = others
        .map(Reserved)
        .filter(|one| !one.is_expired(facts.now) && !one.is_told(&state.history));
    let open: Vec<&Reservation> = open.map(|one| one.0).collect();
    let just_before = Timestamp::from_micros(send_at.micros() - 1).unwrap_or(send_at);
    for one in open {
        let on_invoice = one.invoice_id == decision.invoice_id;
        if one.action.kind == Kind::RetryDebit {
            facts.stops.payment_in_flight |= on_invoice;
            continue;
        }
        facts.contacts.push(Contact {
            at: just_before,
            channel: one.action.channel,
            tone: one.action.tone,
            kind: one.action.kind,
            on_invoice,
            native: false,
            fee_minor: strategy.fee_minor(&one.action),
        });
    }
}

struct Reserved<'a>(&'a Reservation);

impl Reserved<'_> {
    /// Its step is carried out at the latest as many days after it was decided, and so after it
    /// was reserved, as the action says.
    fn is_expired(&self, now: Timestamp) -> bool {
        let timing = self.0.action.timing;
        let until_its_day = timing.map_or(0, |timing| i64::from(timing.day_offset));
        self.0.reserved_at + Days::whole(until_its_day + LASTS_DAYS) < now
    }

    fn is_told(&self, history: &History) -> bool {
        use EventType::{
            ContactSent, ContactSkipped, PaymentFailed, PaymentInitiated, PaymentSucceeded,
        };
        let debit = self.0.action.kind == Kind::RetryDebit;
        let tells = |event: &Event| match event.kind {
            ContactSent | ContactSkipped => event.decision_id.as_ref() == Some(&self.0.decision_id),
            PaymentFailed | PaymentInitiated | PaymentSucceeded => {
                debit
                    && event.invoice_id.as_ref() == Some(&self.0.invoice_id)
                    && event.occurred_at >= self.0.reserved_at
            }
            _ => false,
        };
        history.events().iter().any(tells)
    }
}
