//! `lagom bench bandit`: the bandit on streams that other programs were measured on.

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use lagom_model::bandit::BanditConfig;
use lagom_training::streams::{
    DelayedReport, DelayedWorld, LabelledStream, StreamReport, run_delayed, run_stream,
};
use std::path::PathBuf;

/// Runs the served bandit, with its default configuration, over a labelled stream (progressive
/// validation) or a delayed one, and prints the best fixed action beside it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lagom bench bandit --stream digits.csv.gz --order digits.order.csv.gz"
)]
pub(crate) struct Args {
    /// Features in [0, 1] and a last column `label`; CSV or CSV.gz.
    #[arg(
        long,
        value_name = "FILE",
        requires = "order",
        conflicts_with = "delayed"
    )]
    stream: Option<PathBuf>,
    /// Row orders, one column each.
    #[arg(long, value_name = "FILE")]
    order: Option<PathBuf>,
    /// A folder with actions, contexts, eligibility and the truth of a delayed stream.
    #[arg(long, value_name = "DIR", required_unless_present = "stream")]
    delayed: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = BanditConfig::default();
    if let (Some(stream), Some(order)) = (&args.stream, &args.order) {
        let report = run_stream(&LabelledStream::read(stream, order)?, &config)?;
        out.report(&report, || stream_text(&report))?;
    } else if let Some(folder) = &args.delayed {
        let report = run_delayed(&DelayedWorld::read(folder)?, &config)?;
        out.report(&report, || delayed_text(&report))?;
    }
    Ok(Answer::Yes)
}

fn list(values: &[f64]) -> String {
    let texts: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
    texts.join(" ")
}

fn stream_text(report: &StreamReport) -> String {
    format!(
        "progressive validation cost, {} rounds, {} actions\n\
         floor {}: {:.4} (orders {})\n\
         floor {}, as served: {:.4}\n\
         best fixed action {}: {:.4}; uniform: {:.4}\n\
         {:.0} rounds per CPU second",
        report.rounds,
        report.actions,
        report.floor,
        report.mean,
        list(&report.cost),
        report.serving_default.floor,
        report.serving_default.mean,
        report.best_fixed_action.action,
        report.best_fixed_action.cost,
        report.uniform_cost,
        report.rounds_per_cpu_second,
    )
}

fn delayed_text(report: &DelayedReport) -> String {
    format!(
        "mean true success, {} rounds, {} actions, outcomes {} rounds late\n\
         cold start: {:.4} (seeds {}), last fifth {:.4}\n\
         after {} logged rounds: {:.4}\n\
         best single action when eligible: {:.4}; random: {:.4}; optimum: {:.4}\n\
         {:.0} rounds per CPU second",
        report.rounds,
        report.actions,
        report.delay,
        report.mean,
        list(&report.mean_success),
        report.last_fifth,
        report.warm_start.history_rounds,
        report.warm_start.mean,
        report.best_single_action,
        report.random,
        report.optimum,
        report.rounds_per_cpu_second,
    )
}
