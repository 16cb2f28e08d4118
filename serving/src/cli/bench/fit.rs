//! `lagom bench fit`: fitting time and memory at one optimum, beside scikit-learn.

use super::child::{self, Cost};
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use lagom_training::fit::fit_matrix;
use lagom_training::fit_speed;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const PEER: &str = include_str!("fit_peer.py");
/// Penalty of both.
const C: f64 = 1.0;

/// Times the fit of a logistic regression to a made-up matrix, as whole processes that read it from
/// one file, beside scikit-learn's lbfgs with the same penalty (left out where Python or scikit-learn
/// is missing). Exits 1 where scikit-learn reaches a lower loss.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lagom bench fit --rows 100000
  lagom bench fit --python venv/bin/python

The peer needs Python with scikit-learn: pip install scikit-learn")]
pub(crate) struct Args {
    /// Rows of the matrix.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    rows: u32,
    /// Its columns.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    columns: u32,
    /// Python that has scikit-learn.
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Where to put the matrix while it runs; the system's temporary folder if not named.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// Of the matrix.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fits the matrix in this folder and prints how it went: what a measured process runs.
    #[arg(long, hide = true)]
    of: Option<PathBuf>,
}

/// What a fit says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Fitted {
    /// Processor time of the fit alone.
    cpu_seconds: f64,
    wall_seconds: f64,
    /// `Σ log-loss + (1/(2C))·|w|²` over the rows, per row.
    objective: f64,
}

#[derive(Debug, Serialize)]
struct Program {
    fit: Fitted,
    process: Cost,
}

#[derive(Debug, Serialize)]
struct Report {
    rows: u32,
    columns: u32,
    matrix_mib: f64,
    lagom: Program,
    scikit_learn: Option<Program>,
    skipped: Option<String>,
    /// Processor time of lagom's fit over that of scikit-learn's.
    cpu_ratio: Option<f64>,
    /// lagom's most memory over the matrix.
    memory_ratio: Option<f64>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    if let Some(dir) = &args.of {
        let (rows, columns) = (args.rows as usize, args.columns as usize);
        let fitted = fit(dir, rows, columns)?;
        out.report(&fitted, || {
            serde_json::to_string(&fitted).unwrap_or_default() + "\n"
        })?;
        return Ok(Answer::Yes);
    }
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let scratch = tempfile::TempDir::with_prefix_in("lagom-bench-", scratch)?;
    let dir = scratch.path();
    fit_speed::write(dir, args.rows as usize, args.columns as usize, args.seed)?;
    let size = [args.rows.to_string(), args.columns.to_string()];
    let mut own = Command::new(std::env::current_exe()?);
    own.args(["bench", "fit", "--json", "--of"]).arg(dir);
    own.args(["--rows", &size[0], "--columns", &size[1]]);
    let lagom = measured(own)?;
    let (scikit_learn, skipped) = match missing(&args.python) {
        Some(why) => (None, Some(why)),
        None => {
            let script = dir.join("peer.py");
            std::fs::write(&script, PEER)?;
            let mut peer = Command::new(&args.python);
            peer.arg(script).arg(dir).args(&size);
            (Some(measured(peer)?), None)
        }
    };
    let matrix_mib = f64::from(args.rows) * f64::from(args.columns) * 8.0 / f64::from(1 << 20);
    let report = Report {
        rows: args.rows,
        columns: args.columns,
        matrix_mib,
        cpu_ratio: scikit_learn
            .as_ref()
            .map(|peer| lagom.fit.cpu_seconds / peer.fit.cpu_seconds),
        memory_ratio: lagom.process.peak_mib.map(|peak| peak / matrix_mib),
        lagom,
        scikit_learn,
        skipped,
    };
    out.report(&report, || text(&report))?;
    let reached = report
        .scikit_learn
        .as_ref()
        .is_none_or(|peer| report.lagom.fit.objective <= peer.fit.objective * (1.0 + 1e-9));
    Ok(if reached { Answer::Yes } else { Answer::No })
}

fn measured(command: Command) -> Result<Program, Failure> {
    let (process, printed) = child::run(command)?;
    let fit = serde_json::from_str(printed.trim())?;
    Ok(Program { fit, process })
}

fn missing(python: &Path) -> Option<String> {
    let import = Command::new(python)
        .args(["-c", "import sklearn"])
        .stdin(Stdio::null())
        .output();
    match import {
        Ok(tried) if tried.status.success() => None,
        Ok(_) => Some(format!(
            "{} has no scikit-learn; pip install scikit-learn, or name another with --python",
            python.display()
        )),
        Err(error) => Some(format!("{}: {error}", python.display())),
    }
}

fn fit(dir: &Path, rows: usize, columns: usize) -> Result<Fitted, Failure> {
    let drawn = fit_speed::read(dir, rows, columns)?;
    let (start, before) = (Instant::now(), child::own_cpu_seconds());
    let found = fit_matrix(drawn.matrix.view(), &drawn.outcomes, C)?;
    let wall_seconds = start.elapsed().as_secs_f64();
    let cpu = child::own_cpu_seconds().zip(before);
    Ok(Fitted {
        cpu_seconds: cpu.map_or(wall_seconds, |(after, before)| after - before),
        wall_seconds,
        objective: drawn.objective(&found, C),
    })
}

fn text(report: &Report) -> String {
    let line = |name: &str, one: &Program| {
        let peak = one.process.peak_mib;
        let peak = peak.map_or_else(|| "?".to_owned(), |peak| format!("{peak:.0}"));
        format!(
            "{name:<14} {:>8.2} {:>8.2} {peak:>9}   {:.12}\n",
            one.fit.cpu_seconds, one.fit.wall_seconds, one.fit.objective
        )
    };
    let mut text = format!(
        "{} rows, {} columns, a matrix of {:.0} MiB\n                  CPU s   wall s  peak MiB   objective a row\n{}",
        report.rows,
        report.columns,
        report.matrix_mib,
        line("lagom", &report.lagom)
    );
    if let Some(peer) = &report.scikit_learn {
        text += &line("scikit-learn", peer);
    }
    if let Some(why) = &report.skipped {
        text += &format!("scikit-learn left out: {why}\n");
    }
    if let Some(ratio) = report.cpu_ratio {
        text += &format!("lagom over scikit-learn, CPU of the fit: {ratio:.2}\n");
    }
    if let Some(ratio) = report.memory_ratio {
        text += &format!("lagom's most memory over the matrix: {ratio:.2}\n");
    }
    text
}
