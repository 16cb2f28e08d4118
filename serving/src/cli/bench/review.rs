//! `lagom bench review`: what a review of a year costs, from the log and from a table.

use super::child::{self, Cost};
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use lagom_training::review::{Folder, Log, default_plan};
use lagom_training::review_speed::{self, Written};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Times the review of a made-up year, as whole processes: from the canonical tables (twelve
/// invoices, decisions and outcomes a customer), and from the table of customers that it writes,
/// by the same plan. Beside it one pass over the same columns of the same records, which any review has
/// to make.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench review --customers 1000000 --scratch /var/tmp")]
pub(crate) struct Args {
    /// Customers, each with twelve invoices.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    customers: u32,
    /// Of everything drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to put the tables while it runs; the system's temporary folder if not named.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Report {
    records: Written,
    /// `lagom review --data`.
    log: Cost,
    /// One pass over the same columns.
    pass: Cost,
    /// CPU time of the review over that of the pass.
    log_over_pass: f64,
    /// `lagom review --facts`.
    facts: Cost,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let scratch = tempfile::TempDir::with_prefix_in("lagom-bench-", scratch)?;
    let data = scratch.path().join("year");
    let records = review_speed::write(&data, args.customers, args.seed)?;
    let pass = pass(&data)?;
    let (facts, plan) = (
        scratch.path().join("facts.csv"),
        scratch.path().join("plan.toml"),
    );
    let of_log = |more: &[&Path]| {
        let mut command = lagom()?;
        command.arg("--data").arg(&data);
        command.args(["--experiment", review_speed::EXPERIMENT]);
        if let [csv] = more {
            command.arg("--csv").arg(csv);
        }
        Ok::<_, Failure>(child::run(command)?.0)
    };
    let log = of_log(&[])?;
    of_log(&[&facts])?;
    std::fs::write(&plan, default_plan(review_speed::EXPERIMENT, "ladder", &[]))?;
    let mut command = lagom()?;
    command.arg("--facts").arg(&facts).arg("--plan").arg(&plan);
    let (facts, _) = child::run(command)?;
    let report = Report {
        records,
        log_over_pass: log.cpu_seconds / pass.cpu_seconds,
        log,
        pass,
        facts,
    };
    out.report(&report, || text(&report))?;
    Ok(Answer::Yes)
}

/// This very executable.
fn lagom() -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["review", "--json"]);
    Ok(command)
}

/// Every record once, nothing kept.
fn pass(data: &Path) -> Result<Cost, Failure> {
    let (started, before) = (Instant::now(), child::own_cpu_seconds());
    let folder = Folder::open(data)?.ok_or("the year was not written as Parquet")?;
    let mut records = 0;
    folder.customers(&mut |rows| records += rows.len())?;
    folder.invoices(&mut |rows| records += rows.len())?;
    folder.decisions(&mut |rows| records += rows.len())?;
    folder.outcomes(&mut |rows| records += rows.len())?;
    folder.events(&mut |rows| records += rows.len())?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let cpu = child::own_cpu_seconds().zip(before);
    Ok(Cost {
        cpu_seconds: cpu.map_or(wall_seconds, |(now, before)| now - before),
        wall_seconds,
        peak_mib: None,
    })
}

fn text(report: &Report) -> String {
    let records = &report.records;
    let line = |name: &str, cost: &Cost| {
        let peak = cost
            .peak_mib
            .map_or_else(|| "-".to_owned(), |mib| format!("{mib:.0}"));
        format!(
            "{name:<36} {:>7.2} {:>8.2} {peak:>10}\n",
            cost.cpu_seconds, cost.wall_seconds
        )
    };
    format!(
        "{} customers, {} invoices, {} decisions and outcomes, {} events\n\
         whole processes                        CPU s   wall s   peak MiB\n{}{}{}\
         the review of the log takes {:.1} times the CPU time of the pass\n",
        records.customers,
        records.invoices,
        records.decisions,
        records.events,
        line("one pass over the records", &report.pass),
        line("lagom review --data", &report.log),
        line("lagom review --facts", &report.facts),
        report.log_over_pass,
    )
}
