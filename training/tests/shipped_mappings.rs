//! The shipped mappings against figures worked out from the raw files by other means.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use lagom_features::domain::{CustomerId, EventType, InvoiceId, Timestamp, Zone};
use lagom_features::history::{History, Known};
use lagom_features::ledger::Ledger;
use lagom_training::flat_table::{FlatTable, ReadOptions, Values};
use lagom_training::import::{ImportOptions, ImportReport, run};
use lagom_training::tables::{Format, Tables};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Columns of the statuses, and the months that they and the bills are of, latest first.
const STATUS: [&str; 6] = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"];
const MONTHS: [&str; 6] = [
    "2005-09", "2005-08", "2005-07", "2005-06", "2005-05", "2005-04",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn import(mapping: &str, input: &Path, out: &Path) -> ImportReport {
    let options = ImportOptions {
        mapping: root().join(mapping),
        inputs: vec![input.to_owned()],
        out: out.to_owned(),
        format: Format::Parquet,
        max_rejects: 0,
    };
    run(&options).unwrap()
}

struct Raw(FlatTable);

impl Raw {
    fn read(path: &Path) -> Self {
        Self(FlatTable::read(path, &ReadOptions::default()).unwrap())
    }
    fn numbers(&self, name: &str) -> &[f64] {
        self.0.numbers(name).unwrap()
    }
    fn texts(&self, name: &str) -> Vec<&str> {
        match &self.0.column(name).unwrap().values {
            Values::Text(cells) => cells.iter().map(|cell| cell.as_deref().unwrap()).collect(),
            Values::Number(_) => panic!("{name} holds numbers"),
        }
    }
}

fn minor(tables: &Tables, kind: EventType) -> i64 {
    let of_kind = tables.events.iter().filter(|event| event.kind == kind);
    of_kind.map(|event| event.amount.unwrap().minor_units).sum()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Missed payments that the history reports of the month in which `due` lies.
fn reported_delay(history: &History, after: &str, until: &str) -> usize {
    let missed = |event: &Known<'_>| {
        event.kind() == EventType::PaymentFailed
            && (at(after)..at(until)).contains(&event.occurred_at())
    };
    history.events().filter(missed).count()
}

#[test]
fn uci_clients_keep_every_amount_and_every_month_of_delay() {
    let file = root().join("notebooks-data/uci-credit/UCI_Credit_Card.csv.gz");
    let out = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let report = import("notebooks-data/uci-credit/mapping.toml", &file, out.path());
    let seconds = started.elapsed().as_secs_f64();
    let records = report.customers + report.invoices + report.events;
    println!(
        "{} rows in {seconds:.2} s: {:.0} rows/s, {:.0} records/s",
        report.rows,
        report.rows as f64 / seconds,
        records as f64 / seconds
    );
    assert_eq!(
        (report.rows, report.customers, report.invoices),
        (30_000, 30_000, 180_000)
    );

    let raw = Raw::read(&file);
    let started = Instant::now();
    let mut tables = Tables::read(out.path()).unwrap();
    println!(
        "{records} records read in {:.2} s",
        started.elapsed().as_secs_f64()
    );
    let billed: f64 = (1..=6)
        .flat_map(|k| raw.numbers(&format!("BILL_AMT{k}")))
        .map(|&bill| if bill > 0.0 { bill * 100.0 } else { 1.0 })
        .sum();
    let invoiced: i64 = tables
        .invoices
        .iter()
        .map(|i| i.value.amount.minor_units)
        .sum();
    assert_eq!(invoiced, billed as i64);
    let paid: f64 = (1..=5)
        .flat_map(|k| raw.numbers(&format!("PAY_AMT{k}")))
        .sum();
    assert_eq!(
        minor(&tables, EventType::PaymentSucceeded),
        (paid * 100.0) as i64
    );
    let april: f64 = raw.numbers("PAY_AMT6").iter().sum();
    assert_eq!(
        minor(&tables, EventType::PaymentUnmatched),
        (april * 100.0) as i64
    );
    let delays: f64 = STATUS
        .iter()
        .flat_map(|name| raw.numbers(name))
        .map(|s| s.max(0.0))
        .sum();
    let missed = tables
        .events
        .iter()
        .filter(|e| e.kind == EventType::PaymentFailed)
        .count();
    assert_eq!(missed, delays as usize);

    let histories = tables.take_histories();
    let taipei = Zone::parse("Asia/Taipei").unwrap();
    let class = raw.numbers("class");
    for row in 0..30_000 {
        let history = &histories[&CustomerId::new(row.to_string()).unwrap()];
        let known = history.as_of(at("2005-10-02"));
        let ledger = Ledger::of(&known);
        assert_eq!(ledger.invoices().len(), 6);
        for k in 1..=5 {
            // The statement of a month is due in the next one, whose status stands one place ahead.
            let id = InvoiceId::new(format!("{row}-{}", MONTHS[k])).unwrap();
            let state = ledger.invoice(&id).unwrap();
            let status = raw.numbers(STATUS[k - 1])[row];
            let bill = raw.numbers(&format!("BILL_AMT{}", k + 1))[row];
            let expected = if bill > 0.0 { bill * 100.0 } else { 1.0 };
            assert_eq!(state.invoice.amount.minor_units, expected as i64);
            let late = state.lag_days(&taipei).is_none_or(|lag| lag > 0);
            assert_eq!(late, status >= 1.0, "row {row}, {}: {status}", MONTHS[k]);
        }
        let september = reported_delay(history, "2005-09-26", "2005-10-01");
        assert_eq!(september, raw.numbers("PAY_0")[row].max(0.0) as usize);
        // What is open at the last view is a part of the delay that the last status reports.
        let open = ledger
            .invoices()
            .iter()
            .filter(|state| !state.is_closed())
            .count()
            - 1;
        assert!(
            open <= september,
            "row {row}: {open} open, {september} months of delay"
        );

        let last = InvoiceId::new(format!("{row}-2005-09")).unwrap();
        let after = history.as_of(at("2005-10-27"));
        let ledger = Ledger::of(&after);
        let defaulted = !ledger.invoice(&last).unwrap().is_closed();
        assert_eq!(defaulted, class[row] == 1.0, "row {row}");
        let outcome = history
            .events()
            .filter(|e| e.occurred_at() >= at("2005-10-02"));
        assert!(
            outcome
                .clone()
                .all(|e| e.occurred_at() == at("2005-10-26T04:30:00Z"))
        );
    }
}

fn shared(path: &str) -> Option<PathBuf> {
    let roots = [
        std::env::var_os("LAGOM_SHARED").map(PathBuf::from),
        Some(root().join("../shared")),
        Some(root().join("../../shared")),
    ];
    let found = roots.into_iter().flatten().map(|root| root.join(path));
    found.into_iter().find(|file| file.is_file())
}

#[test]
fn ibm_receivables_keep_amounts_and_lateness() {
    let Some(file) = shared("data/ibm_ar/accounts_receivable_to_2013_04.csv.gz") else {
        println!("skipped: the receivables are not here");
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let report = import(
        "notebooks-data/ibm-receivables/mapping.toml",
        &file,
        out.path(),
    );
    let raw = Raw::read(&file);
    let disputed = raw
        .texts("Disputed")
        .iter()
        .filter(|&&d| d == "Yes")
        .count();
    let rows = raw.0.rows();
    assert_eq!((report.rows, report.invoices), (rows as u64, rows as u64));
    assert_eq!(report.events as usize, rows + 2 * disputed);

    let mut tables = Tables::read(out.path()).unwrap();
    let amounts: f64 = raw
        .numbers("InvoiceAmount")
        .iter()
        .map(|a| (a * 100.0).round())
        .sum();
    assert_eq!(minor(&tables, EventType::PaymentSucceeded), amounts as i64);
    let ids: Vec<_> = tables
        .invoices
        .iter()
        .map(|i| i.value.invoice_id.clone())
        .collect();
    let customers: Vec<_> = tables
        .invoices
        .iter()
        .map(|i| i.value.customer_id.clone())
        .collect();
    let histories = tables.take_histories();
    let (days_late, settle) = (raw.numbers("DaysLate"), raw.numbers("DaysToSettle"));
    for row in 0..rows {
        let view = histories[&customers[row]].as_of(at("2015-01-01"));
        let ledger = Ledger::of(&view);
        let state = ledger.invoice(&ids[row]).unwrap();
        let lag = f64::from(state.lag_days(&Zone::utc()).unwrap());
        assert_eq!(lag.max(0.0), days_late[row], "row {row}");
        let taken = state
            .settled_at
            .unwrap()
            .days_since(state.invoice.issued_at);
        assert_eq!(taken, settle[row], "row {row}");
    }
}
