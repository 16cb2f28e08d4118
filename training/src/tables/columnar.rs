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
    reading: Reading<'_>,
) -> Result<Option<BTreeMap<CustomerId, History>>, TableError> {
    let Some(Folder {
        sources,
        mut people,
        currencies,
        ..
    }) = Folder::open(dir, reading)?
    else {
        return Ok(None);
    };
    let read = sources.iter().try_for_each(|source| {
        source.frames()?.try_for_each(|frame| {
            let frame = frame.ok()?;
            people.events(&Columns::of(&frame)?, &currencies)
        })
    });
    Ok(read.map(|()| people.histories()))
}

/// A folder whose events are Parquet, its customers and invoices read.
pub(crate) struct Folder {
    sources: Vec<Source>,
    people: People,
    currencies: Currencies,
    /// When the last invoice was recorded.
    last_invoice: Timestamp,
}

impl Folder {
    /// None where the folder has to be read row by row.
    pub(super) fn open(dir: &Path, mut reading: Reading<'_>) -> Result<Option<Self>, TableError> {
        let Some(path) = files::find(dir, Event::TABLE)? else {
            return Ok(None);
        };
        let sources = files::parts(&path)?;
        let sources = sources
            .iter()
            .map(|file| Source::open(file, b','))
            .collect::<Result<Vec<_>, _>>()?;
        let readable = |source: &Source| {
            source.rows().is_some() && layout::<Event>(source.file(), source).is_ok()
        };
        if !sources.iter().all(readable) {
            return Ok(None);
        }
        let mut people = People::default();
        for customer in reading.table(|_| None)? {
            let customer: Recorded<Customer> = customer;
            let builder = people.builder(&customer.value.customer_id);
            builder.describe(customer);
        }
        let mut currencies = Currencies::default();
        let mut last_invoice = Timestamp::MIN;
        for invoice in reading.table(|_| None)? {
            currencies.note(&invoice);
            last_invoice = last_invoice.max(invoice.recorded_at);
            let builder = people.builder(&invoice.value.customer_id);
            builder.invoice(invoice);
        }
        if reading.faults.len() > 0 {
            return Ok(None);
        }
        Ok(Some(Self {
            sources,
            people,
            currencies,
            last_invoice,
        }))
    }

    /// When the last event or invoice was recorded; none where that has to be read row by row.
    pub(crate) fn last_recorded(&self) -> Option<Timestamp> {
        let mut last = self.last_invoice;
        for source in &self.sources {
            for frame in source.frames_of(&["recorded_at"], 1)? {
                let frame = frame.ok()?;
                let recorded = Numbers::instants(&frame, "recorded_at")?;
                let most = (0..frame.height())
                    .filter_map(|row| recorded.get(row))
                    .max();
                if let Some(micros) = most {
                    last = last.max(Timestamp::from_micros(micros).ok()?);
                }
            }
        }
        Some(last)
    }

    /// Makes something of every customer as soon as all of their events are read and forgets them;
    /// `done` gets what was made, some customers at a time, in the order of the files, those without
    /// events last. Memory is that of customers, invoices and one piece of a file.
    ///
    /// False where a customer's events do not stand together or a cell is not plainly right: what was
    /// handed over until then is to be forgotten.
    ///
    /// # Errors
    /// Those of `done`.
    pub(crate) fn each<M, T: Send>(
        mut self,
        begin: impl Fn() -> M + Sync,
        make: impl Fn(&mut M, &[(CustomerId, History)]) -> T + Sync,
        mut done: impl FnMut(Vec<T>) -> Result<(), TableError>,
    ) -> Result<bool, TableError> {
        /// Customers that one core reads one after another.
        const TOGETHER: usize = 16;
        let mut open: Option<Rows> = None;
        for source in &self.sources {
            let Some(frames) = source.frames() else {
                return Ok(false);
            };
            for frame in frames {
                let Ok(frame) = frame else {
                    return Ok(false);
                };
                let Some(columns) = Columns::of(&frame) else {
                    return Ok(false);
                };
                let Some(theirs) = self.people.whole(&columns, open.take()) else {
                    return Ok(false);
                };
                let currencies = &self.currencies;
                let last = theirs.len().saturating_sub(1);
                let mut theirs = theirs;
                let mut unfinished = theirs.split_off(last);
                let right = |one: &mut Rows| one.read(&columns, currencies);
                if unfinished.iter_mut().try_for_each(right).is_none() {
                    return Ok(false);
                }
                open = unfinished.pop();
                let made: Option<Vec<T>> = theirs
                    .par_chunks_mut(TOGETHER)
                    .map_init(&begin, |memory, theirs| {
                        let histories = theirs.iter_mut().map(|one| {
                            one.read(&columns, currencies)?;
                            Some(one.finish())
                        });
                        let histories: Vec<_> = histories.collect::<Option<_>>()?;
                        Some(make(memory, &histories))
                    })
                    .collect();
                let Some(made) = made else {
                    return Ok(false);
                };
                done(made)?;
            }
        }
        let mut rest: Vec<_> = open.iter_mut().map(Rows::finish).collect();
        rest.extend(self.people.unmet());
        for some in rest.chunks(SILENT_TOGETHER) {
            let made = some.par_chunks(TOGETHER);
            done(made.map_init(&begin, &make).collect())?;
        }
        Ok(true)
    }
}

/// Customers without events whose results are held at once.
const SILENT_TOGETHER: usize = 4_096;

/// The customers met so far.
#[derive(Default)]
struct People {
    places: HashMap<CustomerId, usize>,
    builders: Vec<HistoryBuilder>,
    /// Which of them have been handed out to be read whole.
    met: Vec<bool>,
}

impl People {
    fn place(&mut self, id: &CustomerId) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        self.places.insert(id.clone(), self.builders.len());
        self.builders.push(HistoryBuilder::new());
        self.met.push(false);
        self.builders.len() - 1
    }

    fn builder(&mut self, id: &CustomerId) -> &mut HistoryBuilder {
        let place = self.place(id);
        &mut self.builders[place]
    }

    /// Takes every event; none where one is not plainly right.
    fn events(&mut self, columns: &Columns<'_>, currencies: &Currencies) -> Option<()> {
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

    /// The rows of each customer; those of the first may go on from `open`. None where a customer
    /// was met before.
    fn whole(&mut self, columns: &Columns<'_>, open: Option<Rows>) -> Option<Vec<Rows>> {
        let mut theirs: Vec<Rows> = open.into_iter().collect();
        for run in columns.runs() {
            let id = columns.customer_id.get(run.start)?;
            if let Some(last) = theirs.last_mut()
                && last.customer_id.as_str() == id
            {
                last.runs = vec![run];
                continue;
            }
            let customer_id = CustomerId::new(id).ok()?;
            let place = self.place(&customer_id);
            if std::mem::replace(&mut self.met[place], true) {
                return None;
            }
            theirs.push(Rows {
                builder: std::mem::take(&mut self.builders[place]),
                customer_id,
                place,
                runs: vec![run],
            });
        }
        Some(theirs)
    }

    /// The customers that no event was read of.
    fn unmet(self) -> impl Iterator<Item = (CustomerId, History)> {
        let Self {
            places,
            mut builders,
            met,
        } = self;
        let unmet = places.into_iter().filter(move |(_, place)| !met[*place]);
        unmet.map(move |(id, place)| (id, std::mem::take(&mut builders[place]).finish()))
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
    /// The customer with everything that was read, once.
    fn finish(&mut self) -> (CustomerId, History) {
        let builder = std::mem::take(&mut self.builder);
        (self.customer_id.clone(), builder.finish())
    }

    fn read(&mut self, columns: &Columns<'_>, currencies: &Currencies) -> Option<()> {
        self.builder.reserve(self.runs.iter().map(Range::len).sum());
        for row in std::mem::take(&mut self.runs).into_iter().flatten() {
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

/// The texts of a column, one a row, empty where there is none; nothing where every cell is empty.
#[derive(Default)]
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn of(frame: &'a DataFrame, name: &str) -> Option<Self> {
        match frame.column(name) {
            Ok(column) if column.null_count() < column.len() => {
                let texts = column.str().ok()?;
                Some(Self(texts.iter().map(Option::unwrap_or_default).collect()))
            }
            _ => Some(Self::default()),
        }
    }

    fn get(&self, row: usize) -> Option<&'a str> {
        let text = self.0.get(row).copied();
        text.filter(|text| !text.is_empty())
    }

    /// The outer `None` where the cell is not such a name.
    fn named<T: FromStr>(&self, row: usize) -> Option<Option<T>> {
        match self.get(row) {
            None => Some(None),
            Some(text) => text.parse().ok().map(Some),
        }
    }
}

/// The whole numbers of a column, one a row.
#[derive(Default)]
enum Numbers<'a> {
    /// Every cell is empty.
    #[default]
    None,
    /// No cell is.
    All(&'a [i64]),
    Some(Vec<Option<i64>>),
}

impl<'a> Numbers<'a> {
    fn of(numbers: &'a Int64Chunked) -> Self {
        numbers
            .cont_slice()
            .map_or_else(|_| Self::Some(numbers.iter().collect()), Self::All)
    }

    fn whole(frame: &'a DataFrame, name: &str) -> Option<Self> {
        match frame.column(name) {
            Ok(column) if column.null_count() < column.len() => column.i64().ok().map(Self::of),
            _ => Some(Self::None),
        }
    }

    fn instants(frame: &'a DataFrame, name: &str) -> Option<Self> {
        match frame.column(name) {
            Ok(column) if column.null_count() < column.len() => match column.dtype() {
                DataType::Datetime(TimeUnit::Microseconds, _) => {
                    Some(Self::of(&column.datetime().ok()?.phys))
                }
                _ => None,
            },
            _ => Some(Self::None),
        }
    }

    fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::None => None,
            Self::All(numbers) => numbers.get(row).copied(),
            Self::Some(numbers) => numbers.get(row).copied().flatten(),
        }
    }

    /// The outer `None` where the cell is not an instant.
    fn instant(&self, row: usize) -> Option<Option<Timestamp>> {
        match self.get(row) {
            None => Some(None),
            Some(micros) => Timestamp::from_micros(micros).ok().map(Some),
        }
    }
}

/// The columns of some rows.
struct Columns<'a> {
    rows: usize,
    event_id: Words<'a>,
    occurred_at: Numbers<'a>,
    recorded_at: Numbers<'a>,
    customer_id: Words<'a>,
    invoice_id: Words<'a>,
    decision_id: Words<'a>,
    kind: Words<'a>,
    channel: Words<'a>,
    tone: Words<'a>,
    amount_minor: Numbers<'a>,
    currency: Words<'a>,
    method: Words<'a>,
    device: Words<'a>,
    dwell_ms: Numbers<'a>,
    until: Numbers<'a>,
    reason: Words<'a>,
}

impl<'f> Columns<'f> {
    /// None where a column is not of the type that lagom writes.
    fn of(frame: &'f DataFrame) -> Option<Self> {
        let text = |name| Words::of(frame, name);
        let whole = |name| Numbers::whole(frame, name);
        let instant = |name| Numbers::instants(frame, name);
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
