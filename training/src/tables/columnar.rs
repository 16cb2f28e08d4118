//! Histories out of Parquet, column by column: events go from the file's columns straight into
//! their packed form, those of different customers at the same time.
//!
//! Only a folder whose every cell is plainly right is read this way. Any other is left to the row
//! reader, so that there is one place that says what is wrong and where.

use super::error::TableError;
use super::read::layout;
use super::source::Source;
use super::{Reading, Record, files};
use lagom_features::domain::{
    Currency, Customer, CustomerId, Event, EventRow, EventType, Invoice, InvoiceId, Money,
    Timestamp,
};
use lagom_features::{History, HistoryBuilder, Recorded};
use polars::prelude::{
    Column, DataFrame, DataType, Int64Chunked, PolarsResult, StringChunked, TimeUnit,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

/// Every customer's history, unless the folder has to be read row by row.
pub(super) fn histories(
    dir: &Path,
    mut reading: Reading<'_>,
) -> Result<Option<BTreeMap<CustomerId, History>>, TableError> {
    let Some(path) = files::find(dir, Event::TABLE)? else {
        return Ok(None);
    };
    let sources = files::parts(&path)?;
    let sources = sources
        .iter()
        .map(|file| Source::open(file, b','))
        .collect::<Result<Vec<_>, _>>()?;
    if sources.iter().any(|source| source.rows().is_none()) {
        return Ok(None);
    }
    let mut people = People::default();
    for customer in reading.table(|_| None)? {
        let customer: Recorded<Customer> = customer;
        let builder = people.builder(&customer.value.customer_id);
        builder.describe(customer);
    }
    let mut currencies = Currencies::default();
    for invoice in reading.table(|_| None)? {
        currencies.note(&invoice);
        let builder = people.builder(&invoice.value.customer_id);
        builder.invoice(invoice);
    }
    if reading.faults.len() > 0 {
        return Ok(None);
    }
    let read = sources.iter().try_for_each(|source| {
        layout::<Event>(source.file(), source).ok()?;
        source.frames()?.try_for_each(|frame| {
            let columns = Columns::of(&frame.ok()?)?;
            people.events(&columns, &currencies)
        })
    });
    Ok(read.map(|()| people.histories()))
}

/// The customers met so far.
#[derive(Default)]
struct People {
    places: HashMap<CustomerId, usize>,
    builders: Vec<HistoryBuilder>,
}

impl People {
    fn place(&mut self, id: &CustomerId) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        self.places.insert(id.clone(), self.builders.len());
        self.builders.push(HistoryBuilder::new());
        self.builders.len() - 1
    }

    fn builder(&mut self, id: &CustomerId) -> &mut HistoryBuilder {
        let place = self.place(id);
        &mut self.builders[place]
    }

    /// Takes every event; none where one is not plainly right.
    fn events(&mut self, columns: &Columns, currencies: &Currencies) -> Option<()> {
        let mut theirs: HashMap<usize, Rows> = HashMap::new();
        for rows in columns.runs() {
            let id = CustomerId::new(columns.customer_id.get(rows.start)?).ok()?;
            let place = self.place(&id);
            let one = theirs.entry(place).or_insert_with(|| Rows {
                builder: std::mem::take(&mut self.builders[place]),
                customer_id: id,
                place,
                runs: Vec::new(),
            });
            one.runs.push(rows);
        }
        let mut theirs: Vec<Rows> = theirs.into_values().collect();
        let right = theirs
            .par_iter_mut()
            .try_for_each(|one| one.read(columns, currencies));
        for one in theirs {
            self.builders[one.place] = one.builder;
        }
        right
    }

    fn histories(self) -> BTreeMap<CustomerId, History> {
        let finish = |builder: HistoryBuilder| builder.finish();
        let histories: Vec<History> = self.builders.into_par_iter().map(finish).collect();
        let mut histories: Vec<Option<History>> = histories.into_iter().map(Some).collect();
        let places = self.places.into_iter();
        places
            .filter_map(|(id, place)| Some((id, histories[place].take()?)))
            .collect()
    }
}

/// The rows of one customer.
struct Rows {
    builder: HistoryBuilder,
    customer_id: CustomerId,
    place: usize,
    runs: Vec<Range<usize>>,
}

impl Rows {
    fn read(&mut self, columns: &Columns, currencies: &Currencies) -> Option<()> {
        self.builder.reserve(self.runs.iter().map(Range::len).sum());
        for row in self.runs.iter().flat_map(Clone::clone) {
            let event = columns.event(row, &self.customer_id)?;
            if !event.faults().is_empty() || !currencies.allow(&event) {
                return None;
            }
            self.builder.push(&event).ok()?;
        }
        Some(())
    }
}

/// In which currency each invoice is.
#[derive(Default)]
struct Currencies {
    of_invoice: HashMap<InvoiceId, Currency>,
    /// That of all of them, where it is one.
    only: Option<Currency>,
}

impl Currencies {
    fn note(&mut self, invoice: &Recorded<Invoice>) {
        let currency = invoice.value.amount.currency;
        let first = self.of_invoice.is_empty();
        self.only = self.only.filter(|only| *only == currency);
        if first {
            self.only = Some(currency);
        }
        let id = invoice.value.invoice_id.clone();
        self.of_invoice.insert(id, currency);
    }

    fn allow(&self, event: &EventRow<'_>) -> bool {
        let Some(amount) = event.amount else {
            return true;
        };
        if self.only == Some(amount.currency) {
            return true;
        }
        let id = event.invoice_id.and_then(|id| InvoiceId::new(id).ok());
        let of_invoice = id.and_then(|id| self.of_invoice.get(&id));
        of_invoice.is_none_or(|currency| *currency == amount.currency)
    }
}

/// A column of texts; none where every cell is empty.
#[derive(Default)]
pub(crate) struct Texts(Option<StringChunked>);

impl Texts {
    pub(crate) fn of(column: &Column) -> PolarsResult<Self> {
        let empty = column.null_count() == column.len();
        Ok(Self((!empty).then(|| column.str().cloned()).transpose()?))
    }

    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        self.0.as_ref()?.get(row).filter(|text| !text.is_empty())
    }

    /// The outer `None` where the cell is not such a name.
    pub(crate) fn named<T: FromStr>(&self, row: usize) -> Option<Option<T>> {
        match self.get(row) {
            None => Some(None),
            Some(text) => text.parse().ok().map(Some),
        }
    }
}

/// A column of whole numbers; none where every cell is empty.
#[derive(Default)]
pub(crate) struct Wholes(Option<Int64Chunked>);

impl Wholes {
    pub(crate) fn of(column: &Column) -> PolarsResult<Self> {
        let empty = column.null_count() == column.len();
        Ok(Self((!empty).then(|| column.i64().cloned()).transpose()?))
    }

    pub(crate) fn of_instants(column: &Column) -> Option<Self> {
        if column.null_count() == column.len() {
            return Some(Self(None));
        }
        match column.dtype() {
            DataType::Datetime(TimeUnit::Microseconds, _) => {
                Some(Self(Some(column.datetime().ok()?.phys.clone())))
            }
            _ => None,
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        self.0.as_ref()?.get(row)
    }

    /// The outer `None` where the cell is not an instant.
    pub(crate) fn instant(&self, row: usize) -> Option<Option<Timestamp>> {
        match self.get(row) {
            None => Some(None),
            Some(micros) => Timestamp::from_micros(micros).ok().map(Some),
        }
    }
}

/// The columns of some rows.
struct Columns {
    rows: usize,
    event_id: Texts,
    occurred_at: Wholes,
    recorded_at: Wholes,
    customer_id: Texts,
    invoice_id: Texts,
    decision_id: Texts,
    kind: Texts,
    channel: Texts,
    tone: Texts,
    amount_minor: Wholes,
    currency: Texts,
    method: Texts,
    device: Texts,
    dwell_ms: Wholes,
    until: Wholes,
    reason: Texts,
}

impl Columns {
    /// None where a column is not of the type that lagom writes.
    fn of(frame: &DataFrame) -> Option<Self> {
        let text = |name| match frame.column(name) {
            Ok(column) => Texts::of(column).ok(),
            Err(_) => Some(Texts(None)),
        };
        let whole = |name| match frame.column(name) {
            Ok(column) => Wholes::of(column).ok(),
            Err(_) => Some(Wholes(None)),
        };
        let instant = |name| match frame.column(name) {
            Ok(column) => Wholes::of_instants(column),
            Err(_) => Some(Wholes(None)),
        };
        Some(Self {
            rows: frame.height(),
            event_id: text("event_id")?,
            occurred_at: instant("occurred_at")?,
            recorded_at: instant("recorded_at")?,
            customer_id: text("customer_id")?,
            invoice_id: text("invoice_id")?,
            decision_id: text("decision_id")?,
            kind: text("type")?,
            channel: text("channel")?,
            tone: text("tone")?,
            amount_minor: whole("amount_minor")?,
            currency: text("currency")?,
            method: text("method")?,
            device: text("device")?,
            dwell_ms: whole("dwell_ms")?,
            until: instant("until")?,
            reason: text("reason")?,
        })
    }

    /// Rows one behind another that are of one customer.
    fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let first = (start < self.rows).then(|| self.customer_id.get(start))?;
            let mut end = start + 1;
            while end < self.rows && self.customer_id.get(end) == first {
                end += 1;
            }
            let run = start..end;
            start = end;
            Some(run)
        })
    }

    /// None where a cell is wrong, or one that is needed is empty.
    fn event<'a>(&'a self, row: usize, customer_id: &'a CustomerId) -> Option<EventRow<'a>> {
        let currency = match self.currency.get(row) {
            Some(code) => Some(Currency::new(code).ok()?),
            None => None,
        };
        let amount = match self.amount_minor.get(row) {
            Some(minor) => Some(Money::new(minor, currency?)),
            None => None,
        };
        let dwell_ms = match self.dwell_ms.get(row) {
            Some(millis) => Some(u32::try_from(millis).ok()?),
            None => None,
        };
        Some(EventRow {
            event_id: self.event_id.get(row)?,
            occurred_at: self.occurred_at.instant(row)??,
            recorded_at: self.recorded_at.instant(row)??,
            customer_id,
            invoice_id: self.invoice_id.get(row),
            decision_id: self.decision_id.get(row),
            kind: self.kind.named::<EventType>(row)??,
            channel: self.channel.named(row)?,
            tone: self.tone.named(row)?,
            amount,
            method: self.method.get(row),
            device: self.device.get(row),
            dwell_ms,
            until: self.until.instant(row)?,
            reason: self.reason.get(row),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tables::tests::sample;
    use crate::tables::{Format, Tables, read_histories, write_table};
    use lagom_features::Known;

    fn by_columns(dir: &Path) -> Option<BTreeMap<CustomerId, History>> {
        histories(dir, Reading::of(dir)).unwrap()
    }

    fn written(tables: &Tables, format: Format) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        tables.write(dir.path(), format).unwrap();
        dir
    }

    /// The sample, and a stranger's bare events between the customer's.
    fn tables() -> Tables {
        let mut tables = sample::tables();
        let first = tables.events[0].clone();
        let stranger = |id: &str| {
            Event::new(
                lagom_features::domain::EventId::new(id).unwrap(),
                EventType::ComplaintMade,
                CustomerId::new("another").unwrap(),
                first.occurred_at,
                first.recorded_at,
            )
        };
        tables.events.insert(1, stranger("x"));
        tables.events.insert(0, stranger("y"));
        tables.events.push(first.clone());
        tables
    }

    #[test]
    fn columns_give_what_rows_give() {
        let mut tables = tables();
        let dir = written(&tables, Format::Parquet);
        let (left, right) = (by_columns(dir.path()).unwrap(), tables.take_histories());
        assert_eq!(left.len(), 3);
        assert!(left.keys().eq(right.keys()));
        for (id, left) in left {
            let right = &right[&id];
            assert_eq!(left.customers(), right.customers());
            assert_eq!(left.invoices(), right.invoices());
            assert!(
                left.events()
                    .map(Known::to_event)
                    .eq(right.events().map(Known::to_event))
            );
        }
    }

    #[test]
    fn what_is_not_plainly_right_is_left_to_the_row_reader() {
        let dir = written(&tables(), Format::Csv);
        assert!(by_columns(dir.path()).is_none(), "a text");
        assert_eq!(read_histories(dir.path()).unwrap().len(), 3);

        let dir = written(&tables(), Format::Parquet);
        let events = dir.path().join("events.parquet");
        let mut foreign = tables().events;
        let paid = foreign
            .iter_mut()
            .find(|event| event.amount.is_some() && event.invoice_id.is_some());
        paid.unwrap().amount = Some(Money::new(1, Currency::new("JPY").unwrap()));
        write_table(&events, &foreign).unwrap();
        assert!(by_columns(dir.path()).is_none(), "a foreign currency");
        let error = read_histories(dir.path()).unwrap_err().to_string();
        assert!(error.contains("JPY"), "{error}");
    }

    #[test]
    fn a_customer_who_cannot_be_read_is_not_passed_over() {
        let dir = written(&tables(), Format::Parquet);
        std::fs::remove_file(dir.path().join("customers.parquet")).unwrap();
        let wrong = "customer_id,created_at\nc1,yesterday\n";
        std::fs::write(dir.path().join("customers.csv"), wrong).unwrap();
        assert!(by_columns(dir.path()).is_none());
        let error = read_histories(dir.path()).unwrap_err().to_string();
        assert!(error.contains("yesterday"), "{error}");
    }
}
