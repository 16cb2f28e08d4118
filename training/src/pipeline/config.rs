//! How to train: the `[training]` table of a configuration file.

use crate::dataset::DatasetOptions;
use crate::fit::{Direction, Form};
use crate::labels::reported_until;
use lagom_features::domain::{CustomerId, Timestamp};
use lagom_features::{FeatureSpec, History};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a training configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Not TOML, or a key that `[training]` does not have.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A number is out of range.
    #[error("[training] {key} = {value}: it must be {range}")]
    Range {
        /// Which.
        key: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        range: &'static str,
    },
    /// A time cannot be read.
    #[error("[training] {key}: {source}")]
    Time {
        /// Which.
        key: &'static str,
        /// Why.
        source: lagom_features::domain::time::TimeError,
    },
}

/// `[training]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    paid_days: u16,
    left_days: u16,
    before_days: Vec<u16>,
    after_days: Vec<u16>,
    most_invoices: usize,
    judge_share: f64,
    fit_before: Option<String>,
    judge_from: Option<String>,
    form: Form,
    most_pairs: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    monotone: BTreeMap<String, Direction>,
}

/// A file of which only `[training]` is read here.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    training: Raw,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            paid_days: 30,
            left_days: 90,
            before_days: vec![14, 7, 3],
            after_days: vec![3, 7, 14, 21, 28, 45, 60],
            most_invoices: 20_000,
            judge_share: 0.25,
            fit_before: None,
            judge_from: None,
            form: Form::Additive,
            most_pairs: 0,
            monotone: BTreeMap::new(),
        }
    }
}

/// How to train; checked.
#[derive(Debug, Clone)]
pub struct TrainingConfig {
    /// Days from a decision within which an invoice counts as paid.
    pub paid_days: u16,
    /// Days from a decision within which a customer counts as having left.
    pub left_days: u16,
    /// Days before the due date at which there are decision points, falling.
    pub before_days: Vec<u16>,
    /// Days after the due date at which there are decision points.
    pub after_days: Vec<u16>,
    /// Most invoices that are looked at; more are sampled by the seed.
    pub most_invoices: usize,
    /// Share of the invoices, the latest, on which a twin of each model is judged.
    pub judge_share: f64,
    /// The twin is fitted on outcomes known before this, instead of before `judge_from`.
    pub fit_before: Option<Timestamp>,
    /// The twin is judged on invoices issued from here on, instead of by `judge_share`.
    pub judge_from: Option<Timestamp>,
    /// The shape of the models.
    pub form: Form,
    /// Most pairs of columns in a model.
    pub most_pairs: usize,
    /// Feature columns that may move the chance of payment one way only: more past lateness never
    /// raises it.
    pub monotone: BTreeMap<String, Direction>,
    /// The features.
    pub spec: FeatureSpec,
    digest: String,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self::checked(Raw::default(), FeatureSpec::built_in())
            .expect("the default configuration is within its ranges")
    }
}

impl TrainingConfig {
    /// Reads `[training]` of a configuration file; other tables are not looked at.
    ///
    /// # Errors
    /// [`ConfigError`] with the line or the key.
    pub fn parse(text: &str, spec: FeatureSpec) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text)?;
        Self::checked(file.training, spec)
    }

    fn checked(raw: Raw, spec: FeatureSpec) -> Result<Self, ConfigError> {
        let range = |key, value: String, range| Err(ConfigError::Range { key, value, range });
        for (key, days) in [("paid_days", raw.paid_days), ("left_days", raw.left_days)] {
            if !(1..=730).contains(&days) {
                return range(key, days.to_string(), "from 1 to 730");
            }
        }
        let falling = raw.before_days.windows(2).all(|pair| pair[0] > pair[1]);
        let inside = raw.before_days.iter().all(|day| (1..=365).contains(day));
        if !falling || !inside {
            let days = format!("{:?}", raw.before_days);
            return range("before_days", days, "falling days from 365 to 1");
        }
        let rising = raw.after_days.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = raw.after_days.iter().all(|day| (1..=365).contains(day));
        if !rising || !inside {
            let days = format!("{:?}", raw.after_days);
            return range("after_days", days, "rising days from 1 to 365");
        }
        if raw.most_invoices == 0 {
            return range("most_invoices", "0".to_owned(), "above 0");
        }
        if !(raw.judge_share > 0.0 && raw.judge_share < 1.0) {
            let share = raw.judge_share.to_string();
            return range("judge_share", share, "between 0 and 1");
        }
        if raw.form == Form::Plain && spec.splines().next().is_some() {
            let bent = "additive where a feature is declared a spline: plain models are straight";
            return range("form", "plain".to_owned(), bent);
        }
        let names = spec.names();
        if let Some(name) = raw
            .monotone
            .keys()
            .find(|name| !names.contains(&name.as_str()))
        {
            let known = "the name of a feature column, as `lagom features` lists them";
            return range("monotone", name.clone(), known);
        }
        let time = |key, text: &Option<String>| {
            let parsed = text.as_deref().map(Timestamp::parse).transpose();
            parsed.map_err(|source| ConfigError::Time { key, source })
        };
        let (fit_before, judge_from) = (
            time("fit_before", &raw.fit_before)?,
            time("judge_from", &raw.judge_from)?,
        );
        if let (Some(before), Some(from)) = (fit_before, judge_from)
            && before > from
        {
            return range("fit_before", before.to_string(), "no later than judge_from");
        }
        let written = serde_json::to_string(&raw).expect("numbers and texts");
        let mut hasher = blake3::Hasher::new();
        hasher.update(written.as_bytes());
        hasher.update(spec.fingerprint().as_bytes());
        Ok(Self {
            digest: hasher.finalize().to_hex()[..32].to_owned(),
            paid_days: raw.paid_days,
            left_days: raw.left_days,
            before_days: raw.before_days,
            after_days: raw.after_days,
            most_invoices: raw.most_invoices,
            judge_share: raw.judge_share,
            fit_before,
            judge_from,
            form: raw.form,
            most_pairs: raw.most_pairs,
            monotone: raw.monotone,
            spec,
        })
    }

    /// The declared directions of the chance of payment.
    pub(super) fn directions(&self) -> impl Iterator<Item = (&str, Direction)> {
        self.monotone
            .iter()
            .map(|(name, one)| (name.as_str(), *one))
    }

    /// Digest of every setting and of what the features mean.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What to look at in `histories` as they were recorded before `as_of`.
    pub(super) fn dataset(
        &self,
        histories: &BTreeMap<CustomerId, History>,
        as_of: Timestamp,
        seed: u64,
    ) -> DatasetOptions {
        let invoices: usize = histories.values().map(|one| one.invoices().len()).sum();
        DatasetOptions {
            as_of,
            known_until: reported_until(histories, as_of),
            paid_days: self.paid_days,
            left_days: self.left_days,
            before_days: self.before_days.clone(),
            after_days: self.after_days.clone(),
            share: (self.most_invoices as f64 / invoices.max(1) as f64).min(1.0),
            seed,
        }
    }
}
