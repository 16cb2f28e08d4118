//! The registry of model versions that `lagom train` fills: which there are, which is in force,
//! which may be. A server needs no more of it, and so links nothing that trains.

use lagom_model::artefact::{ArtefactError, ModelVersion};
use lagom_model::decide::Predictor;
use lagom_model::forecast::Forecast;
use lagom_model::policy::learning::WarmStart;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Largest calibration error with which a propensity may decide about people.
const MOST_ECE: f64 = 0.05;
const POINTERS: &str = "pointers.json";

/// More bytes than any id of a version has.
const LONGEST_ID: usize = 128;

/// Why the registry cannot be read, or not be changed.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// A file cannot be read or written.
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
    /// The last forecast cannot be read.
    #[error("{}: {error}; run lagom forecast again", path.display())]
    Forecast {
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
    /// There is no version of this id.
    #[error("model `{0}` is not known; `lagom models` lists them")]
    Unknown(String),
    /// Nothing was in force before.
    #[error("no version was in force before the current one")]
    NoPrevious,
}

impl RegistryError {
    fn io(path: &Path, error: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            error,
        }
    }
}

/// File of a version that holds what the policy learnt from the history it was trained on.
pub(crate) const WARM_START: &str = "bandit.json";

/// File of a version that holds the last forecast that was made with it.
pub(crate) const FORECAST: &str = "forecast.json";

/// The last forecast made with the version in force; `None` where there is none.
///
/// # Errors
/// [`RegistryError`] where there is one and it cannot be read.
pub fn last_forecast(dir: &Path) -> Result<Option<Forecast>, RegistryError> {
    let Some(id) = pointers(dir)?.current else {
        return Ok(None);
    };
    let path = dir.join(id).join(FORECAST);
    match fs::read_to_string(&path) {
        Ok(text) => match serde_json::from_str(&text) {
            Ok(found) => Ok(Some(found)),
            Err(error) => Err(RegistryError::Forecast { path, error }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RegistryError::io(&path, error)),
    }
}

/// Which versions are in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointers {
    /// The one that decides.
    pub current: Option<String>,
    /// The one before it.
    pub previous: Option<String>,
}

/// Which versions the registry in `dir` points at.
///
/// # Errors
/// [`RegistryError`] where there are pointers that cannot be read.
pub fn pointers(dir: &Path) -> Result<Pointers, RegistryError> {
    let path = dir.join(POINTERS);
    match fs::read_to_string(&path) {
        Ok(text) => {
            serde_json::from_str(&text).map_err(|error| RegistryError::Pointers { path, error })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Pointers::default()),
        Err(error) => Err(RegistryError::io(&path, error)),
    }
}

/// The version of this id.
///
/// # Errors
/// [`RegistryError`] where there is none, or it is not what its id says.
pub fn version(dir: &Path, id: &str) -> Result<ModelVersion, RegistryError> {
    // An id is a digest; anything else could lead out of the folder, or be no name of a file.
    let of_digest = |byte: u8| byte.is_ascii_alphanumeric();
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(of_digest) {
        return Err(RegistryError::Unknown(id.to_owned()));
    }
    let path = dir.join(id).join("model.json");
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => RegistryError::Unknown(id.to_owned()),
        _ => RegistryError::io(&path, error),
    })?;
    ModelVersion::from_json(id, &text).map_err(|error| RegistryError::Version {
        path,
        error: Box::new(error),
    })
}

/// The version that the registry in `dir` points at; `None` before the first promotion.
///
/// # Errors
/// [`RegistryError`] where there is one and it cannot be read, or is not what its id says.
pub fn current(dir: &Path) -> Result<Option<Arc<dyn Predictor>>, RegistryError> {
    let Some(id) = pointers(dir)?.current else {
        return Ok(None);
    };
    Ok(Some(Arc::new(version(dir, &id)?)))
}

/// Every version that can be read, newest data first; what cannot be read is logged and left out.
///
/// # Errors
/// [`RegistryError::Io`] where the folder cannot be read.
pub fn list(dir: &Path) -> Result<Vec<ModelVersion>, RegistryError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| RegistryError::io(dir, error))?,
    };
    let mut versions = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| RegistryError::io(dir, error))?;
        let id = entry.file_name().to_string_lossy().into_owned();
        match version(dir, &id) {
            Ok(one) => versions.push(one),
            Err(RegistryError::Unknown(_)) => {}
            Err(error) => tracing::warn!(%error, "a model version cannot be read"),
        }
    }
    versions.sort_by(|a, b| {
        let key = |one: &ModelVersion| (one.parts().lineage.as_of, one.id().to_owned());
        key(b).cmp(&key(a))
    });
    Ok(versions)
}

/// Points at `id`, and keeps what was current as previous. Pointing at the current one changes
/// nothing.
///
/// # Errors
/// [`RegistryError::Io`]; nothing changed then.
pub fn promote(dir: &Path, id: &str) -> Result<Pointers, RegistryError> {
    let before = pointers(dir)?;
    if before.current.as_deref() == Some(id) {
        return Ok(before);
    }
    point(
        dir,
        Pointers {
            current: Some(id.to_owned()),
            previous: before.current,
        },
    )
}

/// Points at the previous version again, and keeps the current one as previous.
///
/// # Errors
/// [`RegistryError::NoPrevious`], [`RegistryError::Io`]; nothing changed then.
pub fn rollback(dir: &Path) -> Result<Pointers, RegistryError> {
    let before = pointers(dir)?;
    let previous = before.previous.ok_or(RegistryError::NoPrevious)?;
    point(
        dir,
        Pointers {
            current: Some(previous),
            previous: before.current,
        },
    )
}

/// Written aside, synced, renamed: a crash leaves the old pointers or the new ones.
fn point(dir: &Path, pointers: Pointers) -> Result<Pointers, RegistryError> {
    let place = dir.join(POINTERS);
    let io = |error| RegistryError::io(&place, error);
    let mut text = serde_json::to_string_pretty(&pointers).expect("two optional texts");
    text.push('\n');
    let mut aside = tempfile::NamedTempFile::new_in(dir).map_err(io)?;
    aside.write_all(text.as_bytes()).map_err(io)?;
    aside.as_file().sync_all().map_err(io)?;
    aside.persist(&place).map_err(|error| io(error.error))?;
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(io)?;
    Ok(pointers)
}

/// Why the held-out figures of a version speak against it.
#[must_use]
pub fn objections(version: &ModelVersion) -> Vec<String> {
    let Some(metrics) = version.quoted() else {
        return vec!["its propensity was not judged on later invoices".to_owned()];
    };
    let mut reasons = Vec::new();
    if metrics.ece > MOST_ECE {
        reasons.push(format!(
            "its probabilities are off by {:.3} on average on later invoices; at most {MOST_ECE} \
             is allowed",
            metrics.ece
        ));
    }
    if metrics.auc.is_none_or(|auc| auc <= 0.5) {
        reasons.push("it does not tell payers apart on later invoices".to_owned());
    }
    reasons
}

/// What the policy learnt from the history of the version in force, where there is one and it was
/// trained on a decision log.
///
/// # Errors
/// [`RegistryError`] where there is something and it cannot be read.
pub fn warm_start(dir: &Path) -> Result<Option<WarmStart>, RegistryError> {
    let Some(id) = pointers(dir)?.current else {
        return Ok(None);
    };
    let path = dir.join(id).join(WARM_START);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RegistryError::io(&path, error)),
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| RegistryError::WarmStart { path, error })
}
