//! What is owed.

use super::fault::Fault;
use super::ids::{CustomerId, InvoiceId};
use super::money::{Money, too_large};
use super::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};

/// An invoice as issued. What has happened to it since is in the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Key.
    pub invoice_id: InvoiceId,
    /// Who owes.
    pub customer_id: CustomerId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Last day to pay without being late.
    pub due_on: Date,
    /// What is owed at issue; above zero.
    pub amount: Money,
    /// Agreed days from issue to due.
    pub terms_days: Option<u16>,
    /// How it is to be paid, in the company's words (`card`, `direct_debit`, `bank_transfer`).
    pub payment_method: Option<Box<str>>,
    /// How it was delivered, in the company's words (`email`, `paper`, `e_invoice`).
    pub billing_channel: Option<Box<str>>,
    /// What for, in the company's words.
    pub product: Option<Box<str>>,
}

impl Invoice {
    /// Every fault that the types alone cannot exclude.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.amount.minor_units <= 0 {
            faults.push(Fault::new(
                "amount_minor",
                format!(
                    "{} is not above zero; a credit is an event of type credit_issued",
                    self.amount.minor_units
                ),
            ));
        }
        faults.extend(too_large("amount_minor", self.amount.minor_units));
        faults
    }
}
