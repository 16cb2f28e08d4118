//! Why nothing was trained.

use super::Target;
use crate::fit::FitError;
use crate::registry::RegistryError;
use crate::tables::TableError;
use lagom_features::domain::Timestamp;
use lagom_model::artefact::ArtefactError;
use lagom_model::linear::LinearError;
use thiserror::Error;

/// Why there is no early risk.
#[derive(Debug, Error)]
pub enum EarlyError {
    /// The features lack what tells who is new, or what the first invoice shows.
    #[error("the features have no column `{name}`")]
    NoColumn {
        /// Which.
        name: &'static str,
    },
    /// It could not be fitted.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// It could not be asked.
    #[error(transparent)]
    Model(#[from] LinearError),
}

/// Why nothing was trained.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The tables cannot be read.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// There is nothing to learn from.
    #[error(
        "no invoice was issued and recorded before {as_of}; give tables with invoices, or a later --as-of"
    )]
    NoPoints {
        /// The instant.
        as_of: Timestamp,
    },
    /// A model could not be fitted.
    #[error("no model of {target:?}: {source}")]
    Fit {
        /// Of what.
        target: Target,
        /// Why.
        source: FitError,
    },
    /// There is no early risk.
    #[error("no early risk: {0}")]
    Early(#[from] EarlyError),
    /// The parts do not make a version.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    /// The version could not be stored.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
