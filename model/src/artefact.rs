//! A trained model version: every number that serving needs, where it came from, and how good it
//! was on what it had not seen.
//!
//! A version is one JSON document, and its id is the digest of that document, so a version cannot
//! change and two trainings that end in the same numbers are the same version.

mod error;
pub mod scrutiny;

pub use error::ArtefactError;

use crate::bandit::Digest;
use crate::early::{EarlyHead, EarlyRisk};
use crate::hazard::{AtDay, HORIZON_DAYS, Hazard, HazardHead, Moment};
use crate::leaving::{Leaving, LeavingHead};
use crate::linear::LinearModel;
use crate::metrics::Metrics;
use lagom_features::FeatureSpec;
use lagom_features::domain::Timestamp;
use scrutiny::Scrutiny;
use serde::{Deserialize, Serialize};

/// Format of the document; grows when an old reader would misread a new one.
pub const FORMAT: u32 = 1;

/// Hexadecimal digits of an id: 128 bits of the digest.
pub const ID_DIGITS: usize = 32;

/// Log-loss by which one curve for every horizon may be behind a model of one horizon alone: what a
/// coherent answer is worth.
const TOLERATED_LOSS: f64 = 0.005;
/// Calibration error with which the curve is as good as calibrated, whatever the other has.
const CALIBRATED_ECE: f64 = 0.02;

/// How good a model was on decisions later than everything it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOut {
    /// The judged model saw nothing from this instant on.
    pub fitted_before: Timestamp,
    /// It was judged on invoices issued from this instant on.
    pub judged_from: Timestamp,
    /// Rows that it was fitted on.
    pub fitted_rows: usize,
    /// What came out.
    pub metrics: Metrics,
}

/// One fitted model within a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Probability of what, in words.
    pub target: String,
    /// Days after the decision within which it counts; none where it has no window.
    pub horizon_days: Option<u16>,
    /// Rows that `model` was fitted on: of those whose outcome was known, thinned where there were many.
    pub rows: usize,
    /// Share of them with the outcome.
    pub base_rate: f64,
    /// The numbers, with the calibration map.
    pub model: LinearModel,
    /// Figures of a twin that was fitted on the earlier rows only; none where the rows were too
    /// few to be parted.
    pub held_out: Option<HeldOut>,
    /// How the model holds over time and in every part of the customers.
    #[serde(default, skip_serializing_if = "Scrutiny::is_empty")]
    pub scrutiny: Scrutiny,
}

/// Where a version came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// The version that was current when this one was trained.
    pub parent: Option<String>,
    /// Digest of the tables.
    pub data_digest: String,
    /// Digest of the training configuration.
    pub config_digest: String,
    /// Version of the program.
    pub code_version: String,
    /// Seed of everything drawn.
    pub seed: u64,
    /// Nothing recorded from this instant on was read.
    pub as_of: Timestamp,
    /// Experiments whose customers were left out, by name; part of the digest that is the
    /// version's id, so that it cannot be claimed afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<String>,
    /// How the policy learns that is stored beside the version, so that another way is another version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyOrigin>,
}

/// How the policy of a version learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyOrigin {
    /// Ways to learn and to choose ([`Generation::ways`](crate::bandit::Generation::ways)).
    pub ways: Digest,
    /// Whether it is held to the ladder as far as the log can prove.
    pub anchored: bool,
}

/// What a version is made of; see [`ModelVersion`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// [`FORMAT`] of the document.
    pub format: u32,
    /// Fingerprint of `feature_spec`.
    pub feature_fingerprint: String,
    /// The spec, as text.
    pub feature_spec: String,
    /// P(the invoice is settled within the horizon of the decision).
    pub propensity: Head,
    /// P(the invoice is settled by each day to [`crate::hazard::HORIZON_DAYS`]), where the data
    /// was enough for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hazard: Option<HazardHead>,
    /// P(the invoice is still open when its due date has passed), as judged at issue.
    pub lateness: Option<Head>,
    /// P(the customer leaves within the horizon of the decision).
    pub churn: Option<Head>,
    /// P(the customer leaves by a day of that horizon), from decisions whose outcome is not known to its
    /// end as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<LeavingHead>,
    /// P(the invoice is late at all) of customers with hardly any past, asked before it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early: Option<EarlyHead>,
    /// Where it came from.
    pub lineage: Lineage,
}

/// A checked model version.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelVersion {
    id: String,
    parts: Parts,
    spec: FeatureSpec,
}

impl ModelVersion {
    /// Checks `parts` and gives them their id.
    ///
    /// # Errors
    /// [`ArtefactError`]: another format, a spec that cannot be read or has another fingerprint, a
    /// model that reads other columns than the spec has.
    pub fn new(parts: Parts) -> Result<Self, ArtefactError> {
        if parts.format != FORMAT {
            return Err(ArtefactError::Format {
                found: parts.format,
            });
        }
        let spec = FeatureSpec::parse(&parts.feature_spec)?;
        if spec.fingerprint() != parts.feature_fingerprint {
            return Err(ArtefactError::Fingerprint {
                stated: parts.feature_fingerprint,
                found: spec.fingerprint().to_owned(),
            });
        }
        let heads = [
            ("propensity", Some(&parts.propensity)),
            ("lateness", parts.lateness.as_ref()),
            ("churn", parts.churn.as_ref()),
        ];
        for (name, head) in heads {
            if let Some(head) = head {
                check_columns(name, &head.model, &spec, &[])?;
            }
        }
        if let Some(head) = &parts.leaving {
            let own = Leaving::OWN_COLUMNS;
            check_columns("leaving", &head.leaving.model, &spec, own)?;
        }
        if let Some(head) = &parts.early {
            check_sources(&head.early, &spec)?;
        }
        if let Some(head) = &parts.hazard {
            if !head.hazard.clock.is_sound() {
                return Err(ArtefactError::Clock);
            }
            for (name, model) in head.hazard.models() {
                let own = &Hazard::OWN_COLUMNS[..Hazard::own_columns_of(model)];
                check_columns(name, model, &spec, own)?;
            }
        }
        let id = digest(canonical(&parts).as_bytes());
        Ok(Self { id, parts, spec })
    }

    /// Reads a document and checks that it is the version `id`.
    ///
    /// # Errors
    /// [`ArtefactError::Json`], [`ArtefactError::Id`] where a byte of its meaning was changed, and
    /// what [`Self::new`] refuses.
    pub fn from_json(id: &str, text: &str) -> Result<Self, ArtefactError> {
        let version = Self::new(serde_json::from_str(text)?)?;
        if version.id == id {
            return Ok(version);
        }
        Err(ArtefactError::Id {
            stated: id.to_owned(),
            found: version.id,
        })
    }

    /// The document: the same bytes for the same numbers.
    #[must_use]
    pub fn to_json(&self) -> String {
        canonical(&self.parts)
    }

    /// Digest of the document: [`ID_DIGITS`] hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is made of.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The features that its vectors have.
    #[must_use]
    pub fn spec(&self) -> &FeatureSpec {
        &self.spec
    }

    /// P(settled within the horizon) of the feature vector of an invoice at `moment`, read off the curve of
    /// [`Self::paid_by`]; by the model of that one horizon where there is no curve, or it was shown worse.
    /// None where the vector is not of this spec.
    #[must_use]
    pub fn propensity(&self, features: &[f64], moment: Moment) -> Option<f64> {
        match self.curve() {
            Some((curve, days)) => {
                let days = [f64::from(days)];
                let paid = curve.hazard.paid_by(features, moment, &days).ok()?;
                paid.first().copied()
            }
            None => self.parts.propensity.model.predict(features).ok(),
        }
    }

    /// The curve from which the propensity is read, and at which day: where there is a curve, it
    /// goes that far, and later decisions did not show it worse than the model of that one horizon.
    fn curve(&self) -> Option<(&HazardHead, u16)> {
        let days = self.parts.propensity.horizon_days?;
        let curve = self.parts.hazard.as_ref()?;
        if f64::from(days) > HORIZON_DAYS {
            return None;
        }
        let shown = curve.held_out.iter().find(|at| at.days == days);
        let challenger = self.parts.propensity.held_out.as_ref();
        let worse = match (shown, challenger) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(at), Some(other)) => is_worse(&at.metrics, &other.metrics),
        };
        (!worse).then_some((curve, days))
    }

    /// How good the propensity that is quoted was on later decisions: the curve at the horizon, or
    /// the model of that one horizon where it decides.
    #[must_use]
    pub fn quoted(&self) -> Option<&Metrics> {
        match self.curve() {
            Some((curve, days)) => {
                let at = |at: &&AtDay| at.days == days;
                curve.held_out.iter().find(at).map(|at| &at.metrics)
            }
            None => {
                let held_out = self.parts.propensity.held_out.as_ref()?;
                Some(&held_out.metrics)
            }
        }
    }

    /// P(settled by each of `days`, ascending, from the decision) of the feature vector of an invoice at
    /// `moment`; none where no hazard was fitted or the vector is not of this spec. See
    /// [`Hazard::paid_by`].
    #[must_use]
    pub fn paid_by(&self, features: &[f64], moment: Moment, days: &[f64]) -> Option<Vec<f64>> {
        let head = self.parts.hazard.as_ref()?;
        head.hazard.paid_by(features, moment, days).ok()
    }

    /// P(leaves within the horizon) of a feature vector, where the data had churn to learn from: by the
    /// hazard of leaving; by the model of the whole horizon where there is no hazard, or later decisions
    /// showed it worse.
    #[must_use]
    pub fn churn_risk(&self, features: &[f64]) -> Option<f64> {
        if let Some(head) = self.leaving() {
            let days = f64::from(head.leaving.horizon_days);
            return head.leaving.left_by(features, days).ok();
        }
        self.parts.churn.as_ref()?.model.predict(features).ok()
    }

    /// The hazard from which the risk of leaving is read.
    fn leaving(&self) -> Option<&LeavingHead> {
        let head = self.parts.leaving.as_ref()?;
        let challenger = self.parts.churn.as_ref();
        let other = challenger.and_then(|other| other.held_out.as_ref());
        let better = match (&head.held_out, other) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => !is_worse(&own.metrics, &other.metrics),
        };
        better.then_some(head)
    }

    /// P(late at all) of the vector of a customer with at most [`crate::early::NEW_AT_MOST`] earlier
    /// invoices, while the invoice is not late at `moment`. By early risk;
    /// read off the curve of payment at the due date where later decisions showed that better. None for
    /// other customers and later instants, and where the data had too few new customers.
    #[must_use]
    pub fn early_risk(&self, features: &[f64], moment: Moment) -> Option<f64> {
        let head = self.parts.early.as_ref()?;
        if !head.early.is_new(features) || moment.late_in_days <= 0.0 {
            return None;
        }
        if head.curve_is_better()
            && let Some(paid) = self.paid_by(features, moment, &[moment.late_in_days])
        {
            return paid.first().map(|paid| 1.0 - paid);
        }
        head.early.late(features).ok()
    }

    /// P(late at all) of the vector at issue, where the data had enough of it.
    #[must_use]
    pub fn lateness(&self, features: &[f64]) -> Option<f64> {
        self.parts.lateness.as_ref()?.model.predict(features).ok()
    }
}

/// Whether early risk reads the columns that it names, and has sound numbers.
fn check_sources(early: &EarlyRisk, spec: &FeatureSpec) -> Result<(), ArtefactError> {
    let names = spec.names();
    for source in early.sources() {
        let found = names.get(source.place).copied();
        if found != Some(source.name.as_str()) {
            return Err(ArtefactError::Column {
                head: "early risk",
                place: source.place,
                model: source.name.clone(),
                spec: found.unwrap_or("nothing").to_owned(),
            });
        }
    }
    early.is_sound().then_some(()).ok_or(ArtefactError::Early)
}

/// Whether a curve is behind a model of its one horizon.
fn is_worse(curve: &Metrics, other: &Metrics) -> bool {
    curve.log_loss > other.log_loss + TOLERATED_LOSS || curve.ece > other.ece.max(CALIBRATED_ECE)
}

fn check_columns(
    head: &'static str,
    model: &LinearModel,
    spec: &FeatureSpec,
    more: &[&str],
) -> Result<(), ArtefactError> {
    let names = [&spec.names(), more].concat();
    let columns = model.columns();
    if columns.len() != names.len() {
        return Err(ArtefactError::Width {
            head,
            model: columns.len(),
            spec: names.len(),
        });
    }
    for (place, (column, name)) in columns.iter().zip(names).enumerate() {
        if column.name != name {
            return Err(ArtefactError::Column {
                head,
                place,
                model: column.name.clone(),
                spec: name.to_owned(),
            });
        }
    }
    Ok(())
}

fn canonical(parts: &Parts) -> String {
    // Structs are written in declaration order and floats by their shortest exact spelling; there
    // is no map, so equal parts have one spelling.
    let mut text =
        serde_json::to_string_pretty(parts).expect("parts have no map keyed by other than text");
    text.push('\n');
    text
}

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..ID_DIGITS].to_owned()
}
