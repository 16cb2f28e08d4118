//! Writing so that a crash leaves the old state or the new one, never a part.

use super::RegistryError;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Puts a folder of files into `dir`: written aside, synced, then renamed into place. Where another
/// process put it there meanwhile, theirs stays; the name is the digest of the content.
pub(super) fn folder(
    dir: &Path,
    name: &str,
    files: &[(&str, String)],
) -> Result<(), RegistryError> {
    let io = |source| RegistryError::io(dir, source);
    fs::create_dir_all(dir).map_err(io)?;
    let aside = tempfile::Builder::new()
        .prefix(".storing-")
        .tempdir_in(dir)
        .map_err(io)?;
    for (file, text) in files {
        let path = aside.path().join(file);
        synced(&path, text).map_err(|source| RegistryError::io(&path, source))?;
    }
    sync_dir(aside.path())?;
    let place = dir.join(name);
    match fs::rename(aside.path(), &place) {
        Ok(()) => {
            let _ = aside.keep();
            sync_dir(dir)
        }
        Err(_) if place.exists() => Ok(()),
        Err(source) => Err(RegistryError::io(&place, source)),
    }
}

/// Replaces one file of `dir` by a rename.
pub(super) fn file(dir: &Path, name: &str, text: &str) -> Result<(), RegistryError> {
    let place = dir.join(name);
    let io = |source| RegistryError::io(&place, source);
    let mut aside = tempfile::NamedTempFile::new_in(dir).map_err(io)?;
    aside.write_all(text.as_bytes()).map_err(io)?;
    aside.as_file().sync_all().map_err(io)?;
    aside.persist(&place).map_err(|error| io(error.error))?;
    sync_dir(dir)
}

fn synced(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A rename is durable once the folder is.
fn sync_dir(dir: &Path) -> Result<(), RegistryError> {
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| RegistryError::io(dir, source))
}
