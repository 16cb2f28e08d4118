//! Writing tables: everything, or nothing at all.
//!
//! A table grows in a temporary file beside its place; it is synced and then renamed into it, so
//! that a reader sees the old file or the whole new one whatever happens in between.

mod frames;
mod parquet;
mod text;

pub(crate) use frames::FrameWriter;

use super::error::TableError;
use super::files::Format;
use super::out::{OutRow, Value};
use super::record::Record;
use std::fs::{self, File};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Writes all `records` to `path`, whose extension tells the format.
///
/// # Errors
/// [`TableError::InvalidRecord`] for a record that no reader would accept,
/// [`TableError::Unwritable`] where the system refuses, [`TableError::Extension`].
pub fn write_table<T: Record>(path: &Path, records: &[T]) -> Result<(), TableError> {
    let mut writer = TableWriter::create(path)?;
    for record in records {
        writer.push(record)?;
    }
    writer.finish()?.publish()
}

enum Sink {
    Text(Box<text::Sink>),
    Parquet(Box<parquet::Sink>),
}

/// A table that is being written record by record, in bounded memory.
pub struct TableWriter<T> {
    path: PathBuf,
    sink: Sink,
    records: u64,
    kind: PhantomData<fn(&T)>,
}

impl<T: Record> TableWriter<T> {
    /// Starts a table for `path`, whose extension tells the format; folders are made as needed.
    ///
    /// # Errors
    /// [`TableError::Extension`], and [`TableError::Unwritable`] where the system refuses.
    pub fn create(path: &Path) -> Result<Self, TableError> {
        let format = Format::of(path)?;
        let file = new_beside(path)?;
        let sink = match format {
            Format::Parquet => Sink::Parquet(Box::new(parquet::Sink::new::<T>(path, file)?)),
            Format::Csv => Sink::Text(Box::new(text::Sink::new::<T>(path, file, false)?)),
            Format::CsvGz => Sink::Text(Box::new(text::Sink::new::<T>(path, file, true)?)),
        };
        Ok(Self {
            path: path.to_owned(),
            sink,
            records: 0,
            kind: PhantomData,
        })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`TableError::InvalidRecord`] for a record that no reader would accept, and
    /// [`TableError::Unwritable`].
    pub fn push(&mut self, record: &T) -> Result<(), TableError> {
        self.records += 1;
        if let Some(fault) = record.row_faults().into_iter().next() {
            return Err(TableError::InvalidRecord {
                table: T::TABLE,
                record: self.records,
                field: fault.field,
                reason: fault.reason,
            });
        }
        let mut row = OutRow::new(T::COLUMNS);
        record.write(&mut row);
        let values: &[Value<'_>] = row.values();
        match &mut self.sink {
            Sink::Text(sink) => sink.push(&self.path, values),
            Sink::Parquet(sink) => sink.push(values),
        }
    }

    /// Records added so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Completes and syncs the temporary file; [`Finished::publish`] puts it in its place.
    ///
    /// # Errors
    /// [`TableError::Unwritable`].
    pub fn finish(self) -> Result<Finished, TableError> {
        match self.sink {
            Sink::Text(sink) => {
                let file = sink.finish(&self.path)?;
                synced(self.path, file)
            }
            Sink::Parquet(sink) => sink.finish(),
        }
    }
}

/// A table that is complete on disk but not yet in its place; dropped, it leaves nothing behind.
pub struct Finished {
    path: PathBuf,
    file: NamedTempFile,
}

impl Finished {
    /// Puts the table in its place.
    ///
    /// # Errors
    /// [`TableError::Unwritable`].
    pub fn publish(self) -> Result<(), TableError> {
        let Self { path, file } = self;
        let unwritable = |error| TableError::unwritable(&path, error);
        readable_by_others(&file).map_err(unwritable)?;
        file.persist(&path)
            .map_err(|error| unwritable(error.error))?;
        // The rename itself lives in the folder.
        let folder = File::open(folder_of(&path)).map_err(unwritable)?;
        folder.sync_all().map_err(unwritable)
    }
}

/// A temporary file in the folder of `path`, which is made if needed.
fn new_beside(path: &Path) -> Result<NamedTempFile, TableError> {
    let unwritable = |error| TableError::unwritable(path, error);
    let folder = folder_of(path);
    fs::create_dir_all(folder).map_err(unwritable)?;
    NamedTempFile::with_prefix_in(".lagom-", folder).map_err(unwritable)
}

fn synced(path: PathBuf, file: NamedTempFile) -> Result<Finished, TableError> {
    let synced = file.as_file().sync_all();
    synced.map_err(|error| TableError::unwritable(&path, error))?;
    Ok(Finished { path, file })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Temporary files are private; a table is as readable as a file that was simply created.
#[cfg(unix)]
fn readable_by_others(file: &NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_others(_file: &NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
