//! Reads customers of the file beside whoever writes it.

use super::file::{Fault, WRONG_CHECKSUM, checksum, customer, said};
use crate::customers::CustomerState;
use crate::store::StoreError;
use crate::store::sqlite::readers::Readers;
use lagom_features::History;
use lagom_features::domain::{CustomerId, Timestamp};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reads customers beside the keeper.
#[derive(Debug)]
pub(crate) struct Reader {
    readers: Readers,
    /// Whether something could not be read as it was written.
    damaged: AtomicBool,
}

impl Reader {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            readers: Readers::new(path),
            damaged: AtomicBool::new(false),
        }
    }

    /// A customer as of the last round.
    ///
    /// # Errors
    /// [`StoreError::State`].
    pub(crate) fn customer(&self, id: &CustomerId) -> Result<Option<CustomerState>, StoreError> {
        let mut fault = None;
        let found = self.readers.with(|connection| {
            let read = customer(connection, id).unwrap_or_else(|what| {
                fault = Some(what);
                None
            });
            Ok(read)
        })?;
        match fault {
            None => Ok(found.map(|(_, state)| state)),
            Some(reason) => {
                self.damaged.store(true, Ordering::Relaxed);
                Err(StoreError::State { reason })
            }
        }
    }

    /// Histories as of the last round behind place `after` of the file, with their places, at most
    /// `most` of them.
    ///
    /// # Errors
    /// [`StoreError::State`].
    pub(crate) fn histories(
        &self,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, CustomerId, History)>, StoreError> {
        let mut some = Vec::new();
        let read = self.readers.with(|connection| {
            let mut visit = || -> Result<(), Fault> {
                let sql = "SELECT place, customer_id, crc, body FROM customer WHERE place > ?1 \
                           ORDER BY place LIMIT ?2";
                let mut rows = connection.prepare_cached(sql).map_err(said)?;
                let most = i64::try_from(most).map_err(said)?;
                let mut rows = rows.query([after, most]).map_err(said)?;
                while let Some(row) = rows.next().map_err(said)? {
                    let id: String = row.get(1).map_err(said)?;
                    let body = row.get_ref(3).map_err(said)?.as_blob().map_err(said)?;
                    if row.get::<_, u32>(2).map_err(said)? != checksum(&id, body) {
                        return Err(WRONG_CHECKSUM.to_owned());
                    }
                    let history = CustomerState::history_in(body)?;
                    let id = CustomerId::new(id).map_err(said)?;
                    some.push((row.get(0).map_err(said)?, id, history));
                }
                Ok(())
            };
            Ok(visit())
        })?;
        read.map_err(|reason| {
            self.damaged.store(true, Ordering::Relaxed);
            StoreError::State { reason }
        })?;
        Ok(some)
    }

    /// Those of whom nothing was recorded or decided since `before`, as of the last round. Reads the
    /// whole file.
    ///
    /// # Errors
    /// [`StoreError::State`].
    pub(crate) fn idle(&self, before: Timestamp) -> Result<Vec<CustomerId>, StoreError> {
        let mut idle = Vec::new();
        let read = self.readers.with(|connection| {
            let mut visit = || -> Result<(), Fault> {
                let sql = "SELECT customer_id, body FROM customer";
                let mut rows = connection.prepare(sql).map_err(said)?;
                let mut rows = rows.query([]).map_err(said)?;
                while let Some(row) = rows.next().map_err(said)? {
                    let body = row.get_ref(1).map_err(said)?.as_blob().map_err(said)?;
                    if CustomerState::bytes_are_idle(body, before)? {
                        let id: String = row.get(0).map_err(said)?;
                        idle.push(CustomerId::new(id).map_err(said)?);
                    }
                }
                Ok(())
            };
            Ok(visit())
        })?;
        read.map_err(|reason| StoreError::State { reason })?;
        Ok(idle)
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }
}
