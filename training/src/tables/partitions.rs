//! The canonical tables of a folder, customer by customer in memory-sized parts.
//!
//! ```text
//! DIR ──one pass, by a digest of customer_id──> N folders of canonical tables ──one by one──> histories
//! ```
//! A folder that fits is its own only part and is not copied.

use super::files;
use super::read::read_each;
use super::source::Source;
use super::{Faults, Format, Record, TableError, TableWriter};
use lagom_features::Recorded;
use lagom_features::domain::{Customer, CustomerId, Event, Invoice, Timestamp};
use lagom_model::log::Decision;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Bytes of a text row, by which rows are guessed where a file does not say how many it has.
const TEXT_ROW_BYTES: u64 = 100;
/// How much smaller gzip makes such text.
const PACKED: u64 = 8;

/// The parts of a folder; dropped, it removes what it copied.
#[derive(Debug)]
pub struct Partitions {
    folders: Vec<PathBuf>,
    last_recorded: Option<Timestamp>,
    _copies: Option<TempDir>,
}

impl Partitions {
    /// Splits customers, invoices, events and decisions of `dir` so that a part has about `events` events
    /// (at least one part; a customer is never split). Copies go to a temporary folder in
    /// `scratch`, which needs room for the tables once more.
    ///
    /// # Errors
    /// What [`super::Tables::read`] refuses, and [`TableError::Unwritable`].
    pub fn of(dir: &Path, events: u64, scratch: &Path) -> Result<Self, TableError> {
        let parts = rows_of_events(dir)?.div_ceil(events.max(1)).max(1) as usize;
        if parts == 1 {
            return Ok(Self {
                folders: vec![dir.to_owned()],
                last_recorded: None,
                _copies: None,
            });
        }
        let unwritable = |error| TableError::unwritable(scratch, error);
        fs::create_dir_all(scratch).map_err(unwritable)?;
        let copies = TempDir::with_prefix_in(".lagom-parts-", scratch).map_err(unwritable)?;
        let folders: Vec<_> = (0..parts)
            .map(|part| copies.path().join(part.to_string()))
            .collect();
        let mut last = Timestamp::MIN;
        let mut faults = Faults::default();
        let mut splitting = Splitting {
            dir,
            folders: &folders,
            faults: &mut faults,
        };
        splitting.table(|customer: &Recorded<Customer>| &customer.value.customer_id)?;
        splitting.table(|invoice: &Recorded<Invoice>| {
            last = last.max(invoice.recorded_at);
            &invoice.value.customer_id
        })?;
        splitting.table(|event: &Event| {
            last = last.max(event.recorded_at);
            &event.customer_id
        })?;
        splitting.table(|decision: &Decision| &decision.customer_id)?;
        faults.into_result()?;
        Ok(Self {
            folders,
            last_recorded: Some(last),
            _copies: Some(copies),
        })
    }

    /// Folders of canonical tables, one a part.
    #[must_use]
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The last instant at which an event or an invoice was recorded, where the split had to
    /// look at all of them.
    #[must_use]
    pub fn last_recorded(&self) -> Option<Timestamp> {
        self.last_recorded
    }
}

struct Splitting<'a> {
    dir: &'a Path,
    folders: &'a [PathBuf],
    faults: &'a mut Faults,
}

impl Splitting<'_> {
    fn table<T: Record>(
        &mut self,
        mut customer: impl FnMut(&T) -> &CustomerId,
    ) -> Result<(), TableError> {
        let Some(path) = files::find(self.dir, T::TABLE)? else {
            return Ok(());
        };
        let name = format!("{}.{}", T::TABLE, Format::Parquet.extension());
        let writers = self.folders.iter();
        let mut writers = writers
            .map(|folder| TableWriter::<T>::create(&folder.join(&name)))
            .collect::<Result<Vec<_>, _>>()?;
        read_each(
            &path,
            self.faults,
            |_| None,
            |record: T| {
                let part = part_of(customer(&record), writers.len());
                writers[part].push(&record)
            },
        )?;
        writers
            .into_iter()
            .try_for_each(|writer| writer.finish()?.publish())
    }
}

/// Which of `parts` a customer belongs to, from 0, wherever and whenever it is asked.
#[must_use]
pub fn part_of(customer: &CustomerId, parts: usize) -> usize {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(customer.as_str().as_bytes()).as_bytes()[..8]);
    (u64::from_le_bytes(first) % parts as u64) as usize
}

/// How many events a folder has: counted where the file says it, guessed from its size elsewhere.
fn rows_of_events(dir: &Path) -> Result<u64, TableError> {
    let Some(path) = files::find(dir, Event::TABLE)? else {
        return Ok(0);
    };
    files::parts(&path)?.iter().map(|file| rows(file)).sum()
}

fn rows(file: &Path) -> Result<u64, TableError> {
    if let Some(rows) = Source::open(file, b',')?.rows() {
        return Ok(rows as u64);
    }
    let size = fs::metadata(file).map_err(|error| TableError::unreadable(file, error))?;
    let text = match Format::of(file)? {
        Format::CsvGz => size.len() * PACKED,
        Format::Csv | Format::Parquet => size.len(),
    };
    Ok(text / TEXT_ROW_BYTES)
}
