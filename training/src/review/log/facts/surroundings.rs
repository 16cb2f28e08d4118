//! What customers are, what they owe, and what happened, as far as it was known.

use lagom_features::domain::EventType;

use super::bill::{Bill, Move, UNDESCRIBED};
use super::gather::{Gather, NONE};
use super::rows::{CustomerRow, FactRow, InvoiceRow, Log};
use crate::keys::{Key, key};
use crate::review::ReviewError;

/// Which way money went with an event, 0 where none did; none where a review does not look at it.
const fn sign(kind: EventType) -> Option<i64> {
    use EventType as E;
    match kind {
        E::PaymentSucceeded | E::CreditIssued => Some(1),
        E::PaymentRefunded => Some(-1),
        E::ContactSent
        | E::SupportContacted
        | E::ComplaintMade
        | E::CustomerChurned
        | E::ConsentWithdrawn
        | E::CollectionOpened => Some(0),
        _ => None,
    }
}

impl Gather {
    /// Reads everything but decisions and outcomes.
    pub(super) fn surroundings(&mut self, log: &dyn Log) -> Result<(), ReviewError> {
        let (mut keys, mut places) = (Vec::new(), Vec::new());
        log.customers(&mut |rows| {
            keys.clear();
            keys.extend(rows.iter().map(|one| key(one.customer_id)));
            self.customers.get_all(&keys, &mut places);
            for (one, place) in rows.iter().zip(&places) {
                if let Some(customer) = place {
                    self.describe(*customer, one);
                }
            }
        })?;
        log.invoices(&mut |rows| {
            keys.clear();
            keys.extend(rows.iter().map(|one| key(one.invoice_id)));
            self.index.fetch(keys.iter().copied());
            for (one, id) in rows.iter().zip(&keys) {
                self.invoice(*id, one);
            }
        })?;
        // Most events of most logs are payments; what is not used of this is never touched.
        self.moves.reserve_exact(log.sizes().events);
        let mut foreign = None;
        let mut rows_of = Vec::new();
        log.events(&mut |rows| {
            rows_of.clear();
            let known = |row: &usize| rows[*row].recorded_at <= self.as_of;
            let looked_at = |row: &usize| sign(rows[*row].kind).is_some();
            rows_of.extend((0..rows.len()).filter(looked_at).filter(known));
            keys.clear();
            // No invoice is called nothing.
            let invoice = |row: &usize| key(rows[*row].invoice_id.unwrap_or(""));
            keys.extend(rows_of.iter().map(invoice));
            self.index.get_all(&keys, &mut places);
            for (row, bill) in rows_of.iter().zip(&places) {
                if let Some(fault) = self.event(&rows[*row], *bill) {
                    foreign.get_or_insert(fault);
                }
            }
        })?;
        match foreign {
            Some(fault) => Err(ReviewError::Log(fault)),
            None => Ok(()),
        }
    }

    fn describe(&mut self, customer: u32, one: &CustomerRow<'_>) {
        if one.recorded_at > self.as_of {
            return;
        }
        let segment = one.segment.map(|name| self.segments.place(name));
        self.each(customer, |person| {
            if person.is_described_by(one.recorded_at) {
                person.described = Some(one.recorded_at);
                person.segment = segment;
                person.annual_margin_minor = one.annual_margin_minor;
            }
        });
    }

    fn invoice(&mut self, id: Key, one: &InvoiceRow<'_>) {
        if one.recorded_at > self.as_of {
            return;
        }
        let bill = self.index.get(id).or_else(|| {
            let customer = self.customers.get(key(one.customer_id))?;
            self.bills.push(Bill::of(customer as u32));
            Some(self.index.place(id).0)
        });
        let Some(bill) = bill else {
            return;
        };
        let currency = self.currencies.place(one.currency);
        let bill = &mut self.bills[bill];
        if one.recorded_at >= bill.recorded_at {
            bill.recorded_at = one.recorded_at;
            bill.issued_at = one.issued_at;
            bill.amount_minor = one.amount_minor;
            bill.currency = currency;
        }
    }

    /// Takes an event with its invoice, where that is known; a text where its currency is not its
    /// invoice's.
    fn event(&mut self, one: &FactRow<'_>, bill: Option<u32>) -> Option<String> {
        let sign = sign(one.kind)?;
        let customer = match bill {
            Some(bill) => self.bills[bill as usize].customer,
            None => self.customers.get(key(one.customer_id))? as u32,
        };
        if let (Some(bill), Some((minor, currency))) = (bill, one.amount) {
            let of_bill = &self.bills[bill as usize];
            let described = of_bill.currency != UNDESCRIBED;
            if described && self.currencies.get(of_bill.currency) != currency {
                return Some(format!("an event is in {currency}, its invoice is not"));
            }
            if sign != 0 && of_bill.person != NONE && one.occurred_at <= self.as_of {
                self.moves.push(Move {
                    bill,
                    at: one.occurred_at,
                    minor: sign * minor,
                });
            }
        }
        let paid = match (one.kind, one.amount) {
            (EventType::PaymentSucceeded, Some((minor, _))) => minor,
            _ => 0,
        };
        let window_days = self.window_days;
        self.each(customer, |person| {
            if paid != 0 && person.was_before(one.occurred_at) {
                person.paid_before_minor += paid;
            }
            let day = one.occurred_at.days_since(person.exposed);
            if sign == 0 && (0.0..window_days).contains(&day) {
                person.met(one.kind);
            }
        });
        None
    }
}
