//! An unpaid invoice of a simulated customer, on its way to being paid or given up.

use lagom_features::domain::{Date, Invoice};

/// What one customer owes for one month.
#[derive(Debug, Clone)]
pub(super) struct Bill {
    pub(super) who: usize,
    /// Position among all invoices of the simulation.
    pub(super) serial: usize,
    pub(super) invoice: Invoice,
    pub(super) unpaid_minor: i64,
    /// The day on which it will be paid whatever is sent, for those who pay on time.
    pub(super) pays_on: Option<Date>,
    /// The day on which a second part follows, whatever is sent.
    pub(super) rest_on: Option<Date>,
    pub(super) opens_on: Option<Date>,
    pub(super) clicks: bool,
    pub(super) disputed: Option<(Date, Date)>,
    pub(super) claimed_on: Option<Date>,
    pub(super) in_collection: bool,
}

impl Bill {
    pub(super) fn is_disputed_on(&self, day: Date) -> bool {
        self.disputed
            .is_some_and(|(from, until)| day >= from && day < until)
    }
}
