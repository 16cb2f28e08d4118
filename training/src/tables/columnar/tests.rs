#![allow(clippy::unwrap_used)]

use super::*;
use crate::tables::tests::sample;
use crate::tables::{Format, Tables, read_histories, write_table};
use lagom_features::Known;
use lagom_features::domain::{Currency, EventType, Money};

fn by_columns(dir: &Path) -> Option<BTreeMap<CustomerId, History>> {
    histories(dir, Reading::of(dir)).unwrap()
}

fn written(tables: &Tables, format: Format) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    tables.write(dir.path(), format).unwrap();
    dir
}

/// The sample, and a stranger's bare events between the customer's.
fn tables() -> Tables {
    let mut tables = sample::tables();
    let first = tables.events[0].clone();
    let stranger = |id: &str| {
        Event::new(
            lagom_features::domain::EventId::new(id).unwrap(),
            EventType::ComplaintMade,
            CustomerId::new("another").unwrap(),
            first.occurred_at,
            first.recorded_at,
        )
    };
    tables.events.insert(1, stranger("x"));
    tables.events.insert(0, stranger("y"));
    tables.events.push(first.clone());
    tables
}

#[test]
fn columns_give_what_rows_give() {
    let mut tables = tables();
    let dir = written(&tables, Format::Parquet);
    let (left, right) = (by_columns(dir.path()).unwrap(), tables.take_histories());
    assert_eq!(left.len(), 3);
    assert!(left.keys().eq(right.keys()));
    for (id, left) in left {
        let right = &right[&id];
        assert_eq!(left.customers(), right.customers());
        assert_eq!(left.invoices(), right.invoices());
        assert!(
            left.events()
                .map(Known::to_event)
                .eq(right.events().map(Known::to_event))
        );
    }
}

#[test]
fn what_is_not_plainly_right_is_left_to_the_row_reader() {
    let dir = written(&tables(), Format::Csv);
    assert!(by_columns(dir.path()).is_none(), "a text");
    assert_eq!(read_histories(dir.path()).unwrap().len(), 3);

    let dir = written(&tables(), Format::Parquet);
    let events = dir.path().join("events.parquet");
    let mut foreign = tables().events;
    let paid = foreign
        .iter_mut()
        .find(|event| event.amount.is_some() && event.invoice_id.is_some());
    paid.unwrap().amount = Some(Money::new(1, Currency::new("JPY").unwrap()));
    write_table(&events, &foreign).unwrap();
    assert!(by_columns(dir.path()).is_none(), "a foreign currency");
    let error = read_histories(dir.path()).unwrap_err().to_string();
    assert!(error.contains("JPY"), "{error}");
}

#[test]
fn a_customer_who_cannot_be_read_is_not_passed_over() {
    let dir = written(&tables(), Format::Parquet);
    std::fs::remove_file(dir.path().join("customers.parquet")).unwrap();
    let wrong = "customer_id,created_at\nc1,yesterday\n";
    std::fs::write(dir.path().join("customers.csv"), wrong).unwrap();
    assert!(by_columns(dir.path()).is_none());
    let error = read_histories(dir.path()).unwrap_err().to_string();
    assert!(error.contains("yesterday"), "{error}");
}
