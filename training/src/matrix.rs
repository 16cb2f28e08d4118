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

pub use engine::{Engine, STAGED, Staging, calendar, matrix_by};
pub use questions::read_questions;
pub use range::Range;
pub use views::duckdb_views;

use crate::dataset::{Dataset, DatasetOptions, Points, Questions};
use crate::tables::{FrameWriter, Partitions, TableError, read_histories};
use lagom_features::FeatureSpec;
use lagom_features::domain::Timestamp;
use serde::Serialize;
use std::path::Path;

/// Customers whose rows are in memory at once.
const TOGETHER: usize = 4_096;

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
    mut progress: impl FnMut(usize, usize),
) -> Result<MatrixReport, TableError> {
    let names = options.spec.names();
    let scratch = std::env::temp_dir();
    let scratch = out.and_then(Path::parent).unwrap_or(&scratch);
    let parts = Partitions::of(data, options.events_at_once, scratch)?;
    let mut writer = out
        .map(|path| FrameWriter::create(path, &frame::schema(&names), frame::metadata(options)))
        .transpose()?;
    let mut report = MatrixReport {
        rows: 0,
        unanswered: options
            .questions
            .map_or(0, |asked| asked.values().map(Vec::len).sum()),
        customers: 0,
        parts: parts.folders().len(),
        feature_fingerprint: options.spec.fingerprint().to_owned(),
        ranges: names.iter().map(|name| Range::new(name)).collect(),
    };
    for (done, folder) in parts.folders().iter().enumerate() {
        progress(done, report.parts);
        let histories = read_histories(folder)?;
        let end = || crate::pipeline::end(&parts, &histories);
        let as_of = options.as_of.unwrap_or_else(end);
        let (paid_days, left_days) = options.label_days;
        let dataset_options = DatasetOptions {
            as_of,
            known_until: as_of,
            paid_days,
            left_days,
            before_days: Vec::new(),
            after_days: options.after_days.clone(),
            share: 1.0,
            seed: 0,
        };
        let points = options.questions.map_or(Points::Stages, Points::Asked);
        report.customers += histories.len();
        let customers: Vec<_> = histories.iter().collect();
        for customers in customers.chunks(TOGETHER) {
            let dataset = Dataset::of(customers, options.spec, &dataset_options, points);
            report.rows += dataset.points().len();
            for (range, column) in report.ranges.iter_mut().zip(dataset.features().columns()) {
                range.take(column.iter().copied());
            }
            if let Some(writer) = &mut writer {
                frame::write(writer, &dataset, &names)?;
            }
        }
    }
    if let Some(writer) = writer {
        writer.finish()?.publish()?;
    }
    if options.questions.is_some() {
        report.unanswered -= report.rows;
    }
    Ok(report)
}
