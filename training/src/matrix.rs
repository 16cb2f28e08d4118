//! The feature matrix of a folder of canonical tables, by the extractor that serves.
//!
//! ```text
//! DIR ──parts of whole customers──> histories ──views at decision points──> rows ──> FILE.parquet
//! ```
//! Memory is bounded by a part, not by the data; the rows do not depend on how the folder was
//! split, except for their order.

mod engine;
mod frame;
mod questions;
mod range;
mod views;

pub use engine::{Engine, STAGED, Staging, Take, calendar, expressible, matrix_by, read_answer};
pub use questions::read_questions;
pub use range::Range;
pub use views::duckdb_views;

use crate::dataset::{Dataset, DatasetOptions, Maker, Memory, Part, Points, Questions};
use crate::progress::work;
use crate::segments::{self, Wanted};
use crate::tables::{FrameWriter, Partitions, TableError, open_histories, read_histories};
use lagom_features::domain::{CustomerId, Days, Timestamp};
use lagom_features::{FeatureSpec, History};
use ndarray::Axis;
use serde::Serialize;
use std::path::Path;

/// Customers whose rows are in memory at once.
const TOGETHER: usize = 4_096;
/// Rows that are looked at column by column while they are in a core's cache.
const IN_CACHE: usize = 256;

/// What to compute.
#[derive(Debug, Clone)]
pub struct MatrixOptions<'a> {
    /// The features.
    pub spec: &'a FeatureSpec,
    /// Nothing recorded from this instant on is read; by default everything is.
    pub as_of: Option<Timestamp>,
    /// Days after the due date with a decision point.
    pub after_days: Vec<u16>,
    /// Days within which an invoice counts as paid, and a customer as having left.
    pub label_days: (u16, u16),
    /// Only these decision points.
    pub questions: Option<&'a Questions>,
    /// About how many events are held in memory at once.
    pub events_at_once: u64,
}

/// What was computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatrixReport {
    /// Decision points, a row each.
    pub rows: usize,
    /// Questions about invoices that were not known at their instant.
    pub unanswered: usize,
    /// Customers looked at.
    pub customers: usize,
    /// Parts that the folder was read in.
    pub parts: usize,
    /// Fingerprint of the features.
    pub feature_fingerprint: String,
    /// What values each column takes.
    pub ranges: Vec<Range>,
}

/// Computes the matrix of the tables in `data`, tells `progress` of each part done and of how many
/// there are, and writes the rows to `out`, a Parquet file, if one is named.
///
/// # Errors
/// [`TableError`]: a table that cannot be read, or a file that cannot be written.
pub fn matrix(
    data: &Path,
    out: Option<&Path>,
    options: &MatrixOptions<'_>,
    progress: impl FnMut(usize, usize),
) -> Result<MatrixReport, TableError> {
    if let Some(report) = streamed(data, out, options)? {
        return Ok(report);
    }
    in_parts(data, out, options, progress)
}

/// The matrix of a folder whose events stand customer by customer: in one pass, whatever its size.
/// None where they do not, or where the reader of rows has a fault to tell.
fn streamed(
    data: &Path,
    out: Option<&Path>,
    options: &MatrixOptions<'_>,
) -> Result<Option<MatrixReport>, TableError> {
    let Some(folder) = open_histories(data)? else {
        return Ok(None);
    };
    let end = || Some(folder.last_recorded()? + Days::SHORTEST);
    let Some(as_of) = options.as_of.or_else(end) else {
        return Ok(None);
    };
    let dataset_options = options.of_dataset(as_of);
    let weeks = options.points().weeks();
    let wanted = weeks.as_ref().map_or(Wanted::Until(as_of), Wanted::At);
    let Some(segments) = segments::streamed(options.spec, data, wanted)? else {
        return Ok(None);
    };
    let maker = Maker::new(options.spec, &dataset_options, options.points(), &segments);
    let mut making = Making::begin(out, options, 1)?;
    let mut waiting = Vec::new();
    let extracting = work("features", "customers", 0);
    let make = |memory: &mut Memory, some: &[(CustomerId, History)]| {
        extracting.advance(some.len());
        let part = maker.part(memory, some.iter().map(|(id, history)| (id, history)));
        (some.len(), part)
    };
    let whole = folder.each(Memory::default, make, |made| {
        making.report.customers += made.iter().map(|(customers, _)| customers).sum::<usize>();
        waiting.extend(made.into_iter().map(|(_, part)| part));
        if waiting.iter().map(Part::rows).sum::<usize>() < frame::ROWS {
            return Ok(());
        }
        making.add(&Dataset::join(options.spec, std::mem::take(&mut waiting)))
    })?;
    if !whole {
        return Ok(None);
    }
    making.add(&Dataset::join(options.spec, waiting))?;
    making.end().map(Some)
}

/// The matrix of any folder, in parts that fit in memory.
fn in_parts(
    data: &Path,
    out: Option<&Path>,
    options: &MatrixOptions<'_>,
    mut progress: impl FnMut(usize, usize),
) -> Result<MatrixReport, TableError> {
    let scratch = std::env::temp_dir();
    let scratch = out.and_then(Path::parent).unwrap_or(&scratch);
    let parts = Partitions::of(data, options.events_at_once, scratch)?;
    let segments = match options.points().weeks() {
        Some(weeks) => segments::of_parts_at(options.spec, &parts, &weeks)?,
        None => segments::of_parts(options.spec, &parts, options.as_of)?,
    };
    let mut making = Making::begin(out, options, parts.folders().len())?;
    for (done, folder) in parts.folders().iter().enumerate() {
        progress(done, parts.folders().len());
        let histories = read_histories(folder)?;
        let end = || crate::pipeline::end(&parts, &histories);
        let dataset_options = options.of_dataset(options.as_of.unwrap_or_else(end));
        making.report.customers += histories.len();
        let customers: Vec<_> = histories.iter().collect();
        for customers in customers.chunks(TOGETHER) {
            let points = options.points();
            making.add(&Dataset::of(
                customers,
                options.spec,
                &dataset_options,
                points,
                &segments,
            ))?;
        }
    }
    making.end()
}

impl MatrixOptions<'_> {
    fn of_dataset(&self, as_of: Timestamp) -> DatasetOptions {
        let (paid_days, left_days) = self.label_days;
        DatasetOptions {
            as_of,
            known_until: as_of,
            paid_days,
            left_days,
            before_days: Vec::new(),
            after_days: self.after_days.clone(),
            share: 1.0,
            seed: 0,
        }
    }

    fn points(&self) -> Points<'_> {
        self.questions.map_or(Points::Stages, Points::Asked)
    }
}

/// A matrix that is being made: dropped before its end, it leaves no file behind.
struct Making<'a> {
    names: Vec<&'a str>,
    writer: Option<FrameWriter>,
    report: MatrixReport,
    asked: Option<usize>,
}

impl<'a> Making<'a> {
    fn begin(
        out: Option<&Path>,
        options: &'a MatrixOptions<'_>,
        parts: usize,
    ) -> Result<Self, TableError> {
        let names = options.spec.names();
        let create =
            |path| FrameWriter::create(path, &frame::schema(&names), frame::metadata(options));
        Ok(Self {
            writer: out.map(create).transpose()?,
            report: MatrixReport {
                rows: 0,
                unanswered: 0,
                customers: 0,
                parts,
                feature_fingerprint: options.spec.fingerprint().to_owned(),
                ranges: names.iter().map(|name| Range::new(name)).collect(),
            },
            asked: options
                .questions
                .map(|asked| asked.values().map(Vec::len).sum()),
            names,
        })
    }

    fn add(&mut self, dataset: &Dataset) -> Result<(), TableError> {
        self.report.rows += dataset.points().len();
        for rows in dataset.features().axis_chunks_iter(Axis(0), IN_CACHE) {
            for (range, column) in self.report.ranges.iter_mut().zip(rows.columns()) {
                range.take(column.iter().copied());
            }
        }
        match &mut self.writer {
            Some(writer) => frame::write(writer, dataset, &self.names),
            None => Ok(()),
        }
    }

    fn end(mut self) -> Result<MatrixReport, TableError> {
        if let Some(writer) = self.writer {
            writer.finish()?.publish()?;
        }
        if let Some(asked) = self.asked {
            self.report.unanswered = asked - self.report.rows;
        }
        Ok(self.report)
    }
}
