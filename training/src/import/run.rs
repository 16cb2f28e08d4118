//! The import itself: every input once, row by row.

use super::error::ImportError;
use super::lists::Lists;
use super::mapping::{self, Mapping, line_of};
use super::moment::Clock;
use super::number::Marks;
use super::outlet::{Outlet, is_for};
use super::rule::{At, Written};
use super::value::Context;
use super::{ImportOptions, ImportReport};
use crate::progress::work;
use crate::tables::source::{Row, Source};
use crate::tables::{CellFault, FAULT_LIMIT, TableError};
use jiff::tz::TimeZone;
use lagom_features::Recorded;
use lagom_features::domain::{Customer, Event, Invoice};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

struct Import<'m> {
    mapping: &'m Mapping,
    written: Written<'m>,
    marks: Marks,
    clock: Clock,
    separator: u8,
    allowed: u64,
    customers: Outlet<Recorded<Customer>>,
    invoices: Outlet<Recorded<Invoice>>,
    events: Outlet<Event>,
    rows: u64,
    rejected: u64,
    rejects: Vec<CellFault>,
}

/// See [`super::run`].
pub(super) fn run(options: &ImportOptions) -> Result<ImportReport, ImportError> {
    let file = options.mapping.as_path();
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| TableError::unreadable(file, error))?;
    let mapping = mapping::parse(file, &text)?;
    let mut import = Import::new(options, &mapping, file, &text)?;
    for input in &options.inputs {
        import.input(input)?;
    }
    import.finish(options)
}

impl<'m> Import<'m> {
    fn new(
        options: &ImportOptions,
        mapping: &'m Mapping,
        file: &'m Path,
        text: &'m str,
    ) -> Result<Self, ImportError> {
        let fault = |byte, reason| ImportError::mapping(file, line_of(text, byte), reason);
        let input = &mapping.input;
        let zone = match &input.time_zone {
            Some(name) => TimeZone::get(name.get_ref()).map_err(|_| {
                let reason = format!("`{}` is not an IANA time zone", name.get_ref());
                fault(name.span().start, reason)
            })?,
            None => TimeZone::UTC,
        };
        let separator = u8::try_from(input.separator)
            .ok()
            .filter(u8::is_ascii)
            .ok_or_else(|| fault(0, "`separator` must be one ASCII character".to_owned()))?;
        let rules = mapping.customers.len() + mapping.invoices.len() + mapping.events.len();
        if rules == 0 {
            let reason = "there is no rule; write [[customers]], [[invoices]] or [[events]]";
            return Err(fault(0, reason.to_owned()));
        }
        let (dir, format) = (options.out.as_path(), options.format);
        Ok(Self {
            mapping,
            written: Written {
                mapping,
                file,
                text,
            },
            marks: Marks {
                decimal: input.decimal,
                thousands: input.thousands,
            },
            clock: Clock {
                format: input.format.clone(),
                zone,
            },
            separator,
            allowed: options.max_rejects,
            customers: Outlet::new(!mapping.customers.is_empty(), dir, format)?,
            invoices: Outlet::new(!mapping.invoices.is_empty(), dir, format)?,
            events: Outlet::new(!mapping.events.is_empty(), dir, format)?,
            rows: 0,
            rejected: 0,
            rejects: Vec::new(),
        })
    }

    fn input(&mut self, file: &Path) -> Result<(), ImportError> {
        let source = Source::open(file, self.separator)?;
        let width = source.columns().len();
        let mut columns = source.columns().to_vec();
        let lacks = |name: &&String| !source.columns().contains(name);
        columns.extend(self.mapping.input.optional.iter().filter(lacks).cloned());
        let (mapping, written) = (self.mapping, &self.written);
        let lists = Lists::new(mapping, &lists_used(mapping, file), file, &columns)?;
        let customers = &mapping.customers;
        let (invoices, events) = (&mapping.invoices, &mapping.events);
        let bound = [
            self.customers
                .bind(customers, written, &lists, file, &columns)?,
            self.invoices
                .bind(invoices, written, &lists, file, &columns)?,
            self.events.bind(events, written, &lists, file, &columns)?,
        ];
        if bound == [0; 3] {
            return Err(ImportError::Unclaimed {
                file: file.to_owned(),
            });
        }
        let mut failed = Ok(());
        let importing = work("importing", "rows", 0);
        source.each(|row| {
            importing.advance(1);
            let at = At {
                file,
                columns: &columns,
                row,
            };
            failed = self.row(&at, width, &lists);
            if failed.is_err() || self.rejects.len() >= FAULT_LIMIT && self.is_over() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(failed?)
    }

    fn is_over(&self) -> bool {
        self.rejected > self.allowed
    }

    fn row(&mut self, at: &At<'_>, width: usize, lists: &Lists) -> Result<(), TableError> {
        self.rows += 1;
        let row: &Row<'_> = at.row;
        let mut faults = Vec::new();
        if row.width() == width {
            let context = Context {
                row,
                variables: &[],
                missing: &self.mapping.input.missing,
                marks: self.marks,
                clock: &self.clock,
            };
            let worked = lists.work_out(at, &context, &mut faults);
            self.customers.take(at, &context, &worked, &mut faults);
            self.invoices.take(at, &context, &worked, &mut faults);
            self.events.take(at, &context, &worked, &mut faults);
        } else {
            let cells = row.width();
            let reason = format!("the row has {cells} cells, the header {width}");
            faults.push(at.fault(Some(0), "", reason));
        }
        if !faults.is_empty() {
            self.rejected += 1;
            let room = (self.allowed as usize).max(FAULT_LIMIT);
            faults.truncate(room.saturating_sub(self.rejects.len()));
            self.rejects.append(&mut faults);
        } else if !self.is_over() {
            self.customers.keep()?;
            self.invoices.keep()?;
            self.events.keep()?;
        }
        Ok(())
    }

    fn finish(self, options: &ImportOptions) -> Result<ImportReport, ImportError> {
        if self.is_over() {
            return Err(ImportError::Rejects {
                rejects: self.rejects,
                rejected: self.rejected,
                allowed: self.allowed,
            });
        }
        let (customers, a) = self.customers.finish()?;
        let (invoices, b) = self.invoices.finish()?;
        let (events, c) = self.events.finish()?;
        super::rejects::write(&options.out, &self.rejects)?;
        for finished in [a, b, c].into_iter().flatten() {
            finished.publish()?;
        }
        Ok(ImportReport {
            rows: self.rows,
            customers,
            invoices,
            events,
            rejected: self.rejected,
            rejects: self.rejects,
        })
    }
}

/// Names of the lists that the rules for an input use.
fn lists_used<'m>(mapping: &'m Mapping, input: &Path) -> BTreeSet<&'m str> {
    let tables = [&mapping.customers, &mapping.invoices, &mapping.events];
    let rules = tables.into_iter().flatten();
    let lists = rules
        .filter(|rule| is_for(rule, input))
        .flat_map(|rule| &rule.get_ref().each);
    lists.map(|name| name.get_ref().as_str()).collect()
}
