//! `lagom check-config`: every fault of a configuration, before it matters.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use lagom_features::spec::FeatureSpec;
use serde::Serialize;
use std::path::PathBuf;

/// Checks a configuration file, or a feature spec, and reports every fault with its line.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom check-config lagom.toml")]
pub(crate) struct Args {
    /// The file.
    file: PathBuf,
}

#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    is: &'static str,
    faults: Vec<String>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let text = std::fs::read_to_string(&args.file)
        .map_err(|error| format!("{}: {error}", args.file.display()))?;
    let is_spec = text.lines().any(|line| line.trim() == "[[feature]]");
    let (is, faults) = if is_spec {
        let fault = FeatureSpec::parse(&text)
            .err()
            .map(|error| error.to_string());
        ("feature spec", fault.into_iter().collect())
    } else {
        let faults = Config::load(Some(&args.file)).err().map(|error| error.0);
        let texts = faults.unwrap_or_default();
        (
            "configuration",
            texts.iter().map(ToString::to_string).collect(),
        )
    };
    let checked = Checked {
        file: args.file.display().to_string(),
        is,
        faults,
    };
    let right = checked.faults.is_empty();
    out.report(&checked, || {
        if right {
            format!("{}: a valid {}", checked.file, checked.is)
        } else {
            format!("{}: {}", checked.file, checked.faults.join("\n"))
        }
    })?;
    Ok(if right { Answer::Yes } else { Answer::No })
}
