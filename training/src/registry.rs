//! Model versions on disk: never changed, found by their digest, some of them pointed at. The
//! pointers are moved by whoever serves.
//!
//! ```text
//! DIR/<id>/model.json     a version; `id` is the digest of the bytes
//! DIR/<id>/bandit.json    what its policy learnt from the decision log, where there was one
//! DIR/<id>/card.md        the same for people, in short
//! DIR/<id>/card.json      the card whole; card.html is the same as a page
//! DIR/pointers.json       which version is current, which was before it, which may come after
//! DIR/verdicts/<id>.json  what the gate said of a version, last; its cards say it too
//! ```
//! A version appears whole or not at all, so that a crash leaves the old state or the new one.

mod card;
mod error;
mod write;

pub use error::RegistryError;

use lagom_model::artefact::{Lineage, ModelVersion};
use lagom_model::ope::valuation::Judged;
use lagom_model::policy::warm_start::WarmStart;
use lagom_model::rollout::{Pointers, Stage};
use serde::Serialize;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const MODEL: &str = "model.json";
const POLICY: &str = "bandit.json";
const POINTERS: &str = "pointers.json";
const VERDICTS: &str = "verdicts";

/// A version in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Whether it serves.
    pub current: bool,
    /// Whether a rollback returns to it.
    pub previous: bool,
    /// Where it stands on its way, where it is the candidate.
    pub stage: Option<Stage>,
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
        let judged = self.judged(version.id())?;
        let cards = self.cards(version, judged.as_ref());
        let mut files = vec![(MODEL, version.to_json())];
        files.extend(cards);
        write::folder(&self.dir, version.id(), &files)?;
        Ok(path)
    }

    /// Stores what the policy learnt beside the version `id`.
    ///
    /// # Errors
    /// [`RegistryError::OtherPolicy`] where another is there, [`RegistryError::Io`], and what [`Self::get`]
    /// says of the version.
    pub fn put_policy(&self, id: &str, policy: &WarmStart) -> Result<PathBuf, RegistryError> {
        let dir = self.path(self.get(id)?.id());
        let path = dir.join(POLICY);
        let text = serde_json::to_string(policy).expect("numbers and texts");
        match fs::read_to_string(&path) {
            Ok(there) if there == text => {}
            Ok(_) => return Err(RegistryError::OtherPolicy { path }),
            Err(error) if error.kind() == ErrorKind::NotFound => write::file(&dir, POLICY, &text)?,
            Err(error) => return Err(RegistryError::io(&path, error)),
        }
        Ok(path)
    }

    fn cards(
        &self,
        version: &ModelVersion,
        judged: Option<&Judged>,
    ) -> [(&'static str, String); 3] {
        // A parent that is gone or damaged is no reason to have no card of its child.
        let parent = version.parts().lineage.parent.as_deref();
        let before = parent.and_then(|id| self.get(id).ok());
        card::documents(version, before.as_ref(), judged)
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

    /// Keeps what was found of a version, and says it in its cards; what was found before is
    /// replaced.
    ///
    /// # Errors
    /// [`RegistryError::Io`], and what [`Self::get`] says of the version.
    pub fn keep(&self, judged: &Judged) -> Result<PathBuf, RegistryError> {
        let dir = self.dir.join(VERDICTS);
        fs::create_dir_all(&dir).map_err(|source| RegistryError::io(&dir, source))?;
        let name = format!("{}.json", judged.candidate);
        let text = serde_json::to_string_pretty(judged).expect("numbers and texts");
        let version = self.get(&judged.candidate)?;
        write::file(&dir, &name, &(text + "\n"))?;
        for (file, text) in self.cards(&version, Some(judged)) {
            write::file(&self.path(version.id()), file, &text)?;
        }
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
                stage: pointers
                    .candidate
                    .as_ref()
                    .filter(|one| one.id == id)
                    .map(|one| one.stage),
                lineage: version.parts().lineage.clone(),
                propensity_auc: version.quoted().and_then(|metrics| metrics.auc),
                id,
            });
        }
        listed.sort_by(|a, b| (a.lineage.as_of, &a.id).cmp(&(b.lineage.as_of, &b.id)));
        Ok(listed)
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
