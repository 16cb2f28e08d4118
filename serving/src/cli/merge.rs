//! `lagom merge`: the policy of a version, out of what the parts of a log taught.

use super::answer::{Answer, Failure};
use super::output::Output;
use lagom_model::policy::warm_start::WarmStart;
use lagom_training::registry::Registry;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Adds up what `lagom train --partition` wrote of every part of a log, and stores it as the policy of a
/// version: the same, bit for bit, as one pass over the whole log would have learnt.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom merge --models models --model ID part-1.json part-2.json")]
pub(crate) struct Args {
    /// Folder of the registry.
    #[arg(long, value_name = "DIR")]
    models: PathBuf,
    /// The version that the parts were learnt for.
    #[arg(long, value_name = "ID")]
    model: String,
    /// What was learnt from each part; every part once.
    #[arg(value_name = "FILE", required = true)]
    parts: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Report {
    model_id: String,
    parts: usize,
    rounds: u64,
    through: String,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let registry = Registry::at(&args.models);
    let version = registry.get(&args.model)?;
    let mut whole: Option<WarmStart> = None;
    for (at, path) in args.parts.iter().enumerate() {
        if args.parts[..at].contains(path) {
            return Err(
                format!("{} is named twice; every part counts once", path.display()).into(),
            );
        }
        let in_file = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let part = read(path)?;
        if part.feature_fingerprint != version.parts().feature_fingerprint {
            return Err(in_file(&format_args!(
                "learnt over features {}, where {} has {}; name the version that it was learnt for",
                part.feature_fingerprint,
                version.id(),
                version.parts().feature_fingerprint
            ))
            .into());
        }
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => whole.merge(&part).map_err(|error| in_file(&error))?,
        }
    }
    let whole = whole.ok_or("no part is named")?;
    registry.put_policy(version.id(), &whole)?;
    let report = Report {
        model_id: version.id().to_owned(),
        parts: args.parts.len(),
        rounds: whole.sums.rounds(),
        through: whole.through.to_string(),
    };
    out.report(&report, || {
        format!(
            "policy of {}: learnt from {} logged rounds in {} parts, up to {}\n",
            report.model_id, report.rounds, report.parts, report.through
        )
    })?;
    out.next(format_args!(
        "lagom promote {} --models {}",
        report.model_id,
        args.models.display()
    ));
    Ok(Answer::Yes)
}

fn read(path: &Path) -> Result<WarmStart, Failure> {
    let name = path.display();
    let text = std::fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    serde_json::from_slice(&text)
        .map_err(|error| format!("{name}: {error}; write it with lagom train --partition").into())
}
