//! Connections that only read. In write-ahead mode they neither wait for the writer nor make it
//! wait.

use crate::store::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Connections kept open between uses.
const KEPT: usize = 8;

/// A pool that opens a connection when none is free.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    free: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            free: Mutex::new(Vec::new()),
        }
    }

    /// Does `work` on a connection.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let free = self.free().pop();
        let connection = free.map_or_else(|| self.open(), Ok)?;
        let result = work(&connection);
        let mut free = self.free();
        if free.len() < KEPT {
            free.push(connection);
        }
        result
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Read-only by `query_only`: a connection opened read-only could not take part in the
    /// recovery of a write-ahead log.
    fn open(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.path, flags)
            .and_then(|connection| {
                connection.pragma_update(None, "query_only", true)?;
                Ok(connection)
            })
            .map_err(|error| StoreError::io("opening the store for reading", &error))
    }
}
