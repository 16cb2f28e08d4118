//! A rule as data: what it forbids, on whose authority, since when.

use super::check::Check;
use crate::log::RuleId;
use lagom_features::domain::{CustomerKind, Date};
use serde::{Deserialize, Deserializer};

/// How sure we are that the rule states the law as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// From memory or from one secondary source.
    Low,
    /// From secondary sources that agree, or from a text that may have changed since.
    Medium,
    /// Read at the source.
    High,
}

/// One rule of a pack.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name under which a refusal is logged, such as `global.cooldown`.
    pub id: RuleId,
    /// Law, case or reason.
    pub source: String,
    /// First day on which it holds, judged on the day of sending.
    #[serde(default, deserialize_with = "date")]
    pub valid_from: Option<Date>,
    /// First day on which it no longer holds.
    #[serde(default, deserialize_with = "date")]
    pub valid_to: Option<Date>,
    /// How sure we are of it.
    pub confidence: Confidence,
    /// Whether it is on.
    #[serde(default = "on")]
    pub enabled: bool,
    /// Only for customers of this kind; one whose kind is unknown counts as both.
    #[serde(default)]
    pub customers: Option<CustomerKind>,
    /// What it forbids.
    pub check: Check,
    /// Why it was changed or switched off, if it was.
    #[serde(skip)]
    pub overridden: Option<String>,
}

const fn on() -> bool {
    true
}

fn date<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Date>, D::Error> {
    let text = String::deserialize(input)?;
    Date::parse(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

impl Rule {
    /// Whether it holds on `day`.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| day >= from) && self.valid_to.is_none_or(|to| day < to)
    }

    /// Whether it is on and meant for customers of this kind.
    #[must_use]
    pub fn concerns(&self, kind: Option<CustomerKind>) -> bool {
        let meant = self
            .customers
            .zip(kind)
            .is_none_or(|(whom, kind)| whom == kind);
        self.enabled && meant
    }
}
