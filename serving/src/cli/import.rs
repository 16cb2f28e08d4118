//! `lagom import`: any billing export into the canonical tables.

use super::answer::{Answer, Failure};
use super::output::Output;
use lagom_training::import::{ImportOptions, run as import};
use lagom_training::tables::Format;
use serde::Serialize;
use std::path::PathBuf;

/// Turns CSV, JSON lines or Parquet exports into the canonical tables, by a mapping file. Wrong cells are named
/// by file, row, column and reason; over the limit nothing is written.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lagom import --mapping notebooks-data/uci-credit/mapping.toml \
                        --out data notebooks-data/uci-credit/UCI_Credit_Card.csv.gz"
)]
pub(crate) struct Args {
    /// Which column becomes which field.
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// Folder for the tables.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Rows that may be rejected before nothing is written.
    #[arg(long, value_name = "N", default_value_t = 0)]
    max_rejects: u64,
    /// Write CSV instead of Parquet.
    #[arg(long)]
    csv: bool,
    /// CSV, JSON lines (either packed with gzip or not) or Parquet, read in this order.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Imported {
    rows: u64,
    customers: u64,
    invoices: u64,
    events: u64,
    rejected: u64,
    rejects: Vec<String>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let report = import(&ImportOptions {
        mapping: args.mapping.clone(),
        inputs: args.inputs.clone(),
        out: args.out.clone(),
        format: if args.csv {
            Format::Csv
        } else {
            Format::Parquet
        },
        max_rejects: args.max_rejects,
    })?;
    let imported = Imported {
        rows: report.rows,
        customers: report.customers,
        invoices: report.invoices,
        events: report.events,
        rejected: report.rejected,
        rejects: report.rejects.iter().map(ToString::to_string).collect(),
    };
    out.report(&imported, || {
        let mut text = format!(
            "{} rows: {} customers, {} invoices, {} events in {}; {} rejected\n",
            imported.rows,
            imported.customers,
            imported.invoices,
            imported.events,
            args.out.display(),
            imported.rejected
        );
        for reject in &imported.rejects {
            text += &format!("{reject}\n");
        }
        text
    })?;
    out.next(format_args!(
        "lagom train --data {} --models models",
        args.out.display()
    ));
    Ok(Answer::Yes)
}
