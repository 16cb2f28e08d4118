//! Events out of Parquet, column by column: there are more of them than of everything else.
//!
//! Only a table whose every cell is plainly right is read this way. Any other is left to the row
//! reader, so that there is one place that says what is wrong and where.

use super::files;
use super::read::layout;
use super::source::Source;
use lagom_features::domain::{
    Currency, CustomerId, DecisionId, Event, EventId, EventType, InvoiceId, Money, Timestamp,
};
use polars::prelude::{DataFrame, DataType, Int64Chunked, StringChunked, TimeUnit};
use std::path::Path;
use std::str::FromStr;

/// Invoices of a customer whose ids are looked for among those seen before.
const LOOKED_AT: usize = 64;

/// Every event of the table, unless it has to be read row by row.
pub(super) fn events(path: &Path, is_right: impl Fn(&Event) -> bool) -> Option<Vec<Event>> {
    let mut events = Vec::new();
    let mut seen = Seen::default();
    for file in files::parts(path).ok()? {
        let source = Source::open(&file, b',').ok()?;
        layout::<Event>(&file, &source).ok()?;
        events.reserve(source.rows()?);
        for frame in source.frames()? {
            let columns = Columns::of(&frame.ok()?)?;
            for row in 0..columns.rows {
                let event = columns.event(row, &mut seen)?;
                if !event.faults().is_empty() || !is_right(&event) {
                    return None;
                }
                events.push(event);
            }
        }
    }
    Some(events)
}

/// Ids that came just before: tables mostly stand in the order of customers, and copies of an id
/// share its text.
#[derive(Default)]
struct Seen {
    customer: Option<CustomerId>,
    invoices: Vec<InvoiceId>,
}

impl Seen {
    fn customer(&mut self, text: &str) -> Option<CustomerId> {
        if let Some(known) = self.customer.as_ref().filter(|one| one.as_str() == text) {
            return Some(known.clone());
        }
        self.invoices.clear();
        self.customer = CustomerId::parse(text).ok();
        self.customer.clone()
    }

    fn invoice(&mut self, text: &str) -> Option<InvoiceId> {
        let mut latest_first = self.invoices.iter().rev();
        if let Some(known) = latest_first.find(|one| one.as_str() == text) {
            return Some(known.clone());
        }
        if self.invoices.len() == LOOKED_AT {
            self.invoices.clear();
        }
        let id = InvoiceId::parse(text).ok()?;
        self.invoices.push(id.clone());
        Some(id)
    }
}

/// A column of texts; none where every cell is empty.
struct Texts(Option<StringChunked>);

impl Texts {
    fn get(&self, row: usize) -> Option<&str> {
        self.0.as_ref()?.get(row).filter(|text| !text.is_empty())
    }

    /// What `read` makes of the cell; the outer `None` where the cell is wrong.
    fn read<T>(&self, row: usize, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
        self.get(row)
            .map_or(Some(None), |text| read(text).map(Some))
    }
}

/// A column of whole numbers; none where every cell is empty.
struct Wholes(Option<Int64Chunked>);

impl Wholes {
    fn get(&self, row: usize) -> Option<i64> {
        self.0.as_ref()?.get(row)
    }

    fn instant(&self, row: usize) -> Option<Option<Timestamp>> {
        self.get(row).map_or(Some(None), |micros| {
            Timestamp::from_micros(micros).ok().map(Some)
        })
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
        let text = |name| texts(frame, name);
        Some(Self {
            rows: frame.height(),
            event_id: text("event_id")?,
            occurred_at: instants(frame, "occurred_at")?,
            recorded_at: instants(frame, "recorded_at")?,
            customer_id: text("customer_id")?,
            invoice_id: text("invoice_id")?,
            decision_id: text("decision_id")?,
            kind: text("type")?,
            channel: text("channel")?,
            tone: text("tone")?,
            amount_minor: wholes(frame, "amount_minor")?,
            currency: text("currency")?,
            method: text("method")?,
            device: text("device")?,
            dwell_ms: wholes(frame, "dwell_ms")?,
            until: instants(frame, "until")?,
            reason: text("reason")?,
        })
    }

    /// None where a cell is wrong or one that is needed is empty.
    fn event(&self, row: usize, seen: &mut Seen) -> Option<Event> {
        let mut event = Event::new(
            EventId::parse(self.event_id.get(row)?).ok()?,
            self.kind.read(row, named::<EventType>)??,
            seen.customer(self.customer_id.get(row)?)?,
            self.occurred_at.instant(row)??,
            self.recorded_at.instant(row)??,
        );
        event.invoice_id = self.invoice_id.read(row, |text| seen.invoice(text))?;
        event.decision_id = self
            .decision_id
            .read(row, |text| DecisionId::parse(text).ok())?;
        event.channel = self.channel.read(row, named)?;
        event.tone = self.tone.read(row, named)?;
        let currency = self.currency.read(row, |text| Currency::new(text).ok())?;
        event.amount = match (self.amount_minor.get(row), currency) {
            (Some(minor), currency) => Some(Money::new(minor, currency?)),
            (None, _) => None,
        };
        event.method = self.method.get(row).map(str::to_owned);
        event.device = self.device.get(row).map(str::to_owned);
        event.dwell_ms = match self.dwell_ms.get(row) {
            Some(millis) => Some(u32::try_from(millis).ok()?),
            None => None,
        };
        event.until = self.until.instant(row)?;
        event.reason = self.reason.get(row).map(str::to_owned);
        Some(event)
    }
}

fn named<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn texts(frame: &DataFrame, name: &str) -> Option<Texts> {
    match frame.column(name) {
        Ok(column) if column.null_count() < column.len() => {
            Some(Texts(Some(column.str().ok()?.clone())))
        }
        _ => Some(Texts(None)),
    }
}

fn wholes(frame: &DataFrame, name: &str) -> Option<Wholes> {
    match frame.column(name) {
        Ok(column) if column.null_count() < column.len() => {
            Some(Wholes(Some(column.i64().ok()?.clone())))
        }
        _ => Some(Wholes(None)),
    }
}

fn instants(frame: &DataFrame, name: &str) -> Option<Wholes> {
    match frame.column(name) {
        Ok(column) if column.null_count() < column.len() => match column.dtype() {
            DataType::Datetime(TimeUnit::Microseconds, _) => {
                Some(Wholes(Some(column.datetime().ok()?.phys.clone())))
            }
            _ => None,
        },
        _ => Some(Wholes(None)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tables::tests::sample;
    use crate::tables::{Format, read_table, write_table};

    fn written(events: &[Event], format: Format) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(format!("events.{}", format.extension()));
        write_table(&path, events).unwrap();
        (dir, path)
    }

    #[test]
    fn columns_give_what_rows_give() {
        let mut all = sample::tables().events;
        let bare = Event::new(
            EventId::new("bare").unwrap(),
            EventType::ComplaintMade,
            CustomerId::new("another").unwrap(),
            all[0].occurred_at,
            all[0].recorded_at,
        );
        all.push(bare);
        let (_dir, path) = written(&all, Format::Parquet);
        let by_column = events(&path, |_| true).unwrap();
        assert_eq!(by_column, all);
        assert_eq!(by_column, read_table::<Event>(&path).unwrap());
    }

    #[test]
    fn what_is_not_plainly_right_is_left_to_the_row_reader() {
        let mut all = sample::tables().events;
        let (_dir, path) = written(&all, Format::Csv);
        assert!(events(&path, |_| true).is_none(), "a text");
        let (_dir, path) = written(&all, Format::Parquet);
        assert!(events(&path, |_| false).is_none(), "a foreign currency");
        all[0].recorded_at = Timestamp::MIN;
        let (_dir, path) = written(&all, Format::Parquet);
        assert!(events(&path, |_| true).is_none(), "before it happened");
        assert!(read_table::<Event>(&path).is_err());
    }
}
