//! `lagom bench evaluate`: how fast off-policy evaluation is, and how right its intervals are.

mod peer;

use super::child;
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use lagom_model::ope::replication::{Replication, replicate};
use lagom_training::evaluation_speed::{EvaluationSpeed, measure};
use peer::Beside;
use serde::Serialize;
use std::path::PathBuf;

/// Times twenty estimators with their intervals on a log of many decisions and, where the Open
/// Bandit Pipeline can be imported, both on one smaller log. With --coverage instead: how often
/// estimators, intervals and the gate are right about a world whose truth is known.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  lagom bench evaluate --python venv/bin/python\n  \
                  lagom bench evaluate --coverage --replications 2000"
)]
pub(crate) struct Args {
    /// Decisions to evaluate.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    decisions: u32,
    /// Decisions of the log that both programs get.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    beside: u32,
    /// A Python that can import obp.
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Bias, coverage, correlation with the truth and the gate's verdicts.
    #[arg(long)]
    coverage: bool,
    /// Logs to draw for --coverage.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(20..))]
    replications: u32,
    /// Of the logs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Serialize)]
struct Speed {
    log: EvaluationSpeed,
    peak_mib: Option<f64>,
    beside: Option<Beside>,
    peer_skipped: Option<String>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    if args.coverage {
        let found = replicate(args.replications, args.seed)?;
        out.report(&found, || coverage(&found))?;
        return Ok(if found.holds() {
            Answer::Yes
        } else {
            Answer::No
        });
    }
    let log = measure(args.decisions as usize, args.seed)?;
    let peak_mib = child::own_peak_mib();
    let (beside, peer_skipped) = match peer::missing(&args.python) {
        None => {
            let beside = peer::run(&args.python, args.beside as usize, args.seed)?;
            (Some(beside), None)
        }
        Some(why) => (None, Some(why)),
    };
    let found = Speed {
        log,
        peak_mib,
        beside,
        peer_skipped,
    };
    out.report(&found, || speed(&found))?;
    let equal = found.beside.is_none_or(|beside| beside.difference <= 1e-9);
    Ok(if equal { Answer::Yes } else { Answer::No })
}

fn speed(found: &Speed) -> String {
    let log = &found.log;
    let memory = found
        .peak_mib
        .map_or_else(String::new, |mib| format!(", at most {mib:.0} MiB held"));
    let mut text = format!(
        "{} decisions of {} actions, {} estimators, {} intervals and sequences: {:.1} s \
         ({:.1} s reading, {:.1} s estimating){memory}\n",
        log.decisions,
        log.actions,
        log.estimators,
        log.intervals,
        log.seconds,
        log.read_seconds,
        log.estimate_seconds,
    );
    if let Some(beside) = &found.beside {
        text += &format!(
            "{} decisions, {} resamples an interval: lagom {:.3} s for every estimator and \
             interval, obp {} {:.3} s for five of each: {:.0} times as long; the five values \
             differ by {:.1e} at most\n",
            beside.decisions,
            beside.resamples,
            beside.lagom_seconds,
            beside.version,
            beside.obp_seconds,
            beside.ratio,
            beside.difference,
        );
    }
    if let Some(why) = &found.peer_skipped {
        text += &format!("Open Bandit Pipeline skipped: {why}\n");
    }
    text
}

fn coverage(found: &Replication) -> String {
    let mut text = format!(
        "{} logs of {} customers with one to three invoices each; a life is truly worth {:.5}\n\n\
         {:<45} {:>9} {:>12} {:>10}\n",
        found.replications,
        found.customers,
        found.truth,
        "episode value",
        "bias",
        "Monte Carlo",
        "coverage"
    );
    for one in &found.estimators {
        text += &format!(
            "{:<45} {:>+9.5} {:>12.5} {:>8.2} %\n",
            one.name,
            one.bias,
            one.monte_carlo_error,
            100.0 * one.coverage
        );
    }
    for one in &found.sequences {
        text += &format!(
            "{:<45} {:>31.2} %\n",
            format!("sequence: {}", one.name),
            100.0 * one.coverage
        );
    }
    text += &format!(
        "\ncorrelation of estimated and true value over {} policies: {:.4}\n",
        found.policies, found.correlation
    );
    for gate in &found.gate {
        text += &format!(
            "gate, candidate {}, {} customers: right in {:.1} % of {}\n",
            gate.candidate,
            gate.customers,
            100.0 * gate.right,
            gate.judged
        );
    }
    text + if found.holds() {
        "all as promised\n"
    } else {
        "not all as promised\n"
    }
}
