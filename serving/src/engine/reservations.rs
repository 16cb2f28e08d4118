//! Steps that may proceed and of which nobody has told yet whether they were carried out.
//!
//! A reserved message may go out at any moment, so other advice and other confirmations are judged
//! as if it had gone out just before theirs: a message let through on Monday for Thursday spends
//! Thursday's budget too. A reserved debit is money on its way.

use crate::customers::CustomerState;
use crate::store::Reservation;
use lagom_features::domain::{Days, DecisionId, EventType, Kind, Timestamp};
use lagom_features::{History, Known};
use lagom_model::guardrails::facts::Reserved;
use lagom_model::log::Decision;
use lagom_model::strategy::Strategy;

/// Days after the day of a step on which its reservation expires: a sender that confirms and then
/// fails must not silence the customer's other invoices for ever.
const LASTS_DAYS: i64 = 2;

/// Whether `decision` has to be reserved before it may proceed.
pub(super) fn needed(state: &CustomerState, decision: &Decision, now: Timestamp) -> bool {
    let own = |one: &&Reservation| one.decision_id == decision.decision_id;
    let standing = |one: Held<'_>| !one.is_expired(now);
    let spends = !matches!(decision.action.kind, Kind::Wait | Kind::HumanReview);
    let mut reservations = state.reservations.iter().filter(own).map(Held);
    spends && !reservations.any(standing)
}

/// What is reserved by other decisions than `own` and has not been reported or expired by `now`.
pub(super) fn open(
    state: &CustomerState,
    own: Option<&DecisionId>,
    strategy: &Strategy,
    now: Timestamp,
) -> Vec<Reserved> {
    let others = state.reservations.iter();
    let others = others.filter(|one| own != Some(&one.decision_id)).map(Held);
    others
        .filter(|one| !one.is_expired(now) && !one.is_told(&state.history))
        .map(|one| Reserved {
            invoice_id: one.0.invoice_id.clone(),
            action: one.0.action.clone(),
            fee_minor: strategy.fee_minor(&one.0.action),
            at: one.at(),
            until: one.until(),
        })
        .collect()
}

struct Held<'a>(&'a Reservation);

impl Held<'_> {
    /// Its step is carried out at the latest as many days after it was decided, and so after it
    /// was reserved, as the action says.
    fn at(&self) -> Timestamp {
        let timing = self.0.action.timing;
        let until_its_day = timing.map_or(0, |timing| i64::from(timing.day_offset));
        self.0.reserved_at + Days::whole(until_its_day)
    }

    fn until(&self) -> Timestamp {
        self.at() + Days::whole(LASTS_DAYS)
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        self.until() < now
    }

    fn is_told(&self, history: &History) -> bool {
        use EventType::{
            ContactSent, ContactSkipped, PaymentFailed, PaymentInitiated, PaymentSucceeded,
        };
        let debit = self.0.action.kind == Kind::RetryDebit;
        let tells = |event: Known<'_>| match event.kind() {
            ContactSent | ContactSkipped => event.decision_id() == Some(&self.0.decision_id),
            PaymentFailed | PaymentInitiated | PaymentSucceeded => {
                debit
                    && event.invoice_id() == Some(&self.0.invoice_id)
                    && event.occurred_at() >= self.0.reserved_at
            }
            _ => false,
        };
        history.events().any(tells)
    }
}
