//! The same log by the Open Bandit Pipeline.

use super::super::child;
use crate::cli::answer::Failure;
use lagom_training::evaluation_speed::{resamples, values, with_bootstrap, write_log};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const SCRIPT: &str = include_str!("obp_peer.py");

/// Both programs on one log.
#[derive(Debug, Serialize)]
pub(super) struct Beside {
    pub(super) version: String,
    pub(super) decisions: usize,
    pub(super) resamples: usize,
    /// Twenty estimators, every interval, five of them by bootstrap.
    pub(super) lagom_seconds: f64,
    /// Five estimators, each with an interval by bootstrap.
    pub(super) obp_seconds: f64,
    pub(super) ratio: f64,
    /// Largest relative difference of the five values.
    pub(super) difference: f64,
}

#[derive(Deserialize)]
struct Printed {
    version: String,
    seconds: f64,
    value: BTreeMap<String, f64>,
}

/// Why the peer cannot run, if it cannot.
pub(super) fn missing(python: &Path) -> Option<String> {
    let import = Command::new(python)
        .args([
            "-c",
            "import importlib.util as of, sys; sys.exit(not of.find_spec('obp'))",
        ])
        .stdin(Stdio::null())
        .output();
    match import {
        Ok(tried) if tried.status.success() => None,
        Ok(_) => Some(format!(
            "{} has not got obp; notebooks-data/notebooks/run.sh shows how to install it, or name \
             another with --python",
            python.display()
        )),
        Err(error) => Some(format!("{}: {error}", python.display())),
    }
}

pub(super) fn run(python: &Path, decisions: usize, seed: u64) -> Result<Beside, Failure> {
    let folder = TempDir::new()?;
    write_log(folder.path(), decisions, seed)?;
    let script = folder.path().join("obp_peer.py");
    std::fs::write(&script, SCRIPT)?;
    let mut command = Command::new(python);
    command.arg(&script).arg(folder.path());
    command.arg(resamples().to_string());
    let (_, printed) = child::run(command)?;
    let printed: Printed = serde_json::from_str(&printed)?;
    let ours = values(decisions, seed)?;
    let apart = printed.value.iter().map(|(name, theirs)| {
        let value = ours.get(name).copied().unwrap_or(f64::NAN);
        ((value - theirs) / theirs).abs()
    });
    let lagom_seconds = with_bootstrap(decisions, seed)?;
    Ok(Beside {
        version: printed.version,
        decisions,
        resamples: resamples(),
        lagom_seconds,
        obp_seconds: printed.seconds,
        ratio: printed.seconds / lagom_seconds,
        difference: apart.fold(0.0, |most, one| {
            if one > most || one.is_nan() {
                one
            } else {
                most
            }
        }),
    })
}
