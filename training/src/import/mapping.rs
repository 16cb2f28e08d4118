//! A mapping file as it is written, before it meets an input.

use super::condition::{self, Relation};
use super::error::ImportError;
use super::template::{self, Piece};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use toml::Spanned;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    #[serde(default)]
    pub(super) input: Input,
    /// Lists for rules with `each`: one record a row *and* list entry.
    #[serde(default)]
    pub(super) each: BTreeMap<String, Vec<BTreeMap<String, Value>>>,
    #[serde(default)]
    pub(super) customers: Vec<Spanned<Rule>>,
    #[serde(default)]
    pub(super) invoices: Vec<Spanned<Rule>>,
    #[serde(default)]
    pub(super) events: Vec<Spanned<Rule>>,
}

/// How the inputs are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Input {
    /// Between the cells of a text file.
    pub(super) separator: char,
    /// Between the whole and the part of a number.
    pub(super) decimal: char,
    /// Between groups of three digits.
    pub(super) thousands: Option<char>,
    /// Cells that mean unknown, beside the empty one.
    pub(super) missing: Vec<String>,
    /// Columns that an input may lack; they are unknown there.
    pub(super) optional: Vec<String>,
    /// Form of times, in `strptime`'s letters; none is RFC 3339 or a date.
    pub(super) format: Option<String>,
    /// Zone of local times and of days.
    pub(super) time_zone: Option<Spanned<String>>,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            separator: ',',
            decimal: '.',
            thousands: None,
            missing: Vec::new(),
            optional: Vec::new(),
            format: None,
            time_zone: None,
        }
    }
}

/// How rows become records of one table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Name of the inputs that this rule is for; `*` stands for any letters. None is every input.
    pub(super) input: Option<String>,
    /// Lists of the mapping: one record for each combination of their entries.
    #[serde(default)]
    pub(super) each: Vec<Spanned<String>>,
    /// All must hold, or there is no record.
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    /// A record whose key was there before is left out instead of being a fault.
    #[serde(default)]
    pub(super) once: bool,
    /// Canonical column → value.
    pub(super) fields: BTreeMap<Spanned<String>, Value>,
}

/// A text with holes.
#[derive(Debug, Clone)]
pub(super) struct Template(pub(super) Vec<Piece>);

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        template::parse(&text).map(Self).map_err(de::Error::custom)
    }
}

/// Two templates and how they must stand to each other.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) left: Template,
    pub(super) relation: Relation,
    pub(super) right: Template,
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let (left, relation, right) = condition::split(&text).map_err(de::Error::custom)?;
        let side = |text| {
            template::parse(text)
                .map(Template)
                .map_err(de::Error::custom)
        };
        Ok(Self {
            left: side(left)?,
            relation,
            right: side(right)?,
        })
    }
}

/// The unit of an amount in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unit {
    /// Crowns, euros: decimals by ISO 4217 become minor units.
    Major,
    /// Öre, cents.
    Minor,
}

/// Where a field's value comes from: a text with holes, or a table with more to say about it.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) from: Template,
    /// Subtracted.
    pub(super) minus: Option<Template>,
    /// A smaller number becomes this one.
    pub(super) at_least: Option<String>,
    /// Of an amount; makes the value minor units.
    pub(super) unit: Option<Unit>,
    /// Form of a time, instead of the input's.
    pub(super) format: Option<String>,
    /// Calendar months added to a time.
    pub(super) months: i32,
    /// Calendar days added to a time, after the months.
    pub(super) days: i32,
    /// Text → text; anything else is `other`, or a fault where there is none.
    pub(super) map: Option<BTreeMap<String, String>>,
    pub(super) other: Option<String>,
    /// Rising bounds: the value becomes the name of the band that it is in.
    pub(super) bands: Option<Vec<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongValue {
    from: Template,
    minus: Option<Template>,
    at_least: Option<String>,
    unit: Option<Unit>,
    format: Option<String>,
    #[serde(default)]
    months: i32,
    #[serde(default)]
    days: i32,
    map: Option<BTreeMap<String, String>>,
    other: Option<String>,
    bands: Option<Vec<i64>>,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text such as \"{COLUMN}\" or a table with `from`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
                let from = template::parse(text).map(Template).map_err(E::custom)?;
                Ok(Value {
                    from,
                    minus: None,
                    at_least: None,
                    unit: None,
                    format: None,
                    months: 0,
                    days: 0,
                    map: None,
                    other: None,
                    bands: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
                let long = LongValue::deserialize(MapAccessDeserializer::new(map))?;
                if long.other.is_some() && long.map.is_none() {
                    return Err(de::Error::custom("`other` belongs to a `map`"));
                }
                Ok(Value {
                    from: long.from,
                    minus: long.minus,
                    at_least: long.at_least,
                    unit: long.unit,
                    format: long.format,
                    months: long.months,
                    days: long.days,
                    map: long.map,
                    other: long.other,
                    bands: long.bands,
                })
            }
        }
        input.deserialize_any(Either)
    }
}

/// The line of a byte, counted from 1.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    let before = text.as_bytes().iter().take(byte);
    1 + before.filter(|&&b| b == b'\n').count()
}

/// Reads a mapping; every fault names its line.
pub(super) fn parse(file: &Path, text: &str) -> Result<Mapping, ImportError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let reason: Vec<_> = error.message().split_whitespace().collect();
        ImportError::mapping(file, line, reason.join(" "))
    })
}
