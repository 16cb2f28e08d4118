//! The state of each invoice as far as a [`View`] knows it: what is open, when it was settled,
//! what stands in the way of asking for it.

use crate::domain::{Date, EventType, Invoice, InvoiceId, Timestamp, Zone};
use crate::history::{Known, Slot, View};

/// How long money that is on its way is believed in when nothing more is heard of it.
pub const IN_FLIGHT_DAYS: i64 = 7;

/// One invoice at one instant.
#[derive(Debug, Clone)]
pub struct InvoiceState<'a> {
    /// The invoice as issued or last corrected.
    pub invoice: &'a Invoice,
    /// The due date that holds now.
    pub due_on: Date,
    /// What is still owed, in minor units; below zero after an overpayment.
    pub outstanding_minor: i64,
    /// What was paid and not refunded, in minor units.
    pub paid_minor: i64,
    /// When the last missing amount arrived, if nothing is owed.
    pub settled_at: Option<Timestamp>,
    /// When the settlement became known.
    pub settled_known_at: Option<Timestamp>,
    /// When a payment was started that has neither arrived nor failed.
    pub payment_in_flight_since: Option<Timestamp>,
    /// An open dispute.
    pub disputed: bool,
    /// The day promised last, kept or not.
    pub promised_until: Option<Timestamp>,
    /// A payment plan runs for this invoice.
    pub plan_running: bool,
    /// The case is with a collector.
    pub in_collection: bool,
    /// The debt was given up.
    pub written_off: bool,
}

impl<'a> InvoiceState<'a> {
    fn new(invoice: &'a Invoice) -> Self {
        Self {
            invoice,
            due_on: invoice.due_on,
            outstanding_minor: invoice.amount.minor_units,
            paid_minor: 0,
            settled_at: None,
            settled_known_at: None,
            payment_in_flight_since: None,
            disputed: false,
            promised_until: None,
            plan_running: false,
            in_collection: false,
            written_off: false,
        }
    }

    /// Whether nothing is owed any more, by payment, credit or giving up.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.written_off || self.outstanding_minor <= 0
    }

    /// First instant after the due date in `zone`: from here on the invoice is late.
    #[must_use]
    pub fn late_from(&self, zone: &Zone) -> Timestamp {
        self.due_on.plus_days(1).start(zone)
    }

    /// Whole days from the due date to the settlement in `zone`, negative if early.
    #[must_use]
    pub fn lag_days(&self, zone: &Zone) -> Option<i32> {
        self.settled_at
            .map(|at| at.date(zone).days_since(self.due_on))
    }

    fn owe(&mut self, change_minor: i64, event: Known<'_>) {
        let was_open = self.outstanding_minor > 0;
        self.outstanding_minor = self.outstanding_minor.saturating_add(change_minor);
        if self.outstanding_minor > 0 {
            self.settled_at = None;
            self.settled_known_at = None;
        } else if was_open {
            self.settled_at = Some(event.occurred_at());
            self.settled_known_at = Some(event.recorded_at());
        }
    }

    fn apply(&mut self, event: Known<'_>, now: Timestamp) {
        // Amounts of another currency are refused at the door, so minor units may be added here.
        let amount = || event.amount().map_or(0, |money| money.minor_units);
        match event.kind() {
            EventType::PaymentInitiated => self.payment_in_flight_since = Some(event.occurred_at()),
            EventType::PaymentSucceeded => {
                self.payment_in_flight_since = None;
                self.paid_minor = self.paid_minor.saturating_add(amount());
                self.owe(0_i64.saturating_sub(amount()), event);
            }
            EventType::PaymentFailed => self.payment_in_flight_since = None,
            EventType::PaymentRefunded => {
                self.paid_minor = self.paid_minor.saturating_sub(amount());
                self.owe(amount(), event);
            }
            EventType::CreditIssued => self.owe(0_i64.saturating_sub(amount()), event),
            EventType::DueDateChanged => {
                if let Some(until) = event.until() {
                    self.due_on = until.date(&Zone::utc());
                }
            }
            EventType::DisputeOpened => self.disputed = true,
            EventType::DisputeResolved => self.disputed = false,
            EventType::PromiseMade => self.promised_until = event.until(),
            EventType::PlanStarted => {
                self.plan_running = event.until().is_none_or(|until| until > now);
            }
            EventType::PlanEnded => self.plan_running = false,
            EventType::CollectionOpened => self.in_collection = true,
            EventType::CollectionRecalled => self.in_collection = false,
            EventType::WrittenOff => self.written_off = true,
            _ => {}
        }
    }

    fn forget_stale_payment(&mut self, now: Timestamp) {
        let stale = |since: Timestamp| now.days_since(since) > IN_FLIGHT_DAYS as f64;
        if self.payment_in_flight_since.is_some_and(stale) {
            self.payment_in_flight_since = None;
        }
    }
}

/// Every invoice of a customer at one instant, by first recording.
#[derive(Debug, Clone)]
pub struct Ledger<'a> {
    states: Vec<InvoiceState<'a>>,
    /// Place in `states` by slot.
    places: Vec<Option<u32>>,
}

/// Memory of a ledger that is no longer wanted; see [`Ledger::in_memory`].
#[derive(Debug, Default)]
pub struct LedgerMemory {
    states: Vec<InvoiceState<'static>>,
    places: Vec<Option<u32>>,
    last: Vec<Option<u32>>,
}

impl<'a> Ledger<'a> {
    /// Folds the events of `view` over its invoices.
    #[must_use]
    pub fn of(view: &View<'a>) -> Self {
        Self::in_memory(view, &mut LedgerMemory::default())
    }

    /// [`Self::of`] in memory that [`Self::recycle`] gave back; nothing is allocated where it is
    /// large enough.
    #[must_use]
    pub fn in_memory(view: &View<'a>, memory: &mut LedgerMemory) -> Self {
        let mut states: Vec<InvoiceState<'a>> = std::mem::take(&mut memory.states);
        let mut places = std::mem::take(&mut memory.places);
        places.clear();
        places.resize(view.slots(), None);
        view.each_invoice(&mut memory.last, |slot, invoice| {
            places[slot.index()] = Some(states.len() as u32);
            states.push(InvoiceState::new(invoice));
        });
        for event in view.events() {
            if let Some(place) = event.slot().and_then(|slot| places[slot.index()]) {
                states[place as usize].apply(event, view.now());
            }
        }
        for state in &mut states {
            state.forget_stale_payment(view.now());
        }
        Self { states, places }
    }

    /// Gives the memory back for the next ledger.
    pub fn recycle(mut self, memory: &mut LedgerMemory) {
        self.states.clear();
        // Nothing is left to convert: the vector only changes its type and keeps its memory.
        let empty = self.states.into_iter().map(|_| unreachable!("cleared"));
        memory.states = empty.collect();
        memory.places = self.places;
    }

    /// The state of one invoice.
    #[must_use]
    pub fn invoice(&self, id: &InvoiceId) -> Option<&InvoiceState<'a>> {
        self.states
            .iter()
            .find(|state| &state.invoice.invoice_id == id)
    }

    /// Place of an invoice in [`Self::invoices`].
    pub(crate) fn place(&self, slot: Slot) -> Option<usize> {
        self.places[slot.index()].map(|place| place as usize)
    }

    /// Every state.
    #[must_use]
    pub fn invoices(&self) -> &[InvoiceState<'a>] {
        &self.states
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::{Currency, CustomerId, Event, EventId, Money};
    use crate::history::History;

    fn t(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn history(facts: &[(EventType, i64, &str)]) -> History {
        let customer_id = CustomerId::new("c").unwrap();
        let mut history = History::new();
        history.record_invoice(
            t("2026-01-01"),
            Invoice {
                invoice_id: InvoiceId::new("i").unwrap(),
                customer_id: customer_id.clone(),
                issued_at: t("2026-01-01"),
                due_on: Date::parse("2026-01-31").unwrap(),
                amount: Money::new(1000, Currency::SEK),
                terms_days: Some(30),
                payment_method: None,
                billing_channel: None,
                product: None,
            },
        );
        for (n, &(kind, amount, at)) in facts.iter().enumerate() {
            let id = EventId::new(format!("e{n}")).unwrap();
            let mut event = Event::new(id, kind, customer_id.clone(), t(at), t(at));
            event.invoice_id = Some(InvoiceId::new("i").unwrap());
            event.amount = (amount > 0).then(|| Money::new(amount, Currency::SEK));
            event.until = Some(t("2026-03-01"));
            history.record_event(&event);
        }
        history
    }

    fn state<'a>(history: &'a History, at: &str) -> InvoiceState<'a> {
        Ledger::of(&history.as_of(t(at))).invoices()[0].clone()
    }

    #[test]
    fn part_payments_settle_when_the_last_arrives_and_a_refund_reopens() {
        use EventType::{PaymentRefunded, PaymentSucceeded};
        let history = history(&[
            (PaymentSucceeded, 400, "2026-01-20"),
            (PaymentSucceeded, 600, "2026-02-05"),
            (PaymentRefunded, 100, "2026-02-10"),
        ]);
        let zone = Zone::utc();
        assert_eq!(state(&history, "2026-02-05").outstanding_minor, 600);
        let settled = state(&history, "2026-02-06");
        assert!(settled.is_closed());
        assert_eq!(settled.lag_days(&zone), Some(5));
        assert_eq!(settled.late_from(&zone), t("2026-02-01"));
        let reopened = state(&history, "2026-02-11");
        assert_eq!(
            (reopened.outstanding_minor, reopened.paid_minor),
            (100, 900)
        );
        assert_eq!(reopened.settled_at, None);
    }

    #[test]
    fn obstacles_come_and_go() {
        use EventType::{DisputeOpened, DisputeResolved, DueDateChanged, PaymentInitiated};
        let history = history(&[
            (DisputeOpened, 0, "2026-01-10"),
            (DisputeResolved, 0, "2026-01-12"),
            (PaymentInitiated, 0, "2026-01-14"),
            (DueDateChanged, 0, "2026-01-15"),
        ]);
        assert!(state(&history, "2026-01-11").disputed);
        assert!(!state(&history, "2026-01-13").disputed);
        assert!(
            state(&history, "2026-01-16")
                .payment_in_flight_since
                .is_some()
        );
        assert!(
            state(&history, "2026-01-30")
                .payment_in_flight_since
                .is_none()
        );
        assert_eq!(
            state(&history, "2026-01-30").due_on.to_string(),
            "2026-03-01"
        );
    }
}
