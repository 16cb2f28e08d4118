//! The registry of model versions that `lagom train` fills: which there are, which is in force,
//! which may be. A server needs no more of it, and so links nothing that trains.

use crate::clock::wall;
use lagom_model::artefact::{ArtefactError, ModelVersion};
use lagom_model::decide::Predictor;
use lagom_model::forecast::Forecast;
use lagom_model::ope::valuation::{Judged, unproven};
use lagom_model::policy::warm_start::WarmStart;
use lagom_model::rollout::{Pointers, Stage, StepError, Target};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// Largest calibration error with which a propensity may decide about people.
const MOST_ECE: f64 = 0.05;
const POINTERS: &str = "pointers.json";
/// Held while the pointers change.
const LOCK: &str = "pointers.lock";
const VERDICTS: &str = "verdicts";

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
    /// What the gate said cannot be read.
    #[error("{}: {error}; run lagom evaluate again", path.display())]
    Verdict {
        /// Which file.
        path: PathBuf,
        /// What the reader says.
        error: serde_json::Error,
    },
    /// The step cannot be taken.
    #[error(transparent)]
    Step(#[from] StepError),
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
const WARM_START: &str = "bandit.json";

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

/// Takes a step from one state of the pointers to the next; nobody else takes one meanwhile.
fn step(
    dir: &Path,
    take: impl FnOnce(Pointers) -> Result<Pointers, StepError>,
) -> Result<Pointers, RegistryError> {
    let place = dir.join(LOCK);
    let io = |error| RegistryError::io(&place, error);
    fs::create_dir_all(dir).map_err(io)?;
    let lock = File::create(&place).map_err(io)?;
    lock.lock().map_err(io)?;
    let before = pointers(dir)?;
    let next = take(before.clone())?;
    if next != before {
        point(dir, &next)?;
    }
    Ok(next)
}

/// Lets `id` decide, and keeps what was current as previous. Promoting the current one takes a
/// candidate off its way.
///
/// # Errors
/// [`RegistryError::Io`], [`RegistryError::Pointers`]; nothing changed then.
pub fn promote(dir: &Path, id: &str, reason: &str) -> Result<Pointers, RegistryError> {
    put(dir, id, Target::Live, reason)
}

/// Puts `id` in the place of the current version, or beside it.
///
/// # Errors
/// [`RegistryError::Step`] where there is nothing to stand beside, and as [`promote`]; nothing
/// changed then.
pub fn put(dir: &Path, id: &str, target: Target, reason: &str) -> Result<Pointers, RegistryError> {
    step(dir, |pointers| match target {
        Target::Live => Ok(pointers.promote(id, wall(), reason)),
        Target::Stage(stage) => pointers.stage(id, stage, wall(), reason),
    })
}

/// Takes the candidate that step `number` put there off its way; another stays.
///
/// # Errors
/// As [`promote`]; nothing changed then.
pub fn withdraw(dir: &Path, number: u64, reason: &str) -> Result<Pointers, RegistryError> {
    step(dir, |pointers| {
        Ok(pointers.withdraw(number, wall(), reason))
    })
}

/// Undoes the last step: takes the candidate off its way or, where there is none, lets the previous
/// version decide again.
///
/// # Errors
/// [`RegistryError::Step`] where there is neither, and as [`promote`]; nothing changed then.
pub fn rollback(dir: &Path, reason: &str) -> Result<Pointers, RegistryError> {
    step(dir, |pointers| pointers.rollback(wall(), reason))
}

/// Lets the version before `id` decide again, if `id` is in force.
///
/// # Errors
/// [`RegistryError::Step`] where there is none before it, and as [`promote`]; nothing changed then.
pub fn take_back(dir: &Path, id: &str, reason: &str) -> Result<Pointers, RegistryError> {
    step(dir, |pointers| pointers.take_back(id, wall(), reason))
}

/// Written aside, synced, renamed: a crash leaves the old pointers or the new ones.
fn point(dir: &Path, pointers: &Pointers) -> Result<(), RegistryError> {
    let place = dir.join(POINTERS);
    let io = |error| RegistryError::io(&place, error);
    let mut text = serde_json::to_string_pretty(pointers).expect("texts and finite numbers");
    text.push('\n');
    let mut aside = tempfile::NamedTempFile::new_in(dir).map_err(io)?;
    aside.write_all(text.as_bytes()).map_err(io)?;
    aside.as_file().sync_all().map_err(io)?;
    aside.persist(&place).map_err(|error| io(error.error))?;
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(io)
}

/// What the gate said of the version `id`, last.
///
/// # Errors
/// [`RegistryError::Verdict`] where it cannot be read.
pub fn judged(dir: &Path, id: &str) -> Result<Option<Judged>, RegistryError> {
    let path = dir.join(VERDICTS).join(format!("{id}.json"));
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| RegistryError::Verdict { path, error }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RegistryError::io(&path, error)),
    }
}

/// Why a version may not decide about people: its held-out figures and, where another version is
/// current, what the gate said of it. A shadow decides about nobody.
///
/// # Errors
/// [`RegistryError`] where the registry cannot be read.
pub fn reasons_against(
    dir: &Path,
    version: &ModelVersion,
    target: Target,
) -> Result<Vec<String>, RegistryError> {
    if target == Target::Stage(Stage::Shadow) {
        return Ok(Vec::new());
    }
    let mut reasons = objections(version);
    let current = pointers(dir)?.current;
    let judged = judged(dir, version.id())?;
    reasons.extend(unproven(version.id(), current.as_deref(), judged.as_ref()));
    Ok(reasons)
}

/// Why a version is let through, for the record: in spite of what, or what the gate said.
///
/// # Errors
/// [`RegistryError`] where the registry cannot be read.
pub fn why(
    dir: &Path,
    id: &str,
    target: Target,
    in_spite: Option<&str>,
) -> Result<String, RegistryError> {
    if target == Target::Stage(Stage::Shadow) {
        return Ok("a shadow has no effect, so the gate was not asked".to_owned());
    }
    if let Some(reason) = in_spite {
        return Ok(format!("in spite of the gate: {reason}"));
    }
    let current = pointers(dir)?.current;
    let asked = current.is_some_and(|current| current != id);
    let judged = judged(dir, id)?.filter(|_| asked);
    Ok(judged.map_or_else(
        || "no other version was current, so the gate was not asked".to_owned(),
        |judged| judged.valuation.verdict.words,
    ))
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
    match pointers(dir)?.current {
        None => Ok(None),
        Some(id) => warm_start_of(dir, &id),
    }
}

/// The same of any version.
///
/// # Errors
/// [`RegistryError`] where there is something and it cannot be read.
pub(crate) fn warm_start_of(dir: &Path, id: &str) -> Result<Option<WarmStart>, RegistryError> {
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
