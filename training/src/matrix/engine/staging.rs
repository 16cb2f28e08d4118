//! The tables of a part and its decision points, as an engine takes them.

use crate::dataset::Dataset;
use crate::tables::{FrameWriter, TableError, Tables};
use lagom_features::domain::{
    Channel, Country, Currency, CustomerKind, InvoiceId, Timestamp, Tone, Zone,
};
use polars::prelude::{
    Column, DataFrame, DataType, Field, Int64Chunked, IntoColumn, NewChunkedArray, Schema,
    StringChunked,
};
use std::fmt::Write;
use std::path::Path;

/// Rows of a piece of a staged file, which an executor reads in one go.
const ROWS: usize = 65_536;

/// A table that the query reads: its name and its columns with their types. Instants are
/// microseconds and days are days, both since 1970; `seq` is the place of the row in its table.
pub const STAGED: [(&str, &[(&str, &str)]); 4] = [
    (
        "lagom_customers",
        &[
            ("customer_id", "VARCHAR"),
            ("created_at", "BIGINT"),
            ("kind", "VARCHAR"),
            ("country", "VARCHAR"),
            ("time_zone", "VARCHAR"),
            ("language", "VARCHAR"),
            ("segment", "VARCHAR"),
            ("autopay", "BIGINT"),
            ("annual_margin_minor", "BIGINT"),
            ("recorded_at", "BIGINT"),
            ("seq", "BIGINT"),
        ],
    ),
    (
        "lagom_invoices",
        &[
            ("invoice_id", "VARCHAR"),
            ("customer_id", "VARCHAR"),
            ("issued_at", "BIGINT"),
            ("due_on", "BIGINT"),
            ("amount_minor", "BIGINT"),
            ("currency", "VARCHAR"),
            ("terms_days", "BIGINT"),
            ("payment_method", "VARCHAR"),
            ("billing_channel", "VARCHAR"),
            ("product", "VARCHAR"),
            ("recorded_at", "BIGINT"),
            ("seq", "BIGINT"),
        ],
    ),
    (
        "lagom_events",
        &[
            ("event_id", "VARCHAR"),
            ("customer_id", "VARCHAR"),
            ("invoice_id", "VARCHAR"),
            ("occurred_at", "BIGINT"),
            ("recorded_at", "BIGINT"),
            ("type", "VARCHAR"),
            ("channel", "VARCHAR"),
            ("tone", "VARCHAR"),
            ("amount_minor", "BIGINT"),
            ("currency", "VARCHAR"),
            ("method", "VARCHAR"),
            ("device", "VARCHAR"),
            ("dwell_ms", "BIGINT"),
            ("until", "BIGINT"),
            ("seq", "BIGINT"),
        ],
    ),
    (
        "lagom_points",
        &[
            ("point_id", "BIGINT"),
            ("customer_id", "VARCHAR"),
            ("invoice_id", "VARCHAR"),
            ("asked_at", "BIGINT"),
        ],
    ),
];

/// The tables of a part and the points to compute.
#[derive(Debug)]
pub struct Staging {
    pub(super) tables: Tables,
    pub(super) points: Dataset,
}

/// Takes the cells of a row one by one.
trait Cells {
    fn put(&mut self, text: Option<&str>);
    fn number(&mut self, number: Option<i64>);
}

/// A row in PostgreSQL's text form of COPY: tabs between, `\N` for none.
struct Line<'a>(&'a mut String, bool);

impl Line<'_> {
    fn end(self) {
        self.0.push('\n');
    }
}

impl Cells for Line<'_> {
    fn put(&mut self, text: Option<&str>) {
        if std::mem::replace(&mut self.1, true) {
            self.0.push('\t');
        }
        let Some(text) = text else {
            self.0.push_str("\\N");
            return;
        };
        for letter in text.chars() {
            match letter {
                '\\' => self.0.push_str("\\\\"),
                '\t' => self.0.push_str("\\t"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                other => self.0.push(other),
            }
        }
    }

    fn number(&mut self, number: Option<i64>) {
        match number {
            None => self.put(None),
            Some(number) => {
                if std::mem::replace(&mut self.1, true) {
                    self.0.push('\t');
                }
                write!(self.0, "{number}").expect("writing to a string cannot fail");
            }
        }
    }
}

/// Rows column by column.
struct Columns {
    columns: Vec<Cell>,
    next: usize,
}

enum Cell {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<i64>>),
}

impl Columns {
    fn of(kinds: &[(&str, &str)]) -> Self {
        let column = |(_, kind): &(&str, &str)| match *kind {
            "BIGINT" => Cell::Numbers(Vec::new()),
            _ => Cell::Texts(Vec::new()),
        };
        Self {
            columns: kinds.iter().map(column).collect(),
            next: 0,
        }
    }

    fn next(&mut self) -> &mut Cell {
        let place = self.next;
        self.next = (place + 1) % self.columns.len();
        &mut self.columns[place]
    }

    fn frame(self, kinds: &[(&str, &str)], rows: usize) -> DataFrame {
        let column = |((name, _), cells): (&(&str, &str), Cell)| -> Column {
            let name = (*name).into();
            match cells {
                Cell::Texts(cells) => {
                    StringChunked::from_iter_options(name, cells.into_iter()).into_column()
                }
                Cell::Numbers(cells) => {
                    Int64Chunked::from_iter_options(name, cells.into_iter()).into_column()
                }
            }
        };
        let columns = kinds.iter().zip(self.columns).map(column).collect();
        DataFrame::new(rows, columns).expect("columns of one length with different names")
    }
}

impl Cells for Columns {
    fn put(&mut self, text: Option<&str>) {
        if let Cell::Texts(cells) = self.next() {
            cells.push(text.map(str::to_owned));
        }
    }

    fn number(&mut self, number: Option<i64>) {
        if let Cell::Numbers(cells) = self.next() {
            cells.push(number);
        }
    }
}

impl Staging {
    /// How many rows [`STAGED`]'s table `table` has.
    #[must_use]
    pub fn rows(&self, table: usize) -> usize {
        match table {
            0 => self.tables.customers.len(),
            1 => self.tables.invoices.len(),
            2 => self.tables.events.len(),
            _ => self.points.points().len(),
        }
    }

    /// Adds a row of [`STAGED`]'s table `table` to `text`, as COPY takes it.
    pub fn copy(&self, table: usize, row: usize, text: &mut String) {
        let mut line = Line(text, false);
        self.cells(table, row, &mut line);
        line.end();
    }

    /// Writes the tables [`STAGED`] to `folder`, each as one Parquet file of its name.
    ///
    /// # Errors
    /// [`TableError`] where a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), TableError> {
        for (table, (name, columns)) in STAGED.iter().enumerate() {
            let kind = |kind: &str| match kind {
                "BIGINT" => DataType::Int64,
                _ => DataType::String,
            };
            let fields = columns
                .iter()
                .map(|(name, of)| Field::new((*name).into(), kind(of)));
            let schema: Schema = fields.collect();
            let file = folder.join(format!("{name}.parquet"));
            let mut writer = FrameWriter::create(&file, &schema, Vec::new())?;
            let rows = self.rows(table);
            for from in (0..rows).step_by(ROWS) {
                let to = rows.min(from + ROWS);
                let mut cells = Columns::of(columns);
                for row in from..to {
                    self.cells(table, row, &mut cells);
                }
                writer.push(&cells.frame(columns, to - from))?;
            }
            writer.finish()?.publish()?;
        }
        Ok(())
    }

    fn cells(&self, table: usize, row: usize, line: &mut impl Cells) {
        let micros = |at: Timestamp| Some(at.micros());
        let seq = Some(row as i64);
        match table {
            0 => {
                let recorded = &self.tables.customers[row];
                let one = &recorded.value;
                line.put(Some(one.customer_id.as_str()));
                line.number(micros(one.created_at));
                line.put(one.kind.map(CustomerKind::name));
                line.put(one.country.as_ref().map(Country::as_str));
                line.put(one.time_zone.as_ref().map(Zone::name));
                line.put(one.language.as_deref());
                line.put(one.segment.as_deref());
                line.number(one.autopay.map(i64::from));
                line.number(one.annual_margin_minor);
                line.number(micros(recorded.recorded_at));
                line.number(seq);
            }
            1 => {
                let recorded = &self.tables.invoices[row];
                let one = &recorded.value;
                line.put(Some(one.invoice_id.as_str()));
                line.put(Some(one.customer_id.as_str()));
                line.number(micros(one.issued_at));
                line.number(Some(i64::from(one.due_on.days())));
                line.number(Some(one.amount.minor_units));
                line.put(Some(one.amount.currency.as_str()));
                line.number(one.terms_days.map(i64::from));
                line.put(one.payment_method.as_deref());
                line.put(one.billing_channel.as_deref());
                line.put(one.product.as_deref());
                line.number(micros(recorded.recorded_at));
                line.number(seq);
            }
            2 => {
                let one = &self.tables.events[row];
                line.put(Some(one.event_id.as_str()));
                line.put(Some(one.customer_id.as_str()));
                line.put(one.invoice_id.as_ref().map(InvoiceId::as_str));
                line.number(micros(one.occurred_at));
                line.number(micros(one.recorded_at));
                line.put(Some(one.kind.name()));
                line.put(one.channel.map(Channel::name));
                line.put(one.tone.map(Tone::name));
                line.number(one.amount.map(|money| money.minor_units));
                let currency = one.amount.as_ref().map(|money| money.currency);
                line.put(currency.as_ref().map(Currency::as_str));
                line.put(one.method.as_deref());
                line.put(one.device.as_deref());
                line.number(one.dwell_ms.map(i64::from));
                line.number(one.until.map(Timestamp::micros));
                line.number(seq);
            }
            _ => {
                let one = &self.points.points()[row];
                line.number(seq);
                line.put(Some(one.customer_id.as_str()));
                line.put(Some(one.invoice_id.as_str()));
                line.number(micros(one.at));
            }
        }
    }
}
