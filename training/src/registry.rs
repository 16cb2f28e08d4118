//! Model versions on disk: never changed, found by their digest, two of them pointed at.
//!
//! ```text
//! DIR/<id>/model.json     a version; `id` is the digest of the bytes
//! DIR/<id>/card.md        the same for people, in short
//! DIR/<id>/card.json      the card whole; card.html is the same as a page
//! DIR/pointers.json       which version is current and which was before it
//! DIR/verdicts/<id>.json  what the gate said of a version, last
//! ```
//! A version appears whole or not at all, and both pointers move in one rename, so that a crash
//! leaves the old state or the new one.

mod card;
mod error;
mod write;

pub use error::RegistryError;

use crate::valuation::Valuation;
use lagom_model::artefact::{Lineage, ModelVersion};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const MODEL: &str = "model.json";
const CARD: &str = "card.md";
const CARD_JSON: &str = "card.json";
const CARD_HTML: &str = "card.html";
const POINTERS: &str = "pointers.json";
const VERDICTS: &str = "verdicts";

/// Which versions are pointed at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pointers {
    /// Serves.
    pub current: Option<String>,
    /// Served before it; what a rollback returns to.
    pub previous: Option<String>,
}

/// What was found of a version by off-policy evaluation, and against whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The version that was judged.
    pub candidate: String,
    /// A version, or the name of a policy (`logged`, `ladder`, `uniform`).
    pub against: String,
    /// Values, intervals and the verdict.
    pub valuation: Valuation,
}

/// A version in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Whether it serves.
    pub current: bool,
    /// Whether a rollback returns to it.
    pub previous: bool,
    /// Where it came from.
    pub lineage: Lineage,
    /// Held-out area under the curve of its propensity model, where it was judged.
    pub propensity_auc: Option<f64>,
}

/// A folder of model versions.
#[derive(Debug, Clone)]
pub struct Registry {
    dir: PathBuf,
}

impl Registry {
    /// The registry in `dir`, which is made when the first version is stored.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// Where the version `id` is stored.
    #[must_use]
    pub fn path(&self, id: &str) -> PathBuf {
        self.dir.join(id)
    }

    /// Stores a version and its card; one that is there already is left as it is.
    ///
    /// # Errors
    /// [`RegistryError::Io`], and what [`Self::get`] says of a version of this id that is there
    /// and damaged.
    pub fn put(&self, version: &ModelVersion) -> Result<PathBuf, RegistryError> {
        let path = self.path(version.id());
        if path.exists() {
            self.get(version.id())?;
            return Ok(path);
        }
        // A parent that is gone or damaged is no reason not to store its child.
        let parent = version.parts().lineage.parent.as_deref();
        let before = parent.and_then(|id| self.get(id).ok());
        let (json, html) = card::documents(version, before.as_ref());
        let files = [
            (MODEL, version.to_json()),
            (CARD, card::markdown(version)),
            (CARD_JSON, json),
            (CARD_HTML, html),
        ];
        write::folder(&self.dir, version.id(), &files)?;
        Ok(path)
    }

    /// The version of this id, or of the only id that begins so.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`], [`RegistryError::Ambiguous`], and
    /// [`RegistryError::Version`] where the document is not what its name says.
    pub fn get(&self, id: &str) -> Result<ModelVersion, RegistryError> {
        let id = self.find(id)?;
        let path = self.path(&id).join(MODEL);
        let text = fs::read_to_string(&path).map_err(|source| RegistryError::io(&path, source))?;
        ModelVersion::from_json(&id, &text)
            .map_err(|source| RegistryError::Version { path, source })
    }

    /// The version that serves, if one was promoted.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn current(&self) -> Result<Option<ModelVersion>, RegistryError> {
        let current = self.pointers()?.current;
        current.map(|id| self.get(&id)).transpose()
    }

    /// Which versions are pointed at.
    ///
    /// # Errors
    /// [`RegistryError::Io`] and [`RegistryError::Pointers`].
    pub fn pointers(&self) -> Result<Pointers, RegistryError> {
        let path = self.dir.join(POINTERS);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Pointers::default()),
            Err(error) => Err(RegistryError::io(&path, error)),
            Ok(text) => serde_json::from_str(&text)
                .map_err(|source| RegistryError::Pointers { path, source }),
        }
    }

    /// Keeps what was found of a version; what was found before is replaced.
    ///
    /// # Errors
    /// [`RegistryError::Io`].
    pub fn keep(&self, judged: &Judged) -> Result<PathBuf, RegistryError> {
        let dir = self.dir.join(VERDICTS);
        fs::create_dir_all(&dir).map_err(|source| RegistryError::io(&dir, source))?;
        let name = format!("{}.json", judged.candidate);
        let text = serde_json::to_string_pretty(judged).expect("numbers and texts");
        write::file(&dir, &name, &(text + "\n"))?;
        Ok(dir.join(name))
    }

    /// What was last found of the version `id`.
    ///
    /// # Errors
    /// [`RegistryError::Io`], and [`RegistryError::Verdict`] where the file is damaged.
    pub fn judged(&self, id: &str) -> Result<Option<Judged>, RegistryError> {
        let path = self.dir.join(VERDICTS).join(format!("{id}.json"));
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RegistryError::io(&path, error)),
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|source| RegistryError::Verdict { path, source }),
        }
    }

    /// Makes `id` current, and what was current previous. Promoting the current version changes
    /// nothing.
    ///
    /// # Errors
    /// As [`Self::get`]: a version that cannot be read is not promoted.
    pub fn promote(&self, id: &str) -> Result<Pointers, RegistryError> {
        let id = self.get(id)?.id().to_owned();
        let before = self.pointers()?;
        if before.current.as_deref() == Some(id.as_str()) {
            return Ok(before);
        }
        self.point(Pointers {
            current: Some(id),
            previous: before.current,
        })
    }

    /// Makes the previous version current again, and the current one previous.
    ///
    /// # Errors
    /// [`RegistryError::NoPrevious`], and what [`Self::get`] says of the previous version.
    pub fn rollback(&self) -> Result<Pointers, RegistryError> {
        let before = self.pointers()?;
        let Some(previous) = before.previous else {
            return Err(RegistryError::NoPrevious {
                dir: self.dir.clone(),
            });
        };
        self.get(&previous)?;
        self.point(Pointers {
            current: Some(previous),
            previous: before.current,
        })
    }

    /// Every version, in the order of what they were trained on.
    ///
    /// # Errors
    /// As [`Self::get`], of the first version that cannot be read.
    pub fn list(&self) -> Result<Vec<Listed>, RegistryError> {
        let pointers = self.pointers()?;
        let mut listed = Vec::new();
        for id in self.ids()? {
            let version = self.get(&id)?;
            listed.push(Listed {
                current: pointers.current.as_ref() == Some(&id),
                previous: pointers.previous.as_ref() == Some(&id),
                lineage: version.parts().lineage.clone(),
                propensity_auc: version.quoted().and_then(|metrics| metrics.auc),
                id,
            });
        }
        listed.sort_by(|a, b| (a.lineage.as_of, &a.id).cmp(&(b.lineage.as_of, &b.id)));
        Ok(listed)
    }

    fn point(&self, pointers: Pointers) -> Result<Pointers, RegistryError> {
        let mut text = serde_json::to_string_pretty(&pointers).expect("two optional texts");
        text.push('\n');
        write::file(&self.dir, POINTERS, &text)?;
        Ok(pointers)
    }

    fn find(&self, id: &str) -> Result<String, RegistryError> {
        let mut found: Vec<String> = self.ids()?;
        found.retain(|one| !id.is_empty() && one.starts_with(id));
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(RegistryError::Unknown {
                id: id.to_owned(),
                dir: self.dir.clone(),
            }),
            _ => Err(RegistryError::Ambiguous {
                id: id.to_owned(),
                found,
            }),
        }
    }

    /// Ids of every version, in their order.
    fn ids(&self) -> Result<Vec<String>, RegistryError> {
        let io = |source| RegistryError::io(&self.dir, source);
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(io)?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().join(MODEL).is_file() && !name.starts_with('.') {
                ids.push(name);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }
}

#[cfg(test)]
mod tests;
