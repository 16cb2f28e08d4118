//! Whether the features of one period look like those of another.

use crate::dataset::{Dataset, DatasetOptions, Points};
use crate::labels::Delays;
use crate::segments;
use crate::tables::{Partitions, TableError, read_histories};
use lagom_features::FeatureSpec;
use lagom_features::domain::Timestamp;
use lagom_model::statistics::StatisticsError;
use lagom_model::statistics::drift::{KolmogorovSmirnov, Psi};
use serde::Serialize;
use std::path::Path;
use thiserror::Error;

/// Bins of the stability index: tenths of the earlier period.
const BINS: usize = 10;

/// Why two periods cannot be compared.
#[derive(Debug, Error)]
pub enum DriftError {
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A period without decision points.
    #[error(
        "{customers} customers have a decision point {side} {at}; both periods need at least one"
    )]
    Empty {
        /// `before` or `from`.
        side: &'static str,
        /// How many have.
        customers: usize,
        /// The instant that parts the periods.
        at: Timestamp,
    },
    /// A statistic.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
}

/// How one column moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDrift {
    /// The column.
    pub column: String,
    /// Share of the earlier period in which it is unknown.
    pub unknown_before: f64,
    /// Share of the later period.
    pub unknown_after: f64,
    /// Population stability index of the known values; none where a period has none.
    pub psi: Option<f64>,
    /// What the index exceeds by chance once in a thousand, and at least 0.1.
    pub alert_above: Option<f64>,
    /// Largest difference of the two distribution functions.
    pub ks: Option<f64>,
    /// How often chance alone makes it as large.
    pub ks_p: Option<f64>,
    /// Whether the index lies above its threshold.
    pub moved: bool,
}

/// The comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// The instant that parts the periods.
    pub at: Timestamp,
    /// Customers of the earlier period, a decision point each.
    pub before: usize,
    /// Customers of the later period.
    pub after: usize,
    /// Outcomes of the later period are known until here: what happened later may yet be reported, so
    /// that its unpaid invoices and its customers who stayed are not to be counted beside the earlier ones'.
    pub known_until: Timestamp,
    /// By column, the most moved first.
    pub columns: Vec<ColumnDrift>,
}

/// Compares decision points before `at` with those from then on: the last of each customer before,
/// the first of each after, so that the rows of a period are independent of each other.
///
/// # Errors
/// [`DriftError`].
pub fn drift(
    data: &Path,
    spec: &FeatureSpec,
    after_days: &[u16],
    at: Timestamp,
    events_at_once: u64,
) -> Result<Drift, DriftError> {
    let width = spec.width();
    let (mut before, mut after) = (vec![Vec::new(); width], vec![Vec::new(); width]);
    let parts = Partitions::of(data, events_at_once, &std::env::temp_dir())?;
    let segments = segments::of_parts(spec, &parts, None)?;
    let (mut delays, mut last) = (Delays::default(), Timestamp::MIN);
    for folder in parts.folders() {
        let histories = read_histories(folder)?;
        let as_of = crate::pipeline::end(&parts, &histories);
        last = last.max(as_of);
        histories
            .values()
            .for_each(|history| delays.see(history, as_of));
        let options = DatasetOptions {
            as_of,
            known_until: as_of,
            paid_days: 0,
            left_days: 0,
            before_days: Vec::new(),
            after_days: after_days.to_vec(),
            share: 1.0,
            seed: 0,
        };
        let customers: Vec<_> = histories.iter().collect();
        let dataset = Dataset::of(&customers, spec, &options, Points::Stages, &segments);
        let (earlier, later) = one_each(&dataset, at);
        for (rows, into) in [(earlier, &mut before), (later, &mut after)] {
            for row in rows {
                for (column, value) in into.iter_mut().zip(dataset.row(row)) {
                    column.push(*value);
                }
            }
        }
    }
    let sizes = [("before", &before), ("from", &after)];
    for (side, columns) in sizes {
        let customers = columns.first().map_or(0, Vec::len);
        if customers == 0 {
            return Err(DriftError::Empty {
                side,
                customers,
                at,
            });
        }
    }
    let names = spec.names();
    let mut columns = Vec::with_capacity(width);
    for ((name, before), after) in names.iter().zip(&before).zip(&after) {
        columns.push(compare(name, before, after)?);
    }
    let moved_by = |one: &ColumnDrift| one.psi.unwrap_or(0.0);
    columns.sort_by(|a, b| moved_by(b).total_cmp(&moved_by(a)));
    Ok(Drift {
        at,
        before: before[0].len(),
        after: after[0].len(),
        known_until: delays.reported_until(last),
        columns,
    })
}

/// Rows of the last decision point of each customer before `at`, and of the first from `at` on.
fn one_each(dataset: &Dataset, at: Timestamp) -> (Vec<usize>, Vec<usize>) {
    let points = dataset.points();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut from = 0;
    for customer in points.chunk_by(|a, b| a.customer_id == b.customer_id) {
        let rows = from..from + customer.len();
        from = rows.end;
        let when = |&row: &usize| points[row].at;
        before.extend(rows.clone().filter(|row| when(row) < at).max_by_key(when));
        after.extend(rows.filter(|row| when(row) >= at).min_by_key(when));
    }
    (before, after)
}

fn compare(name: &str, before: &[f64], after: &[f64]) -> Result<ColumnDrift, StatisticsError> {
    let known =
        |values: &[f64]| -> Vec<f64> { values.iter().copied().filter(|x| !x.is_nan()).collect() };
    let (left, right) = (known(before), known(after));
    let unknown = |known: &[f64], all: &[f64]| 1.0 - known.len() as f64 / all.len() as f64;
    let mut drift = ColumnDrift {
        column: name.to_owned(),
        unknown_before: unknown(&left, before),
        unknown_after: unknown(&right, after),
        psi: None,
        alert_above: None,
        ks: None,
        ks_p: None,
        moved: false,
    };
    if !left.is_empty() && !right.is_empty() {
        let psi = Psi::between(&left, &right, BINS)?;
        let ks = KolmogorovSmirnov::between(&left, &right)?;
        drift.moved = psi.alerts();
        drift.psi = Some(psi.psi);
        drift.alert_above = Some(psi.alert_above);
        (drift.ks, drift.ks_p) = (Some(ks.d), Some(ks.p_asymptotic));
    }
    Ok(drift)
}
