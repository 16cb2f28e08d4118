//! A fact on its way into a customer's history: what happened, when, and when lagom learnt it.

use lagom_features::History;
use lagom_features::domain::{Customer, CustomerId, Event, EventId, Invoice, Timestamp};

/// What an event of the interface says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The customer is new or has changed.
    Customer(Customer),
    /// An invoice was issued or corrected.
    Invoice(Invoice),
    /// Anything else. Its own times and key equal those of the [`Recording`].
    Fact(Event),
}

/// One record of a customer's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Key, unique within the customer.
    pub event_id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When lagom learnt it.
    pub recorded_at: Timestamp,
    /// What happened.
    pub what: What,
}

impl Recording {
    /// About whom.
    #[must_use]
    pub fn customer_id(&self) -> &CustomerId {
        match &self.what {
            What::Customer(customer) => &customer.customer_id,
            What::Invoice(invoice) => &invoice.customer_id,
            What::Fact(event) => &event.customer_id,
        }
    }

    /// The same, learnt at `at`, or when it happened if that is later.
    #[must_use]
    pub fn learnt(mut self, at: Timestamp) -> Self {
        self.recorded_at = at.max(self.occurred_at);
        if let What::Fact(event) = &mut self.what {
            event.recorded_at = self.recorded_at;
        }
        self
    }

    /// Puts it into the history of its customer.
    pub fn apply(self, history: &mut History) {
        match self.what {
            What::Customer(customer) => history.record_customer(self.recorded_at, customer),
            What::Invoice(invoice) => history.record_invoice(self.recorded_at, invoice),
            What::Fact(event) => {
                history.record_event(&event);
            }
        }
    }
}
