//! Whether 30,000 real people pay their next statement, from lagom's own features of the last six.
//!
//! Data: default of credit card clients, Taiwan 2005 (Yeh and Lien 2009,
//! doi:10.1016/j.eswa.2007.12.020; CC BY 4.0). The file has months, not days, so this test assumes
//! them: the statement of a month is issued on the 1st of the next and due on the 25th; who is on
//! time pays on the 20th, who is behind settles on the 10th of the month in which the file says so.
//! What a client carries over is credited on the old statement, for it is on the new one. A
//! statement of nothing is written as one cent, because an invoice of nothing is not one.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use lagom_features::domain::{
    Currency, CustomerId, Date, Event, EventId, EventType, Invoice, InvoiceId, Money, Timestamp,
};
use lagom_features::{Extractor, FeatureSpec, History, Ledger, Scratch};
use lagom_model::metrics::Metrics;
use lagom_training::fit::{Columns, FitOptions, fit_logistic};
use lagom_training::flat_table::{FlatTable, ReadOptions};
use ndarray::{Array2, Axis};
use std::path::PathBuf;

/// scikit-learn's logistic regression on the file's own columns, same folds.
const PLAIN_REGRESSION: f64 = 0.724;
/// The months of the file, oldest first, by the numbers of its columns.
const STATUS: [&str; 6] = ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"];
const APRIL: i32 = 4;
const OCTOBER: i32 = 10;

fn shared(file: &str) -> Option<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("LAGOM_SHARED").map(PathBuf::from);
    let beside = ["../../shared", "../shared"].map(|path| manifest.join(path));
    let places = named.into_iter().chain(beside);
    places.map(|dir| dir.join(file)).find(|path| path.exists())
}

fn day(month: i32, day: i32) -> Timestamp {
    Timestamp::parse(&format!("2005-{month:02}-{day:02}")).unwrap()
}

/// One row of the file.
struct Client<'a> {
    table: &'a FlatTable,
    row: usize,
}

impl Client<'_> {
    fn number(&self, column: &str) -> i64 {
        self.table.numbers(column).unwrap()[self.row] as i64
    }

    /// Months of delay that the file gives for a month; none or less is on time.
    fn delay(&self, month: i32) -> i64 {
        self.number(STATUS[(month - APRIL) as usize])
    }

    /// What the statement of a month asks for; that of March is not in the file and is taken to be
    /// April's.
    fn statement(&self, month: i32) -> i64 {
        let newest_is_one = OCTOBER - month.max(APRIL);
        self.number(&format!("BILL_AMT{newest_is_one}")).max(0) * 100 + 1
    }

    fn paid_in(&self, month: i32) -> i64 {
        self.number(&format!("PAY_AMT{}", OCTOBER - month)) * 100
    }

    /// The month in which the statement of `month` was no longer behind, if the file has it.
    fn settled_in(&self, month: i32) -> Option<i32> {
        (month + 1..OCTOBER).find(|&then| self.delay(then) < i64::from(then - month))
    }

    fn history(&self) -> History {
        let customer_id = CustomerId::new("client").unwrap();
        let currency = Currency::new("TWD").unwrap();
        let mut history = History::new();
        for month in APRIL - 1..OCTOBER {
            let invoice_id = InvoiceId::new(month.to_string()).unwrap();
            let (issued_at, asked) = (day(month + 1, 1), self.statement(month));
            let invoice = Invoice {
                invoice_id: invoice_id.clone(),
                customer_id: customer_id.clone(),
                issued_at,
                due_on: Date::parse(&format!("2005-{:02}-25", month + 1)).unwrap(),
                amount: Money::new(asked, currency),
                terms_days: None,
                payment_method: None,
                billing_channel: None,
                product: None,
            };
            history.record_invoice(issued_at, invoice);
            let settled_in = self.settled_in(month);
            let mut tell = |kind: EventType, minor: i64, at: Timestamp| {
                let id = EventId::new(format!("{kind}-{month}")).unwrap();
                let mut event = Event::new(id, kind, customer_id.clone(), at, at);
                event.invoice_id = Some(invoice_id.clone());
                event.amount = Some(Money::new(minor, currency));
                history.record_event(&event);
            };
            if month + 1 < OCTOBER {
                let paid = self.paid_in(month + 1).min(asked - 1);
                if paid > 0 {
                    tell(EventType::PaymentSucceeded, paid, day(month + 1, 20));
                }
                if let Some(then) = settled_in {
                    let on = if then == month + 1 { 20 } else { 10 };
                    tell(EventType::CreditIssued, asked - paid.max(0), day(then, on));
                }
            }
        }
        history
    }
}

/// The vector of each client's last statement, an instant after its issue.
fn vectors(table: &FlatTable) -> (Vec<String>, Array2<f64>) {
    let spec = FeatureSpec::built_in();
    let extractor = Extractor::new(&spec);
    let (mut scratch, mut vector, mut cells) = (Scratch::new(), Vec::new(), Vec::new());
    let last = InvoiceId::new((OCTOBER - 1).to_string()).unwrap();
    let issued = Timestamp::from_micros(day(OCTOBER, 1).micros() + 1).unwrap();
    for row in 0..table.rows() {
        let history = Client { table, row }.history();
        let view = history.as_of(issued);
        let ledger = Ledger::of(&view);
        extractor
            .extract_with(&mut scratch, &view, &ledger, &last, &mut vector)
            .unwrap();
        cells.extend_from_slice(&vector);
    }
    let names = spec.names().into_iter().map(str::to_owned).collect();
    let shape = (table.rows(), extractor.width());
    (names, Array2::from_shape_vec(shape, cells).unwrap())
}

#[test]
fn the_next_statement_is_foreseen_at_least_as_well_as_by_plain_regression() {
    let data = shared("data/uci_credit_default/UCI_Credit_Card.csv.gz");
    let folds = shared("oracles/ml/split_uci_credit_default_default.csv");
    let (Some(data), Some(folds)) = (data, folds) else {
        eprintln!("skipped: the clients or the folds are not here");
        return;
    };
    let table = FlatTable::read(&data, &ReadOptions::default()).unwrap();
    let folds = FlatTable::read(&folds, &ReadOptions::default()).unwrap();
    let folds = folds.numbers("fold").unwrap();
    let class = table.numbers("class").unwrap();
    let missed: Vec<bool> = class.iter().map(|&class| class > 0.5).collect();
    let (names, features) = vectors(&table);
    let columns = |rows: &[usize]| {
        Columns::from_matrix(&names, features.select(Axis(0), rows).view()).unwrap()
    };
    let mut out_of_fold = vec![0.0; missed.len()];
    for fold in 0..5 {
        let of_fold = |row: &usize| folds[*row] == f64::from(fold);
        let (held, rest): (Vec<usize>, Vec<usize>) = (0..missed.len()).partition(of_fold);
        let outcomes: Vec<bool> = rest.iter().map(|&row| missed[row]).collect();
        let options = FitOptions {
            most_pairs: 0,
            ..FitOptions::default()
        };
        let (model, _) = fit_logistic(&columns(&rest), &outcomes, &options).unwrap();
        for row in held {
            let vector = features.row(row).to_vec();
            out_of_fold[row] = model.predict(vector.as_slice()).unwrap();
        }
    }
    let metrics = Metrics::of(&missed, &out_of_fold).unwrap();
    eprintln!("clients, next statement, out of fold: {metrics:?}");
    assert!(metrics.auc.unwrap() >= PLAIN_REGRESSION, "{metrics:?}");
}
