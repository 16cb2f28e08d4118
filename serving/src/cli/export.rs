//! `lagom export`: the log of a store as Parquet.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use crate::export::export_telling;
use lagom_training::progress::work;
use lagom_training::tables::Format;
use serde::Serialize;
use std::path::PathBuf;

/// Writes customers, invoices, events, decisions and outcomes of a store as canonical tables. The
/// server may go on running.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom export --config lagom.toml --out data")]
pub(crate) struct Args {
    /// Configuration that names the store; defaults if none is named.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for the tables.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, Serialize)]
struct Exported {
    customers: usize,
    invoices: usize,
    events: usize,
    decisions: usize,
    outcomes: usize,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let reading = work("reading the log", "entries", 0);
    let tables = export_telling(&config.store, &mut || reading.advance(1))?.into_tables();
    drop(reading);
    tables.write(&args.out, Format::Parquet)?;
    let exported = Exported {
        customers: tables.customers.len(),
        invoices: tables.invoices.len(),
        events: tables.events.len(),
        decisions: tables.decisions.len(),
        outcomes: tables.outcomes.len(),
    };
    out.report(&exported, || {
        format!(
            "{} customers, {} invoices, {} events, {} decisions, {} outcomes in {}",
            exported.customers,
            exported.invoices,
            exported.events,
            exported.decisions,
            exported.outcomes,
            args.out.display(),
        )
    })?;
    out.next(format_args!(
        "lagom train --data {} --models models",
        args.out.display()
    ));
    Ok(Answer::Yes)
}
