//! `lagom models`, `promote` and `rollback`: the registry.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::registry::objections;
use lagom_training::registry::{Listed, Pointers, Registry};
use serde::Serialize;
use std::path::PathBuf;

/// Lists the model versions of a registry: current, previous, all, with lineage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom models --models models --json")]
pub(crate) struct ListArgs {
    /// Folder of the registry.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
}

/// Makes a version current, if its held-out figures allow it. A running server takes it up
/// within a second.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom promote 3f2a --models models")]
pub(crate) struct PromoteArgs {
    /// Id of the version, or the beginning of it.
    id: String,
    /// Folder of the registry.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
}

/// Makes the previous version current again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom rollback --models models")]
pub(crate) struct RollbackArgs {
    /// Folder of the registry.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
}

#[derive(Debug, Serialize)]
struct Verdict {
    id: String,
    promoted: bool,
    reasons: Vec<String>,
    pointers: Pointers,
}

pub(crate) fn list(args: &ListArgs, out: &mut Output) -> Result<Answer, Failure> {
    let versions = Registry::at(&args.models).list()?;
    out.report(&versions, || {
        if versions.is_empty() {
            return format!(
                "no version in {}; lagom train makes one",
                args.models.display()
            );
        }
        versions.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Answer::Yes)
}

fn line(version: &Listed) -> String {
    let role = match (version.current, version.previous) {
        (true, _) => "current ",
        (_, true) => "previous",
        _ => "        ",
    };
    let auc = version
        .propensity_auc
        .map_or_else(|| "not judged".to_owned(), |auc| format!("AUC {auc:.4}"));
    let lineage = &version.lineage;
    format!(
        "{role} {}  {auc}  as of {}, seed {}, parent {}",
        version.id,
        lineage.as_of,
        lineage.seed,
        lineage.parent.as_deref().unwrap_or("none"),
    )
}

pub(crate) fn promote(args: &PromoteArgs, out: &mut Output) -> Result<Answer, Failure> {
    let registry = Registry::at(&args.models);
    let version = registry.get(&args.id)?;
    let reasons = objections(&version);
    let promoted = reasons.is_empty();
    let pointers = if promoted {
        registry.promote(version.id())?
    } else {
        registry.pointers()?
    };
    let verdict = Verdict {
        id: version.id().to_owned(),
        promoted,
        reasons,
        pointers,
    };
    out.report(&verdict, || {
        if verdict.promoted {
            format!("{} is current", verdict.id)
        } else {
            format!(
                "{} is not promoted: {}",
                verdict.id,
                verdict.reasons.join("; ")
            )
        }
    })?;
    Ok(if promoted { Answer::Yes } else { Answer::No })
}

pub(crate) fn rollback(args: &RollbackArgs, out: &mut Output) -> Result<Answer, Failure> {
    let pointers = Registry::at(&args.models).rollback()?;
    out.report(&pointers, || {
        format!(
            "{} is current again",
            pointers.current.as_deref().unwrap_or("nothing")
        )
    })?;
    Ok(Answer::Yes)
}
