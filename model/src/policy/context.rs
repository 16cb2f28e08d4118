//! What the bandit sees of a case: a few features and the models' predictions, each on a fixed
//! scale, so that a coefficient means the same in every generation.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bounds of a scaled entry: one wild value must not tilt a linear score.
const LIMIT: f64 = 3.0;

/// Name under which the propensity model's prediction enters.
pub const PAYMENT_PROPENSITY: &str = "payment_propensity";
/// Name under which the churn model's prediction enters.
pub const CHURN_RISK: &str = "churn_risk";

/// The feature that says how long ago an invoice fell due.
const AGE: &str = "days_past_due";

/// One entry: `clamp((value − centre) / scale, −3, 3)`, and 0 where the value is unknown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextEntry {
    /// A feature of the spec, `payment_propensity` or `churn_risk`.
    pub feature: String,
    /// Value that becomes 0.
    pub centre: f64,
    /// Difference that becomes 1; above 0.
    pub scale: f64,
}

/// Why a context cannot be made from a spec.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ContextError {
    /// The spec has no such feature.
    #[error(
        "[[bandit.context]] feature = \"{0}\": the feature spec has none of that name; `lagom \
         features` lists them"
    )]
    Unknown(String),
    /// The same entry twice.
    #[error("[[bandit.context]] feature = \"{0}\" stands there twice")]
    Twice(String),
    /// The scale cannot divide.
    #[error("[[bandit.context]] feature = \"{feature}\": scale = {scale} must be above 0")]
    Scale {
        /// Which entry.
        feature: String,
        /// Its scale.
        scale: f64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    Feature(usize),
    Propensity,
    Churn,
}

/// The entries, bound to the places of a feature vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    entries: Vec<(Source, ContextEntry)>,
    /// Where the features say how long ago an invoice fell due.
    age: Option<usize>,
}

/// The entries used unless a company names others: how late, how usual that is, whether the
/// invoice was seen, what was sent already, and when money comes in.
#[must_use]
pub fn default_entries() -> Vec<ContextEntry> {
    [
        ("days_past_due", 10.0, 10.0),
        ("late_rate", 0.25, 0.25),
        ("first_time_late", 0.0, 1.0),
        ("log_amount", 10.7, 0.7),
        ("opened", 0.0, 1.0),
        ("clicks", 0.0, 1.0),
        ("lag_median", 5.0, 10.0),
        ("contacts_7d", 0.0, 1.0),
        ("contacts_this", 0.0, 2.0),
        ("days_to_payday", 10.0, 8.0),
        ("overdue_others", 0.0, 1.0),
        (PAYMENT_PROPENSITY, 0.5, 0.25),
        (CHURN_RISK, 0.05, 0.05),
    ]
    .into_iter()
    .map(|(feature, centre, scale)| ContextEntry {
        feature: feature.to_owned(),
        centre,
        scale,
    })
    .collect()
}

impl ContextEntry {
    /// The feature's value that is scaled to `scaled`; none beyond the bounds.
    #[must_use]
    pub fn unscaled(&self, scaled: f64) -> Option<f64> {
        (scaled.abs() <= LIMIT).then_some(self.centre + scaled * self.scale)
    }
}

impl Context {
    /// Binds entries to the features named `names`, in their order.
    ///
    /// # Errors
    /// [`ContextError`] names the first entry that cannot be bound.
    pub fn bind<N: AsRef<str>>(
        entries: &[ContextEntry],
        names: &[N],
    ) -> Result<Self, ContextError> {
        let mut bound: Vec<(Source, ContextEntry)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let feature = &entry.feature;
            if bound.iter().any(|(_, other)| &other.feature == feature) {
                return Err(ContextError::Twice(feature.clone()));
            }
            if !(entry.scale.is_finite() && entry.scale > 0.0 && entry.centre.is_finite()) {
                let scale = entry.scale;
                return Err(ContextError::Scale {
                    feature: feature.clone(),
                    scale,
                });
            }
            let source = match feature.as_str() {
                PAYMENT_PROPENSITY => Source::Propensity,
                CHURN_RISK => Source::Churn,
                name => names
                    .iter()
                    .position(|other| other.as_ref() == name)
                    .map(Source::Feature)
                    .ok_or_else(|| ContextError::Unknown(feature.clone()))?,
            };
            bound.push((source, entry.clone()));
        }
        let age = names.iter().position(|name| name.as_ref() == AGE);
        Ok(Self {
            entries: bound,
            age,
        })
    }

    /// Days since the invoice fell due, negative before; NaN where the spec has no such feature.
    #[must_use]
    pub fn age_days(&self, features: &[f64]) -> f64 {
        let found = self.age.and_then(|place| features.get(place));
        found.copied().unwrap_or(f64::NAN)
    }

    /// The entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = &ContextEntry> {
        self.entries.iter().map(|(_, entry)| entry)
    }

    /// Names of the entries, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(_, entry)| entry.feature.as_str())
    }

    /// The context of a feature vector and the models' predictions, into `out`.
    pub fn of(
        &self,
        features: &[f64],
        payment_propensity: Option<f64>,
        churn_risk: Option<f64>,
        out: &mut Vec<f64>,
    ) {
        out.clear();
        out.extend(self.entries.iter().map(|(source, entry)| {
            let value = match *source {
                Source::Feature(place) => features.get(place).copied().unwrap_or(f64::NAN),
                Source::Propensity => payment_propensity.unwrap_or(f64::NAN),
                Source::Churn => churn_risk.unwrap_or(f64::NAN),
            };
            let scaled = (value - entry.centre) / entry.scale;
            if scaled.is_nan() {
                0.0
            } else {
                scaled.clamp(-LIMIT, LIMIT)
            }
        }));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(feature: &str, centre: f64, scale: f64) -> ContextEntry {
        ContextEntry {
            feature: feature.to_owned(),
            centre,
            scale,
        }
    }

    #[test]
    fn entries_are_scaled_bounded_and_unknown_is_the_centre() {
        let entries = [
            entry("b", 1.0, 2.0),
            entry("a", 0.0, 1.0),
            entry(PAYMENT_PROPENSITY, 0.5, 0.25),
        ];
        let context = Context::bind(&entries, &["a", "b"]).unwrap();
        let mut out = Vec::new();
        context.of(&[f64::NAN, 5.0], Some(0.75), None, &mut out);
        assert_eq!(out, [2.0, 0.0, 1.0]);
        context.of(&[99.0, -99.0], None, None, &mut out);
        assert_eq!(out, [-3.0, 3.0, 0.0]);
    }

    #[test]
    fn what_cannot_be_bound_is_named() {
        let unknown = Context::bind(&[entry("c", 0.0, 1.0)], &["a"]).unwrap_err();
        assert!(unknown.to_string().contains("\"c\""));
        let scale = Context::bind(&[entry("a", 0.0, 0.0)], &["a"]).unwrap_err();
        assert!(matches!(scale, ContextError::Scale { .. }));
        let twice = Context::bind(&[entry("a", 0.0, 1.0), entry("a", 0.0, 1.0)], &["a"]);
        assert_eq!(twice.unwrap_err(), ContextError::Twice("a".to_owned()));
    }
}
