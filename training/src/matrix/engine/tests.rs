#![allow(clippy::unwrap_used)]

use super::{Engine, Staging, Take, expressible, matrix_by, read_answer};
use crate::matrix::{MatrixOptions, MatrixReport};
use crate::tables::source::Source;
use crate::tables::{FrameWriter, write_table};
use lagom_features::domain::{
    Currency, Customer, CustomerId, Date, Invoice, InvoiceId, Money, TenantId, Timestamp,
};
use lagom_features::sql::{CellKind, Compiled, Dialect, Value};
use lagom_features::{FeatureSpec, Recorded};
use polars::prelude::{
    Column, DataFrame, DataType, Field, Int64Chunked, IntoColumn, NewChunkedArray, StringChunked,
};
use std::path::Path;
use tempfile::TempDir;

/// An engine that knows nothing of any point, and answers for these.
struct Blank(fn(i64) -> Vec<i64>);

impl Engine for Blank {
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn dialect(&self) -> Dialect {
        Dialect::Spark
    }

    fn run(
        &mut self,
        staging: &Staging,
        compiled: &Compiled,
        take: Take<'_>,
    ) -> Result<(), Self::Error> {
        let folder = TempDir::new().unwrap();
        staging.write(folder.path())?;
        for (table, name) in ["customers", "invoices", "events", "points"]
            .iter()
            .enumerate()
        {
            let file = folder.path().join(format!("lagom_{name}.parquet"));
            let source = Source::open(&file, b',')?;
            assert_eq!(source.rows(), Some(staging.rows(table)), "{name}");
            assert_eq!(
                source.columns().len(),
                super::STAGED[table].1.len(),
                "{name}"
            );
        }
        let none = compiled.kinds().iter().map(|kind| match kind {
            CellKind::Whole => Value::Whole(None),
            CellKind::Text => Value::Text(None),
        });
        let none: Vec<Value<'_>> = none.collect();
        for point in (self.0)(staging.rows(3) as i64) {
            take(point, &none)?;
        }
        Ok(())
    }
}

/// A customer with an invoice whose due date is long past.
fn data() -> TempDir {
    let folder = TempDir::new().unwrap();
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let id = CustomerId::new("c").unwrap();
    let customer = Customer::unknown(TenantId::default(), id.clone(), at("2025-01-01"));
    let customers = [Recorded::at_creation(customer)];
    write_table(&folder.path().join("customers.parquet"), &customers).unwrap();
    let invoices = [("i", "2025-02-01"), ("j", "2026-01-01")].map(|(invoice, issued)| {
        Recorded::at_issue(Invoice {
            invoice_id: InvoiceId::new(invoice).unwrap(),
            customer_id: id.clone(),
            issued_at: at(issued),
            due_on: Date::parse("2025-03-01")
                .unwrap()
                .max(at(issued).date(&zone())),
            amount: Money::new(100, Currency::SEK),
            terms_days: None,
            payment_method: None,
            billing_channel: None,
            product: None,
        })
    });
    write_table(&folder.path().join("invoices.parquet"), &invoices).unwrap();
    folder
}

fn zone() -> lagom_features::domain::Zone {
    lagom_features::domain::Zone::utc()
}

fn by(answers: fn(i64) -> Vec<i64>) -> Result<MatrixReport, String> {
    let (folder, spec) = (data(), FeatureSpec::built_in());
    let options = MatrixOptions {
        spec: &spec,
        as_of: None,
        after_days: vec![3, 7],
        label_days: (30, 90),
        questions: None,
        events_at_once: 1_000,
    };
    let made = matrix_by(
        &mut Blank(answers),
        folder.path(),
        None,
        &options,
        |_, _| {},
    );
    made.map_err(|error| error.to_string())
}

#[test]
fn answers_may_come_in_any_order_and_each_once() {
    let report = by(|points| (0..points).rev().collect()).unwrap();
    assert!(report.rows > 2, "{report:?}");
    for (answers, why) in [
        (
            (|points| (1..points).collect()) as fn(i64) -> Vec<i64>,
            "did not answer for 1 ",
        ),
        (|points| (0..=points).collect(), "which is not due"),
        (|_| vec![0, 1, 0], "decision point 0, which is not due"),
        (|_| vec![-1], "decision point -1, which is not due"),
    ] {
        let said = by(answers).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn every_built_in_feature_is_expressible_for_each_engine() {
    for dialect in [Dialect::Standard, Dialect::Spark] {
        assert_eq!(expressible(&FeatureSpec::built_in(), dialect), Ok(()));
    }
}

fn answer(file: &Path, points: &[i64]) {
    let rows = points.len();
    let texts = points
        .iter()
        .map(|point| (*point > 1).then(|| format!("t{point}")));
    let columns: Vec<Column> = vec![
        StringChunked::from_iter_options("c1".into(), texts).into_column(),
        Int64Chunked::from_iter_values("point_id".into(), points.iter().copied()).into_column(),
        Int64Chunked::from_iter_options(
            "c0".into(),
            points.iter().map(|n| (*n != 2).then_some(-n)),
        )
        .into_column(),
    ];
    let schema = [
        ("c1", DataType::String),
        ("point_id", DataType::Int64),
        ("c0", DataType::Int64),
    ];
    let schema = schema.map(|(name, kind)| Field::new(name.into(), kind));
    let mut writer = FrameWriter::create(file, &schema.into_iter().collect(), vec![]).unwrap();
    writer
        .push(&DataFrame::new(rows, columns).unwrap())
        .unwrap();
    writer.finish().unwrap().publish().unwrap();
}

#[test]
fn an_answer_is_read_from_its_files_and_from_no_others() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    answer(&path("part-00001.snappy.parquet"), &[3]);
    answer(&path("part-00000.snappy.parquet"), &[2, 1]);
    for other in [
        "_SUCCESS",
        ".part-00000.snappy.parquet.crc",
        ".part-0.parquet",
    ] {
        std::fs::write(path(other), "no table").unwrap();
    }
    let mut rows = Vec::new();
    let kinds = [CellKind::Whole, CellKind::Text];
    let mut take = |point: i64, cells: &[Value<'_>]| {
        rows.push(format!("{point} {cells:?}"));
        Ok(())
    };
    read_answer::<Box<dyn std::error::Error>>(folder.path(), &kinds, &mut take).unwrap();
    assert_eq!(
        rows,
        [
            "2 [Whole(None), Text(Some(\"t2\"))]",
            "1 [Whole(Some(-1)), Text(None)]",
            "3 [Whole(Some(-3)), Text(Some(\"t3\"))]",
        ]
    );
    let said = |kinds: &[CellKind], folder: &Path| {
        let read = read_answer::<Box<dyn std::error::Error>>(folder, kinds, &mut |_, _| Ok(()));
        read.unwrap_err().to_string()
    };
    let more = said(&[CellKind::Whole; 3], folder.path());
    assert!(more.contains("has no column c2"), "{more}");
    let kind = said(&[CellKind::Text, CellKind::Text], folder.path());
    assert!(kind.contains("row 2: `-1` is no text"), "{kind}");
    assert!(said(&kinds, &path("none")).contains("none"));
}
