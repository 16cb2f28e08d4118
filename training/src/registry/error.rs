//! Why a registry cannot do as asked.

use lagom_model::artefact::ArtefactError;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a registry cannot do as asked.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// A file could not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A stored version is damaged.
    #[error("{}: {source}", .path.display())]
    Version {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        source: ArtefactError,
    },
    /// The pointers are damaged.
    #[error("{}: {source}; remove the file and promote a version", .path.display())]
    Pointers {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// What was found of a version is damaged.
    #[error("{}: {source}; run lagom evaluate again", .path.display())]
    Verdict {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Another policy is stored beside the version.
    #[error(
        "{}: a policy that learnt otherwise is stored beside this version, and versions never change; train \
         with another --seed for a version of its own", .path.display()
    )]
    OtherPolicy {
        /// Where.
        path: PathBuf,
    },
    /// No version of this id.
    #[error("no model version `{id}` in {}; `lagom models` lists those there are", .dir.display())]
    Unknown {
        /// What was asked for.
        id: String,
        /// Where.
        dir: PathBuf,
    },
    /// More than one.
    #[error("`{id}` is the beginning of {}; write more of it", .found.join(", "))]
    Ambiguous {
        /// What was asked for.
        id: String,
        /// All that begin so.
        found: Vec<String>,
    },
}

impl RegistryError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
