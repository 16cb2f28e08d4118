//! What a set of decisions comes to.

use lagom_features::domain::{Action, Channel, Currency, Kind, Tone};
use lagom_model::log::Decision;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of decisions by what they advise.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Tally {
    /// Nothing.
    pub waits: u64,
    /// A message.
    pub contacts: u64,
    /// A collection claim, which is also a contact.
    pub claims: u64,
    /// A person.
    pub reviews: u64,
    /// Every decision by its kind.
    pub kinds: BTreeMap<String, u64>,
    /// Messages by channel.
    pub channels: BTreeMap<String, u64>,
    /// Messages by tone.
    pub tones: BTreeMap<String, u64>,
    /// Fees in minor units, by currency.
    pub fees_minor: BTreeMap<String, i64>,
}

impl Tally {
    pub(super) fn take(&mut self, decision: &Decision, currency: Option<Currency>) {
        let Action {
            kind,
            channel,
            tone,
            ..
        } = decision.action;
        self.waits += u64::from(kind == Kind::Wait);
        self.contacts += u64::from(kind.is_contact());
        self.claims += u64::from(kind == Kind::CollectionClaim);
        self.reviews += u64::from(kind == Kind::HumanReview);
        *self.kinds.entry(kind.name().to_owned()).or_default() += 1;
        if let Some(channel) = channel {
            *self.channels.entry(channel.name().to_owned()).or_default() += 1;
        }
        if let Some(tone) = tone {
            *self.tones.entry(tone.name().to_owned()).or_default() += 1;
        }
        if decision.fee_minor != 0 {
            let currency = currency.map_or_else(String::new, |one| one.as_str().to_owned());
            *self.fees_minor.entry(currency).or_default() += decision.fee_minor;
        }
    }
}

/// How often a rule refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Refusals {
    /// Decisions in which it refuses at least one action.
    pub decisions: u64,
    /// Actions that it is the first to refuse, over all decisions.
    pub actions: u64,
}

/// A kind of action that becomes another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// As logged.
    pub from: String,
    /// As replayed.
    pub to: String,
    /// How often.
    pub decisions: u64,
}

/// Kind, channel and tone of an action.
pub(super) fn words(action: &Action) -> String {
    let mut words = action.kind.name().to_owned();
    for part in [
        action.channel.map(Channel::name),
        action.tone.map(Tone::name),
    ]
    .into_iter()
    .flatten()
    {
        words.push('.');
        words += part;
    }
    words
}

/// The most frequent first; equal counts by name.
pub(super) fn ranked(changes: BTreeMap<(String, String), u64>) -> Vec<Change> {
    let mut ranked: Vec<Change> = changes
        .into_iter()
        .map(|((from, to), decisions)| Change {
            from,
            to,
            decisions,
        })
        .collect();
    ranked.sort_by_key(|change| std::cmp::Reverse(change.decisions));
    ranked
}
