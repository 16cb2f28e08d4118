#![allow(clippy::unwrap_used)]

mod faults;
mod golden;
mod round_trip;
pub(crate) mod sample;

use lagom_features::{History, Known};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn histories_know_each_record_from_the_instant_it_was_made() {
    let mut tables = sample::tables();
    let borrowed = tables.histories();
    let taken = tables.take_histories();
    assert!(tables.events.is_empty() && tables.invoices.is_empty());
    let id = lagom_features::domain::CustomerId::new("c1").unwrap();
    let history = &taken[&id];
    let events = |history: &History| -> Vec<_> { history.events().map(Known::to_event).collect() };
    assert_eq!(events(history), events(&borrowed[&id]));
    let issued = history.invoices()[0].value.issued_at;
    assert_eq!(history.invoices()[0].recorded_at, issued);
    let customer = &history.customers()[0];
    assert_eq!(customer.recorded_at, customer.value.created_at);
    assert!(history.as_of(issued).invoices().is_empty());
}
