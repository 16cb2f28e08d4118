//! `lagom simulate`: a seeded world with a known truth, as canonical tables and a decision log.

use super::answer::{Answer, Failure};
use super::output::Output;
use super::terminal::progress;
use crate::config::Config;
use lagom_features::domain::Date;
use lagom_model::decide::{PolicyKind, Snapshot};
use lagom_training::simulated_log::{Plan, simulate};
use lagom_training::simulator::World;
use lagom_training::tables::{Format, Tables};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes a seeded world of customers and lets a policy run its collections, without a server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom simulate --customers 2000 --days 365 --seed 1 --out data")]
pub(crate) struct Args {
    /// People in the world.
    #[arg(long)]
    customers: usize,
    /// Days to live.
    #[arg(long)]
    days: u16,
    /// Of the world's luck and of the draws.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the tables.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A world that comes with lagom, by its name, or a world file; the default world if none is
    /// named.
    #[arg(long, value_name = "NAME|FILE")]
    world: Option<PathBuf>,
    /// Configuration of strategy, guardrails, objective and bandit.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Who decides: ladder, uniform or bandit (which begins with the ladder, explored a little).
    #[arg(long, default_value = "bandit")]
    policy: PolicyKind,
    /// The first day.
    #[arg(long, default_value = "2026-01-01", value_parser = parse_date)]
    start: Date,
}

fn parse_date(text: &str) -> Result<Date, String> {
    Date::parse(text).map_err(|error| error.to_string())
}

/// The shipped world of this name, or that of a file.
pub(super) fn world(given: &Path) -> Result<World, Failure> {
    if let Some(world) = given.to_str().and_then(World::shipped) {
        return Ok(world);
    }
    let text = std::fs::read_to_string(given).map_err(|error| {
        let names: Vec<&str> = World::shipped_files()
            .iter()
            .map(|(name, _)| *name)
            .collect();
        let known = names.join(", ");
        format!(
            "{}: {error}; worlds known by name: {known}",
            given.display()
        )
    })?;
    World::parse(&text).map_err(|error| format!("{}: {error}", given.display()).into())
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let world = args
        .world
        .as_deref()
        .map_or_else(|| Ok(World::built_in()), world)?;
    let config = Config::load(args.config.as_deref())?;
    let mut learning = config.nothing_learnt(config.spec.fingerprint())?;
    let parts = config.parts(None, Arc::clone(learning.generation()));
    let plan = Plan {
        world,
        customers: args.customers,
        days: args.days,
        start: args.start,
        seed: args.seed,
        judged: (args.start, args.start.plus_days(i32::from(args.days))),
        window_days: config.learning.window_days,
        grace_hours: config.learning.grace_hours,
        policy: args.policy,
    };
    let bar = progress(u64::from(args.days), "days");
    let log = simulate(&plan, Snapshot::new(parts)?, Some(&mut learning), || {
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    let truth = log.truth.clone();
    let tables = Tables::from(log);
    tables.write(&args.out, Format::Parquet)?;
    out.report(&truth, || {
        format!(
            "{} customers, {} invoices, {} events, {} decisions, {} outcomes in {}\n\
             truth: {:.1} % of what was due was paid within 30 days, {} contacts, {} complaints, \
             {} customers left",
            tables.customers.len(),
            tables.invoices.len(),
            tables.events.len(),
            tables.decisions.len(),
            tables.outcomes.len(),
            args.out.display(),
            100.0 * truth.collected_30_minor as f64 / truth.billed_minor.max(1) as f64,
            truth.contacts,
            truth.complaints,
            truth.churned,
        )
    })?;
    out.next(format_args!(
        "lagom train --data {} --models models",
        args.out.display()
    ));
    Ok(Answer::Yes)
}
