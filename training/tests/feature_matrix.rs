//! The feature matrix of a folder: the same rows however the folder is split.
#![allow(clippy::unwrap_used)]

use lagom_features::domain::{Currency, Date, Money, Timestamp};
use lagom_features::{FeatureSpec, Known, Recorded};
use lagom_training::drift::{DriftError, drift};
use lagom_training::flat_table::{FlatTable, ReadOptions, Values};
use lagom_training::matrix::{MatrixOptions, MatrixReport, matrix, read_questions};
use lagom_training::simulator::{Life, World};
use lagom_training::tables::{Format, Partitions, TableError, Tables, write_table};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

const CUSTOMERS: usize = 120;

/// Half a year without a single reminder.
fn lived() -> Tables {
    let day = |text: &str| Date::parse(text).unwrap();
    let judged = (day("2026-02-01"), day("2026-04-30"));
    let mut life = Life::begin(World::built_in(), CUSTOMERS, 3, day("2026-01-01"), judged);
    let mut tables = Tables::default();
    while life.today() < day("2026-07-01") {
        let lived = life.live_day();
        let invoices = lived.invoices.into_iter().map(Recorded::at_issue);
        tables.invoices.extend(invoices);
        tables.events.extend(lived.events);
    }
    let customers = life.customers().cloned().map(Recorded::at_creation);
    tables.customers.extend(customers);
    tables
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    lived().write(folder.path(), Format::Parquet).unwrap();
    folder
}

fn options(spec: &FeatureSpec, events_at_once: u64) -> MatrixOptions<'_> {
    MatrixOptions {
        spec,
        as_of: None,
        after_days: vec![7, 28],
        label_days: (30, 90),
        questions: None,
        events_at_once,
    }
}

/// Every row of a written matrix as text, by customer, invoice and instant.
fn rows(file: &Path) -> BTreeMap<String, Vec<String>> {
    let table = FlatTable::read(file, &ReadOptions::default()).unwrap();
    let cell = |values: &Values, row: usize| match values {
        Values::Number(cells) => cells[row].to_bits().to_string(),
        Values::Text(cells) => format!("{:?}", cells[row]),
    };
    let rows = (0..table.rows()).map(|row| {
        let cells = table.columns().iter();
        let cells: Vec<String> = cells.map(|column| cell(&column.values, row)).collect();
        (cells[..4].join(" "), cells)
    });
    rows.collect()
}

fn written(data: &Path, to: &Path, events_at_once: u64) -> MatrixReport {
    let spec = FeatureSpec::built_in();
    matrix(data, Some(to), &options(&spec, events_at_once), |_, _| {}).unwrap()
}

#[test]
fn a_folder_read_in_parts_gives_the_same_rows() {
    let (data, out) = (folder(), TempDir::new().unwrap());
    let [whole, parts] = ["whole.parquet", "parts.parquet"].map(|name| out.path().join(name));
    let at_once = written(data.path(), &whole, 1_000_000);
    let split = written(data.path(), &parts, 200);
    assert_eq!(at_once.parts, 1);
    assert!(split.parts > 3, "{} parts", split.parts);
    assert!(at_once.rows > 500);
    assert_eq!(split.rows, at_once.rows);
    assert_eq!(split.customers, CUSTOMERS);
    assert_eq!(rows(&parts), rows(&whole));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 2);
    for (left, right) in at_once.ranges.iter().zip(&split.ranges) {
        assert_eq!((left.known, left.least), (right.known, right.least));
        assert_eq!((left.unknown, left.most), (right.unknown, right.most));
    }
}

/// Customer by customer the folder is read in one pass, by day in parts: whatever the order, and
/// however many row groups a customer's events reach into, the rows are the same.
#[test]
fn events_in_the_order_of_customers_give_the_same_rows() {
    let out = TempDir::new().unwrap();
    let mut tables = lived();
    let by_day = out.path().join("by-day");
    tables.write(&by_day, Format::Parquet).unwrap();
    tables
        .events
        .sort_by(|a, b| b.customer_id.cmp(&a.customer_id));
    let by_customer = out.path().join("by-customer");
    tables.write(&by_customer, Format::Parquet).unwrap();
    // One customer's events in two files of the table.
    let in_files = out.path().join("in-files");
    tables.write(&in_files, Format::Parquet).unwrap();
    std::fs::remove_file(in_files.join("events.parquet")).unwrap();
    std::fs::create_dir(in_files.join("events")).unwrap();
    let middle = tables.events.len() / 2;
    let (first, second) = tables.events.split_at(middle);
    assert_eq!(first[middle - 1].customer_id, second[0].customer_id);
    for (name, events) in [("a.parquet", first), ("b.parquet", second)] {
        write_table(&in_files.join("events").join(name), events).unwrap();
    }
    let [expected, streamed, parted] = ["1", "2", "3"].map(|name| out.path().join(name));
    let usual = written(&by_day, &expected, 200);
    assert!(usual.parts > 3);
    for (data, file) in [(by_customer, &streamed), (in_files, &parted)] {
        let report = written(&data, file, 200);
        // Nothing is split where a customer can be forgotten as soon as all of it is read.
        assert_eq!(report.parts, 1);
        assert_eq!((report.rows, report.customers), (usual.rows, CUSTOMERS));
        assert_eq!(rows(file), rows(&expected));
    }
}

/// What is found wrong behind rows that were made already is told, and no file is left.
#[test]
fn a_fault_behind_good_rows_leaves_no_file() {
    let (data, out) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut tables = lived();
    tables
        .events
        .sort_by(|a, b| a.customer_id.cmp(&b.customer_id));
    let paid = tables
        .events
        .iter_mut()
        .rfind(|event| event.amount.is_some());
    paid.unwrap().amount = Some(Money::new(5, Currency::new("JPY").unwrap()));
    tables.write(data.path(), Format::Parquet).unwrap();
    let spec = FeatureSpec::built_in();
    let file = out.path().join("matrix.parquet");
    let made = matrix(
        data.path(),
        Some(&file),
        &options(&spec, 1_000_000),
        |_, _| {},
    );
    assert!(made.unwrap_err().to_string().contains("JPY"));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn every_record_is_in_the_part_of_its_customer() {
    let data = folder();
    let scratch = TempDir::new().unwrap();
    let parts = Partitions::of(data.path(), 100, scratch.path()).unwrap();
    let mut together = BTreeMap::new();
    for folder in parts.folders() {
        for (customer, history) in Tables::read(folder).unwrap().histories() {
            let events: Vec<_> = history.events().map(Known::to_event).collect();
            assert!(together.insert(customer, events).is_none());
        }
    }
    let whole = Tables::read(data.path()).unwrap().histories();
    assert_eq!(together.len(), whole.len());
    for (customer, history) in whole {
        let events: Vec<_> = history.events().map(Known::to_event).collect();
        assert_eq!(together[&customer], events);
    }
    drop(parts);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn questions_are_answered_where_the_invoice_was_known() {
    let data = folder();
    let tables = lived();
    let invoice = &tables.invoices[0].value;
    let (customer, id) = (&invoice.customer_id, &invoice.invoice_id);
    let file = data.path().join("points.csv");
    let table = format!(
        "customer_id,invoice_id,at\n{customer},{id},2026-06-01T12:00:00Z\n{customer},{id},2025-06-01\n"
    );
    std::fs::write(&file, table).unwrap();
    let questions = read_questions(&file).unwrap();
    let spec = FeatureSpec::built_in();
    let mut options = options(&spec, 1_000);
    options.questions = Some(&questions);
    let report = matrix(data.path(), None, &options, |_, _| {}).unwrap();
    assert_eq!((report.rows, report.unanswered), (1, 1));

    std::fs::write(
        &file,
        "customer_id,invoice_id,at\nc,i,soon\n,i,2026-01-01\n",
    )
    .unwrap();
    let error = read_questions(&file).unwrap_err();
    let places: Vec<_> = error
        .cells()
        .iter()
        .map(|fault| (fault.row, fault.column.as_str()))
        .collect();
    assert_eq!(places, [(1, "at"), (2, "customer_id")]);
    std::fs::write(&file, "customer,invoice_id,at\n").unwrap();
    let error = read_questions(&file).unwrap_err();
    assert!(
        matches!(error, TableError::MissingColumns { .. }),
        "{error}"
    );
}

#[test]
fn a_world_that_stays_as_it_is_moves_only_what_the_calendar_moves() {
    let data = folder();
    let spec = FeatureSpec::parse(
        r#"
        [[feature]]
        name = "amount"
        source = "invoice"
        attribute = "invoice_amount"
        unit = "minor units"
        owner = "tests"
        description = "Amount."

        [[feature]]
        name = "month"
        source = "calendar"
        attribute = "month"
        unit = "month"
        owner = "tests"
        description = "Month."
        "#,
    )
    .unwrap();
    let at = Timestamp::parse("2026-04-01").unwrap();
    let found = drift(data.path(), &spec, &[], at, 300).unwrap();
    assert!(found.before > 100 && found.after > 100);
    assert!(found.known_until > at);
    let moved: Vec<_> = found
        .columns
        .iter()
        .map(|one| (one.column.as_str(), one.moved))
        .collect();
    assert_eq!(moved, [("month", true), ("amount", false)]);
    let never = Timestamp::parse("2020-01-01").unwrap();
    let error = drift(data.path(), &spec, &[], never, 300).unwrap_err();
    assert!(matches!(error, DriftError::Empty { .. }), "{error}");
}
