//! The model version in force, read from a registry that `lagom train` writes. A server needs no
//! more of it, and so links nothing that trains.

use lagom_model::artefact::{ArtefactError, ModelVersion};
use lagom_model::decide::Predictor;
use lagom_model::policy::learning::WarmStart;
use serde::Deserialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Why the version in force cannot be read.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The pointers are not of the form.
    #[error("{}: {error}; `lagom models` lists what can be pointed at", path.display())]
    Pointers {
        /// Which file.
        path: PathBuf,
        /// What the reader says.
        error: serde_json::Error,
    },
    /// What the policy learnt from history cannot be read.
    #[error("{}: {error}", path.display())]
    WarmStart {
        /// Which file.
        path: PathBuf,
        /// What the reader says.
        error: serde_json::Error,
    },
    /// The version is damaged or of another format.
    #[error("{}: {error}", path.display())]
    Version {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<ArtefactError>,
    },
}

#[derive(Deserialize)]
struct Pointers {
    current: Option<String>,
}

fn read(path: &Path) -> Result<Option<String>, RegistryError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RegistryError::Io {
            path: path.to_owned(),
            error,
        }),
    }
}

/// File of a version that holds what the policy learnt from the history it was trained on.
pub(crate) const WARM_START: &str = "bandit.json";

fn pointed_at(dir: &Path) -> Result<Option<String>, RegistryError> {
    let path = dir.join("pointers.json");
    let Some(text) = read(&path)? else {
        return Ok(None);
    };
    let pointers: Pointers =
        serde_json::from_str(&text).map_err(|error| RegistryError::Pointers { path, error })?;
    Ok(pointers.current)
}

/// What the policy learnt from the history of the version in force, where there is one and it was
/// trained on a decision log.
///
/// # Errors
/// [`RegistryError`] where there is something and it cannot be read.
pub fn warm_start(dir: &Path) -> Result<Option<WarmStart>, RegistryError> {
    let Some(id) = pointed_at(dir)? else {
        return Ok(None);
    };
    let path = dir.join(id).join(WARM_START);
    let Some(text) = read(&path)? else {
        return Ok(None);
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| RegistryError::WarmStart { path, error })
}

/// The version that the registry in `dir` points at; `None` before the first promotion.
///
/// # Errors
/// [`RegistryError`] where there is one and it cannot be read, or is not what its id says.
pub fn current(dir: &Path) -> Result<Option<Arc<dyn Predictor>>, RegistryError> {
    let Some(id) = pointed_at(dir)? else {
        return Ok(None);
    };
    let path = dir.join(&id).join("model.json");
    let text = std::fs::read_to_string(&path).map_err(|error| RegistryError::Io {
        path: path.clone(),
        error,
    })?;
    let version = ModelVersion::from_json(&id, &text).map_err(|error| RegistryError::Version {
        path,
        error: Box::new(error),
    })?;
    Ok(Some(Arc::new(version)))
}
