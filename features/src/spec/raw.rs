//! The spec as written: every key where it may stand, with its place in the text.

use serde::Deserialize;
use toml::Spanned;

/// A key that may be left out.
pub(super) type Key<T> = Option<Spanned<T>>;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpec {
    #[serde(default)]
    pub(super) feature: Vec<Spanned<RawFeature>>,
}

/// A word or a list of words.
#[derive(Deserialize, Clone)]
#[serde(untagged, expecting = "a text or a list of texts")]
pub(super) enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    pub(super) fn list(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words,
        }
    }
}

/// A number, whole or not, or the word `nan`.
#[derive(Deserialize, Clone)]
#[serde(untagged, expecting = "a number or \"nan\"")]
pub(super) enum Number {
    Whole(i64),
    Real(f64),
    Word(String),
}

/// `where = { … }` and `of = { … }`.
#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFilter {
    pub(super) channel: Key<Words>,
    pub(super) tone: Key<Words>,
    pub(super) method: Key<Words>,
    pub(super) device: Key<Words>,
    pub(super) within_hours: Key<u32>,
    pub(super) open: Key<bool>,
    pub(super) late: Key<bool>,
}

/// One `[[feature]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFeature {
    pub(super) name: Spanned<String>,
    pub(super) source: Spanned<String>,
    pub(super) types: Key<Words>,
    pub(super) key: Key<String>,
    #[serde(rename = "where")]
    pub(super) filter: Key<RawFilter>,
    pub(super) scope: Key<String>,
    pub(super) window: Key<String>,
    pub(super) op: Key<String>,
    pub(super) column: Key<String>,
    pub(super) of: Key<RawFilter>,
    pub(super) q: Key<f64>,
    pub(super) prior: Key<f64>,
    pub(super) strength: Key<f64>,
    pub(super) half_life: Key<String>,
    pub(super) attribute: Key<String>,
    pub(super) levels: Key<Vec<String>>,
    pub(super) days: Key<Vec<i64>>,
    pub(super) left: Key<String>,
    pub(super) right: Key<String>,
    pub(super) clip: Key<[f64; 2]>,
    pub(super) transform: Key<String>,
    pub(super) period: Key<f64>,
    pub(super) edges: Key<Vec<f64>>,
    pub(super) knots: Key<i64>,
    pub(super) missing: Key<Number>,
    pub(super) unit: Key<String>,
    pub(super) owner: Key<String>,
    pub(super) description: Key<String>,
}
