//! A log out of Parquet files: of each table only the columns that a review looks at, and never more
//! rows at once than fit a slice.
//!
//! One thread reads while the other takes. Cells that are not looked at are not checked either; a
//! folder with a wrong one among those that are has to be read row by row, which says what is wrong.

use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;

use lagom_features::Recorded;
use lagom_features::domain::{Customer, Event, EventType, Invoice, Timestamp};
use lagom_model::log::{Decision, Outcome};
use polars::prelude::DataFrame;

use super::rows::{
    BLOCK, CustomerRow, DecisionRow, FactRow, InvoiceRow, Log, OutcomeRow, RoundRow, Sizes,
};
use crate::progress::work;
use crate::review::ReviewError;
use crate::tables::columnar::{Texts, Wholes};
use crate::tables::source::Source;
use crate::tables::{Record, TableError, Tables, files, read};

/// Slices that may wait to be taken.
const WAITING: usize = 2;
/// Decisions whose probabilities are read, at most, but for a slice: more say little more.
const ROUNDS: usize = 500_000;

/// A folder of canonical tables, all of them Parquet.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    decisions: Vec<PathBuf>,
    outcomes: Vec<PathBuf>,
    customers: Vec<PathBuf>,
    invoices: Vec<PathBuf>,
    events: Vec<PathBuf>,
    sizes: Sizes,
}

impl Folder {
    /// Looks at the tables of `dir`; none where one is not Parquet.
    ///
    /// # Errors
    /// [`TableError`] where a table is there twice, or is not the table that its name says.
    pub fn open(dir: &Path) -> Result<Option<Self>, TableError> {
        let Some((decisions, asked)) = parts::<Decision>(dir)? else {
            return Ok(None);
        };
        let Some((invoices, bills)) = parts::<Recorded<Invoice>>(dir)? else {
            return Ok(None);
        };
        let found = (
            parts::<Outcome>(dir)?,
            parts::<Recorded<Customer>>(dir)?,
            parts::<Event>(dir)?,
        );
        let (Some((outcomes, _)), Some((customers, _)), Some((events, told))) = found else {
            return Ok(None);
        };
        Ok(Some(Self {
            dir: dir.to_owned(),
            decisions,
            outcomes,
            customers,
            invoices,
            events,
            sizes: Sizes {
                decisions: asked,
                invoices: bills,
                events: told,
            },
        }))
    }
}

/// The files of a table and their rows; none where one is not Parquet. A table that is not there
/// has no files.
fn parts<T: Record>(dir: &Path) -> Result<Option<(Vec<PathBuf>, usize)>, TableError> {
    let Some(path) = files::find(dir, T::TABLE)? else {
        return Ok(Some((Vec::new(), 0)));
    };
    let parts = files::parts(&path)?;
    let mut rows = 0;
    for file in &parts {
        let source = Source::open(file, b',')?;
        let Some(more) = source.rows() else {
            return Ok(None);
        };
        read::layout::<T>(file, &source)?;
        rows += more;
    }
    Ok(Some((parts, rows)))
}

/// What a slice's rows came to: none where a cell is not plainly right.
type Taken = Option<()>;

/// Hands over the named columns of every file, slice by slice.
fn slices<T: Record>(
    parts: &[PathBuf],
    columns: &[&str],
    take: impl FnMut(&DataFrame) -> Taken,
) -> Result<(), ReviewError> {
    every::<T>(1, parts, columns, take)
}

/// [`slices`], but only every so many of them.
fn every<T: Record>(
    stride: usize,
    parts: &[PathBuf],
    columns: &[&str],
    mut take: impl FnMut(&DataFrame) -> Taken,
) -> Result<(), ReviewError> {
    let unreadable = |error: TableError| ReviewError::Log(error.to_string());
    for file in parts {
        let reading = work(T::TABLE, "rows read", 0);
        let (sender, slices) = sync_channel(WAITING);
        thread::scope(|scope| {
            scope.spawn(move || {
                let source = match Source::open(file, b',') {
                    Ok(source) => source,
                    Err(error) => return drop(sender.send(Err(error))),
                };
                let mut frames = source.frames_of(columns, stride).into_iter().flatten();
                // Who hears of no listener stops.
                let _all_sent = frames.all(|slice| sender.send(slice).is_ok());
            });
            for slice in slices {
                let slice = slice.map_err(unreadable)?;
                take(&slice).ok_or_else(|| {
                    let table = T::TABLE;
                    ReviewError::Log(format!("the {table} hold a cell that is not plainly right"))
                })?;
                reading.advance(slice.height());
            }
            Ok::<(), ReviewError>(())
        })?;
    }
    Ok(())
}

/// The latest instant of a column.
fn latest<T: Record>(parts: &[PathBuf], column: &str) -> Result<Timestamp, ReviewError> {
    let mut last = Timestamp::MIN;
    slices::<T>(parts, &[column], |frame| {
        let cells = instants(frame, column)?;
        for row in 0..frame.height() {
            last = last.max(cells.instant(row)??);
        }
        Some(())
    })?;
    Ok(last)
}

/// Hands over the rows of a slice, block by block; none where `row` makes nothing of one.
fn blocks<R>(
    height: usize,
    visit: &mut dyn FnMut(&[R]),
    row: impl Fn(usize) -> Option<R>,
) -> Taken {
    let mut block = Vec::with_capacity(BLOCK.min(height));
    for start in (0..height).step_by(BLOCK) {
        block.clear();
        for place in start..height.min(start + BLOCK) {
            block.push(row(place)?);
        }
        visit(&block);
    }
    Some(())
}

fn texts(frame: &DataFrame, name: &str) -> Option<Texts> {
    match frame.column(name) {
        Ok(column) => Texts::of(column).ok(),
        Err(_) => Some(Texts::default()),
    }
}

fn wholes(frame: &DataFrame, name: &str) -> Option<Wholes> {
    match frame.column(name) {
        Ok(column) => Wholes::of(column).ok(),
        Err(_) => Some(Wholes::default()),
    }
}

fn instants(frame: &DataFrame, name: &str) -> Option<Wholes> {
    match frame.column(name) {
        Ok(column) => Wholes::of_instants(column),
        Err(_) => Some(Wholes::default()),
    }
}

impl Log for Folder {
    fn sizes(&self) -> Sizes {
        self.sizes
    }

    fn read_whole(&self) -> Result<Tables, ReviewError> {
        Tables::read(&self.dir).map_err(|error| ReviewError::Log(error.to_string()))
    }

    fn last_known(&self) -> Result<Timestamp, ReviewError> {
        let (told, (decided, matured)) = rayon::join(
            || latest::<Event>(&self.events, "recorded_at"),
            || {
                rayon::join(
                    || latest::<Decision>(&self.decisions, "decided_at"),
                    || latest::<Outcome>(&self.outcomes, "matured_at"),
                )
            },
        );
        Ok(told?.max(decided?).max(matured?))
    }

    fn decisions(&self, visit: &mut dyn FnMut(&[DecisionRow<'_>])) -> Result<(), ReviewError> {
        let columns = [
            "decision_id",
            "customer_id",
            "invoice_id",
            "decided_at",
            "kind",
            "channel",
            "tone",
            "probability",
            "experiment",
            "arm",
            "policy",
            "policy_generation",
            "model_id",
            "fallback",
        ];
        slices::<Decision>(&self.decisions, &columns, |frame| {
            let text = |name| texts(frame, name);
            let (decision, customer) = (text("decision_id")?, text("customer_id")?);
            let (invoice, kind) = (text("invoice_id")?, text("kind")?);
            let (channel, tone) = (text("channel")?, text("tone")?);
            let (experiment, arm) = (text("experiment")?, text("arm")?);
            let (policy, model) = (text("policy")?, text("model_id")?);
            let fallback = text("fallback")?;
            let decided = instants(frame, "decided_at")?;
            let probability = frame.column("probability").ok()?.f64().ok()?;
            let generation = frame.column("policy_generation").ok()?.u64().ok()?;
            blocks(frame.height(), visit, |row| {
                let probability = probability.get(row)?;
                Some(DecisionRow {
                    decision_id: decision.get(row)?,
                    customer_id: customer.get(row)?,
                    invoice_id: invoice.get(row)?,
                    decided_at: decided.instant(row)??,
                    kind: kind.get(row)?,
                    channel: channel.get(row),
                    tone: tone.get(row),
                    probability: (0.0..=1.0).contains(&probability).then_some(probability)?,
                    experiment: experiment.get(row),
                    arm: arm.get(row),
                    policy: policy.get(row)?,
                    policy_generation: generation.get(row)?,
                    model_id: model.get(row),
                    fallback: fallback.get(row).is_some(),
                })
            })
        })
    }

    fn rounds(&self, visit: &mut dyn FnMut(&RoundRow<'_>)) -> Result<(), ReviewError> {
        let columns = [
            "decision_id",
            "customer_id",
            "decided_at",
            "experiment",
            "arm",
            "action_id",
            "eligible",
            "probabilities",
        ];
        let stride = self.sizes.decisions.div_ceil(ROUNDS).max(1);
        every::<Decision>(stride, &self.decisions, &columns, |frame| {
            let text = |name| texts(frame, name);
            let (decision, customer) = (text("decision_id")?, text("customer_id")?);
            let (experiment, arm) = (text("experiment")?, text("arm")?);
            let action = text("action_id")?;
            let decided = instants(frame, "decided_at")?;
            let eligible = frame.column("eligible").ok()?.list().ok()?;
            let probabilities = frame.column("probabilities").ok()?.list().ok()?;
            for row in 0..frame.height() {
                if experiment.get(row).is_none() {
                    continue;
                }
                let actions = eligible.get_as_series(row)?;
                let shares = probabilities.get_as_series(row)?;
                let (actions, shares) = (actions.str().ok()?, shares.f64().ok()?);
                let pairs = actions.iter().zip(shares.iter());
                let pairs: Option<Vec<(&str, f64)>> =
                    pairs.map(|(action, share)| action.zip(share)).collect();
                visit(&RoundRow {
                    decision_id: decision.get(row)?,
                    customer_id: customer.get(row)?,
                    decided_at: decided.instant(row)??,
                    experiment: experiment.get(row),
                    arm: arm.get(row),
                    action_id: action.get(row)?,
                    eligible: &pairs?,
                });
            }
            Some(())
        })
    }

    fn outcomes(&self, visit: &mut dyn FnMut(&[OutcomeRow<'_>])) -> Result<(), ReviewError> {
        let columns = [
            "decision_id",
            "matured_at",
            "cost_minor",
            "fee_minor",
            "value_minor",
            "censored",
        ];
        slices::<Outcome>(&self.outcomes, &columns, |frame| {
            let decision = texts(frame, "decision_id")?;
            let matured = instants(frame, "matured_at")?;
            let (cost, fee) = (wholes(frame, "cost_minor")?, wholes(frame, "fee_minor")?);
            let value = frame.column("value_minor").ok()?.f64().ok()?;
            let censored = frame.column("censored").ok()?.bool().ok()?;
            blocks(frame.height(), visit, |row| {
                Some(OutcomeRow {
                    decision_id: decision.get(row)?,
                    matured_at: matured.instant(row)??,
                    cost_minor: cost.get(row)?,
                    fee_minor: fee.get(row)?,
                    value_minor: value.get(row).filter(|value| value.is_finite())?,
                    censored: censored.get(row)?,
                })
            })
        })
    }

    fn customers(&self, visit: &mut dyn FnMut(&[CustomerRow<'_>])) -> Result<(), ReviewError> {
        let columns = [
            "customer_id",
            "created_at",
            "segment",
            "annual_margin_minor",
            "recorded_at",
        ];
        slices::<Recorded<Customer>>(&self.customers, &columns, |frame| {
            let (customer, segment) = (texts(frame, "customer_id")?, texts(frame, "segment")?);
            let created = instants(frame, "created_at")?;
            let recorded = instants(frame, "recorded_at")?;
            let margin = wholes(frame, "annual_margin_minor")?;
            blocks(frame.height(), visit, |row| {
                let created = created.instant(row)??;
                Some(CustomerRow {
                    customer_id: customer.get(row)?,
                    recorded_at: recorded.instant(row)?.unwrap_or(created),
                    segment: segment.get(row),
                    annual_margin_minor: margin.get(row),
                })
            })
        })
    }

    fn invoices(&self, visit: &mut dyn FnMut(&[InvoiceRow<'_>])) -> Result<(), ReviewError> {
        let columns = [
            "invoice_id",
            "customer_id",
            "amount_minor",
            "currency",
            "issued_at",
            "recorded_at",
        ];
        slices::<Recorded<Invoice>>(&self.invoices, &columns, |frame| {
            let (invoice, customer) = (texts(frame, "invoice_id")?, texts(frame, "customer_id")?);
            let currency = texts(frame, "currency")?;
            let amount = wholes(frame, "amount_minor")?;
            let issued = instants(frame, "issued_at")?;
            let recorded = instants(frame, "recorded_at")?;
            blocks(frame.height(), visit, |row| {
                let issued = issued.instant(row)??;
                Some(InvoiceRow {
                    invoice_id: invoice.get(row)?,
                    customer_id: customer.get(row)?,
                    recorded_at: recorded.instant(row)?.unwrap_or(issued),
                    issued_at: issued,
                    amount_minor: amount.get(row)?,
                    currency: currency.get(row)?,
                })
            })
        })
    }

    fn events(&self, visit: &mut dyn FnMut(&[FactRow<'_>])) -> Result<(), ReviewError> {
        let columns = [
            "occurred_at",
            "recorded_at",
            "customer_id",
            "invoice_id",
            "type",
            "amount_minor",
            "currency",
            "reason",
        ];
        slices::<Event>(&self.events, &columns, |frame| {
            let (customer, invoice) = (texts(frame, "customer_id")?, texts(frame, "invoice_id")?);
            let (kind, currency) = (texts(frame, "type")?, texts(frame, "currency")?);
            let reason = texts(frame, "reason")?;
            let amount = wholes(frame, "amount_minor")?;
            let occurred = instants(frame, "occurred_at")?;
            let recorded = instants(frame, "recorded_at")?;
            blocks(frame.height(), visit, |row| {
                let amount = match amount.get(row) {
                    Some(minor) => Some((minor, currency.get(row)?)),
                    None => None,
                };
                Some(FactRow {
                    kind: kind.named::<EventType>(row)??,
                    customer_id: customer.get(row)?,
                    invoice_id: invoice.get(row),
                    occurred_at: occurred.instant(row)??,
                    recorded_at: recorded.instant(row)??,
                    amount,
                    reason: reason.get(row),
                })
            })
        })
    }
}
