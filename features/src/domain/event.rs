//! What happened, and when lagom learnt it.

use super::action::{Channel, Tone};
use super::fault::Fault;
use super::ids::{CustomerId, DecisionId, EventId, IdError, InvoiceId};
use super::money::{Money, too_large};
use super::named::named_enum;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

named_enum! {
    /// What an event says.
    pub enum EventType as "event type" {
        /// The invoice reached the customer's channel.
        InvoiceDelivered = "invoice_delivered",
        /// The invoice was opened.
        InvoiceOpened = "invoice_opened",
        /// The invoice was on a screen; `dwell_ms` says how long.
        InvoiceViewed = "invoice_viewed",
        /// A link in the invoice or a message was followed.
        LinkClicked = "link_clicked",
        /// The invoice or a message could not be delivered.
        DeliveryFailed = "delivery_failed",
        /// Money is on its way.
        PaymentInitiated = "payment_initiated",
        /// Money arrived.
        PaymentSucceeded = "payment_succeeded",
        /// A payment or debit failed.
        PaymentFailed = "payment_failed",
        /// Money was paid back.
        PaymentRefunded = "payment_refunded",
        /// Money arrived that no invoice could be found for.
        PaymentUnmatched = "payment_unmatched",
        /// A part of the debt was dropped.
        CreditIssued = "credit_issued",
        /// The due date moved to the day of `until`.
        DueDateChanged = "due_date_changed",
        /// The customer contests the invoice.
        DisputeOpened = "dispute_opened",
        /// The dispute ended.
        DisputeResolved = "dispute_resolved",
        /// The customer promised to pay by `until`.
        PromiseMade = "promise_made",
        /// A payment plan runs, until `until` where that is known.
        PlanStarted = "plan_started",
        /// The payment plan ended.
        PlanEnded = "plan_ended",
        /// A message was sent.
        ContactSent = "contact_sent",
        /// A message that had been decided was not sent.
        ContactSkipped = "contact_skipped",
        /// The customer contacted support; `dwell_ms` says how long until they were answered.
        SupportContacted = "support_contacted",
        /// The customer complained.
        ComplaintMade = "complaint_made",
        /// Consent for a channel (and purpose, in `reason`).
        ConsentGranted = "consent_granted",
        /// Consent withdrawn for a channel, or for all where none is named.
        ConsentWithdrawn = "consent_withdrawn",
        /// A legal or granted standstill, until `until` where that is known.
        MoratoriumStarted = "moratorium_started",
        /// The standstill ended.
        MoratoriumEnded = "moratorium_ended",
        /// The customer died.
        CustomerDeceased = "customer_deceased",
        /// The customer is bankrupt.
        CustomerBankrupt = "customer_bankrupt",
        /// A rating or NPS answer; the answer is in `reason`.
        FeedbackGiven = "feedback_given",
        /// Automatic payment switched on.
        AutopayEnabled = "autopay_enabled",
        /// Automatic payment switched off.
        AutopayDisabled = "autopay_disabled",
        /// Dunning stopped by hand, for the customer or one invoice, until `until` if given.
        HoldPlaced = "hold_placed",
        /// The hold was lifted.
        HoldReleased = "hold_released",
        /// The customer is vulnerable.
        VulnerabilityFlagged = "vulnerability_flagged",
        /// The case went to collection.
        CollectionOpened = "collection_opened",
        /// The case was called back from collection.
        CollectionRecalled = "collection_recalled",
        /// The customer left.
        CustomerChurned = "customer_churned",
        /// The customer came back.
        CustomerReturned = "customer_returned",
        /// The debt was given up.
        WrittenOff = "written_off",
    }
}

impl EventType {
    /// Whether an event of this type must carry an amount above zero.
    #[must_use]
    pub const fn needs_amount(self) -> bool {
        matches!(
            self,
            Self::PaymentSucceeded | Self::PaymentRefunded | Self::CreditIssued
        )
    }

    /// Whether an event of this type is about one invoice.
    #[must_use]
    pub const fn needs_invoice(self) -> bool {
        matches!(
            self,
            Self::InvoiceDelivered
                | Self::InvoiceOpened
                | Self::InvoiceViewed
                | Self::PaymentSucceeded
                | Self::PaymentRefunded
                | Self::CreditIssued
                | Self::DueDateChanged
                | Self::WrittenOff
        )
    }

    /// Whether an event of this type must say until when.
    #[must_use]
    pub const fn needs_until(self) -> bool {
        matches!(self, Self::PromiseMade | Self::DueDateChanged)
    }
}

/// One fact about a customer. Fields that its type does not use are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Key; a second event of the same id is a duplicate and changes nothing.
    pub event_id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When lagom learnt it.
    pub recorded_at: Timestamp,
    /// About whom.
    pub customer_id: CustomerId,
    /// About which invoice.
    pub invoice_id: Option<InvoiceId>,
    /// As a consequence of which decision.
    pub decision_id: Option<DecisionId>,
    /// What happened.
    pub kind: EventType,
    /// Over which channel.
    pub channel: Option<Channel>,
    /// In which tone.
    pub tone: Option<Tone>,
    /// How much.
    pub amount: Option<Money>,
    /// How it was paid.
    pub method: Option<String>,
    /// On which kind of device.
    pub device: Option<String>,
    /// For how long, in milliseconds.
    pub dwell_ms: Option<u32>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Why, in the company's words.
    pub reason: Option<String>,
}

impl Event {
    /// An event with nothing but what every event has.
    #[must_use]
    pub fn new(
        event_id: EventId,
        kind: EventType,
        customer_id: CustomerId,
        occurred_at: Timestamp,
        recorded_at: Timestamp,
    ) -> Self {
        Self {
            event_id,
            occurred_at,
            recorded_at,
            customer_id,
            invoice_id: None,
            decision_id: None,
            kind,
            channel: None,
            tone: None,
            amount: None,
            method: None,
            device: None,
            dwell_ms: None,
            until: None,
            reason: None,
        }
    }

    /// The event, borrowed.
    #[must_use]
    pub fn row(&self) -> EventRow<'_> {
        EventRow {
            event_id: self.event_id.as_str(),
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            customer_id: &self.customer_id,
            invoice_id: self.invoice_id.as_ref().map(InvoiceId::as_str),
            decision_id: self.decision_id.as_ref().map(DecisionId::as_str),
            kind: self.kind,
            channel: self.channel,
            tone: self.tone,
            amount: self.amount,
            method: self.method.as_deref(),
            device: self.device.as_deref(),
            dwell_ms: self.dwell_ms,
            until: self.until,
            reason: self.reason.as_deref(),
        }
    }

    /// Every fault that the types alone cannot exclude.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.row().faults()
    }
}

/// An [`Event`] whose texts stand elsewhere; its ids need not be well formed.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields of an event")]
pub struct EventRow<'a> {
    pub event_id: &'a str,
    pub occurred_at: Timestamp,
    pub recorded_at: Timestamp,
    pub customer_id: &'a CustomerId,
    pub invoice_id: Option<&'a str>,
    pub decision_id: Option<&'a str>,
    pub kind: EventType,
    pub channel: Option<Channel>,
    pub tone: Option<Tone>,
    pub amount: Option<Money>,
    pub method: Option<&'a str>,
    pub device: Option<&'a str>,
    pub dwell_ms: Option<u32>,
    pub until: Option<Timestamp>,
    pub reason: Option<&'a str>,
}

impl EventRow<'_> {
    /// Refuses ids that cannot be ids.
    ///
    /// # Errors
    /// The first [`IdError`].
    pub fn check_ids(&self) -> Result<(), IdError> {
        EventId::check(self.event_id)?;
        self.invoice_id.map_or(Ok(()), InvoiceId::check)?;
        self.decision_id.map_or(Ok(()), DecisionId::check)
    }

    /// Every fault of what it says, ids left aside.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let kind = self.kind;
        let mut faults = Vec::new();
        match self.amount {
            Some(amount) if amount.minor_units < 0 => faults.push(Fault::new(
                "amount_minor",
                format!(
                    "{} is negative; money back is payment_refunded, a reduction credit_issued",
                    amount.minor_units
                ),
            )),
            Some(amount) if amount.minor_units == 0 && kind.needs_amount() => {
                faults.push(Fault::new("amount_minor", format!("{kind} of nothing")));
            }
            None if kind.needs_amount() => {
                faults.push(Fault::new("amount_minor", format!("is needed for {kind}")));
            }
            _ => {}
        }
        faults.extend(
            self.amount
                .and_then(|amount| too_large("amount_minor", amount.minor_units)),
        );
        if kind.needs_invoice() && self.invoice_id.is_none() {
            faults.push(Fault::new("invoice_id", format!("is needed for {kind}")));
        }
        if kind.needs_until() && self.until.is_none() {
            faults.push(Fault::new("until", format!("is needed for {kind}")));
        }
        if kind == EventType::ContactSent && self.channel.is_none() {
            faults.push(Fault::new("channel", "is needed for contact_sent"));
        }
        if self.recorded_at < self.occurred_at {
            faults.push(Fault::new(
                "occurred_at",
                format!(
                    "{} lies after {}, when it was recorded: an event cannot come from the future",
                    self.occurred_at, self.recorded_at
                ),
            ));
        }
        faults
    }
}
