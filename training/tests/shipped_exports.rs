//! The shipped mappings of billing systems' exports, on their hand-made samples.

#![allow(clippy::unwrap_used)]

use lagom_features::domain::Timestamp;
use lagom_training::import::{ImportOptions, run};
use lagom_training::tables::{Format, Tables};
use std::collections::BTreeMap;
use std::path::Path;

fn imported(system: &str, inputs: &[&str]) -> Tables {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../notebooks-data/exports")
        .join(system);
    let out = tempfile::tempdir().unwrap();
    let report = run(&ImportOptions {
        mapping: folder.join("mapping.toml"),
        inputs: inputs.iter().map(|name| folder.join(name)).collect(),
        out: out.path().to_owned(),
        format: Format::Parquet,
        max_rejects: 0,
    })
    .unwrap();
    assert_eq!(report.rejected, 0);
    Tables::read(out.path()).unwrap()
}

/// Invoices as `id customer amount due`, in order.
fn invoices(tables: &Tables) -> Vec<String> {
    let line = |invoice: &lagom_features::Recorded<lagom_features::domain::Invoice>| {
        let invoice = &invoice.value;
        format!(
            "{} {} {} {} {}",
            invoice.invoice_id,
            invoice.customer_id,
            invoice.amount.minor_units,
            invoice.amount.currency,
            invoice.due_on
        )
    };
    let mut lines: Vec<_> = tables.invoices.iter().map(line).collect();
    lines.sort();
    lines
}

/// Events as `id → type invoice amount`.
fn events(tables: &Tables) -> BTreeMap<String, String> {
    let told = |event: &lagom_features::domain::Event| {
        let invoice = event.invoice_id.as_ref().map(ToString::to_string);
        let amount = event.amount.map(|amount| amount.minor_units);
        format!(
            "{} {} {}",
            event.kind.name(),
            invoice.unwrap_or_default(),
            amount.map_or_else(String::new, |amount| amount.to_string())
        )
        .trim_end()
        .to_owned()
    };
    let pair = |event| -> (String, String) {
        let event: &lagom_features::domain::Event = event;
        (event.event_id.to_string(), told(event))
    };
    tables.events.iter().map(pair).collect()
}

fn expected(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|&(id, told)| (id.to_owned(), told.to_owned()))
        .collect()
}

#[test]
fn stripe_invoices_and_events() {
    let tables = imported("stripe", &["invoices.jsonl", "events.jsonl"]);
    assert_eq!(tables.customers.len(), 3);
    assert_eq!(
        invoices(&tables),
        [
            "in_1A cus_1 49900 SEK 2026-02-01",
            "in_1B cus_1 49900 SEK 2026-03-04",
            "in_2A cus_2 1250 EUR 2026-01-05",
            "in_2B cus_2 1250 EUR 2026-02-05",
            "in_3A cus_3 99000 SEK 2026-02-09",
        ]
    );
    assert_eq!(
        events(&tables),
        expected(&[
            ("evt_1", "payment_succeeded in_1A 49900"),
            ("evt_2", "payment_failed in_2A"),
            ("evt_3", "payment_succeeded in_2A 1250"),
            ("evt_4", "payment_refunded in_2A 250"),
            ("evt_5", "payment_failed in_2B"),
            ("evt_6", "written_off in_2B"),
            ("evt_7", "credit_issued in_3A 99000"),
            // Stripe tells the sum of a charge's refunds; the event is what was added to it.
            ("evt_8", "payment_refunded in_2A 150"),
        ])
    );
    let paid = tables
        .events
        .iter()
        .find(|event| event.event_id.as_str() == "evt_1");
    let at = Timestamp::parse("2026-01-28T12:00:00Z").unwrap();
    assert_eq!(paid.unwrap().occurred_at, at);
}

#[test]
fn kill_bill_accounts_invoices_and_transactions() {
    let inputs = ["accounts.jsonl", "invoices.jsonl", "payments.jsonl"];
    let tables = imported("kill-bill", &inputs);
    assert_eq!(tables.customers.len(), 2);
    assert_eq!(
        invoices(&tables),
        [
            "i-1 a-1 2995 EUR 2026-01-31",
            "i-2 a-1 2995 EUR 2026-03-03",
            "i-3 a-2 25000 USD 2026-02-14",
        ]
    );
    assert_eq!(
        events(&tables),
        expected(&[
            ("t-1", "payment_failed i-1"),
            ("t-2", "payment_succeeded i-1 2995"),
            ("t-3", "payment_succeeded i-3 25000"),
            ("t-4", "payment_refunded i-3 5000"),
        ])
    );
}

#[test]
fn lago_invoices_and_payments() {
    let tables = imported("lago", &["invoices.jsonl", "payments.jsonl"]);
    assert_eq!(tables.customers.len(), 2);
    assert_eq!(
        invoices(&tables),
        [
            "inv-1 acme 119000 EUR 2026-01-31",
            "inv-2 acme 119000 EUR 2026-03-03",
            "inv-3 kim 9900 SEK 2026-02-04",
        ]
    );
    assert_eq!(
        events(&tables),
        expected(&[
            ("pay-1", "payment_succeeded inv-1 119000"),
            ("pay-2", "payment_failed inv-3"),
            ("pay-3", "payment_succeeded inv-3 9900"),
            ("pay-4", "payment_initiated inv-2"),
        ])
    );
}

#[test]
fn odoo_moves_and_payments() {
    let tables = imported("odoo", &["account_move.csv", "account_payment.csv"]);
    assert_eq!(tables.customers.len(), 2);
    assert_eq!(
        invoices(&tables),
        [
            "INV/2026/00011 res.partner_7 1250000 SEK 2026-02-03",
            "INV/2026/00012 res.partner_7 1250000 SEK 2026-03-06",
            "INV/2026/00013 res.partner_8 5990 EUR 2026-01-24",
        ]
    );
    assert_eq!(
        events(&tables),
        expected(&[
            (
                "PBNK1/2026/00021",
                "payment_succeeded INV/2026/00011 1250000"
            ),
            ("PBNK1/2026/00022", "payment_succeeded INV/2026/00013 5000"),
            ("PBNK1/2026/00024", "payment_unmatched  30000"),
            ("RINV/2026/00002", "credit_issued INV/2026/00013 990"),
        ])
    );
    // A day of Stockholm begins an hour before that of UTC.
    let issued = Timestamp::parse("2026-01-03T23:00:00Z").unwrap();
    assert!(
        tables
            .invoices
            .iter()
            .any(|one| one.value.issued_at == issued)
    );
}

#[test]
fn invoice_ninja_invoices_and_payments() {
    let tables = imported("invoice-ninja", &["invoices.jsonl", "payments.jsonl"]);
    assert_eq!(tables.customers.len(), 2);
    assert_eq!(
        invoices(&tables),
        [
            "Opn1 cl1 150000 SEK 2026-02-02",
            "Opn2 cl1 150000 SEK 2026-03-05",
            "Opn3 cl2 8050 EUR 2026-01-20",
        ]
    );
    assert_eq!(
        events(&tables),
        expected(&[
            ("Pay1", "payment_succeeded Opn1 150000"),
            ("Pay2", "payment_succeeded Opn3 4025"),
            ("Pay3", "payment_succeeded Opn3 4025"),
            ("Pay3-refunded", "payment_refunded Opn3 1025"),
            ("Pay4", "payment_failed Opn2"),
        ])
    );
}
