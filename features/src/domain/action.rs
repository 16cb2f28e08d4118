//! What lagom can advise: a kind of step, over a channel, in a tone, at a time; or waiting.

use super::named::{UnknownName, named_enum};
use super::time::{Date, Timestamp};
use super::zone::Zone;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

named_enum! {
    /// The step itself.
    pub enum Kind as "kind" {
        /// Do nothing until the next evaluation.
        Wait = "wait",
        /// A notice before the due date.
        PreDueNotice = "pre_due_notice",
        /// A notice on the due date.
        DueDateNotice = "due_date_notice",
        /// A reminder after the due date.
        Reminder = "reminder",
        /// The invoice again, perhaps over another channel.
        InvoiceRedelivery = "invoice_redelivery",
        /// An offer to pay by instalments.
        PlanOffer = "plan_offer",
        /// A discount for paying soon.
        DiscountOffer = "discount_offer",
        /// An offer to waive a fee.
        FeeWaiver = "fee_waiver",
        /// An offer to pay automatically.
        AutopayOffer = "autopay_offer",
        /// Another attempt at a failed debit; no message.
        RetryDebit = "retry_debit",
        /// A collection claim.
        CollectionClaim = "collection_claim",
        /// A person looks at the case.
        HumanReview = "human_review",
    }
}

impl Kind {
    /// Whether the customer receives a message, which counts against contact budgets.
    #[must_use]
    pub const fn is_contact(self) -> bool {
        !matches!(self, Self::Wait | Self::RetryDebit | Self::HumanReview)
    }
}

named_enum! {
    /// How a message reaches the customer.
    pub enum Channel as "channel" {
        /// E-mail.
        Email = "email",
        /// Text message.
        Sms = "sms",
        /// Paper by post.
        Letter = "letter",
        /// A notification of the company's own app.
        AppPush = "app_push",
        /// A national or commercial digital mailbox.
        DigitalMailbox = "digital_mailbox",
        /// A call.
        Phone = "phone",
    }
}

named_enum! {
    /// How a message sounds, from softest to hardest; the order is used by guardrails.
    pub enum Tone as "tone" {
        /// Warm: it may have slipped your mind.
        Friendly = "friendly",
        /// Matter of fact.
        Neutral = "neutral",
        /// Insisting.
        Firm = "firm",
        /// Last before collection.
        Final = "final",
    }
}

named_enum! {
    /// When during the day, in the customer's time zone.
    pub enum PartOfDay as "part of the day" {
        /// 08 to 11.
        Morning = "morning",
        /// 11 to 14.
        Midday = "midday",
        /// 17 to 20.
        Evening = "evening",
    }
}

impl PartOfDay {
    /// First and last hour (exclusive), local time.
    #[must_use]
    pub const fn hours(self) -> (i8, i8) {
        match self {
            Self::Morning => (8, 11),
            Self::Midday => (11, 14),
            Self::Evening => (17, 20),
        }
    }
}

/// When an action is carried out: days after the decision's local date, and part of that day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timing {
    /// Days after the decision's date in the customer's time zone.
    pub day_offset: u16,
    /// Part of that day.
    pub part: PartOfDay,
}

impl Timing {
    /// First and last instant of the slot for a decision on `decided` in `zone`.
    #[must_use]
    pub fn slot(self, decided: Date, zone: &Zone) -> (Timestamp, Timestamp) {
        let day = decided.plus_days(i32::from(self.day_offset));
        let (from, until) = self.part.hours();
        (day.at(from, zone), day.at(until, zone))
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d{}-{}", self.day_offset, self.part)
    }
}

/// Why a text is not an action.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActionError {
    /// A part is not one of its closed list.
    #[error("action `{given}`: {source}")]
    Name {
        /// The whole text.
        given: String,
        /// Which part.
        source: UnknownName,
    },
    /// Not four or five parts.
    #[error(
        "action `{0}` must read kind.channel.tone.timing, perhaps with a fifth part, or `wait`"
    )]
    Parts(String),
    /// The timing is not `dN-part`.
    #[error("timing `{0}` must read d1-evening: days after the decision, and part of the day")]
    Timing(String),
}

/// One thing lagom can advise. Facets that do not apply are `None`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Action {
    /// The step.
    pub kind: Kind,
    /// How it reaches the customer.
    pub channel: Option<Channel>,
    /// How it sounds.
    pub tone: Option<Tone>,
    /// When.
    pub timing: Option<Timing>,
    /// Which wording, where a company has several ("name", "amount").
    pub variant: Option<String>,
}

impl Action {
    /// Do nothing until the next evaluation.
    pub const WAIT: Self = Self {
        kind: Kind::Wait,
        channel: None,
        tone: None,
        timing: None,
        variant: None,
    };

    /// Whether this is [`Self::WAIT`].
    #[must_use]
    pub fn is_wait(&self) -> bool {
        self.kind == Kind::Wait
    }

    /// The id, `kind.channel.tone.timing[.variant]`.
    #[must_use]
    pub fn id(&self) -> ActionId {
        ActionId(self.to_string().into())
    }
}

fn facet<T: fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_wait() {
            return f.pad("wait");
        }
        let (channel, tone) = (facet(self.channel), facet(self.tone));
        let mut id = format!("{}.{channel}.{tone}.{}", self.kind, facet(self.timing));
        if let Some(variant) = &self.variant {
            id.push('.');
            id.push_str(variant);
        }
        f.pad(&id)
    }
}

fn parse_timing(text: &str) -> Option<Timing> {
    let (days, part) = text.strip_prefix('d')?.split_once('-')?;
    if days.starts_with('+') || (days.len() > 1 && days.starts_with('0')) {
        return None;
    }
    Some(Timing {
        day_offset: days.parse().ok()?,
        part: part.parse().ok()?,
    })
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        fn named<T: FromStr<Err = UnknownName>>(whole: &str, part: &str) -> Result<T, ActionError> {
            part.parse().map_err(|source| ActionError::Name {
                given: whole.to_owned(),
                source,
            })
        }
        fn optional<T: FromStr<Err = UnknownName>>(
            whole: &str,
            part: &str,
        ) -> Result<Option<T>, ActionError> {
            (part != "none").then(|| named(whole, part)).transpose()
        }
        if text == "wait" {
            return Ok(Self::WAIT);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let (kind, channel, tone, timing, variant) = match *parts.as_slice() {
            [kind, channel, tone, timing] => (kind, channel, tone, timing, None),
            [kind, channel, tone, timing, variant] if !variant.is_empty() => {
                (kind, channel, tone, timing, Some(variant.to_owned()))
            }
            _ => return Err(ActionError::Parts(text.to_owned())),
        };
        let kind = named(text, kind)?;
        if kind == Kind::Wait {
            return Err(ActionError::Parts(text.to_owned()));
        }
        let timing = match timing {
            "none" => None,
            slot => Some(parse_timing(slot).ok_or_else(|| ActionError::Timing(slot.to_owned()))?),
        };
        Ok(Self {
            kind,
            channel: optional(text, channel)?,
            tone: optional(text, tone)?,
            timing,
            variant,
        })
    }
}

impl TryFrom<String> for Action {
    type Error = ActionError;
    fn try_from(text: String) -> Result<Self, ActionError> {
        text.parse()
    }
}

impl From<Action> for String {
    fn from(action: Action) -> String {
        action.to_string()
    }
}

/// The written form of an [`Action`]: the name under which it is logged. Copies share the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ActionId(Arc<str>);

impl ActionId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, without a copy to count.
    #[must_use]
    pub fn into_shared(self) -> Arc<str> {
        self.0
    }

    /// The action that it names.
    #[must_use]
    pub fn action(&self) -> Action {
        self.0.parse().expect("an action id is made of an action")
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for ActionId {
    type Error = ActionError;
    fn try_from(text: String) -> Result<Self, ActionError> {
        text.parse::<Action>().map(|action| action.id())
    }
}

impl From<ActionId> for String {
    fn from(id: ActionId) -> String {
        id.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_action_reads_as_it_is_written() {
        for text in [
            "wait",
            "reminder.sms.friendly.d1-evening",
            "retry_debit.none.none.d2-morning",
            "reminder.email.firm.d0-midday.name",
            "human_review.none.none.none",
        ] {
            assert_eq!(text.parse::<Action>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_action_is_refused_by_part() {
        for (text, part) in [
            ("", "kind.channel"),
            ("wait.none.none.none", "kind.channel"),
            ("reminder.sms.friendly", "kind.channel"),
            ("reminder.fax.friendly.d1-evening", "fax"),
            ("reminder.sms.rude.d1-evening", "rude"),
            ("reminder.sms.friendly.d-1-evening", "d-1-evening"),
            ("reminder.sms.friendly.d01-evening", "d01-evening"),
            ("reminder.sms.friendly.d1-night", "d1-night"),
            ("reminder.sms.friendly.d1-evening.", "kind.channel"),
        ] {
            let message = text.parse::<Action>().unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn a_slot_lies_in_the_customers_day() {
        let timing = parse_timing("d1-evening").unwrap();
        let zone = Zone::parse("Europe/Stockholm").unwrap();
        let (from, until) = timing.slot(Date::parse("2026-07-01").unwrap(), &zone);
        assert_eq!(from.to_string(), "2026-07-02T15:00:00Z");
        assert_eq!(until.to_string(), "2026-07-02T18:00:00Z");
    }
}
