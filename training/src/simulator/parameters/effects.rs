//! What makes a group, or a time, different from the rest of a world: factors on its figures.

use super::WorldError;
use lagom_features::domain::{Channel, Country, Tone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Factors on a world's figures; what is not named stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Effects {
    /// Of P(opened), by channel.
    pub reach: BTreeMap<Channel, f64>,
    /// Of P(complaint), by channel.
    pub complaint: BTreeMap<Channel, f64>,
    /// Of how much of a message takes hold, by tone.
    pub tone: BTreeMap<Tone, f64>,
    /// Of the churn that contacts cause.
    pub churn: f64,
}

impl Default for Effects {
    fn default() -> Self {
        Self {
            reach: BTreeMap::new(),
            complaint: BTreeMap::new(),
            tone: BTreeMap::new(),
            churn: 1.0,
        }
    }
}

fn multiply<K: Ord + Copy>(one: &BTreeMap<K, f64>, other: &BTreeMap<K, f64>) -> BTreeMap<K, f64> {
    let mut product = one.clone();
    for (&key, &factor) in other {
        *product.entry(key).or_insert(1.0) *= factor;
    }
    product
}

impl Effects {
    /// Both at once.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            reach: multiply(&self.reach, &other.reach),
            complaint: multiply(&self.complaint, &other.complaint),
            tone: multiply(&self.tone, &other.tone),
            churn: self.churn * other.churn,
        }
    }

    /// Factor of P(opened).
    #[must_use]
    pub fn reach(&self, channel: Channel) -> f64 {
        self.reach.get(&channel).copied().unwrap_or(1.0)
    }

    /// Factor of P(complaint).
    #[must_use]
    pub fn complaint(&self, channel: Channel) -> f64 {
        self.complaint.get(&channel).copied().unwrap_or(1.0)
    }

    /// Factor of how much takes hold.
    #[must_use]
    pub fn tone(&self, tone: Tone) -> f64 {
        self.tone.get(&tone).copied().unwrap_or(1.0)
    }

    pub(super) fn list(&self, whose: &str, factors: &mut Vec<(String, f64)>) {
        factors.push((format!("{whose}: churn"), self.churn));
        let tones = self.tone.iter();
        factors.extend(tones.map(|(tone, &value)| (format!("{whose}: tone.{tone}"), value)));
        for (key, by_channel) in [("reach", &self.reach), ("complaint", &self.complaint)] {
            let named = by_channel.iter();
            factors.extend(
                named.map(|(channel, &value)| (format!("{whose}: {key}.{channel}"), value)),
            );
        }
    }
}

/// A group of customers who answer differently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// For people.
    pub name: String,
    /// Of the customers.
    pub share: f64,
    /// Of its customers; decides which law applies.
    pub country: Country,
    /// BCP 47 tag of its customers' language.
    pub language: String,
    /// How it differs.
    #[serde(default)]
    pub effects: Effects,
}

/// What is different from some day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Days since the first day that is lived.
    pub from_day: u16,
    /// How it differs from then on.
    pub effects: Effects,
}

/// When the company learns of what happened. Its own messages it knows at once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reporting {
    /// Fewest and most days until a payment is reported.
    pub payment_days: [u16; 2],
    /// Fewest and most days until it is reported that a customer left, complained, called, or
    /// withdrew consent.
    pub harm_days: [u16; 2],
    /// Share of all these reports that never come.
    pub lost_share: f64,
}

impl Reporting {
    pub(super) fn check(&self) -> Result<(), WorldError> {
        let ranges = [
            ("payment_days", self.payment_days),
            ("harm_days", self.harm_days),
        ];
        match ranges.into_iter().find(|(_, [first, last])| first > last) {
            Some((name, [first, last])) => Err(WorldError::Range { name, first, last }),
            None => Ok(()),
        }
    }
}
