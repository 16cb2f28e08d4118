//! What a rule can forbid. Each check is a few numbers; what they mean stands beside them.

use lagom_features::domain::{Channel, Currency, Kind};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A condition under which actions are refused. Days, counts and hours are judged at the
/// beginning of the slot in which an action would be carried out, not at the decision.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// The customer died.
    Deceased,
    /// The customer is bankrupt.
    Bankrupt,
    /// The customer is under age.
    Minor,
    /// Nothing is owed, or the debt was given up: there is nothing for a person to look at either.
    Closed,
    /// A collector has the case.
    InCollection,
    /// The debt is contested.
    Disputed,
    /// A payment plan runs.
    PlanRunning,
    /// Money is on its way.
    PaymentInFlight,
    /// Money arrived in the last `days` that may cover at least `share` of what is owed.
    UnmatchedPayment {
        /// Days for which it is believed to be meant for the invoice.
        days: i64,
        /// Share of what is owed, above which it may cover the invoice.
        share: f64,
    },
    /// A promised day has not come, or came less than `grace_days` ago.
    Promise {
        /// Days after the promised day.
        grace_days: i64,
    },
    /// A hold is in force.
    Hold,
    /// A standstill is in force; one that is shorter than `at_least_days` lasts that long.
    Standstill {
        /// Least length unless it is ended.
        #[serde(default)]
        at_least_days: i64,
        /// Days for which one for somebody in treatment goes on after it was ended.
        #[serde(default)]
        after_treatment_days: i64,
    },
    /// A plan is being drawn up, of which was heard less than `days` ago and which has neither begun
    /// nor come to nothing.
    PlanInPreparation {
        /// Days for which nobody asks.
        days: i64,
    },
    /// For a vulnerable customer: firm and final tones, claims, and fees.
    Vulnerable,
    /// Channels that the request does not name.
    RequestChannels,
    /// Steps that are harsher than others which the policy does not estimate, with this probability,
    /// to be worth less: see [`gentle`](crate::policy::gentle). It binds who chooses by estimates.
    GentleFirst {
        /// From 0.5 (the estimate decides) to below 1.
        credibility: f64,
        /// The probability with which the best step must gain something before it is preferred to
        /// waiting, from 0.5 (the estimate decides) to below 1.
        #[serde(default = "by_the_estimate")]
        against_waiting: f64,
    },
    /// The slot is over.
    PastSlot,
    /// No open stage of the strategy has the action.
    Stage,
    /// Less is owed than asking for it is worth.
    MinimumBalance {
        /// Least amount by currency, in minor units.
        minor: BTreeMap<Currency, i64>,
        /// Least amount of any other currency.
        otherwise_minor: i64,
    },
    /// Consent for the channel and purpose was withdrawn.
    Consent,
    /// The channel failed to reach the customer in the last `days`.
    Undelivered {
        /// Days for which a failure stands.
        days: i64,
    },
    /// At least `max` contacts in the `hours` before.
    Contacts {
        /// Most contacts.
        max: usize,
        /// Length of the window that rolls.
        hours: i64,
        /// Only these channels, in counting and in refusing; empty means all.
        #[serde(default)]
        channels: Vec<Channel>,
        /// Whether only contacts about this invoice count.
        #[serde(default)]
        on_invoice: bool,
    },
    /// At least `max` contacts about this invoice ever: the rest is for a person.
    Lifetime {
        /// Most contacts.
        max: usize,
    },
    /// Less than `hours` since the last contact.
    Cooldown {
        /// Length of the pause.
        hours: i64,
    },
    /// Less than `days` since the customer spoke with a person.
    Conversation {
        /// Length of the pause.
        days: i64,
        /// Channels that must rest.
        channels: Vec<Channel>,
    },
    /// A slot that is not within these hours in every zone the customer may be in.
    Hours {
        /// Channels that are bound to hours.
        channels: Vec<Channel>,
        /// First and last hour (exclusive), Monday to Friday.
        weekdays: (i32, i32),
        /// First and last hour on Saturdays, where they differ.
        #[serde(default)]
        saturday: Option<(i32, i32)>,
        /// First and last hour on Sundays, where they differ.
        #[serde(default)]
        sunday: Option<(i32, i32)>,
    },
    /// Days of rest in any zone the customer may be in.
    QuietDays {
        /// Channels that rest.
        channels: Vec<Channel>,
        /// Whether Sundays are days of rest.
        #[serde(default)]
        sundays: bool,
        /// Whether public holidays are days of rest.
        #[serde(default)]
        holidays: bool,
    },
    /// More than one rung above the highest reached on the invoice.
    OneRung,
    /// Steps of `kinds` less than `days` after the due date.
    AfterDue {
        /// Which steps.
        kinds: Vec<Kind>,
        /// Days from the due date.
        days: i32,
    },
    /// Steps of `then` until the longest of these times has passed since the last of `after`.
    Wait {
        /// Steps that set the clock.
        after: Vec<Kind>,
        /// Steps that must wait.
        then: Vec<Kind>,
        /// Days since it was sent.
        days: i32,
        /// Bank days since it is presumed to have arrived.
        #[serde(default)]
        bank_days: i32,
        /// Days after sending on which a letter is presumed to have arrived.
        #[serde(default)]
        post_days: i32,
    },
    /// At least `max` steps of `kinds` on the invoice.
    Steps {
        /// Which steps.
        kinds: Vec<Kind>,
        /// Most of them.
        max: usize,
    },
    /// Another debit, unless one failed, fewer than `attempts` have, and `gap_hours` have passed.
    Debit {
        /// Payment methods that can be debited, beside automatic payment.
        methods: Vec<String>,
        /// Most failures of one invoice.
        attempts: usize,
        /// Least time since the last failure.
        gap_hours: i64,
    },
    /// Steps of these kinds are for a person to take.
    Review {
        /// Which steps.
        #[serde(default)]
        kinds: Vec<Kind>,
        /// Whether every step with a fee is meant too.
        #[serde(default)]
        fees: bool,
    },
    /// Fees that were not agreed on when the debt arose.
    FeeAgreed,
    /// Fees of another currency than the invoice's.
    FeeCurrency,
    /// A second fee on the same rung of the same invoice.
    FeeOnce,
    /// Fees above an amount, or of a currency in which it is not stated.
    FeeCap {
        /// Steps that it is about; empty means all.
        #[serde(default)]
        kinds: Vec<Kind>,
        /// Highest fee, in minor units.
        max_minor: i64,
        /// Of this currency.
        currency: Currency,
        /// Only where at least this much is owed, in minor units.
        #[serde(default)]
        owed_from_minor: Option<i64>,
        /// Only where less than this is owed, in minor units.
        #[serde(default)]
        owed_below_minor: Option<i64>,
    },
    /// Fees above a scale of what is owed.
    FeeScale {
        /// Of this currency.
        currency: Currency,
        /// Highest fee where the scale gives less.
        min_minor: i64,
        /// Highest fee where the scale gives more.
        max_minor: i64,
        /// Width of each band in minor units, and thousandths of it that may be charged.
        bands: Vec<(i64, i64)>,
    },
    /// At least `max` fees of `kinds` on the invoice.
    FeeCount {
        /// Steps that it is about; empty means all.
        #[serde(default)]
        kinds: Vec<Kind>,
        /// Most fees.
        max: usize,
    },
    /// A fee less than `days` after the last one on the invoice.
    FeeGap {
        /// Least days.
        days: i32,
    },
    /// A fee less than `days` after the due date.
    FeeAfterDue {
        /// Least days.
        days: i32,
    },
    /// A fee unless a reminder went out `days` ago or earlier.
    FeeAfterReminder {
        /// Least days since the first reminder.
        days: i32,
    },
    /// A fee over any other channel than these.
    FeeChannels {
        /// Channels that count as writing.
        channels: Vec<Channel>,
    },
}

const fn by_the_estimate() -> f64 {
    0.5
}
