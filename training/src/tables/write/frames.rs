//! A Parquet file that grows frame by frame beside its place and then takes it.

use super::{Finished, new_beside, synced};
use crate::tables::error::TableError;
use polars::prelude::{
    BatchedWriter, DataFrame, KeyValueMetadata, ParquetCompression, ParquetWriter, Schema,
};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The growing file. Dropped before [`Self::finish`], it leaves nothing behind.
pub(crate) struct FrameWriter {
    path: PathBuf,
    file: NamedTempFile,
    writer: BatchedWriter<BufWriter<File>>,
}

impl FrameWriter {
    /// Starts a file of frames of `schema` for `path`, with `metadata` in its footer.
    pub(crate) fn create(
        path: &Path,
        schema: &Schema,
        metadata: Vec<(String, String)>,
    ) -> Result<Self, TableError> {
        Self::in_file(path, new_beside(path)?, schema, metadata)
    }

    pub(super) fn in_file(
        path: &Path,
        file: NamedTempFile,
        schema: &Schema,
        metadata: Vec<(String, String)>,
    ) -> Result<Self, TableError> {
        let handle = file.as_file().try_clone();
        let handle = handle.map_err(|error| TableError::unwritable(path, error))?;
        let writer = ParquetWriter::new(BufWriter::new(handle))
            .with_compression(ParquetCompression::Zstd(None))
            .with_key_value_metadata(Some(KeyValueMetadata::from_static(metadata)))
            .batched(schema)
            .map_err(|error| TableError::unwritable(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            writer,
        })
    }

    /// Adds a frame as one or more row groups.
    pub(crate) fn push(&mut self, frame: &DataFrame) -> Result<(), TableError> {
        let written = self.writer.write_batch(frame);
        written.map_err(|error| TableError::unwritable(&self.path, error))
    }

    /// Writes the footer, which flushes, and syncs.
    pub(crate) fn finish(self) -> Result<Finished, TableError> {
        let Self { path, file, writer } = self;
        let finished = writer.finish();
        finished.map_err(|error| TableError::unwritable(&path, error))?;
        synced(path, file)
    }
}
