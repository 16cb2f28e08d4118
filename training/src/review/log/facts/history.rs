//! The facts of a time before an experiment, which say what a design can find.

use std::collections::{BTreeSet, HashMap};

use lagom_features::domain::{DecisionId, Invoice, InvoiceId, Timestamp, Zone};
use lagom_model::log::Decision;
use lagom_model::objective::Objective;

use super::Facts;
use super::gather::Gather;
use super::rows::Log;
use crate::keys::key;
use crate::review::ReviewError;
use crate::tables::Tables;

/// Customers of a time before an experiment, each followed from the first due date.
#[derive(Debug, Clone)]
pub struct History {
    /// One row a customer, as a review has it, all in one arm.
    pub facts: Facts,
    /// Customers that came in a day.
    pub per_day: f64,
}

/// Days of first due dates that a history is taken of.
const SPAN_DAYS: f64 = 90.0;
/// The one arm.
const ARM: &str = "history";

/// The facts of those whose first invoice of a span fell due early enough to be followed until
/// `as_of`, as if it had been asked about then.
///
/// # Errors
/// [`ReviewError::NoSuchExperiment`] where nobody was followed for so long.
pub fn history(
    tables: &Tables,
    as_of: Option<Timestamp>,
    window_days: f64,
    objective: &Objective,
) -> Result<History, ReviewError> {
    let as_of = match as_of {
        Some(as_of) => as_of,
        None => tables.last_known()?,
    };
    let age = |one: &Invoice| as_of.days_since(one.due_on.start(&Zone::utc()));
    let latest: HashMap<&InvoiceId, &Invoice> = tables
        .invoices
        .iter()
        .filter(|one| one.recorded_at <= as_of)
        .map(|one| (&one.value.invoice_id, &one.value))
        .collect();
    let mut invoices: Vec<&Invoice> = latest
        .into_values()
        .filter(|one| (0.0..=window_days + SPAN_DAYS).contains(&age(one)))
        .collect();
    invoices.sort_by(|a, b| (a.due_on, &a.invoice_id).cmp(&(b.due_on, &b.invoice_id)));
    let mut gather = Gather::new(as_of, window_days, invoices.len());
    for invoice in invoices {
        let due = invoice.due_on.start(&Zone::utc());
        let id = invoice.customer_id.as_str();
        let asked = match gather.exposed(id) {
            None => age(invoice) >= window_days,
            Some(exposed) => due.days_since(exposed) < window_days / 2.0,
        };
        if asked {
            let bill = key(invoice.invoice_id.as_str());
            gather.ask((key(id), id), ARM, bill, due);
        }
    }
    let exposures = gather.people.iter().map(|one| one.exposed);
    let Some((first, last)) = exposures.clone().min().zip(exposures.max()) else {
        let named = tables.decisions.iter();
        let known: BTreeSet<String> = named.filter_map(|one| one.experiment.clone()).collect();
        return Err(ReviewError::NoSuchExperiment {
            experiment: ARM.to_owned(),
            known: known.into_iter().collect(),
        });
    };
    let per_day = gather.people.len() as f64 / (last.days_since(first) + 1.0);
    let by_id: HashMap<&DecisionId, &Decision> = tables
        .decisions
        .iter()
        .map(|one| (&one.decision_id, one))
        .collect();
    for outcome in tables.outcomes.iter().filter(|one| one.matured_at <= as_of) {
        if let Some(decision) = by_id.get(&outcome.decision_id) {
            gather.add_money(
                decision.customer_id.as_str(),
                decision.decided_at,
                (outcome.fee_minor, outcome.cost_minor),
            );
        }
    }
    gather.surroundings(tables)?;
    let facts = Facts::build(gather, as_of, window_days, objective)?;
    Ok(History { facts, per_day })
}
