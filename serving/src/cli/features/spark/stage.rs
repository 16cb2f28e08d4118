//! The folder through which tables go to Spark and answers come back.

use crate::cli::answer::Failure;
use std::path::{Path, PathBuf};
use tempfile::{Builder, TempDir};

/// What Spark would take for a pattern or lagom for the end of a text.
const UNFIT: &[char] = &[
    '*', '?', '[', ']', '{', '}', '\\', '\'', '"', '`', ':', '#', '%', '\n', '\r',
];

/// A folder of its own within the one that was named; dropped, it is gone.
pub(super) struct Stage {
    folder: TempDir,
    parts: usize,
}

/// Where the tables of a part lie, where the steps are kept that are read more than once, and where its
/// answer comes.
pub(super) struct Part {
    pub(super) tables: PathBuf,
    pub(super) steps: PathBuf,
    pub(super) answer: PathBuf,
}

impl Stage {
    /// Begins one in `folder`, which is made if needed.
    pub(super) fn within(folder: &Path) -> Result<Self, Failure> {
        if folder.to_str().is_some_and(|text| text.contains("://")) {
            return Err(format!(
                "--stage {}: is an address; lagom writes to folders: name one that Spark's workers \
                 see under the same path, such as a mounted share",
                folder.display()
            )
            .into());
        }
        let unwritable = |error| format!("--stage {}: {error}", folder.display());
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        let folder = std::fs::canonicalize(folder).map_err(unwritable)?;
        if folder.to_str().is_none_or(|text| text.contains(UNFIT)) {
            return Err(format!(
                "--stage {}: Spark would read signs of this path otherwise; name one of letters, \
                 digits and simple signs",
                folder.display()
            )
            .into());
        }
        let mut builder = Builder::new();
        let folder = shared(builder.prefix("lagom-spark-")).tempdir_in(&folder);
        Ok(Self {
            folder: folder.map_err(|error| format!("--stage: {error}"))?,
            parts: 0,
        })
    }

    /// Folders for the next part.
    pub(super) fn part(&mut self) -> Result<Part, Failure> {
        self.parts += 1;
        let folder = self.folder.path().join(format!("part-{}", self.parts));
        let tables = folder.join("tables");
        std::fs::create_dir_all(&tables)
            .map_err(|error| format!("{}: {error}", tables.display()))?;
        Ok(Part {
            tables,
            steps: folder.join("steps"),
            answer: folder.join("answer"),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(folder) = self.tables.parent() {
            // What is left goes with the stage.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// A path as Spark has it.
pub(super) fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// Spark's workers may run as another user: who may read and write is the process's umask to say.
#[cfg(unix)]
fn shared<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o777))
}

#[cfg(not(unix))]
fn shared<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    builder
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Stage, uri};

    #[test]
    fn a_stage_and_its_parts_leave_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("made as needed");
        let mut stage = Stage::within(&here).unwrap();
        let part = stage.part().unwrap();
        std::fs::write(part.tables.join("t"), "").unwrap();
        assert!(uri(&part.answer).starts_with("file:///"));
        let parent = part.tables.parent().unwrap().to_owned();
        drop(part);
        assert!(!parent.exists());
        let _second = stage.part().unwrap();
        drop(stage);
        assert_eq!(std::fs::read_dir(&here).unwrap().count(), 0);
    }

    #[test]
    fn a_stage_that_spark_would_read_otherwise_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["all*", "it's", "{a}", "50%"] {
            assert!(Stage::within(&folder.path().join(name)).is_err(), "{name}");
        }
        let address = Stage::within("s3://bucket/stage".as_ref()).err().unwrap();
        assert!(address.to_string().contains("mounted share"), "{address}");
    }
}
