//! `lagom bench evaluate`: how fast off-policy evaluation is, and how right its intervals are.

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use lagom_training::evaluation_speed::{AgainstObp, EvaluationSpeed, against_obp, measure};
use lagom_training::replication::{Replication, replicate};
use serde::Serialize;

/// Times twenty estimators with their intervals on a log of many decisions, or, with --coverage,
/// counts how often they are right about a world whose truth is known.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  lagom bench evaluate\n  lagom bench evaluate --coverage")]
pub(crate) struct Args {
    /// Decisions to evaluate.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    decisions: u32,
    /// Bias, coverage of clustered intervals, correlation with the truth, and the gate's rates.
    #[arg(long)]
    coverage: bool,
    /// Replications of the coverage study.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(20..))]
    replications: u32,
    /// Of the logs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Serialize)]
struct Speed {
    whole: EvaluationSpeed,
    against_obp: AgainstObp,
    /// Most memory the process has held, where the system tells.
    peak_mebibytes: Option<u64>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    if args.coverage {
        let found = replicate(args.replications, args.seed)?;
        out.report(&found, || coverage(&found))?;
        return Ok(if found.holds() { Answer::Yes } else { Answer::No });
    }
    let against_obp = against_obp(args.seed)?;
    let found = Speed {
        whole: measure(args.decisions as usize, args.seed)?,
        against_obp,
        peak_mebibytes: peak_mebibytes(),
    };
    out.report(&found, || speed(&found))?;
    Ok(Answer::Yes)
}

/// From the process's own status; nothing where the system has no such file.
fn peak_mebibytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes / 1024)
}

fn speed(found: &Speed) -> String {
    let whole = &found.whole;
    let memory = found
        .peak_mebibytes
        .map_or_else(String::new, |peak| format!(", at most {peak} MiB held"));
    format!(
        "{} decisions of {} actions, {} estimators, {} intervals and sequences: {:.1} s of wall time \
         ({:.1} s reading, {:.1} s estimating), {:.0} decisions a second{memory}\n\
         2,000 rounds with five bootstrap intervals: {:.4} s; recorded on another machine, Open \
         Bandit Pipeline 0.5.7 takes {:.4} s for the five intervals alone, {:.0} times as long",
        whole.decisions,
        whole.actions,
        whole.estimators,
        whole.intervals,
        whole.seconds,
        whole.read_seconds,
        whole.estimate_seconds,
        whole.decisions_per_second,
        found.against_obp.seconds,
        found.against_obp.obp_seconds,
        found.against_obp.ratio,
    )
}

fn coverage(found: &Replication) -> String {
    let mut text = format!(
        "{} replications of {} customers, several lives each; true value {:.5}\n\n{:<22} {:>10} \
         {:>12} {:>10}\n",
        found.replications,
        found.customers,
        found.truth,
        "estimator",
        "bias",
        "Monte Carlo",
        "coverage"
    );
    for one in &found.estimators {
        text += &format!(
            "{:<22} {:>+10.5} {:>12.5} {:>9.2} %\n",
            one.name,
            one.bias,
            one.monte_carlo_error,
            100.0 * one.coverage
        );
    }
    text += &format!(
        "sequence, watched throughout: {:.2} % of {} covered\n",
        100.0 * found.sequence_coverage,
        found.replications
    );
    text += &format!(
        "correlation of estimated and true value over {} policies: {:.4}\n",
        found.policies, found.correlation
    );
    for gate in &found.gate {
        text += &format!(
            "gate, {} ({} customers): right in {:.1} % of {}\n",
            gate.policy,
            gate.customers,
            100.0 * gate.right,
            gate.judged
        );
    }
    text + if found.holds() {
        "all as promised"
    } else {
        "not as promised: see the figures"
    }
}
