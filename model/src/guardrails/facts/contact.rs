//! Messages that a customer has received, whoever sent them.

use lagom_features::domain::{Action, Channel, EventType, InvoiceId, Kind, Timestamp, Tone, Zone};
use lagom_features::ledger::InvoiceState;
use lagom_features::{Ledger, View};
use serde::{Deserialize, Serialize};

/// Reason of a `contact_sent` that a channel sent by itself, such as a mailbox's own nudge. It
/// weighs on the customer's peace, but is no step of the company's ladder.
pub const CHANNEL_NATIVE: &str = "channel";

/// How far a company has gone with an invoice. A case climbs one rung at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Notices, the invoice again, offers.
    Notice,
    /// A reminder.
    Reminder,
    /// A last reminder, or a second one.
    Final,
    /// A collection claim.
    Claim,
}

impl Rung {
    /// The rung on which a step of this kind and tone stands.
    #[must_use]
    pub const fn of(kind: Kind, tone: Option<Tone>) -> Self {
        match (kind, tone) {
            (Kind::CollectionClaim, _) => Self::Claim,
            (Kind::Reminder, Some(Tone::Final)) => Self::Final,
            (Kind::Reminder, _) => Self::Reminder,
            _ => Self::Notice,
        }
    }

    /// The next rung up; the last is its own.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Notice => Self::Reminder,
            Self::Reminder => Self::Final,
            Self::Final | Self::Claim => Self::Claim,
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// When it was sent.
    pub at: Timestamp,
    /// Over which channel.
    pub channel: Option<Channel>,
    /// In which tone.
    pub tone: Option<Tone>,
    /// As which step. Read from the event's reason where that is a kind or the id of an action;
    /// otherwise a message after the due date counts as a reminder, one before as a notice.
    pub kind: Kind,
    /// Whether it was about the invoice at hand.
    pub on_invoice: bool,
    /// Whether the channel sent it by itself.
    pub native: bool,
    /// Fee charged with it, in minor units: the amount of the event.
    pub fee_minor: i64,
    /// Of a step that has been let through and not been reported: when it no longer may go out.
    /// Until then it may at any moment; afterwards it is taken to have gone out [`Self::at`].
    pub pending_until: Option<Timestamp>,
}

impl Contact {
    /// The rung on which this message stands.
    #[must_use]
    pub const fn rung(&self) -> Rung {
        Rung::of(self.kind, self.tone)
    }

    /// When it was sent, as whoever sends something else at `instant` has to assume: what may go out
    /// at any moment may have gone out just before.
    #[must_use]
    pub fn sent_before(&self, instant: Timestamp) -> Timestamp {
        match self.pending_until {
            Some(until) if instant <= until => {
                Timestamp::from_micros(instant.micros() - 1).unwrap_or(instant)
            }
            _ => self.at,
        }
    }
}

/// A step that has been let through and of which nobody has told yet whether it was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// About which invoice.
    pub invoice_id: InvoiceId,
    /// What.
    pub action: Action,
    /// Fee charged with it, in minor units.
    pub fee_minor: i64,
    /// When it is to be carried out.
    pub at: Timestamp,
    /// When it no longer may be.
    pub until: Timestamp,
}

fn stated_kind(reason: &str) -> Option<Kind> {
    let kind = reason.parse::<Action>().map(|action| action.kind).ok();
    kind.or_else(|| reason.parse().ok())
}

/// Every `contact_sent` of the view, oldest first.
pub(super) fn read(
    view: &View<'_>,
    ledger: &Ledger<'_>,
    state: &InvoiceState<'_>,
    zone: &Zone,
) -> Vec<Contact> {
    let sent = view
        .events()
        .filter(|event| event.kind() == EventType::ContactSent);
    sent.map(|event| {
        let about = event.invoice_id();
        let due_on = about
            .and_then(|id| ledger.invoice(id))
            .map_or(state.due_on, |other| other.due_on);
        let inferred = if event.occurred_at().date(zone) > due_on {
            Kind::Reminder
        } else {
            Kind::DueDateNotice
        };
        Contact {
            at: event.occurred_at(),
            channel: event.channel(),
            tone: event.tone(),
            kind: event.reason().and_then(stated_kind).unwrap_or(inferred),
            on_invoice: about == Some(&state.invoice.invoice_id),
            native: event.reason() == Some(CHANNEL_NATIVE),
            fee_minor: event.amount().map_or(0, |fee| fee.minor_units),
            pending_until: None,
        }
    })
    .collect()
}
