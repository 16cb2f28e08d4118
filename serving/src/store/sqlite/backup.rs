//! A copy of the log beside its server.

use super::{ReadOnly, SqliteStore, rows};
use crate::store::{StoreError, Tail};
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};

impl ReadOnly {
    /// Copies the log as it is committed now to a file that must not be there, reads the copy from end to
    /// end, and compares its last record with the one of that number here. The copy is on disk, under its
    /// name, or there is none. Returns its last record.
    ///
    /// # Errors
    /// [`StoreError::Io`], and [`StoreError::Damaged`] where the log or the copy is.
    pub fn back_up(&self, to: &Path) -> Result<Tail, StoreError> {
        let failed = |error: &dyn std::fmt::Display| {
            StoreError::io("writing the backup", &error.to_string())
        };
        if to.exists() {
            return Err(failed(&format!("{} is there already", to.display())));
        }
        let partial = partial(to);
        let copied = self.copy_to(&partial).and_then(|tail| {
            let synced = File::open(&partial).and_then(|file| file.sync_all());
            synced.map_err(|error| failed(&error))?;
            std::fs::rename(&partial, to).map_err(|error| failed(&error))?;
            let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = File::open(folder.unwrap_or(Path::new(".")));
            let synced = folder.and_then(|folder| folder.sync_all());
            synced.map_err(|error| failed(&error))?;
            Ok(tail)
        });
        if copied.is_err() {
            // What failed is said; that there is nothing to remove is no news.
            let _ = std::fs::remove_file(&partial);
        }
        copied
    }

    fn copy_to(&self, partial: &Path) -> Result<Tail, StoreError> {
        let io = |error: rusqlite::Error| StoreError::io("writing the backup", &error);
        // Left by an attempt that was cut off.
        let _ = std::fs::remove_file(partial);
        self.readers.with(|connection| {
            connection
                .pragma_update(None, "query_only", false)
                .map_err(io)?;
            let name = partial.to_string_lossy();
            let copied = connection.execute("VACUUM INTO ?1", [&name]).map_err(io);
            connection
                .pragma_update(None, "query_only", true)
                .map_err(io)?;
            copied.map(drop)
        })?;
        let copy = SqliteStore::read_only(partial)?;
        copy.scan(&mut |_, _| Ok(()))?;
        let copied = Connection::open(partial).map_err(io)?;
        let tail = rows::last(&copied)?;
        let own = self
            .readers
            .with(|connection| rows::at(connection, tail.seq))?;
        if tail.seq > 0 && own != Some(tail) {
            return Err(StoreError::Damaged {
                seq: tail.seq,
                reason: "it is another one in the copy".to_owned(),
            });
        }
        Ok(tail)
    }
}

fn partial(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}
