//! Everything a decision depends on beside the request, replaced whole.

use crate::artefact::ModelVersion;
use crate::bandit::{BaseMeasure, Generation};
use crate::guardrails::Guardrails;
use crate::hazard::Moment;
use crate::objective::{Objective, ObjectiveError};
use crate::policy::context::{Context, ContextError};
use crate::strategy::Strategy;
use lagom_features::domain::UnknownName;
use lagom_features::extract::Extractor;
use lagom_features::spec::FeatureSpec;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

/// Who chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// The rules ladder.
    Ladder,
    /// Every eligible action alike.
    Uniform,
    /// The contextual bandit, once it has learnt from enough outcomes; the ladder, explored a
    /// little, before.
    Bandit,
}

impl PolicyKind {
    /// The name under which it is logged.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ladder => "ladder",
            Self::Uniform => "uniform",
            Self::Bandit => "bandit",
        }
    }
}

impl FromStr for PolicyKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "ladder" => Ok(Self::Ladder),
            "uniform" => Ok(Self::Uniform),
            "bandit" => Ok(Self::Bandit),
            other => Err(UnknownName {
                what: "policy",
                given: other.to_owned(),
                known: "ladder, uniform, bandit".to_owned(),
            }),
        }
    }
}

/// When to ask again, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// After waiting.
    pub after_wait_days: u16,
    /// After the slot of a step.
    pub after_step_days: u16,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            after_wait_days: 3,
            after_step_days: 4,
        }
    }
}

/// How the bandit begins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColdStart {
    /// Matured outcomes before the bandit's own scores decide.
    pub rounds: u64,
    /// Share of the base measure mixed into the ladder until then, in [0, 1].
    pub exploration: f64,
}

impl Default for ColdStart {
    fn default() -> Self {
        Self {
            rounds: 500,
            exploration: 0.3,
        }
    }
}

/// A fitted model's predictions for a feature vector.
pub trait Predictor: Send + Sync + std::fmt::Debug {
    /// Id of the model version.
    fn id(&self) -> &str;
    /// Fingerprint of the spec whose vectors it reads.
    fn feature_fingerprint(&self) -> &str;
    /// P(paid within the horizon) of an invoice at `moment`.
    fn payment_propensity(&self, features: &[f64], moment: Moment) -> Option<f64>;
    /// P(leaves within 90 days).
    fn churn_risk(&self, features: &[f64]) -> Option<f64>;
    /// P(late at all) of a new customer's invoice at `moment`; `None` where it is late or the customer is
    /// not new.
    fn early_risk(&self, features: &[f64], moment: Moment) -> Option<f64>;
}

/// What a snapshot is built of.
#[derive(Debug, Clone)]
pub struct SnapshotParts {
    /// Which features are computed.
    pub spec: FeatureSpec,
    /// Propensity and churn, once trained.
    pub model: Option<Arc<dyn Predictor>>,
    /// What may be advised.
    pub strategy: Arc<Strategy>,
    /// What must not happen.
    pub guardrails: Arc<Guardrails>,
    /// What the company wants.
    pub objective: Objective,
    /// What the bandit sees.
    pub context: Context,
    /// What the bandit has learnt.
    pub generation: Arc<Generation>,
    /// Who chooses.
    pub policy: PolicyKind,
    /// Whether the ladder decides in the bandit's place until resumed.
    pub paused: bool,
    /// How the bandit begins.
    pub cold_start: ColdStart,
    /// When to ask again.
    pub pace: Pace,
}

/// Why parts do not make a snapshot.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SnapshotError {
    /// The model was trained on other features.
    #[error(
        "model {model} reads features of spec {expected}, and the spec in force is {found}; \
         train on this spec, or put that one back"
    )]
    ForeignFeatures {
        /// The model.
        model: String,
        /// The spec it reads.
        expected: String,
        /// The spec in force.
        found: String,
    },
    /// The generation scores another catalogue or context.
    #[error(
        "generation {number} was learnt for {learnt} actions over {entries} context entries; the \
         strategy has {actions} actions and the context {wanted} entries"
    )]
    ForeignGeneration {
        /// Its number.
        number: u64,
        /// Actions of its catalogue.
        learnt: usize,
        /// Entries of its context.
        entries: usize,
        /// Actions of the strategy.
        actions: usize,
        /// Entries of the context in force.
        wanted: usize,
    },
    /// A weight or price is out of range.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// A context entry cannot be bound.
    #[error(transparent)]
    Context(#[from] ContextError),
}

/// Parts that fit together.
#[derive(Debug, Clone)]
pub struct Snapshot {
    parts: SnapshotParts,
    extractor: Extractor,
    objective_id: String,
    base: BaseMeasure,
    asks_early_risk: bool,
    stand_in: Option<&'static str>,
}

impl Snapshot {
    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// [`SnapshotError`] says which two do not.
    pub fn new(parts: SnapshotParts) -> Result<Self, SnapshotError> {
        parts.objective.check()?;
        let extractor = Extractor::new(&parts.spec);
        if let Some(model) = &parts.model
            && model.feature_fingerprint() != extractor.fingerprint()
        {
            return Err(SnapshotError::ForeignFeatures {
                model: model.id().to_owned(),
                expected: model.feature_fingerprint().to_owned(),
                found: extractor.fingerprint().to_owned(),
            });
        }
        let layout = parts.generation.layout();
        let entries: Vec<&str> = parts.context.names().collect();
        let actions = parts.strategy.catalogue().len();
        let same_entries = layout
            .context()
            .iter()
            .map(String::as_str)
            .eq(entries.iter().copied());
        if layout.space().len() != actions || !same_entries {
            return Err(SnapshotError::ForeignGeneration {
                number: parts.generation.number(),
                learnt: layout.space().len(),
                entries: layout.context().len(),
                actions,
                wanted: entries.len(),
            });
        }
        let objective_id = parts.objective.id();
        let base = BaseMeasure::new(layout.space(), parts.generation.config().base_measure);
        Ok(Self {
            asks_early_risk: parts.strategy.asks_early_risk(),
            parts,
            extractor,
            objective_id,
            base,
            stand_in: None,
        })
    }

    /// The same, with a later generation of the same shape.
    ///
    /// # Errors
    /// [`SnapshotError::ForeignGeneration`] where its shape differs.
    pub fn with_generation(&self, generation: Arc<Generation>) -> Result<Self, SnapshotError> {
        Self::new(SnapshotParts {
            generation,
            ..self.parts.clone()
        })
    }

    /// The same, with another model version, or none.
    ///
    /// # Errors
    /// [`SnapshotError::ForeignFeatures`] where it reads other features.
    pub fn with_model(&self, model: Option<Arc<dyn Predictor>>) -> Result<Self, SnapshotError> {
        Self::new(SnapshotParts {
            model,
            ..self.parts.clone()
        })
    }

    /// The same, paused or resumed.
    #[must_use]
    pub fn with_paused(&self, paused: bool) -> Self {
        let mut snapshot = self.clone();
        snapshot.parts.paused = paused;
        snapshot
    }

    /// The same, in which the ladder decides where the bandit would, for this reason.
    #[must_use]
    pub fn with_stand_in(&self, reason: &'static str) -> Self {
        let mut snapshot = self.clone();
        snapshot.stand_in = Some(reason);
        snapshot
    }

    /// Why the ladder decides where the bandit would, if it does.
    #[must_use]
    pub fn stand_in(&self) -> Option<&'static str> {
        let paused = "the policy is paused; the ladder decides";
        self.stand_in.or(self.parts.paused.then_some(paused))
    }

    /// What it was built of.
    #[must_use]
    pub fn parts(&self) -> &SnapshotParts {
        &self.parts
    }

    /// The compiled spec.
    #[must_use]
    pub fn extractor(&self) -> &Extractor {
        &self.extractor
    }

    /// Digest of the objective.
    #[must_use]
    pub fn objective_id(&self) -> &str {
        &self.objective_id
    }

    /// What exploration spreads over.
    #[must_use]
    pub fn base(&self) -> &BaseMeasure {
        &self.base
    }

    /// What may be advised.
    #[must_use]
    pub fn strategy(&self) -> &Strategy {
        &self.parts.strategy
    }

    /// What must not happen.
    #[must_use]
    pub fn guardrails(&self) -> &Guardrails {
        &self.parts.guardrails
    }

    /// Who chooses.
    #[must_use]
    pub fn policy(&self) -> PolicyKind {
        self.parts.policy
    }

    /// When to ask again.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.parts.pace
    }

    /// Id of the model version, if one is fit.
    #[must_use]
    pub fn model_id(&self) -> Option<&str> {
        self.parts.model.as_deref().map(Predictor::id)
    }

    /// Payment propensity and churn risk of a feature vector, where a model is fit; of an invoice
    /// at `moment`.
    #[must_use]
    pub fn predict(&self, features: &[f64], moment: Moment) -> (Option<f64>, Option<f64>) {
        self.parts.model.as_ref().map_or((None, None), |model| {
            (
                model.payment_propensity(features, moment),
                model.churn_risk(features),
            )
        })
    }

    /// Early risk of a feature vector, where a model is fit that has it and the strategy asks for it; see
    /// [`Predictor::early_risk`].
    #[must_use]
    pub fn early_risk(&self, features: &[f64], moment: Moment) -> Option<f64> {
        let model = self.parts.model.as_ref().filter(|_| self.asks_early_risk)?;
        model.early_risk(features, moment)
    }
}

impl Predictor for ModelVersion {
    fn id(&self) -> &str {
        self.id()
    }

    fn feature_fingerprint(&self) -> &str {
        self.spec().fingerprint()
    }

    fn payment_propensity(&self, features: &[f64], moment: Moment) -> Option<f64> {
        self.propensity(features, moment)
    }

    fn churn_risk(&self, features: &[f64]) -> Option<f64> {
        self.churn_risk(features)
    }

    fn early_risk(&self, features: &[f64], moment: Moment) -> Option<f64> {
        self.early_risk(features, moment)
    }
}
