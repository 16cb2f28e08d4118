//! What stands in the way of asking a customer for money.

use super::consent::Purpose;
use lagom_features::domain::{Channel, Currency, Days, EventType, InvoiceId, Timestamp};
use lagom_features::ledger::{IN_FLIGHT_DAYS, InvoiceState};
use lagom_features::{Known, View};

/// Reason of a `hold_placed` that waits for a person to look at the case.
pub const HUMAN_REVIEW: &str = "human_review";

/// Reason of a `moratorium_started` for somebody who is treated for a mental health crisis; it lasts
/// until `moratorium_ended` says that the treatment is over.
pub const TREATMENT: &str = "mental_health_crisis";
/// Reason of a `support_contacted` or `hold_placed`: the customer, or an adviser, is drawing up a plan.
pub const PLAN_IN_PREPARATION: &str = "plan_in_preparation";

/// Dunning stopped by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// For one invoice only, or for the customer.
    pub on_invoice: bool,
    /// Over one channel only, or over all.
    pub channel: Option<Channel>,
    /// For one purpose only, or for both: that of an event whose reason is `marketing` is selling.
    pub purpose: Option<Purpose>,
    /// Until when; none means until released.
    pub until: Option<Timestamp>,
}

/// A legal or granted standstill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standstill {
    /// Since when.
    pub from: Timestamp,
    /// Until when; none means until ended.
    pub until: Option<Timestamp>,
    /// Whether it protects somebody in treatment for a mental health crisis.
    pub treatment: bool,
    /// When it was ended, if it was: a rule may let it last longer.
    pub ended_at: Option<Timestamp>,
}

impl Standstill {
    /// Until when it lasts, where one lasts at least `at_least_days` unless it is ended, and one for a
    /// treatment `after_treatment_days` beyond its end; `None` while nobody knows.
    #[must_use]
    pub fn lasts_until(&self, at_least_days: i64, after_treatment_days: i64) -> Option<Timestamp> {
        let beyond = Days::whole(if self.treatment {
            after_treatment_days
        } else {
            0
        });
        if let Some(ended) = self.ended_at {
            return Some(ended + beyond);
        }
        // A treatment lasts until it is over, whatever was thought at its begin.
        let until = self.until.filter(|_| !self.treatment)?;
        Some(until.max(self.from + Days::whole(at_least_days)))
    }
}

/// Money that no invoice could be found for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmatched {
    /// When it arrived.
    pub at: Timestamp,
    /// How much, in minor units, if that is known.
    pub minor: Option<i64>,
    /// Of which currency, if that is known.
    pub currency: Option<Currency>,
}

/// Everything that may stop a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stops {
    /// Nothing is owed, or the debt was given up.
    pub closed: bool,
    /// The case is with a collector.
    pub in_collection: bool,
    /// Money is on its way.
    pub payment_in_flight: bool,
    /// Money that may be meant for the invoice, not yet matched or paid back.
    pub unmatched: Vec<Unmatched>,
    /// The invoice, or all that the customer owes, is contested.
    pub disputed: bool,
    /// The day promised last.
    pub promised_until: Option<Timestamp>,
    /// A payment plan runs.
    pub plan_running: bool,
    /// Holds that have been placed and not released, expired ones among them.
    pub holds: Vec<Hold>,
    /// The last standstill, ended, expired or not.
    pub standstill: Option<Standstill>,
    /// Since when a plan is being drawn up that has not come about yet.
    pub plan_prepared_since: Option<Timestamp>,
    /// The customer is vulnerable.
    pub vulnerable: bool,
    /// The customer died.
    pub deceased: bool,
    /// The customer is bankrupt.
    pub bankrupt: bool,
    /// The customer is under age.
    pub minor: bool,
}

impl Stops {
    /// Reads what stands in the way of `state`. Events without an invoice are about them all.
    #[must_use]
    pub fn of(view: &View<'_>, state: &InvoiceState<'_>) -> Self {
        let customer = view.customer();
        let mut stops = Self {
            closed: state.is_closed(),
            in_collection: state.in_collection,
            payment_in_flight: state.payment_in_flight_since.is_some(),
            disputed: state.disputed,
            promised_until: state.promised_until,
            plan_running: state.plan_running,
            vulnerable: customer.and_then(|one| one.vulnerable) == Some(true),
            minor: customer.and_then(|one| one.minor) == Some(true),
            ..Self::default()
        };
        let mut account = Account::default();
        for event in view.events() {
            stops.apply_to_person(event);
            match event.invoice_id() {
                None => {
                    account.apply(event, view.now());
                    stops.apply(event);
                }
                Some(id) if *id == state.invoice.invoice_id => stops.apply(event),
                Some(_) => {}
            }
            if event.kind() == EventType::PaymentSucceeded {
                account.paying_since = None;
            }
        }
        stops.payment_in_flight |= account
            .paying_since
            .is_some_and(|since| view.now().days_since(since) <= IN_FLIGHT_DAYS as f64);
        stops.in_collection |= account.in_collection;
        stops.disputed |= account.disputed;
        stops.plan_running |= account.plan_running;
        stops.promised_until = stops.promised_until.max(account.promised_until);
        stops
    }

    /// What is true of the person, whichever invoice it was learnt with.
    fn apply_to_person(&mut self, event: Known<'_>) {
        match event.kind() {
            EventType::PaymentUnmatched => self.unmatched.push(Unmatched {
                at: event.occurred_at(),
                minor: event.amount().map(|money| money.minor_units),
                currency: event.amount().map(|money| money.currency),
            }),
            // Money is matched once as much is booked on some invoice or paid back.
            EventType::PaymentSucceeded | EventType::PaymentRefunded => {
                let booked = event.amount().map(|money| money.minor_units);
                let found = self.unmatched.iter().position(|one| one.minor == booked);
                if let Some(found) = found {
                    self.unmatched.remove(found);
                }
            }
            EventType::MoratoriumStarted => {
                self.standstill = Some(Standstill {
                    from: event.occurred_at(),
                    until: event.until(),
                    treatment: event.reason() == Some(TREATMENT),
                    ended_at: None,
                });
            }
            EventType::MoratoriumEnded => {
                if let Some(standstill) = &mut self.standstill {
                    standstill.ended_at.get_or_insert(event.occurred_at());
                }
            }
            EventType::VulnerabilityFlagged => self.vulnerable = true,
            EventType::CustomerDeceased => self.deceased = true,
            EventType::CustomerBankrupt => self.bankrupt = true,
            _ => {}
        }
    }

    fn apply(&mut self, event: Known<'_>) {
        if matches!(
            event.kind(),
            EventType::SupportContacted | EventType::HoldPlaced
        ) && event.reason() == Some(PLAN_IN_PREPARATION)
        {
            self.plan_prepared_since = Some(event.occurred_at());
        }
        match event.kind() {
            // It has come about, or came to nothing.
            EventType::PlanStarted | EventType::PlanEnded => self.plan_prepared_since = None,
            EventType::HoldPlaced => {
                self.release(event);
                self.holds.push(Hold {
                    on_invoice: event.invoice_id().is_some(),
                    channel: event.channel(),
                    purpose: Purpose::stated(event),
                    until: event.until(),
                });
            }
            EventType::HoldReleased => self.release(event),
            _ => {}
        }
    }

    /// A hold ends with a release of the same scope, or with a newer hold of that scope.
    fn release(&mut self, event: Known<'_>) {
        let scope = (
            event.invoice_id().is_some(),
            event.channel(),
            Purpose::stated(event),
        );
        self.holds
            .retain(|hold| (hold.on_invoice, hold.channel, hold.purpose) != scope);
    }

    /// Whether any of the stops that end a case, or suspend it, is in force at `now`. Whether
    /// unmatched money covers the invoice and how long promises are believed in is for rules.
    #[must_use]
    pub fn any(&self, now: Timestamp) -> bool {
        let open = |until: Option<Timestamp>| until.is_none_or(|until| until > now);
        self.closed
            || self.in_collection
            || self.payment_in_flight
            || self.disputed
            || self.plan_running
            || self.deceased
            || self.bankrupt
            || self.minor
            || self.promised_until.is_some_and(|until| until > now)
            || self
                .standstill
                .is_some_and(|one| open(one.lasts_until(0, 0)))
            || self
                .holds
                .iter()
                .any(|hold| hold.channel.is_none() && hold.purpose.is_none() && open(hold.until))
    }
}

/// What events without an invoice say about all that a customer owes.
#[derive(Debug, Default)]
struct Account {
    in_collection: bool,
    disputed: bool,
    plan_running: bool,
    promised_until: Option<Timestamp>,
    paying_since: Option<Timestamp>,
}

impl Account {
    fn apply(&mut self, event: Known<'_>, now: Timestamp) {
        match event.kind() {
            EventType::CollectionOpened => self.in_collection = true,
            EventType::CollectionRecalled => self.in_collection = false,
            EventType::DisputeOpened => self.disputed = true,
            EventType::DisputeResolved => self.disputed = false,
            EventType::PromiseMade => self.promised_until = event.until(),
            EventType::PlanStarted => {
                self.plan_running = event.until().is_none_or(|until| until > now);
            }
            EventType::PlanEnded => self.plan_running = false,
            EventType::PaymentInitiated => self.paying_since = Some(event.occurred_at()),
            EventType::PaymentFailed => self.paying_since = None,
            _ => {}
        }
    }
}

/// When a person was last asked to look at the invoice.
pub(super) fn review_asked_at(view: &View<'_>, invoice_id: &InvoiceId) -> Option<Timestamp> {
    let mut events = view.events().rev();
    let asked = events.find(|event| {
        event.kind() == EventType::HoldPlaced
            && event.reason() == Some(HUMAN_REVIEW)
            && event.invoice_id() == Some(invoice_id)
    });
    asked.map(Known::occurred_at)
}
