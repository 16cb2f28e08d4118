//! The morning of a simulated day: who is invoiced, and what will become of it if nobody does
//! anything.

use super::{Day, Life};
use crate::simulator::bill::Bill;
use crate::simulator::noise::For;
use lagom_features::domain::{Invoice, InvoiceId, Money};

/// Hour of the morning, after the night's run has asked for decisions.
const ISSUES_AT: i8 = 7;

impl Life {
    pub(super) fn issue(&mut self, day: &mut Day) {
        let (today, world, noise) = (self.today, &self.world, self.noise);
        let day_of_month = today.civil().day();
        for (who, person) in self.people.iter().enumerate() {
            if person.issue_day != day_of_month || person.left_on.is_some() {
                continue;
            }
            let payer = &world.payer[person.payer];
            let due_on = today.plus_days(i32::from(world.invoices.terms_days));
            let late = !noise.happens(payer.on_time, who, today.days(), For::OnTime);
            let early = (noise.uniform(who, today.days(), For::PayEarly).powi(2) * 12.0) as i32;
            let (opens, clicks) = if late {
                (payer.opens, payer.clicks)
            } else {
                (0.85, 0.5)
            };
            let opened = noise.happens(opens, who, today.days(), For::Open);
            let disputed = (late
                && noise.happens(
                    world.invoices.dispute_share,
                    who,
                    today.days(),
                    For::Dispute,
                ))
            .then(|| (due_on.plus_days(1), due_on.plus_days(22)));
            let serial = self.serial;
            self.serial += 1;
            let invoice = Invoice {
                invoice_id: InvoiceId::new(format!("i{serial:07}")).expect("a number is an id"),
                customer_id: person.customer.customer_id.clone(),
                issued_at: today.at(ISSUES_AT, &world.time_zone),
                due_on,
                amount: Money::new(person.amount_minor, world.currency),
                terms_days: Some(world.invoices.terms_days),
                payment_method: Some(
                    if person.customer.autopay == Some(true) {
                        "direct_debit"
                    } else {
                        "bank_transfer"
                    }
                    .into(),
                ),
                billing_channel: Some("email".into()),
                product: None,
            };
            self.by_invoice
                .insert(invoice.invoice_id.clone(), (who, serial));
            if due_on >= self.judged.0 && due_on <= self.judged.1 {
                self.tally.invoices += 1;
                self.tally.billed_minor += person.amount_minor;
            }
            day.invoices.push(invoice.clone());
            self.bills.push(Bill {
                who,
                serial,
                unpaid_minor: person.amount_minor,
                pays_on: (!late).then(|| {
                    if person.customer.autopay == Some(true) {
                        due_on
                    } else {
                        due_on.plus_days(-early)
                    }
                }),
                rest_on: None,
                opens_on: opened.then(|| {
                    today.plus_days((noise.uniform(who, today.days(), For::Click) * 20.0) as i32)
                }),
                clicks: noise.happens(clicks, who, today.days(), For::Click),
                disputed,
                claimed_on: None,
                in_collection: false,
                invoice,
            });
        }
    }
}
