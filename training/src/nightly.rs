//! The nightly run of a simulated company: who is asked about, what is planned, what is due. One
//! planner for every simulation, whoever answers: a server over gRPC or a snapshot in memory.

use crate::simulator::Life;
use lagom_features::domain::{CustomerId, Date, InvoiceId, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// When the nightly run asks, local time.
pub const ASKS_AT: i8 = 6;
/// Days after the due date until a case is left to others.
const PATIENCE_DAYS: i32 = 60;

/// A step that was advised for later: for whom, about what, when, and the advice itself.
#[derive(Debug, Clone)]
pub struct Planned<A> {
    /// For whom.
    pub customer_id: CustomerId,
    /// About what.
    pub invoice_id: InvoiceId,
    /// From when on.
    pub send_at: Timestamp,
    /// The advice.
    pub advice: A,
}

/// What a company remembers between its nights.
#[derive(Debug)]
pub struct Nightly<A> {
    ask_again: HashMap<InvoiceId, Timestamp>,
    planned: BTreeMap<Date, Vec<Planned<A>>>,
}

impl<A> Default for Nightly<A> {
    fn default() -> Self {
        Self {
            ask_again: HashMap::new(),
            planned: BTreeMap::new(),
        }
    }
}

impl<A> Nightly<A> {
    /// Invoices that are due and unpaid and whose time has come at `now`, a customer's together.
    #[must_use]
    pub fn questions(&self, life: &Life, now: Timestamp) -> Vec<(CustomerId, InvoiceId)> {
        let mut questions: Vec<(CustomerId, InvoiceId)> = life
            .unpaid()
            .filter(|(_, invoice_id, due_on)| {
                let after = life.today().days_since(*due_on);
                let again = self.ask_again.get(invoice_id);
                (0..=PATIENCE_DAYS).contains(&after) && again.is_none_or(|&at| at <= now)
            })
            .map(|(customer_id, invoice_id, _)| (customer_id.clone(), invoice_id.clone()))
            .collect();
        questions.sort();
        questions
    }

    /// Remembers when to ask about an invoice again.
    pub fn ask_again(&mut self, invoice_id: InvoiceId, at: Timestamp) {
        self.ask_again.insert(invoice_id, at);
    }

    /// Remembers a step that is to be carried out on a day.
    pub fn plan(&mut self, on: Date, step: Planned<A>) {
        self.planned.entry(on).or_default().push(step);
    }

    /// The steps of a day, in the order in which they are carried out.
    pub fn due(&mut self, on: Date) -> Vec<Planned<A>> {
        let mut due = self.planned.remove(&on).unwrap_or_default();
        due.sort_by(|a, b| {
            (a.send_at, &a.customer_id, &a.invoice_id).cmp(&(
                b.send_at,
                &b.customer_id,
                &b.invoice_id,
            ))
        });
        due
    }
}
