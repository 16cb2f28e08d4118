//! `lagom bench hazard`: whether what is quoted of the time to payment comes true.

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::cli::simulate::world;
use crate::cli::terminal::progress;
use crate::config::Config;
use lagom_features::domain::Date;
use lagom_model::decide::{PolicyKind, Snapshot};
use lagom_model::hazard::AtDay;
use lagom_model::metrics::ClusteredGap;
use lagom_training::pipeline::{Study, TrainingConfig, study};
use lagom_training::simulated_log::{Plan, simulate};
use lagom_training::simulator::World;
use lagom_training::tables::Tables;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Largest gap between quoted and seen in a tenth.
const BAR: f64 = 0.02;

/// Fits the curve of payment to the first part of a simulated log, or of real tables, and holds what it
/// quotes against what came later, tenth by tenth, with 95 % intervals by customer. Exits 1 where a tenth
/// is off by more than 2 points and its interval does not reach what was quoted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lagom bench hazard --customers 12000
  lagom bench hazard --data data")]
pub(crate) struct Args {
    /// Canonical tables to be judged on, instead of a simulated log.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// People in the world.
    #[arg(long, default_value_t = 12_000)]
    customers: usize,
    /// Days lived.
    #[arg(long, default_value_t = 540)]
    days: u16,
    /// A shipped world or a world file.
    #[arg(long, value_name = "NAME|FILE")]
    world: Option<PathBuf>,
    /// Invoices that are looked at, at most.
    #[arg(long, default_value_t = 60_000)]
    invoices: usize,
    /// Share of the invoices, the latest, on which the curve is judged.
    #[arg(long, default_value_t = 0.5)]
    judge_share: f64,
    /// How many times the curve is fitted while they are judged, evenly spread: 1 is once for all of them.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=50))]
    fits: u16,
    /// Pairs of columns in a model, at most: `most_pairs` of [training].
    #[arg(long, default_value_t = 0)]
    pairs: usize,
    /// Of the world and of all draws.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Serialize)]
struct Report {
    study: Study,
    /// Log-loss of the curve over that of a model of one day, at that day.
    log_loss_ratio: Option<f64>,
    /// Largest gap between quoted and seen in a tenth, over all days.
    worst_tenth: f64,
    /// Tenths that are off by more than the bar, and by more than chance.
    missed: usize,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(None)?;
    let mut tables = match &args.data {
        Some(data) => Tables::read(data)?,
        None => lived(args, &config)?,
    };
    let histories = tables.take_histories();
    let text = format!(
        "[training]\nmost_invoices = {}\njudge_share = {}\nmost_pairs = {}",
        args.invoices, args.judge_share, args.pairs
    );
    let training = TrainingConfig::parse(&text, config.spec.clone())?;
    let study = study(&histories, &training, args.fits, args.seed)?;
    let quoted = |at: &&AtDay| at.days == training.paid_days;
    let curve = study.all.iter().find(quoted);
    let gaps = |at: &AtDay| at.worst_decile;
    let report = Report {
        log_loss_ratio: curve
            .zip(study.single)
            .map(|(curve, single)| curve.metrics.log_loss / single.log_loss),
        worst_tenth: study.all.iter().map(gaps).fold(0.0, f64::max),
        missed: study.all.iter().zip(&study.gaps).map(missed).sum(),
        study,
    };
    out.report(&report, || told(&report))?;
    Ok(if report.missed == 0 {
        Answer::Yes
    } else {
        Answer::No
    })
}

/// Months of a company whose collections follow the rules ladder.
fn lived(args: &Args, config: &Config) -> Result<Tables, Failure> {
    let world = args
        .world
        .as_deref()
        .map_or_else(|| Ok(World::built_in()), world)?;
    let learning = config.nothing_learnt(config.spec.fingerprint())?;
    let parts = config.parts(None, Arc::clone(learning.generation()));
    let start = Date::parse("2025-01-01")?;
    let plan = Plan {
        world,
        customers: args.customers,
        days: args.days,
        start,
        seed: args.seed,
        judged: (start, start.plus_days(i32::from(args.days))),
        window_days: config.learning.window_days,
        grace_hours: config.learning.grace_hours,
        policy: PolicyKind::Ladder,
    };
    let bar = progress(u64::from(args.days), "days");
    let log = simulate(&plan, Snapshot::new(parts)?, None, || bar.inc(1))?;
    bar.finish_and_clear();
    Ok(log.into())
}

/// Tenths of a day that are off by more than the bar and by more than chance.
fn missed((at, (_, gaps)): (&AtDay, &(u16, Vec<ClusteredGap>))) -> usize {
    let off = at.bins.iter().zip(gaps);
    off.filter(|(bin, gap)| gap.misses(BAR, bin)).count()
}

fn told(report: &Report) -> String {
    let study = &report.study;
    let mut text = format!(
        "fitted on what was known before {}, judged on invoices issued from {}\n",
        study.fitted_before, study.judged_from
    );
    for at in &study.refitted {
        text += &format!("fitted anew on what was known by {at}\n");
    }
    for (at, (_, gaps)) in study.all.iter().zip(&study.gaps) {
        text += &format!(
            "\nby day {}: {} decisions, log-loss {:.4}, ECE {:.4}, worst tenth off by {:.3}\n  \
             quoted   seen   off, in points, 95 % by customer   decisions  customers\n",
            at.days, at.metrics.rows, at.metrics.log_loss, at.metrics.ece, at.worst_decile
        );
        for (bin, gap) in at.bins.iter().zip(gaps) {
            let points = |share: f64| 100.0 * share;
            text += &format!(
                "  {:.3}    {:.3}   {:>+5.1} ({:+.1} to {:+.1}){:<10}   {:>9}  {:>9}\n",
                bin.mean_predicted,
                bin.observed,
                points(gap.gap),
                points(gap.low),
                points(gap.high),
                if gap.misses(BAR, bin) { " missed" } else { "" },
                bin.rows,
                gap.clusters
            );
        }
    }
    text += "\nby stage: day, decisions, mean quoted, seen, ECE, worst tenth\n";
    for (stage, figures) in &study.stages {
        for at in figures {
            let quoted = at
                .bins
                .iter()
                .map(|bin| bin.rows as f64 * bin.mean_predicted);
            text += &format!(
                "  {:<12} {:>3}  {:>7}  {:.3}  {:.3}  {:.3}  {:.3}\n",
                format!("{stage:?}"),
                at.days,
                at.metrics.rows,
                quoted.sum::<f64>() / at.metrics.rows as f64,
                at.metrics.base_rate,
                at.metrics.ece,
                at.worst_decile
            );
        }
    }
    if let Some(ratio) = report.log_loss_ratio {
        text += &format!("\nlog-loss of the curve over that of a model of one day: {ratio:.3}\n");
    }
    text += &format!(
        "worst tenth off by {:.3} (bar {BAR}); tenths off by more than the bar and than chance: {}\n",
        report.worst_tenth, report.missed
    );
    text
}
