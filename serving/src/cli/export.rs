//! `lagom export`: the log of a store as Parquet.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use crate::experiment::Assignment;
use crate::export::export_telling;
use lagom_training::progress::work;
use lagom_training::tables::{Format, write_table};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Writes customers, invoices, events, decisions and outcomes of a store as canonical tables, beside
/// them who was drawn into which arm (`assignments.csv`) and what was agreed of experiments
/// (`experiments.json`). The server may go on running.
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
    /// Decisions of a candidate in shadow.
    shadows: usize,
}

/// Folder of what a candidate in shadow would have decided, in the form of the table `decisions`.
pub(crate) const SHADOWS: &str = "shadows";

/// What was agreed of experiments and learnt from whom, for `lagom review`.
pub(crate) const DESIGN: &str = "experiments.json";

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn assignments(all: &[Assignment]) -> String {
    let mut text = "customer_id,experiment,salt,arm,assigned_at\n".to_owned();
    for one in all {
        let cells = [
            one.customer_id.as_str(),
            &one.experiment,
            &one.salt,
            &one.arm,
        ];
        for cell in cells {
            text += &format!("\"{}\",", cell.replace('"', "\"\""));
        }
        text += &format!("{}\n", one.at);
    }
    text
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let reading = work("reading the log", "entries", 0);
    let mut export = export_telling(&config.store, &config.tenant, &mut || reading.advance(1))?;
    drop(reading);
    let design = serde_json::to_string_pretty(&export.design(&config.models))?;
    let assignments = assignments(&export.assignments);
    let shadows = std::mem::take(&mut export.shadows);
    let tables = export.into_tables();
    if !shadows.is_empty() {
        let path = args.out.join(SHADOWS).join("decisions.parquet");
        write_table(&path, &shadows)?;
    }
    tables.write(&args.out, Format::Parquet)?;
    write(&args.out.join(DESIGN), &design)?;
    write(&args.out.join("assignments.csv"), &assignments)?;
    let exported = Exported {
        customers: tables.customers.len(),
        invoices: tables.invoices.len(),
        events: tables.events.len(),
        decisions: tables.decisions.len(),
        outcomes: tables.outcomes.len(),
        shadows: shadows.len(),
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
