//! Histories out of Parquet, column by column: events go from the file's columns straight into
//! their packed form, those of different customers at the same time.
//!
//! Only a folder whose every cell is plainly right is read this way. Any other is left to the row
//! reader, so that there is one place that says what is wrong and where.

mod cells;
mod columns;
mod people;

use super::error::TableError;
use super::read::layout;
use super::source::Source;
use super::{Reading, Record, files};
use cells::Numbers;
use columns::Columns;
use lagom_features::History;
use lagom_features::Recorded;
use lagom_features::domain::{Customer, CustomerId, Event, Timestamp};
use people::{Currencies, People, Rows, SILENT_TOGETHER};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) use cells::{Texts, Wholes};

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

#[cfg(test)]
mod tests;
