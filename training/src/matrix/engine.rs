//! The same matrix by an engine that speaks SQL: lagom hands it the tables of a part and the query
//! that the spec compiles to, and makes the vectors of the cells that come back.
//!
//! Which decision points there are, and the labels, are found by lagom itself; the features are the
//! engine's.

mod answer;
mod staging;
#[cfg(test)]
mod tests;

pub use answer::read_answer;
pub use staging::{STAGED, Staging};

use super::{Making, MatrixOptions, MatrixReport};
use crate::dataset::Dataset;
use crate::tables::{Partitions, TableError, Tables};
use lagom_features::FeatureSpec;
use lagom_features::domain::{Days, Timestamp, Zone};
use lagom_features::sql::{Calendar, Compiled, Dialect, Form, Refused, Value};
use ndarray::Array2;
use std::path::Path;

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

/// Runs a query on the tables of a part and hands over the cells of each row, in any order.
pub trait Engine {
    /// Why it could not.
    type Error: From<TableError> + From<String>;

    /// How it speaks.
    fn dialect(&self) -> Dialect;

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

/// Whether engines of `dialect` can compute `spec`, before one is asked.
///
/// # Errors
/// [`Refused`] names every feature that they cannot.
pub fn expressible(spec: &FeatureSpec, dialect: Dialect) -> Result<(), Refused> {
    let nowhen = calendar(&Tables::default(), std::iter::empty());
    Compiled::new(spec, Form::Cells, dialect, &nowhen).map(|_| ())
}

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
    let dialect = engine.dialect();
    expressible(options.spec, dialect).map_err(|refused| refused.to_string())?;
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
        let asked = staging.points.points().iter().map(|point| point.at);
        let calendar = calendar(&staging.tables, asked);
        let compiled = Compiled::new(options.spec, Form::Cells, dialect, &calendar)
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
    if rows == 0 {
        return Ok(Array2::zeros((0, width)));
    }
    let mut cells = vec![f64::NAN; rows * width];
    let mut answered = vec![false; rows];
    let mut vector = Vec::with_capacity(width);
    engine.run(staging, compiled, &mut |point, row| {
        let place = usize::try_from(point).ok().filter(|place| *place < rows);
        let place = place.filter(|place| !std::mem::replace(&mut answered[*place], true));
        let place = place.ok_or_else(|| {
            format!(
                "the engine answered for decision point {point}, which is not due: there are {rows}, \
                 each once"
            )
        })?;
        compiled.finish(row, &mut vector)?;
        cells[place * width..][..width].copy_from_slice(&vector);
        Ok(())
    })?;
    let left = answered.iter().filter(|answered| !**answered).count();
    if left > 0 {
        return Err(
            format!("the engine did not answer for {left} decision points of {rows}").into(),
        );
    }
    Array2::from_shape_vec((rows, width), cells).map_err(|error| error.to_string().into())
}
