//! Decision points as frames of a Parquet file.

use super::MatrixOptions;
use crate::dataset::{Dataset, Point, Stage};
use crate::tables::{FrameWriter, TableError};
use ndarray::Axis;
use polars::prelude::{
    BooleanChunked, ChunkedBuilder, Column, DataFrame, DataType, Field, Float64Type, Int64Chunked,
    IntoColumn, NewChunkedArray, PrimitiveChunkedBuilder, Schema, StringChunked, TimeUnit,
    TimeZone,
};
use std::borrow::Cow;

/// Rows of a frame: a row group that other programs read in one go.
pub(super) const ROWS: usize = 16_384;
/// Columns that are filled together: vectors stand row by row, and so much of one shares a line of cache.
const LINE: usize = 8;
const INSTANT: DataType = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));

type Builder = PrimitiveChunkedBuilder<Float64Type>;

pub(super) fn schema(features: &[&str]) -> Schema {
    let kinds = [
        ("customer_id", DataType::String),
        ("invoice_id", DataType::String),
        ("stage", DataType::String),
        ("at", INSTANT),
    ];
    let labels = ["label_late", "label_paid", "label_left"];
    let labels = labels.map(|name| (name, DataType::Boolean));
    let features = features.iter().map(|name| (*name, DataType::Float64));
    kinds
        .into_iter()
        .chain(labels)
        .chain(features)
        .map(|(name, kind)| Field::new(name.into(), kind))
        .collect()
}

pub(super) fn metadata(options: &MatrixOptions<'_>) -> Vec<(String, String)> {
    let (paid_days, left_days) = options.label_days;
    vec![
        ("lagom.table".to_owned(), "features".to_owned()),
        (
            "lagom.feature_fingerprint".to_owned(),
            options.spec.fingerprint().to_owned(),
        ),
        (
            "lagom.label_days".to_owned(),
            format!("paid {paid_days}, left {left_days}"),
        ),
    ]
}

pub(super) fn write(
    writer: &mut FrameWriter,
    dataset: &Dataset,
    features: &[&str],
) -> Result<(), TableError> {
    let rows = dataset.points().len();
    for from in (0..rows).step_by(ROWS) {
        let to = rows.min(from + ROWS);
        writer.push(&frame(dataset, features, from, to))?;
    }
    Ok(())
}

fn frame(dataset: &Dataset, features: &[&str], from: usize, to: usize) -> DataFrame {
    let points = &dataset.points()[from..to];
    let label = |name: &str, of: fn(&Point) -> Option<bool>| {
        BooleanChunked::from_iter_options(name.into(), points.iter().map(of)).into_column()
    };
    let mut columns: Vec<Column> = vec![
        texts("customer_id", points, |p| p.customer_id.as_str().into()),
        texts("invoice_id", points, |p| p.invoice_id.as_str().into()),
        texts("stage", points, |p| stage(p.stage)),
        Int64Chunked::from_iter_values("at".into(), points.iter().map(|p| p.at.micros()))
            .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
            .into_column(),
        label("label_late", |point| point.late),
        label("label_paid", |point| point.paid),
        label("label_left", |point| point.left),
    ];
    let matrix = dataset.features();
    let matrix = matrix.slice_axis(Axis(0), (from..to).into());
    for (names, cells) in features
        .chunks(LINE)
        .zip(matrix.axis_chunks_iter(Axis(1), LINE))
    {
        let builder = |name: &&str| Builder::new((*name).into(), to - from);
        let mut builders: Vec<Builder> = names.iter().map(builder).collect();
        for row in cells.rows() {
            for (builder, cell) in builders.iter_mut().zip(row) {
                // Unknown is null for every program, not only for those that know NaN.
                builder.append_option((!cell.is_nan()).then_some(*cell));
            }
        }
        columns.extend(builders.into_iter().map(|one| one.finish().into_column()));
    }
    DataFrame::new(to - from, columns).expect("columns of one length with different names")
}

fn texts<'a>(name: &str, points: &'a [Point], of: impl Fn(&'a Point) -> Cow<'a, str>) -> Column {
    StringChunked::from_iter_values(name.into(), points.iter().map(of)).into_column()
}

fn stage(stage: Stage) -> Cow<'static, str> {
    match stage {
        Stage::Issue => "issue".into(),
        Stage::Before(days) => format!("before_{days}").into(),
        Stage::Due => "due".into(),
        Stage::After(days) => format!("after_{days}").into(),
        Stage::Asked => "asked".into(),
    }
}
