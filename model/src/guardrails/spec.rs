//! The raw form of the guardrails, as written in `[guardrails]`.

use super::pack::Pack;
use lagom_features::domain::Country;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Name of the pack that holds everywhere.
pub(super) const GLOBAL: &str = "global";

const BUILT_IN: &[(&str, &str)] = &[
    ("SE", include_str!("../../packs/se.toml")),
    ("NO", include_str!("../../packs/no.toml")),
    ("FI", include_str!("../../packs/fi.toml")),
    ("DK", include_str!("../../packs/dk.toml")),
    ("DE", include_str!("../../packs/de.toml")),
    ("NL", include_str!("../../packs/nl.toml")),
    ("EU-B2B", include_str!("../../packs/eu-b2b.toml")),
    ("UK", include_str!("../../packs/uk.toml")),
    ("US", include_str!("../../packs/us.toml")),
];
const GLOBAL_TEXT: &str = include_str!("../../packs/global.toml");

/// What stands in `[guardrails]`, unchecked. Everything has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardrailsSpec {
    /// Jurisdictions that are watched, of `SE`, `NO`, `FI`, `DK`, `DE`, `NL`, `EU-B2B`, `UK` and
    /// `US`. Each holds for customers of its countries.
    pub packs: Vec<String>,
    /// Country of customers for whom none is recorded; without it they are under every pack.
    pub home: Option<Country>,
    /// Whether fees were agreed on with every customer before the debt arose.
    pub fees_agreed: bool,
    /// Files of packs of the company's own, in the form of the built-in ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Rules that are changed or switched off.
    pub overrides: Vec<Override>,
}

/// A change of one rule, on the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Id of the rule.
    pub rule: String,
    /// Switches the rule on or off.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Other numbers for the rule's check, by their names.
    #[serde(default)]
    pub set: toml::Table,
    /// Why, for whoever asks later; not empty.
    pub reason: String,
}

impl Override {
    /// Switches a rule off.
    #[must_use]
    pub fn off(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            enabled: Some(false),
            set: toml::Table::new(),
            reason: reason.into(),
        }
    }

    /// Gives the rule's check another value under one name.
    #[must_use]
    pub fn set(
        rule: impl Into<String>,
        name: impl Into<String>,
        value: impl Into<toml::Value>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            rule: rule.into(),
            enabled: None,
            set: [(name.into(), value.into())].into_iter().collect(),
            reason: reason.into(),
        }
    }
}

impl Default for GuardrailsSpec {
    /// Every built-in pack, no home, no agreed fees, no overrides.
    fn default() -> Self {
        Self {
            packs: BUILT_IN.iter().map(|&(name, _)| name.to_owned()).collect(),
            home: None,
            fees_agreed: false,
            files: Vec::new(),
            overrides: Vec::new(),
        }
    }
}

/// Everything that is wrong with the guardrails.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("[guardrails] has {} fault(s): {}", faults.len(), list(faults))]
pub struct GuardrailsError {
    /// Every fault, as a line each.
    pub faults: Vec<GuardrailsFault>,
}

fn list(faults: &[GuardrailsFault]) -> String {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardrailsFault {
    /// The list of the spec in which it is, and the place in it.
    pub place: (&'static str, usize),
    /// What is wrong, where, and how to mend it.
    pub what: String,
}

impl std::fmt::Display for GuardrailsFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl GuardrailsSpec {
    /// Reads all packs, and a digest of their texts and of everything in the spec.
    pub(super) fn read(&self, own: &[&str]) -> Result<(Vec<Pack>, String), GuardrailsError> {
        let mut faults = Vec::new();
        let mut fault = |place, what| faults.push(GuardrailsFault { place, what });
        let mut texts = vec![(GLOBAL_TEXT, None)];
        for (at, name) in self.packs.iter().enumerate() {
            let place = ("packs", at);
            match BUILT_IN.iter().find(|(known, _)| known == name) {
                _ if self.packs[..at].contains(name) => {
                    fault(place, format!("packs names {name} twice"));
                }
                Some(&(_, text)) => texts.push((text, Some(place))),
                None => {
                    let known: Vec<&str> = BUILT_IN.iter().map(|&(known, _)| known).collect();
                    let known = known.join(", ");
                    fault(
                        place,
                        format!("packs: there is no `{name}`; known are {known}"),
                    );
                }
            }
        }
        texts.extend(
            (0..)
                .zip(own)
                .map(|(at, &text)| (text, Some(("files", at)))),
        );
        let mut packs: Vec<Pack> = Vec::with_capacity(texts.len());
        for &(text, place) in &texts {
            let place = place.unwrap_or(("packs", 0));
            match Pack::parse(text, &self.overrides) {
                Ok(pack) if packs.iter().any(|other| other.name() == pack.name()) => {
                    fault(place, format!("there are two packs {}", pack.name()));
                }
                Ok(pack) => packs.push(pack),
                // What is wrong with a built-in pack is what an override has made of it.
                Err(wrong) => wrong.into_iter().for_each(|error| {
                    let of_rule = |change: &Override| error.rule() == Some(&change.rule);
                    let change = self.overrides.iter().position(of_rule);
                    let place = change.map_or(place, |at| ("overrides", at));
                    fault(place, error.to_string());
                }),
            }
        }
        let readable = faults.is_empty();
        let mut fault = |place, what| faults.push(GuardrailsFault { place, what });
        for (at, change) in self.overrides.iter().enumerate() {
            let known = |pack: &Pack| pack.rules().iter().any(|rule| rule.id == *change.rule);
            let rule = &change.rule;
            if readable && !packs.iter().any(known) {
                let hint = nearest(rule, &packs)
                    .map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
                let what = format!("overrides: no pack in use has a rule `{rule}`{hint}");
                fault(("overrides", at), what);
            }
            if change.reason.trim().is_empty() {
                let what = format!("overrides: `{rule}` needs a reason");
                fault(("overrides", at), what);
            }
        }
        if faults.is_empty() {
            let texts: Vec<&str> = texts.iter().map(|&(text, _)| text).collect();
            Ok((packs, self.digest(&texts)))
        } else {
            Err(GuardrailsError { faults })
        }
    }

    fn digest(&self, texts: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new();
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let spec = toml::to_string(self).expect("a spec is tables of texts and numbers");
        hasher.update(spec.as_bytes());
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

/// The rule of `packs` whose name is most like `wanted`, if any is much like it.
fn nearest<'a>(wanted: &str, packs: &'a [Pack]) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let rules = packs.iter().flat_map(Pack::rules);
    let likeness = rules.map(|rule| {
        (
            strsim::jaro_winkler(wanted, rule.id.as_str()),
            rule.id.as_str(),
        )
    });
    let best = likeness.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness >= ALIKE)
        .map(|(_, id)| id)
}
