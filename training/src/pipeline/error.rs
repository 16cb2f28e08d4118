//! Why nothing was trained.

use super::Target;
use crate::fit::FitError;
use crate::registry::RegistryError;
use crate::tables::TableError;
use lagom_features::domain::Timestamp;
use lagom_model::artefact::ArtefactError;
use thiserror::Error;

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
    /// The parts do not make a version.
    #[error(transparent)]
    Artefact(#[from] ArtefactError),
    /// The version could not be stored.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
