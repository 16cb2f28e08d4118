//! The log as the canonical tables, for `lagom export` and for a customer who asks.

use crate::experiment::{Assignment, Phase};
use crate::recording::What;
use crate::store::{Entry, Publication, Store, StoreError, StoreUrl};
use lagom_features::Recorded;
use lagom_features::domain::{Customer, CustomerId, DecisionId, Event, Invoice, TenantId};
use lagom_model::log::{Decision, Outcome};
use serde::Serialize;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// A canonical table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Descriptions of customers, by recording.
    Customers,
    /// Invoices and corrections, by recording.
    Invoices,
    /// Events, by recording.
    Events,
    /// Decisions, by time.
    Decisions,
    /// Outcomes, by maturity.
    Outcomes,
    /// Arms of experiments, by time.
    Assignments,
    /// What a candidate in shadow would have decided, by time.
    Shadows,
}

impl Table {
    /// Its name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Invoices => "invoices",
            Self::Events => "events",
            Self::Decisions => "decisions",
            Self::Outcomes => "outcomes",
            Self::Assignments => "assignments",
            Self::Shadows => "shadows",
        }
    }
}

/// Everything in a log that the canonical tables have a place for.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Export {
    /// Every description of a customer, by recording.
    pub customers: Vec<Recorded<Customer>>,
    /// Every invoice and correction, by recording.
    pub invoices: Vec<Recorded<Invoice>>,
    /// Events, by recording.
    pub events: Vec<Event>,
    /// Decisions, by time.
    pub decisions: Vec<Decision>,
    /// Outcomes, by maturity.
    pub outcomes: Vec<Outcome>,
    /// Who was drawn into which arm, by time.
    pub assignments: Vec<Assignment>,
    /// What candidates in shadow would have decided, by time, under the ids of the decisions made.
    pub shadows: Vec<Decision>,
    /// What was agreed of experiments, by time.
    pub phases: Vec<Phase>,
    /// What was published of the policy, without what it had learnt.
    pub generations: Vec<Publication>,
}

/// Reads the log in `path`, also while a server writes it.
///
/// # Errors
/// [`StoreError`] where it cannot be read or is damaged.
pub fn export(path: &Path) -> Result<Export, StoreError> {
    let file = StoreUrl::File(path.to_owned());
    export_telling(&file, &TenantId::default(), &mut || ())
}

/// [`export`] of a tenant's log, which calls `each` for every entry that it has read.
///
/// # Errors
/// As [`export`].
pub fn export_telling(
    store: &StoreUrl,
    tenant: &TenantId,
    each: &mut dyn FnMut(),
) -> Result<Export, StoreError> {
    let mut export = Export::default();
    store.read_only(tenant)?.scan(&mut |_, entry| {
        each();
        export.take(entry);
        Ok(())
    })?;
    Ok(export)
}

/// Reads the log of an open store.
///
/// # Errors
/// [`StoreError`] where it cannot be read or is damaged.
#[cfg(feature = "training")]
pub(crate) fn read(store: &dyn Store) -> Result<Export, StoreError> {
    let mut export = Export::default();
    store.scan(&mut |_, entry| {
        export.take(entry);
        Ok(())
    })?;
    Ok(export)
}

impl Export {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Recorded(one) => {
                let recorded_at = one.recorded_at;
                match one.what {
                    What::Customer(value) => self.customers.push(Recorded { recorded_at, value }),
                    What::Invoice(value) => self.invoices.push(Recorded { recorded_at, value }),
                    What::Fact(event) => self.events.push(event),
                }
            }
            Entry::Decided(decision) => self.decisions.push(Arc::unwrap_or_clone(decision)),
            Entry::Matured(outcome) => self.outcomes.push(*outcome),
            Entry::Catalogue(_)
            | Entry::Reserved(_)
            | Entry::Policy(_)
            | Entry::Staged(_)
            | Entry::Forgotten { .. } => {}
            Entry::Shadowed(one) => self.shadows.push(Arc::unwrap_or_clone(one)),
            Entry::Published(one) => self.generations.push(one.without_state()),
            Entry::Assigned(one) => self.assignments.push(one),
            Entry::Phase(one) => self.phases.push(*one),
        }
    }
}

/// Hands every record about one customer to `give`, as JSON, until it returns false.
///
/// # Errors
/// [`StoreError`] where the log cannot be read or is damaged.
pub(crate) fn customer_records(
    store: &dyn Store,
    id: &CustomerId,
    give: &mut dyn FnMut(Table, String) -> bool,
) -> Result<(), StoreError> {
    let mut theirs: HashSet<DecisionId> = HashSet::new();
    let mut listening = true;
    store.scan(&mut |_, entry| {
        if !listening {
            return Ok(());
        }
        let record = match &entry {
            Entry::Recorded(one) if one.customer_id() == id => match &one.what {
                What::Customer(customer) => Some((Table::Customers, json(customer))),
                What::Invoice(invoice) => Some((Table::Invoices, json(invoice))),
                What::Fact(event) => Some((Table::Events, json(event))),
            },
            Entry::Decided(decision) if &decision.customer_id == id => {
                theirs.insert(decision.decision_id.clone());
                Some((Table::Decisions, json(&**decision)))
            }
            Entry::Shadowed(one) if &one.customer_id == id => Some((Table::Shadows, json(&**one))),
            Entry::Assigned(one) if &one.customer_id == id => Some((Table::Assignments, json(one))),
            Entry::Matured(outcome) if theirs.contains(&outcome.decision_id) => {
                Some((Table::Outcomes, json(outcome)))
            }
            _ => None,
        };
        if let Some((table, json)) = record {
            listening = give(table, json);
        }
        Ok(())
    })?;
    Ok(())
}

fn json<T: Serialize>(record: &T) -> String {
    serde_json::to_string(record).expect("records are names and numbers")
}
