//! Everything that rules and the ladder read of a case, computed once a decision.

mod consent;
mod contact;
mod payer;
mod stops;

pub use consent::{Consent, Purpose};
pub use contact::{CHANNEL_NATIVE, Contact, Reserved, Rung};
pub use payer::{FEWEST_SETTLED, MEMORY_DAYS, Payer, RELIABLE_LAG_DAYS};
pub use stops::{HUMAN_REVIEW, Hold, PLAN_IN_PREPARATION, Standstill, Stops, TREATMENT, Unmatched};

use super::zones;
use crate::hazard::Moment;
use lagom_features::domain::{
    Channel, Country, Currency, Customer, CustomerKind, Date, Days, EventType, InvoiceId, Kind,
    Timestamp, Timing, Zone,
};
use lagom_features::{Known, Ledger, View};
use std::collections::BTreeMap;

/// One invoice of one customer as rules see it, at one instant.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The instant.
    pub now: Timestamp,
    /// Where the customer lives.
    pub country: Option<Country>,
    /// Consumer or business.
    pub customer_kind: Option<CustomerKind>,
    /// Every zone that the customer may be in: one if it is known, those of the country if not,
    /// none if neither is known.
    pub zones: Vec<Zone>,
    /// The day of `now` in [`Self::zone`].
    pub today: Date,
    /// The due date that holds now.
    pub due_on: Date,
    /// Days from the due date to `today`; negative before it.
    pub days_from_due: i32,
    /// Where the invoice stands, as models read it.
    pub moment: Moment,
    /// What is still owed, in minor units.
    pub outstanding_minor: i64,
    /// Of the invoice.
    pub currency: Currency,
    /// The company's own segment of the customer.
    pub segment: Option<String>,
    /// What the invoice is for, in the company's words.
    pub product: Option<Box<str>>,
    /// How the invoice is to be paid, in the company's words.
    pub payment_method: Option<Box<str>>,
    /// Whether invoices are paid automatically.
    pub autopay: bool,
    /// Every message to the customer that is known, about any invoice, oldest first; pending ones
    /// behind them.
    pub contacts: Vec<Contact>,
    /// Who may be written to over what.
    pub consent: Consent,
    /// What stands in the way of asking for money.
    pub stops: Stops,
    /// Channels that did not reach the customer, and when that was last seen.
    pub undelivered: BTreeMap<Channel, Timestamp>,
    /// When something was last opened or clicked over each channel.
    pub seen: BTreeMap<Channel, Timestamp>,
    /// Debits of this invoice that failed since money last arrived.
    pub failed_debits: Vec<Timestamp>,
    /// When the customer last spoke with a person over the telephone.
    pub last_conversation: Option<Timestamp>,
    /// How the customer pays.
    pub payer: Payer,
    /// When a person was last asked to look at this invoice.
    pub review_asked_at: Option<Timestamp>,
    /// P(late at all) of a new customer's invoice that is not late, as the model in force judges it:
    /// the one fact that no record tells. `None` without a model, and until whoever decides sets it;
    /// only conditions of the strategy read it, so that no model opens what a rule forbids.
    pub early_risk: Option<f64>,
}

impl Facts {
    /// Reads the facts of one invoice; `None` if the view does not know it.
    #[must_use]
    pub fn of(view: &View<'_>, ledger: &Ledger<'_>, invoice_id: &InvoiceId) -> Option<Self> {
        let state = ledger.invoice(invoice_id)?;
        let customer = view.customer();
        let country = customer.and_then(|one| one.country);
        let zones = match customer.and_then(|one| one.time_zone.clone()) {
            Some(zone) => vec![zone],
            None => country.map(zones::of).unwrap_or_default(),
        };
        let zone = zones.first().cloned().unwrap_or_else(Zone::utc);
        // What models were trained on reads a country without a zone as UTC.
        let model_zone = customer.map_or_else(Zone::utc, Customer::zone_or_utc);
        let now = view.now();
        let today = now.date(&zone);
        let stops = Stops::of(view, state);
        Some(Self {
            now,
            country,
            customer_kind: customer.and_then(|one| one.kind),
            today,
            due_on: state.due_on,
            days_from_due: today.days_since(state.due_on),
            moment: Moment::of(state, &model_zone, now),
            outstanding_minor: state.outstanding_minor,
            currency: state.invoice.amount.currency,
            segment: customer.and_then(|one| one.segment.clone()),
            product: state.invoice.product.clone(),
            payment_method: state.invoice.payment_method.clone(),
            autopay: autopay(view),
            contacts: contact::read(view, ledger, state, &zone),
            consent: Consent::of(view),
            stops,
            undelivered: undelivered(view),
            seen: seen(view),
            failed_debits: failed_debits(view, invoice_id),
            last_conversation: last_conversation(view),
            payer: Payer::of(ledger, state, now, &zone),
            review_asked_at: stops::review_asked_at(view, invoice_id),
            early_risk: None,
            zones,
        })
    }

    /// Counts steps that others have been let through with and not reported: each contact is spent,
    /// and a debit of the invoice is money on its way.
    pub fn reserve(&mut self, invoice_id: &InvoiceId, reserved: &[Reserved]) {
        for one in reserved {
            let on_invoice = one.invoice_id == *invoice_id;
            if one.action.kind == Kind::RetryDebit {
                self.stops.payment_in_flight |= on_invoice;
                continue;
            }
            self.contacts.push(Contact {
                at: one.at.max(self.now),
                channel: one.action.channel,
                tone: one.action.tone,
                kind: one.action.kind,
                on_invoice,
                native: false,
                fee_minor: one.fee_minor,
                pending_until: Some(one.until),
            });
        }
    }

    /// The zone in which days are counted: the customer's, or the first of the country, or UTC.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.zones.first().cloned().unwrap_or_else(Zone::utc)
    }

    /// First and last instant at which an action of this timing would be carried out. A slot
    /// that has begun begins now; one that has passed is empty.
    #[must_use]
    pub fn slot(&self, timing: Timing) -> (Timestamp, Timestamp) {
        let (from, until) = timing.slot(self.today, &self.zone());
        (from.max(self.now), until.max(self.now))
    }

    /// Contacts about this invoice.
    pub fn contacts_on_invoice(&self) -> impl DoubleEndedIterator<Item = &Contact> + Clone {
        self.contacts.iter().filter(|contact| contact.on_invoice)
    }

    /// The highest rung reached on this invoice: two reminders weigh as much as a final one. What is
    /// pending has reached nobody yet.
    #[must_use]
    pub fn rung_reached(&self) -> Rung {
        let sent = self.contacts_on_invoice();
        let sent = sent.filter(|one| !one.native && one.pending_until.is_none());
        let reminders = sent.clone().filter(|one| one.rung() == Rung::Reminder);
        let highest = sent.map(Contact::rung).max().unwrap_or(Rung::Notice);
        if reminders.count() >= 2 {
            return highest.max(Rung::Final);
        }
        highest
    }

    /// Whether the last message about this invoice over `channel` is at least `days` old, or could not
    /// be delivered, and nothing was opened or clicked since. Paper and the telephone do not tell.
    #[must_use]
    pub fn is_unseen(&self, channel: Channel, days: u16) -> bool {
        let mut sent = self.contacts_on_invoice().rev();
        let last = sent.find(|one| !one.native && one.channel == Some(channel));
        let tells = !matches!(channel, Channel::Letter | Channel::Phone);
        tells
            && last.is_some_and(|one| {
                let old = one.at + Days::whole(i64::from(days)) <= self.now;
                let failed = self.undelivered.get(&channel);
                let failed = failed.is_some_and(|failed| *failed >= one.at);
                (old || failed) && self.seen.get(&channel).is_none_or(|seen| *seen < one.at)
            })
    }

    /// Whether a hard stop is in force.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stops.any(self.now)
    }
}

fn autopay(view: &View<'_>) -> bool {
    let switched = view.events().rev().find_map(|event| match event.kind() {
        EventType::AutopayEnabled => Some(true),
        EventType::AutopayDisabled => Some(false),
        _ => None,
    });
    let described = || view.customer().and_then(|one| one.autopay);
    switched.or_else(described).unwrap_or(false)
}

/// The last word on each channel: a failure stands until something arrives over it.
fn undelivered(view: &View<'_>) -> BTreeMap<Channel, Timestamp> {
    let mut failed = BTreeMap::new();
    for event in view.events() {
        let Some(channel) = event.channel() else {
            continue;
        };
        match event.kind() {
            EventType::DeliveryFailed => {
                failed.insert(channel, event.occurred_at());
            }
            EventType::InvoiceDelivered | EventType::InvoiceOpened | EventType::LinkClicked => {
                failed.remove(&channel);
            }
            _ => {}
        }
    }
    failed
}

fn seen(view: &View<'_>) -> BTreeMap<Channel, Timestamp> {
    use EventType::{InvoiceOpened, InvoiceViewed, LinkClicked};
    let mut seen = BTreeMap::new();
    for event in view.events() {
        if let Some(channel) = event.channel()
            && matches!(event.kind(), InvoiceOpened | InvoiceViewed | LinkClicked)
        {
            seen.insert(channel, event.occurred_at());
        }
    }
    seen
}

fn failed_debits(view: &View<'_>, invoice_id: &InvoiceId) -> Vec<Timestamp> {
    let mut failed = Vec::new();
    for event in view.events() {
        if event.invoice_id() != Some(invoice_id) {
            continue;
        }
        match event.kind() {
            EventType::PaymentFailed => failed.push(event.occurred_at()),
            EventType::PaymentSucceeded => failed.clear(),
            _ => {}
        }
    }
    failed
}

fn last_conversation(view: &View<'_>) -> Option<Timestamp> {
    let spoke =
        |kind, channel| kind == EventType::SupportContacted && channel == Some(Channel::Phone);
    let mut events = view.events().rev();
    events
        .find(|event| spoke(event.kind(), event.channel()))
        .map(Known::occurred_at)
}
