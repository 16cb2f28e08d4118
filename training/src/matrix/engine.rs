//! The same matrix by an engine that speaks SQL: lagom hands it the tables of a part and the query
//! that the spec compiles to, and makes the vectors of the cells that come back.
//!
//! Which decision points there are, and the labels, are found by lagom itself; the features are the
//! engine's.

use super::{Making, MatrixOptions, MatrixReport};
use crate::dataset::Dataset;
use crate::tables::{Partitions, TableError, Tables};
use lagom_features::FeatureSpec;
use lagom_features::domain::{
    Channel, Country, Currency, CustomerKind, Days, InvoiceId, Timestamp, Tone, Zone,
};
use lagom_features::sql::{Calendar, Compiled, Dialect, Form, Value};
use ndarray::Array2;
use std::fmt::Write;
use std::path::Path;

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
    tables: Tables,
    points: Dataset,
}

/// A row in PostgreSQL's text form of COPY: tabs between, `\N` for none.
struct Line<'a>(&'a mut String, bool);

impl Line<'_> {
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

    fn end(self) {
        self.0.push('\n');
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
        line.end();
    }

    fn calendar(&self) -> Calendar {
        calendar(
            &self.tables,
            self.points.points().iter().map(|point| point.at),
        )
    }
}

/// The zones and the time that `tables` and `points` span.
#[must_use]
pub fn calendar(tables: &Tables, points: impl Iterator<Item = Timestamp>) -> Calendar {
    let mut times: Vec<Timestamp> = points.collect();
    let mut zones: Vec<Zone> = Vec::new();
    for customer in &tables.customers {
        times.extend([customer.recorded_at, customer.value.created_at]);
        let zone = customer.value.time_zone.as_ref();
        if let Some(zone) = zone.filter(|zone| !zones.contains(zone)) {
            zones.push(zone.clone());
        }
    }
    for invoice in &tables.invoices {
        let due = invoice.value.due_on.start(&Zone::utc());
        times.extend([invoice.recorded_at, invoice.value.issued_at, due]);
    }
    for event in &tables.events {
        times.extend([event.recorded_at, event.occurred_at]);
        times.extend(event.until);
    }
    let day = Days::whole(2);
    let start = Timestamp::parse("1970-01-01").unwrap_or(Timestamp::MIN);
    Calendar {
        zones,
        from: times.iter().min().map_or(start, |at| *at - day),
        to: times.iter().max().map_or(start, |at| *at + day),
    }
}

/// Takes a row of an engine's answer: the number of the point, and its cells.
pub type Take<'a> = &'a mut dyn FnMut(i64, &[Value<'_>]) -> Result<(), String>;

/// Runs a query on the tables of a part and hands over the cells of each row, in the order of the
/// points.
pub trait Engine {
    /// Why it could not.
    type Error: From<TableError> + From<String>;

    /// Runs `compiled` on `staging`, and `take`s each row.
    ///
    /// # Errors
    /// Its own, and those of `take`.
    fn run(
        &mut self,
        staging: &Staging,
        compiled: &Compiled,
        take: Take<'_>,
    ) -> Result<(), Self::Error>;
}

/// A spec of nothing, for points and labels alone.
const NOTHING: &str = "[[feature]]\nname = \"hour\"\nsource = \"calendar\"\nattribute = \"hour\"\n\
                       unit = \"hours\"\nowner = \"lagom\"\ndescription = \"Hour.\"\n";

/// [`super::matrix`] with the features by `engine`.
///
/// # Errors
/// As [`super::matrix`], and what the engine says.
pub fn matrix_by<E: Engine>(
    engine: &mut E,
    data: &Path,
    out: Option<&Path>,
    options: &MatrixOptions<'_>,
    mut progress: impl FnMut(usize, usize),
) -> Result<MatrixReport, E::Error> {
    let scratch = std::env::temp_dir();
    let scratch = out.and_then(Path::parent).unwrap_or(&scratch);
    let parts = Partitions::of(data, options.events_at_once, scratch)?;
    let mut making = Making::begin(out, options, parts.folders().len())?;
    let nothing = FeatureSpec::parse(NOTHING).map_err(|error| error.to_string())?;
    for (done, folder) in parts.folders().iter().enumerate() {
        progress(done, parts.folders().len());
        let tables = Tables::read_past(folder)?;
        let histories = tables.histories();
        let end = || crate::pipeline::end(&parts, &histories);
        let dataset_options = options.of_dataset(options.as_of.unwrap_or_else(end));
        making.report.customers += histories.len();
        let points = Dataset::at(&histories, &nothing, &dataset_options, options.points());
        drop(histories);
        let staging = Staging { tables, points };
        let compiled = Compiled::new(
            options.spec,
            Form::Cells,
            Dialect::Standard,
            &staging.calendar(),
        )
        .map_err(|refused| refused.to_string())?;
        let features = vectors(engine, &staging, &compiled, making.names.len())?;
        making.add(&staging.points.with_features(&making.names, features))?;
    }
    Ok(making.end()?)
}

fn vectors<E: Engine>(
    engine: &mut E,
    staging: &Staging,
    compiled: &Compiled,
    width: usize,
) -> Result<Array2<f64>, E::Error> {
    let rows = staging.points.points().len();
    let mut cells = Vec::with_capacity(rows * width);
    let mut vector = Vec::with_capacity(width);
    let mut next = 0_i64;
    engine.run(staging, compiled, &mut |point, row| {
        if point != next {
            return Err(format!(
                "the engine answered for decision point {point} where {next} was due"
            ));
        }
        next += 1;
        compiled.finish(row, &mut vector)?;
        cells.extend_from_slice(&vector);
        Ok(())
    })?;
    Array2::from_shape_vec((rows, width), cells)
        .map_err(|_| format!("the engine answered for {next} decision points of {rows}").into())
}
