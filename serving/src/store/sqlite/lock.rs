//! One writer a file.

use crate::store::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Two writers would each believe in their own last record, so a second one is kept out.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the file `PATH.lock` beside the store, and makes it and its folder.
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let opening = |error: std::io::Error| StoreError::io("opening the store", &error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(opening)?;
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(PathBuf::from(beside))
            .map_err(opening)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                path: path.display().to_string(),
            }),
            Err(TryLockError::Error(error)) => Err(StoreError::io("locking the store", &error)),
        }
    }
}

impl Drop for Lock {
    /// Closing is not enough: a process that another thread has just forked holds the same open file
    /// until it executes its program.
    fn drop(&mut self) {
        // What fails here is released by the end of the last holder.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Lock;
    use crate::store::StoreError;

    #[test]
    fn a_copy_that_a_forked_process_holds_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lagom.db");
        let lock = Lock::take(&path).unwrap();
        let inherited = lock.0.try_clone().unwrap();
        let second = Lock::take(&path).unwrap_err();
        assert!(matches!(second, StoreError::InUse { .. }), "{second}");
        drop(lock);
        Lock::take(&path).unwrap();
        drop(inherited);
    }
}
