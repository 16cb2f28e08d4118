//! One row a customer, from decisions and events.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;

use lagom_features::domain::{
    CustomerId, DecisionId, Event, EventType, Invoice, InvoiceId, Timestamp, Zone,
};
use lagom_model::log::{Decision, Outcome};
use lagom_model::objective::Objective;

use super::ArmReport;
use super::design::Learnt;
use super::pay::Pay;
use crate::flat_table::{Column, FlatTable, Values};
use crate::review::ReviewError;
use crate::tables::Tables;

/// Days before exposure in which what was billed and paid serves as a covariate.
const BEFORE_DAYS: f64 = 90.0;
/// Minor units of a major one.
const MINOR: f64 = 100.0;

/// The table, with what it cannot hold.
#[derive(Debug, Clone)]
pub struct Facts {
    table: FlatTable,
    arms: BTreeMap<String, Tally>,
    as_of_day: f64,
    window_days: f64,
    currency: String,
    learnt: Learnt,
    earlier: u64,
}

/// Counts of one arm.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    decisions: u64,
    without_outcome: u64,
    fallbacks: u64,
    probabilities: f64,
    actions: BTreeMap<String, u64>,
    pub(super) pay: Pay,
}

impl Tally {
    pub(super) fn report(&self) -> ArmReport {
        let mut actions: Vec<_> = self.actions.iter().map(|(a, n)| (a.clone(), *n)).collect();
        actions.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        ArmReport {
            decisions: self.decisions,
            without_outcome: self.without_outcome,
            fallbacks: self.fallbacks,
            mean_probability: (self.decisions > 0)
                .then(|| self.probabilities / self.decisions as f64),
            actions,
            curve: Vec::new(),
        }
    }
}

/// A customer in one arm.
#[derive(Debug)]
struct Person<'a> {
    exposed: Timestamp,
    /// Invoices, with when each was first asked about.
    asked: BTreeMap<&'a InvoiceId, Timestamp>,
    fees_minor: i64,
    cost_minor: i64,
}

/// Columns of numbers, in order.
const COLUMNS: [&str; 17] = [
    "exposed_day",
    "invoices",
    "billed",
    "collected",
    "paid_invoices",
    "amount_days",
    "messages",
    "support_contacts",
    "complaint",
    "churn",
    "opt_out",
    "collection_cases",
    "fees",
    "cost",
    "value",
    "billed_before",
    "paid_before",
];

/// The last moment that anything in the tables was known.
pub(super) fn last_known(tables: &Tables) -> Timestamp {
    let events = tables.events.iter().map(|event| event.recorded_at);
    let decisions = tables.decisions.iter().map(|decision| decision.decided_at);
    let outcomes = tables.outcomes.iter().map(|outcome| outcome.matured_at);
    let all = events.chain(decisions).chain(outcomes);
    all.max().unwrap_or(Timestamp::MIN)
}

impl Facts {
    /// What was known of the experiment at `as_of`, of customers who came into it after `since`.
    pub(super) fn of(
        tables: &Tables,
        experiment: &str,
        (since, as_of): (Option<Timestamp>, Timestamp),
        window_days: f64,
        objective: &Objective,
    ) -> Result<Self, ReviewError> {
        let outcomes = tables.outcomes.iter().filter(|one| one.matured_at <= as_of);
        let outcomes: HashMap<&DecisionId, &Outcome> =
            outcomes.map(|one| (&one.decision_id, one)).collect();
        let theirs = |one: &&Decision| {
            one.experiment.as_deref() == Some(experiment) && one.decided_at <= as_of
        };
        let mut arms: BTreeMap<String, Tally> = BTreeMap::new();
        let mut people: BTreeMap<(&CustomerId, &str), Person<'_>> = BTreeMap::new();
        let mut decisions: Vec<&Decision> = tables.decisions.iter().filter(theirs).collect();
        let early: HashSet<&CustomerId> = decisions
            .iter()
            .filter(|one| since.is_some_and(|since| one.decided_at < since))
            .map(|one| &one.customer_id)
            .collect();
        decisions.retain(|one| !early.contains(&one.customer_id));
        let mut learnt = Learnt::default();
        decisions.sort_by_key(|one| one.decided_at);
        for decision in decisions {
            let Some(arm) = decision.arm.as_deref() else {
                continue;
            };
            learnt.add(decision);
            let outcome = outcomes.get(&decision.decision_id).copied();
            count(arms.entry(arm.to_owned()).or_default(), decision, outcome);
            let person = people
                .entry((&decision.customer_id, arm))
                .or_insert(Person {
                    exposed: decision.decided_at,
                    asked: BTreeMap::new(),
                    fees_minor: 0,
                    cost_minor: 0,
                });
            let age = decision.decided_at.days_since(person.exposed);
            if age < window_days / 2.0 {
                let asked = person.asked.entry(&decision.invoice_id);
                asked.or_insert(decision.decided_at);
            }
            if let Some(outcome) = outcome.filter(|_| age < window_days) {
                person.fees_minor += outcome.fee_minor;
                person.cost_minor += outcome.cost_minor;
            }
        }
        if people.is_empty() {
            return Err(ReviewError::NoSuchExperiment {
                experiment: experiment.to_owned(),
                known: known(tables),
            });
        }
        let facts = Self::build(tables, &people, arms, as_of, window_days, objective)?;
        Ok(Self {
            learnt,
            earlier: early.len() as u64,
            ..facts
        })
    }

    fn build(
        tables: &Tables,
        people: &BTreeMap<(&CustomerId, &str), Person<'_>>,
        mut arms: BTreeMap<String, Tally>,
        as_of: Timestamp,
        window_days: f64,
        objective: &Objective,
    ) -> Result<Self, ReviewError> {
        let invoices: HashMap<&InvoiceId, &Invoice> = tables
            .invoices
            .iter()
            .map(|one| (&one.value.invoice_id, &one.value))
            .collect();
        let mut owed: HashMap<&CustomerId, Vec<&Invoice>> = HashMap::new();
        for invoice in invoices.values() {
            owed.entry(&invoice.customer_id).or_default().push(invoice);
        }
        let mut events: HashMap<&CustomerId, Vec<&Event>> = HashMap::new();
        for event in tables.events.iter().filter(|one| one.recorded_at <= as_of) {
            events.entry(&event.customer_id).or_default().push(event);
        }
        let customers: HashMap<&CustomerId, _> = tables
            .customers
            .iter()
            .map(|one| (&one.value.customer_id, &one.value))
            .collect();
        let start = people
            .values()
            .map(|one| one.exposed)
            .min()
            .unwrap_or(as_of);
        let mut numbers: Vec<Vec<f64>> = vec![Vec::with_capacity(people.len()); COLUMNS.len()];
        let (mut ids, mut of_arm, mut segments) = (Vec::new(), Vec::new(), Vec::new());
        let mut currencies: BTreeSet<String> = BTreeSet::new();
        for (row, ((id, arm), person)) in people.iter().enumerate() {
            let none = Vec::new();
            let theirs = events.get(id).unwrap_or(&none);
            let customer = customers.get(id);
            let mut cash = Cash::default();
            let tally = arms.entry((*arm).to_owned()).or_default();
            for (invoice_id, asked) in &person.asked {
                let Some(invoice) = invoices.get(invoice_id) else {
                    continue;
                };
                currencies.insert(invoice.amount.currency.as_str().to_owned());
                let followed = window_days / 2.0;
                let paid = Paid::of(invoice, theirs, *asked, as_of, followed);
                if paid.owed <= 0.0 {
                    continue;
                }
                cash.add(&paid);
                match paid.in_full_after {
                    Some(days) => tally.pay.push(row, days, true),
                    None => tally
                        .pay
                        .push(row, as_of.days_since(*asked).max(0.0), false),
                }
            }
            let happened = Happened::of(theirs, person.exposed, window_days);
            let before = Before::of(
                theirs,
                owed.get(id).map_or(&[], Vec::as_slice),
                person.exposed,
            );
            let outcome_value = objective.cash * cash.collected
                + objective.fee * person.fees_minor as f64
                - person.cost_minor as f64
                - objective.support_contact_minor * happened.support
                - objective.complaint_minor * happened.complaint
                - objective.opt_out_minor * happened.opt_out
                - objective.collection_case_minor * happened.collection
                - happened.churn
                    * objective.churn_cost_minor(customer.and_then(|one| one.annual_margin_minor));
            let values = [
                person.exposed.days_since(start),
                cash.invoices,
                cash.billed / MINOR,
                cash.collected / MINOR,
                cash.paid,
                cash.amount_days / MINOR,
                happened.messages,
                happened.support,
                happened.complaint,
                happened.churn,
                happened.opt_out,
                happened.collection,
                person.fees_minor as f64 / MINOR,
                person.cost_minor as f64 / MINOR,
                outcome_value / MINOR,
                before.billed / MINOR,
                before.paid / MINOR,
            ];
            for (column, value) in numbers.iter_mut().zip(values) {
                column.push(value);
            }
            ids.push(Some(id.as_str().to_owned()));
            of_arm.push(Some((*arm).to_owned()));
            segments.push(customer.and_then(|one| one.segment.clone()));
        }
        if currencies.len() > 1 {
            return Err(ReviewError::Currencies {
                found: currencies.into_iter().collect(),
            });
        }
        let text = |name: &str, cells| Column {
            name: name.to_owned(),
            values: Values::Text(cells),
        };
        let mut columns = vec![
            text("customer_id", ids),
            text("arm", of_arm),
            text("segment", segments),
        ];
        columns.extend(
            COLUMNS
                .into_iter()
                .zip(numbers)
                .map(|(name, numbers)| Column {
                    name: name.to_owned(),
                    values: Values::Number(numbers),
                }),
        );
        Ok(Self {
            table: FlatTable::new(columns)?,
            arms,
            as_of_day: as_of.days_since(start),
            window_days,
            currency: currencies.pop_first().unwrap_or_default(),
            learnt: Learnt::default(),
            earlier: 0,
        })
    }

    /// Whether a column of numbers varies among the matured customers of every arm; a column that
    /// is not there is left for the review to report.
    pub(super) fn varies(&self, name: &str) -> bool {
        let (Ok(values), Ok(exposed)) =
            (self.table.numbers(name), self.table.numbers("exposed_day"))
        else {
            return true;
        };
        let Ok(arm) = self.table.column("arm") else {
            return true;
        };
        let matured = |row: &usize| exposed[*row] + self.window_days <= self.as_of_day;
        self.arms.keys().all(|name| {
            let of_arm = |row: &usize| arm.values.text(*row).as_deref() == Some(name);
            let mut rows = (0..values.len()).filter(matured).filter(of_arm);
            let first = rows.next().map(|row| values[row]);
            first.is_some_and(|first| rows.any(|row| values[row] != first))
        })
    }

    /// One row a customer.
    #[must_use]
    pub fn table(&self) -> &FlatTable {
        &self.table
    }

    pub(super) const fn arms(&self) -> &BTreeMap<String, Tally> {
        &self.arms
    }

    pub(super) const fn as_of_day(&self) -> f64 {
        self.as_of_day
    }

    pub(super) const fn window_days(&self) -> f64 {
        self.window_days
    }

    /// What had been learnt by those who decided.
    pub(super) const fn learnt(&self) -> &Learnt {
        &self.learnt
    }

    /// Customers left out because they came under earlier shares or an earlier draw.
    pub(super) const fn earlier(&self) -> u64 {
        self.earlier
    }

    pub(super) fn currency(&self) -> &str {
        &self.currency
    }

    /// The table as CSV, floats written so that they read back exactly.
    #[must_use]
    pub fn csv(&self) -> String {
        let columns = self.table.columns();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let mut text = names.join(",") + "\n";
        for row in 0..self.table.rows() {
            for (place, column) in columns.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                match &column.values {
                    Values::Number(numbers) => {
                        // Writing to a string does not fail.
                        let _ = write!(text, "{}", numbers[row]);
                    }
                    Values::Text(cells) => {
                        text += &cell(cells[row].as_deref().unwrap_or(""));
                    }
                }
            }
            text.push('\n');
        }
        text
    }
}

/// A cell of CSV, in quotes where it needs them.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

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
    let as_of = as_of.unwrap_or_else(|| last_known(tables));
    let age = |one: &Invoice| as_of.days_since(one.due_on.start(&Zone::utc()));
    let latest: HashMap<&InvoiceId, &Invoice> = tables
        .invoices
        .iter()
        .map(|one| (&one.value.invoice_id, &one.value))
        .collect();
    let mut invoices: Vec<&Invoice> = latest
        .into_values()
        .filter(|one| (0.0..=window_days + SPAN_DAYS).contains(&age(one)))
        .collect();
    invoices.sort_by(|a, b| (a.due_on, &a.invoice_id).cmp(&(b.due_on, &b.invoice_id)));
    let mut people: BTreeMap<(&CustomerId, &str), Person<'_>> = BTreeMap::new();
    for invoice in invoices {
        let due = invoice.due_on.start(&Zone::utc());
        let key = (&invoice.customer_id, "history");
        if !people.contains_key(&key) && age(invoice) < window_days {
            continue;
        }
        let person = people.entry(key).or_insert(Person {
            exposed: due,
            asked: BTreeMap::new(),
            fees_minor: 0,
            cost_minor: 0,
        });
        if due.days_since(person.exposed) < window_days / 2.0 {
            person.asked.entry(&invoice.invoice_id).or_insert(due);
        }
    }
    let by_id: HashMap<&DecisionId, &Decision> = tables
        .decisions
        .iter()
        .map(|one| (&one.decision_id, one))
        .collect();
    for outcome in tables.outcomes.iter().filter(|one| one.matured_at <= as_of) {
        let Some(decision) = by_id.get(&outcome.decision_id) else {
            continue;
        };
        if let Some(person) = people.get_mut(&(&decision.customer_id, "history")) {
            let age = decision.decided_at.days_since(person.exposed);
            if (0.0..window_days).contains(&age) {
                person.fees_minor += outcome.fee_minor;
                person.cost_minor += outcome.cost_minor;
            }
        }
    }
    let first = people.values().map(|one| one.exposed).min();
    let last = people.values().map(|one| one.exposed).max();
    let Some((first, last)) = first.zip(last) else {
        return Err(ReviewError::NoSuchExperiment {
            experiment: "history".to_owned(),
            known: known(tables),
        });
    };
    let per_day = people.len() as f64 / (last.days_since(first) + 1.0);
    let facts = Facts::build(
        tables,
        &people,
        BTreeMap::new(),
        as_of,
        window_days,
        objective,
    )?;
    Ok(History { facts, per_day })
}

fn known(tables: &Tables) -> Vec<String> {
    let names = tables
        .decisions
        .iter()
        .filter_map(|one| one.experiment.clone());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

fn count(tally: &mut Tally, decision: &Decision, outcome: Option<&Outcome>) {
    tally.decisions += 1;
    tally.without_outcome += u64::from(outcome.is_none());
    tally.fallbacks += u64::from(decision.fallback.is_some());
    tally.probabilities += decision.probability;
    let action = &decision.action;
    let channel = action.channel.map_or("none", |channel| channel.name());
    let tone = action.tone.map_or("none", |tone| tone.name());
    let name = format!("{}.{channel}.{tone}", action.kind.name());
    *tally.actions.entry(name).or_insert(0) += 1;
}

/// Cash of one customer, in minor units.
#[derive(Debug, Default)]
struct Cash {
    invoices: f64,
    billed: f64,
    collected: f64,
    paid: f64,
    amount_days: f64,
}

impl Cash {
    fn add(&mut self, paid: &Paid) {
        self.invoices += 1.0;
        self.billed += paid.owed;
        self.collected += paid.collected;
        self.paid += f64::from(u8::from(paid.collected >= paid.owed));
        self.amount_days += paid.amount_days;
    }
}

/// One invoice after the first question about it.
#[derive(Debug)]
struct Paid {
    /// Owed then.
    owed: f64,
    /// Collected in the days it is followed.
    collected: f64,
    /// What was owed, by how long.
    amount_days: f64,
    /// Days until nothing was owed, as far as is known.
    in_full_after: Option<f64>,
}

impl Paid {
    fn of(
        invoice: &Invoice,
        events: &[&Event],
        asked: Timestamp,
        as_of: Timestamp,
        followed: f64,
    ) -> Self {
        let mut moves: Vec<(f64, f64)> = events
            .iter()
            .filter(|event| event.invoice_id.as_ref() == Some(&invoice.invoice_id))
            .filter(|event| event.occurred_at <= as_of)
            .filter_map(|event| {
                let sign = match event.kind {
                    EventType::PaymentSucceeded | EventType::CreditIssued => 1.0,
                    EventType::PaymentRefunded => -1.0,
                    _ => return None,
                };
                let amount = event.amount?.minor_units as f64;
                Some((event.occurred_at.days_since(asked), sign * amount))
            })
            .collect();
        moves.sort_by(|a, b| a.0.total_cmp(&b.0));
        let before: f64 = moves
            .iter()
            .filter(|(day, _)| *day < 0.0)
            .map(|(_, sum)| sum)
            .sum();
        let owed = invoice.amount.minor_units as f64 - before;
        let mut paid = Self {
            owed,
            collected: 0.0,
            amount_days: 0.0,
            in_full_after: None,
        };
        let (mut left, mut last) = (owed, 0.0);
        for (day, sum) in moves.into_iter().filter(|(day, _)| *day >= 0.0) {
            if day < followed {
                paid.amount_days += left.max(0.0) * (day - last);
                last = day;
                paid.collected += sum;
            }
            left -= sum;
            if left <= 0.0 {
                paid.in_full_after.get_or_insert(day);
            }
        }
        paid.amount_days += (owed - paid.collected).max(0.0) * (followed - last);
        paid.collected = paid.collected.clamp(0.0, owed.max(0.0));
        paid
    }
}

/// What happened to a customer within the window.
#[derive(Debug, Default)]
struct Happened {
    messages: f64,
    support: f64,
    complaint: f64,
    churn: f64,
    opt_out: f64,
    collection: f64,
}

impl Happened {
    fn of(events: &[&Event], exposed: Timestamp, window_days: f64) -> Self {
        let mut happened = Self::default();
        for event in events {
            let day = event.occurred_at.days_since(exposed);
            if !(0.0..window_days).contains(&day) {
                continue;
            }
            match event.kind {
                EventType::ContactSent => happened.messages += 1.0,
                EventType::SupportContacted => happened.support += 1.0,
                EventType::ComplaintMade => happened.complaint = 1.0,
                EventType::CustomerChurned => happened.churn = 1.0,
                EventType::ConsentWithdrawn => happened.opt_out = 1.0,
                EventType::CollectionOpened => happened.collection += 1.0,
                _ => {}
            }
        }
        happened
    }
}

/// What was billed and paid before exposure, which the experiment cannot have changed.
#[derive(Debug, Default)]
struct Before {
    billed: f64,
    paid: f64,
}

impl Before {
    fn of(events: &[&Event], invoices: &[&Invoice], exposed: Timestamp) -> Self {
        let recent = |at: Timestamp| {
            let days = exposed.days_since(at);
            days > 0.0 && days <= BEFORE_DAYS
        };
        let billed = invoices.iter().filter(|one| recent(one.issued_at));
        let paid = events
            .iter()
            .filter(|one| one.kind == EventType::PaymentSucceeded && recent(one.occurred_at));
        Self {
            billed: billed.map(|one| one.amount.minor_units as f64).sum(),
            paid: paid
                .filter_map(|one| Some(one.amount?.minor_units as f64))
                .sum(),
        }
    }
}
