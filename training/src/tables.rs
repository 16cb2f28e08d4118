//! The canonical tables: what lagom knows, as files that anybody can read.
//!
//! ```text
//! DIR/customers.parquet   DIR/invoices.csv   DIR/events/part-0.parquet …   <──>   domain types
//! ```
//!
//! A table is one file (`invoices.parquet`, `invoices.csv`, `invoices.csv.gz`) or a folder of such
//! files (`invoices/`). Times are UTC in microseconds (Parquet: `Datetime(us, UTC)`; CSV: RFC
//! 3339), money is whole minor units beside an ISO 4217 currency, lists are Parquet lists (CSV:
//! JSON). Empty is unknown, and unknown is never zero; an optional column that is missing is
//! unknown in every row. A column that the table does not have is refused, because it may be a
//! slip of the pen for one that it has.
//!
//! Reading collects the wrong cells of all tables before it gives up; writing is all or nothing.

pub(crate) mod cell;
pub(crate) mod columnar;
mod error;
pub(crate) mod fields;
pub(crate) mod files;
mod list;
pub(crate) mod nearest;
mod out;
mod partitions;
pub(crate) mod read;
mod record;
mod records;
pub(crate) mod schema;
pub(crate) mod source;
#[cfg(test)]
pub(crate) mod tests;
mod write;

pub use error::{CellFault, FAULT_LIMIT, Faults, TableError};
pub use files::Format;
pub use partitions::{Partitions, part_of};
pub use read::read_table;
pub use record::Record;
pub use schema::{Column, Kind, SCHEMA_VERSION, TABLE_KEY, VERSION_KEY};
pub(crate) use write::FrameWriter;
pub use write::{Finished, TableWriter, write_table};

use lagom_features::domain::{Customer, CustomerId, Event, Fault, Invoice};
use lagom_features::history::{History, Recorded};
use lagom_model::log::{Decision, Outcome};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Every canonical table of a folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    /// Descriptions of customers, each with when it became known (without that, when the customer
    /// was created); one recorded later is a newer description.
    pub customers: Vec<Recorded<Customer>>,
    /// Invoices, each with when it became known (without that, when it was issued); one recorded
    /// later of the same id is a correction.
    pub invoices: Vec<Recorded<Invoice>>,
    /// What happened.
    pub events: Vec<Event>,
    /// What was decided.
    pub decisions: Vec<Decision>,
    /// What became of it.
    pub outcomes: Vec<Outcome>,
}

/// Names of the canonical tables.
pub const TABLES: [&str; 5] = [
    Recorded::<Customer>::TABLE,
    Recorded::<Invoice>::TABLE,
    Event::TABLE,
    Decision::TABLE,
    Outcome::TABLE,
];

impl Tables {
    /// Reads every canonical table that `dir` has; one that it lacks is empty.
    ///
    /// An event whose currency is not its invoice's is a fault, because lagom never converts.
    ///
    /// # Errors
    /// [`TableError::NoTables`] where `dir` has none; [`TableError::Cells`] with the wrong cells
    /// of all tables; another [`TableError`] where a file is no such table at all.
    pub fn read(dir: &Path) -> Result<Self, TableError> {
        let mut reading = Reading::of(dir);
        let past = reading.past()?;
        let tables = Self {
            decisions: reading.table(|_| None)?,
            outcomes: reading.table(|_| None)?,
            ..past
        };
        reading.end(tables)
    }

    /// [`Self::read`] without decisions and outcomes, which are then empty.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_past(dir: &Path) -> Result<Self, TableError> {
        let mut reading = Reading::of(dir);
        let past = reading.past()?;
        reading.end(past)
    }

    /// Writes all five tables into `dir`, which is made if needed: every table is complete on disk
    /// before the first takes its place.
    ///
    /// # Errors
    /// [`TableError::TwoForms`] where `dir` holds one of the tables in another format, and what
    /// [`write_table`] refuses.
    pub fn write(&self, dir: &Path, format: Format) -> Result<(), TableError> {
        let finished = [
            complete(dir, format, &self.customers)?,
            complete(dir, format, &self.invoices)?,
            complete(dir, format, &self.events)?,
            complete(dir, format, &self.decisions)?,
            complete(dir, format, &self.outcomes)?,
        ];
        finished.into_iter().try_for_each(Finished::publish)
    }

    /// Everything about each customer, known from when each record says it was recorded.
    #[must_use]
    pub fn histories(&self) -> BTreeMap<CustomerId, History> {
        histories(
            self.customers.iter().cloned(),
            self.invoices.iter().cloned(),
            self.events.iter().cloned(),
        )
    }

    /// As [`Self::histories`], but moves the records instead of copying them: customers, invoices
    /// and events are empty afterwards.
    #[must_use]
    pub fn take_histories(&mut self) -> BTreeMap<CustomerId, History> {
        histories(
            std::mem::take(&mut self.customers).into_iter(),
            std::mem::take(&mut self.invoices).into_iter(),
            std::mem::take(&mut self.events).into_iter(),
        )
    }
}

/// Everything about each customer of a folder, as [`Tables::read_past`] and
/// [`Tables::take_histories`] give it, but in less time and memory where its events are Parquet.
///
/// # Errors
/// As [`Tables::read`].
pub fn read_histories(dir: &Path) -> Result<BTreeMap<CustomerId, History>, TableError> {
    let by_columns = columnar::histories(dir, Reading::of(dir))?;
    by_columns.map_or_else(|| Ok(Tables::read_past(dir)?.take_histories()), Ok)
}

/// The histories of a folder one after another, where its events are Parquet with each customer's
/// events together; none where they are not, or where a fault has to be told.
///
/// # Errors
/// As [`Tables::read`].
pub(crate) fn open_histories(dir: &Path) -> Result<Option<columnar::Folder>, TableError> {
    columnar::Folder::open(dir, Reading::of(dir))
}

/// A folder that is being read: the faults of all its tables are told together.
struct Reading<'a> {
    dir: &'a Path,
    faults: Faults,
    found: bool,
}

impl<'a> Reading<'a> {
    fn of(dir: &'a Path) -> Self {
        Self {
            dir,
            faults: Faults::default(),
            found: false,
        }
    }

    fn past(&mut self) -> Result<Tables, TableError> {
        let customers = self.table(|_| None)?;
        let invoices: Vec<Recorded<Invoice>> = self.table(|_| None)?;
        let currencies: HashMap<_, _> = invoices
            .iter()
            .map(|one| (&one.value.invoice_id, one.value.amount.currency))
            .collect();
        let one_currency = |event: &Event| {
            let of_invoice = currencies.get(event.invoice_id.as_ref()?)?;
            let of_event = event.amount?.currency;
            (of_event != *of_invoice).then(|| {
                let reason = format!("is {of_event}, but that of the invoice is {of_invoice}");
                Fault::new("currency", reason)
            })
        };
        let events = self.table(one_currency)?;
        Ok(Tables {
            customers,
            invoices,
            events,
            ..Tables::default()
        })
    }

    fn table<T: Record>(
        &mut self,
        check: impl Fn(&T) -> Option<Fault>,
    ) -> Result<Vec<T>, TableError> {
        let Some(path) = files::find(self.dir, T::TABLE)? else {
            return Ok(Vec::new());
        };
        self.found = true;
        if self.faults.is_full() {
            return Ok(Vec::new());
        }
        read::read_into(&path, &mut self.faults, check)
    }

    fn end(self, tables: Tables) -> Result<Tables, TableError> {
        if !self.found {
            return Err(files::no_tables(self.dir, &TABLES));
        }
        self.faults.into_result()?;
        Ok(tables)
    }
}

fn complete<T: Record>(dir: &Path, format: Format, records: &[T]) -> Result<Finished, TableError> {
    let mut writer = TableWriter::create(&place::<T>(dir, format)?)?;
    for record in records {
        writer.push(record)?;
    }
    writer.finish()
}

/// Where a table is to be written, unless the folder holds it in another form.
pub(crate) fn place<T: Record>(
    dir: &Path,
    format: Format,
) -> Result<std::path::PathBuf, TableError> {
    let path = dir.join(format!("{}.{}", T::TABLE, format.extension()));
    match files::find(dir, T::TABLE)? {
        Some(present) if present != path => Err(TableError::TwoForms {
            first: present,
            second: path,
        }),
        _ => Ok(path),
    }
}

fn histories(
    customers: impl Iterator<Item = Recorded<Customer>>,
    invoices: impl Iterator<Item = Recorded<Invoice>>,
    events: impl Iterator<Item = Event>,
) -> BTreeMap<CustomerId, History> {
    #[derive(Default)]
    struct Records {
        customers: Vec<Recorded<Customer>>,
        invoices: Vec<Recorded<Invoice>>,
        events: Vec<Event>,
    }
    let mut all: BTreeMap<CustomerId, Records> = BTreeMap::new();
    for customer in customers {
        let records = all.entry(customer.value.customer_id.clone()).or_default();
        records.customers.push(customer);
    }
    for invoice in invoices {
        let records = all.entry(invoice.value.customer_id.clone()).or_default();
        records.invoices.push(invoice);
    }
    for event in events {
        let records = all.entry(event.customer_id.clone()).or_default();
        records.events.push(event);
    }
    all.into_iter()
        .map(|(id, records)| {
            let Records {
                customers,
                invoices,
                events,
            } = records;
            (id, History::from_records(customers, invoices, &events))
        })
        .collect()
}
