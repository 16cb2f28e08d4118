//! Lateness of real-looking receivables, learnt from one year and judged on the next.
//!
//! The data set is IBM's sample of 2,466 business invoices, whose terms are unknown, so the test
//! reads it where it lies and is skipped elsewhere. A customer's own late rate alone gives an area
//! under the curve of about 0.87; above 0.91 something has seen the future.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use lagom_features::domain::{
    Currency, CustomerId, Date, Event, EventId, EventType, Invoice, InvoiceId, Money, Timestamp,
};
use lagom_features::{FeatureSpec, History};
use lagom_training::flat_table::{FlatTable, ReadOptions};
use lagom_training::pipeline::{Origin, Target, TrainingConfig, fit_version};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn shared(file: &str) -> Option<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("LAGOM_SHARED").map(PathBuf::from);
    let beside = ["../../shared", "../shared"].map(|path| manifest.join(path));
    let places = named.into_iter().chain(beside);
    places.map(|dir| dir.join(file)).find(|path| path.exists())
}

/// `1/2/2013` is the second of January.
fn date(text: &str) -> Date {
    let parts: Vec<u32> = text.split('/').map(|part| part.parse().unwrap()).collect();
    Date::parse(&format!("{}-{:02}-{:02}", parts[2], parts[0], parts[1])).unwrap()
}

fn instant(date: Date) -> Timestamp {
    Timestamp::parse(&date.to_string()).unwrap()
}

/// What was known when: the invoice at its issue and the payment on its day. Whether an invoice
/// was disputed is known later than its issue, and nobody says when, so it is left out.
fn histories(path: &Path) -> BTreeMap<CustomerId, History> {
    let table = FlatTable::read(path, &ReadOptions::default()).unwrap();
    let text = |column: &str, row: usize| table.column(column).unwrap().values.text(row).unwrap();
    let mut histories: BTreeMap<CustomerId, History> = BTreeMap::new();
    for row in 0..table.rows() {
        let customer_id = CustomerId::new(text("customerID", row)).unwrap();
        let invoice_id = InvoiceId::new(text("invoiceNumber", row)).unwrap();
        let issued_at = instant(date(&text("InvoiceDate", row)));
        let amount: f64 = text("InvoiceAmount", row).parse().unwrap();
        let amount = Money::new(
            (amount * 100.0).round() as i64,
            Currency::new("USD").unwrap(),
        );
        let history = histories.entry(customer_id.clone()).or_default();
        history.record_invoice(
            issued_at,
            Invoice {
                invoice_id: invoice_id.clone(),
                customer_id: customer_id.clone(),
                issued_at,
                due_on: date(&text("DueDate", row)),
                amount,
                terms_days: None,
                payment_method: None,
                billing_channel: Some(match text("PaperlessBill", row).as_str() {
                    "Paper" => "paper".into(),
                    _ => "e_invoice".into(),
                }),
                product: None,
            },
        );
        let settled = instant(date(&text("SettledDate", row)));
        let id = EventId::new(format!("paid-{invoice_id}")).unwrap();
        let mut event = Event::new(
            id,
            EventType::PaymentSucceeded,
            customer_id,
            settled,
            settled,
        );
        event.invoice_id = Some(invoice_id);
        event.amount = Some(amount);
        history.record_event(&event);
    }
    histories
}

#[test]
fn lateness_is_foreseen_at_issue_and_no_better_than_the_past_allows() {
    let Some(path) = shared("data/ibm_ar/accounts_receivable_to_2013_04.csv.gz") else {
        eprintln!("skipped: the receivables are not here");
        return;
    };
    let histories = histories(&path);
    let config = "[training]\nfit_before = \"2012-12-01\"\njudge_from = \"2013-01-01\"";
    let config = TrainingConfig::parse(config, FeatureSpec::built_in()).unwrap();
    let (_, report) = fit_version(&histories, &config, Origin::default()).unwrap();
    let late = report
        .heads
        .iter()
        .find(|head| head.target == Target::Late)
        .unwrap();
    let held_out = late.held_out.as_ref().unwrap();
    let auc = held_out.metrics.auc.unwrap();
    eprintln!(
        "receivables, late at all: {held_out:?}, floor {:?}",
        late.floor_auc
    );
    assert!((0.85..=0.91).contains(&auc), "area under the curve {auc}");
}
