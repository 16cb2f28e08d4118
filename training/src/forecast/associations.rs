//! How payment options go with time to pay.

use super::Z_95;
use crate::dataset::zone_of;
use crate::labels::Settlement;
use lagom_features::History;
use lagom_features::domain::{CustomerId, Invoice, Timestamp};
use lagom_model::forecast::{Association, Expected};
use lagom_model::statistics::Alpha;
use lagom_model::statistics::survival::{Durations, RmstDifference};
use std::collections::{BTreeMap, BTreeSet};

/// Invoices of an option, and of all others, below which nothing is said.
const LEAST: usize = 30;
/// Days from issue that are looked at.
const HORIZON_DAYS: f64 = 60.0;

/// Invoices with their customers and how long they were open.
#[derive(Default)]
struct Seen {
    days: Vec<f64>,
    settled: Vec<bool>,
    customers: Vec<usize>,
}

impl Seen {
    fn durations(&self) -> Durations<'_> {
        Durations {
            time: &self.days,
            event: &self.settled,
            cluster: &self.customers,
        }
    }

    fn add(&mut self, (days, settled, customer): (f64, bool, usize)) {
        self.days.push(days);
        self.settled.push(settled);
        self.customers.push(customer);
    }
}

/// The options of an invoice.
fn options(invoice: &Invoice) -> Vec<(&'static str, String)> {
    let terms = invoice.terms_days.map(|days| days.to_string());
    let word = |word: Option<&str>| word.map(str::to_owned);
    let all = [
        ("payment_method", word(invoice.payment_method.as_deref())),
        ("billing_channel", word(invoice.billing_channel.as_deref())),
        ("terms_days", terms),
    ];
    all.into_iter()
        .filter_map(|(option, value)| Some((option, value?)))
        .collect()
}

/// Each option with enough invoices against all others; the interval is of 95 %, customers as
/// clusters.
pub(super) fn of(histories: &BTreeMap<CustomerId, History>, as_of: Timestamp) -> Vec<Association> {
    let mut rows = Vec::new();
    for (customer, history) in histories.values().enumerate() {
        let view = history.as_of(as_of);
        let zone = zone_of(&view);
        for invoice in view.invoices() {
            let settlement = Settlement::of(invoice, view.events_of(&invoice.invoice_id), &zone);
            let settled = settlement.settled_from(invoice.issued_at);
            let days = settled.unwrap_or(as_of).days_since(invoice.issued_at);
            if days >= 0.0 {
                rows.push((options(invoice), (days, settled.is_some(), customer)));
            }
        }
    }
    let all: BTreeSet<_> = rows
        .iter()
        .flat_map(|(options, _)| options.clone())
        .collect();
    let mut found = Vec::new();
    for (option, value) in all {
        let (mut with, mut without) = (Seen::default(), Seen::default());
        for (options, seen) in &rows {
            let has = options.iter().any(|one| one.0 == option && one.1 == value);
            if has { &mut with } else { &mut without }.add(*seen);
        }
        if with.days.len().min(without.days.len()) < LEAST {
            continue;
        }
        let (control, treatment) = (without.durations(), with.durations());
        let between =
            RmstDifference::between(control, treatment, HORIZON_DAYS, Alpha::FIVE_PERCENT);
        // Two groups of which one is paid at once have no variance, and nothing to say.
        let Ok(difference) = between else { continue };
        let reach = Z_95 * difference.se_cluster;
        found.push(Association {
            option: option.to_owned(),
            value,
            invoices: with.days.len(),
            days: Expected {
                expected: difference.diff,
                low: difference.diff - reach,
                high: difference.diff + reach,
            },
        });
    }
    found
}
