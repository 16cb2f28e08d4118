//! One row a customer, from decisions and events.

mod bill;
mod decided;
mod folder;
mod gather;
mod history;
mod paid;
mod person;
mod rows;
mod surroundings;
mod tally;

use std::collections::BTreeMap;
use std::io::{self, Write};

use lagom_features::domain::Timestamp;
use lagom_model::objective::Objective;

use super::design::Learnt;
use crate::flat_table::{Column, FlatTable, Values};
use crate::review::ReviewError;
use gather::Gather;
pub(super) use paid::SoFar;
use paid::{Cash, Paid};
use person::Person;
pub(super) use tally::Tally;

pub use folder::Folder;
pub use history::{History, history};
pub use rows::{CustomerRow, DecisionRow, FactRow, InvoiceRow, Log, OutcomeRow, RoundRow, Sizes};

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

impl Facts {
    /// What was known of the experiment at `as_of`, of customers who came into it after `since`.
    pub(super) fn of(
        log: &dyn Log,
        experiment: &str,
        (since, as_of): (Option<Timestamp>, Timestamp),
        window_days: f64,
        objective: &Objective,
    ) -> Result<Self, ReviewError> {
        let mut gather = Gather::new(as_of, window_days, log.sizes().invoices);
        let (learnt, earlier) = gather.experiment(log, experiment, since)?;
        gather.surroundings(log)?;
        Ok(Self {
            learnt,
            earlier,
            ..Self::build(gather, as_of, window_days, objective)?
        })
    }

    fn build(
        mut gather: Gather,
        as_of: Timestamp,
        window_days: f64,
        objective: &Objective,
    ) -> Result<Self, ReviewError> {
        let name = |person: &Person| {
            let id: &str = &gather.ids[person.customer as usize];
            (id, gather.arms.get(person.arm))
        };
        let mut order: Vec<u32> = (0..gather.people.len() as u32).collect();
        order.sort_unstable_by(|a, b| {
            let of = |place: &u32| name(&gather.people[*place as usize]);
            of(a).cmp(&of(b))
        });
        let mut rank = vec![0_u32; order.len()];
        for (row, person) in order.iter().enumerate() {
            rank[*person as usize] = row as u32;
        }
        let (asked, currencies) = gather.followed(&rank);
        if currencies.len() > 1 {
            return Err(ReviewError::Currencies { found: currencies });
        }
        let exposed = gather.people.iter().map(|one| one.exposed);
        let start = exposed.min().unwrap_or(as_of);
        let mut numbers: Vec<Vec<f64>> = vec![Vec::with_capacity(order.len()); COLUMNS.len()];
        let (mut ids, mut of_arm, mut segments) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = asked.as_slice();
        for (row, place) in order.iter().enumerate() {
            let person = &gather.people[*place as usize];
            let theirs = rest.iter().take_while(|one| one.person == *place).count();
            let (invoices, others) = rest.split_at(theirs);
            rest = others;
            let (mut cash, mut so_far) = (Cash::default(), SoFar::default());
            for one in invoices {
                let amount = gather.bills[one.bill as usize].amount_minor;
                let moves = gather.moves_of(one.bill);
                let paid = Paid::of(amount, moves, one.at, window_days / 2.0);
                if paid.owed <= 0.0 {
                    continue;
                }
                cash.add(&paid);
                let times = (one.at, person.exposed);
                so_far.add((moves, paid.owed), times, window_days);
                let pay = &mut gather.tallies[usize::from(person.arm)].pay;
                match paid.in_full_after {
                    Some(days) => pay.push(row, days, true),
                    None => pay.push(row, as_of.days_since(one.at).max(0.0), false),
                }
            }
            if as_of.days_since(person.exposed) >= window_days {
                gather.tallies[usize::from(person.arm)].follow(&so_far, cash.billed);
            }
            let values = values(person, &cash, start, objective);
            for (column, value) in numbers.iter_mut().zip(values) {
                column.push(value);
            }
            ids.push(Some(gather.ids[person.customer as usize].to_string()));
            of_arm.push(Some(gather.arms.get(person.arm).to_owned()));
            let segment = person
                .segment
                .map(|one| gather.segments.get(one).to_owned());
            segments.push(segment);
        }
        let arms = gather.tallies.drain(..).enumerate();
        let arms: BTreeMap<String, Tally> = arms
            .map(|(place, mut tally)| {
                let arm = gather.arms.get(place as u16);
                tally.added = gather.steps.remove(arm).unwrap_or_default();
                (arm.to_owned(), tally)
            })
            .collect();
        drop(gather);
        let text = |name: &str, cells| Column {
            name: name.to_owned(),
            values: Values::Text(cells),
        };
        let mut columns = vec![
            text("customer_id", ids),
            text("arm", of_arm),
            text("segment", segments),
        ];
        let numbers = COLUMNS.into_iter().zip(numbers);
        columns.extend(numbers.map(|(name, numbers)| Column {
            name: name.to_owned(),
            values: Values::Number(numbers),
        }));
        Ok(Self {
            table: FlatTable::new(columns)?,
            arms,
            as_of_day: as_of.days_since(start),
            window_days,
            currency: currencies.into_iter().next().unwrap_or_default(),
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
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.table.columns();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        writeln!(out, "{}", names.join(","))?;
        let mut line = Vec::new();
        for row in 0..self.table.rows() {
            line.clear();
            for (place, column) in columns.iter().enumerate() {
                if place > 0 {
                    line.push(b',');
                }
                match &column.values {
                    Values::Number(numbers) => write!(line, "{}", numbers[row])?,
                    Values::Text(cells) => write_cell(&mut line, cells[row].as_deref()),
                }
            }
            line.push(b'\n');
            out.write_all(&line)?;
        }
        Ok(())
    }

    /// BLAKE3 of [`Self::write_csv`].
    pub(super) fn digest(&self) -> String {
        let mut out = Digest(blake3::Hasher::new());
        // A digest takes everything.
        let written = self.write_csv(&mut out);
        debug_assert!(written.is_ok());
        out.0.finalize().to_hex().to_string()
    }
}

struct Digest(blake3::Hasher);

impl Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A row's numbers, in the order of [`COLUMNS`].
fn values(
    person: &Person,
    cash: &Cash,
    start: Timestamp,
    objective: &Objective,
) -> [f64; COLUMNS.len()] {
    let flag = |set: bool| f64::from(u8::from(set));
    let (support, collections) = (f64::from(person.support), f64::from(person.collections));
    let (complaint, churn, opt_out) = (
        flag(person.complaint),
        flag(person.churn),
        flag(person.opt_out),
    );
    let value = objective.cash * cash.collected + objective.fee * person.fees_minor as f64
        - person.cost_minor as f64
        - objective.support_contact_minor * support
        - objective.complaint_minor * complaint
        - objective.opt_out_minor * opt_out
        - objective.collection_case_minor * collections
        - churn * objective.churn_cost_minor(person.annual_margin_minor);
    [
        person.exposed.days_since(start),
        cash.invoices,
        cash.billed / MINOR,
        cash.collected / MINOR,
        cash.paid,
        cash.amount_days / MINOR,
        f64::from(person.messages),
        support,
        complaint,
        churn,
        opt_out,
        collections,
        person.fees_minor as f64 / MINOR,
        person.cost_minor as f64 / MINOR,
        value / MINOR,
        person.billed_before_minor as f64 / MINOR,
        person.paid_before_minor as f64 / MINOR,
    ]
}

/// A cell of CSV, in quotes where it needs them.
fn write_cell(line: &mut Vec<u8>, text: Option<&str>) {
    let text = text.unwrap_or("");
    if text.contains([',', '"', '\n', '\r']) {
        line.push(b'"');
        line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        line.push(b'"');
    } else {
        line.extend_from_slice(text.as_bytes());
    }
}
