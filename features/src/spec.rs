//! Features declared in TOML: what to count, of whom, since when, and what *unknown* means.
//!
//! ```toml
//! [[feature]]
//! name = "late_share"                 # a column of the vector
//! source = "dues"                     # one row an invoice whose due date has passed
//! scope = "other_invoices"            # leave out the invoice in question
//! window = "365d"                     # t − 365 days ≤ occurred_at < t
//! op = "mean"
//! column = "late"
//! prior = 0.25                        # drawn towards a quarter …
//! strength = 4                        # … as if four invoices more had been late that often
//! unit = "share"
//! description = "Share of invoices not paid when the due date had passed, a year back."
//!
//! [[feature]]
//! name = "sms_30d"
//! source = "events"
//! types = ["contact_sent"]
//! where = { channel = "sms" }
//! window = "30d"
//! op = "count"
//! clip = [0, 20]
//! transform = "log1p"
//! ```
//!
//! A decision at `t` sees a row iff `recorded_at < t` and `t − w ≤ occurred_at < t`. Sources of
//! rows are `events` (with `types`), `contacts`, `settlements`, `dues` and `invoices`
//! ([`feature::Rows`]); facts come from `customer`, `invoice` and `calendar`
//! ([`feature::Attribute`]); `features` combines two columns declared above
//! ([`feature::PairOp`]). Operations are those of [`feature::Op`], windows those of
//! [`feature::Window`]. With `key = "segment"` the rows are those of every customer of the segment
//! ([`crate::segments`]). Keys that would have no effect are faults.

mod canonical;
mod check;
mod error;
pub mod feature;
mod raw;
mod vocabulary;

pub use error::{SpecError, SpecFault};
pub use feature::Feature;

use error::line_of;
use feature::{Definition, Transform};
use raw::RawSpec;

/// Largest spec that is read, in bytes.
pub const MAX_SPEC_BYTES: usize = 1 << 20;

/// Most columns that a vector has.
pub const MAX_COLUMNS: usize = 2_000;

const BUILT_IN: &str = include_str!("../spec/built_in.toml");

/// A checked list of features; its order is that of the vector.
#[derive(Debug, Clone)]
pub struct FeatureSpec {
    text: String,
    features: Vec<Feature>,
    fingerprint: String,
}

impl FeatureSpec {
    /// The spec that lagom uses where no other is given.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test reads the built-in spec")
    }

    /// Reads a spec.
    ///
    /// # Errors
    /// [`SpecError`] holds every fault with its line.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        if text.len() > MAX_SPEC_BYTES {
            let reason = format!(
                "{} bytes are more than the {MAX_SPEC_BYTES} of a spec",
                text.len()
            );
            return Err(whole(1, reason));
        }
        let raw: RawSpec = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            whole(line, error.message().to_owned())
        })?;
        let (mut features, mut faults) = (Vec::new(), Vec::new());
        let mut columns: Vec<String> = Vec::new();
        for raw in &raw.feature {
            match check::Checker::new(text, raw.get_ref(), &columns).feature() {
                Ok(feature) => {
                    faults.extend(repeated(&feature, &columns));
                    columns.extend(feature.columns.iter().cloned());
                    features.push(feature);
                }
                Err(found) => faults.extend(found),
            }
        }
        if columns.len() > MAX_COLUMNS {
            let reason = format!("{} columns; a vector has {MAX_COLUMNS}", columns.len());
            return Err(whole(1, reason));
        }
        if !faults.is_empty() {
            return Err(SpecError { faults });
        }
        if features.is_empty() {
            let reason = "no feature is declared; begin one with [[feature]]";
            return Err(whole(1, reason.to_owned()));
        }
        let digest = blake3::hash(canonical::text(&features).as_bytes());
        Ok(Self {
            text: text.to_owned(),
            features,
            fingerprint: digest.to_hex()[..16].to_owned(),
        })
    }

    /// The text that was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The features, in order.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The names of the vector's columns, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let columns = self.features.iter().flat_map(|feature| &feature.columns);
        columns.map(String::as_str).collect()
    }

    /// The columns declared as splines, each with how many knots training places.
    pub fn splines(&self) -> impl Iterator<Item = (&str, usize)> {
        self.features.iter().filter_map(|one| match one.transform {
            Transform::Spline(knots) => Some((one.columns.first()?.as_str(), knots)),
            _ => None,
        })
    }

    /// The features that are pooled by segment.
    pub fn pooled(&self) -> impl Iterator<Item = &Feature> {
        let pooled = |one: &&Feature| matches!(one.definition, Definition::Pooled(_));
        self.features.iter().filter(pooled)
    }

    /// How many columns the vector has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.features.iter().map(|one| one.columns.len()).sum()
    }

    /// Digest of what the features mean and of their order: sixteen hexadecimal digits. Equal
    /// fingerprints give equal vectors; a model refuses vectors of another.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl PartialEq for FeatureSpec {
    /// Equal texts are equal specs; those that only mean the same have equal fingerprints.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

fn whole(line: usize, reason: String) -> SpecError {
    let fault = SpecFault {
        line,
        feature: None,
        reason,
    };
    SpecError {
        faults: vec![fault],
    }
}

fn repeated(feature: &Feature, earlier: &[String]) -> Option<SpecFault> {
    let twice = feature.columns.iter().find(|one| earlier.contains(one))?;
    Some(SpecFault {
        line: feature.line,
        feature: Some(feature.name.clone()),
        reason: format!("a feature above has a column `{twice}` already"),
    })
}
