//! `lagom models`, `promote` and `rollback`: the registry.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::registry;
use lagom_model::rollout::{Pointers, Stage, Target};
use lagom_training::registry::{Listed, Registry};
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

/// Makes a version current, or puts it beside the current one, if its held-out figures and the gate
/// allow it: where another version is current, lagom evaluate must have found this one better than
/// that one. A running server takes it up within a second.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom promote 3f2a --models models --stage canary=0.05")]
pub(crate) struct PromoteArgs {
    /// Id of the version, or the beginning of it.
    id: String,
    /// Folder of the registry.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
    /// How far: shadow (it decides beside the current one, without effect), canary=SHARE (it decides
    /// for that share of the customers, always the same ones), or live.
    #[arg(long, value_name = "STAGE", default_value = "live")]
    stage: Target,
    /// Promotes in spite of the gate; the reason is kept with the step.
    #[arg(long, value_name = "REASON")]
    in_spite: Option<String>,
}

/// Takes a version in shadow or canary off its way or, where there is none, makes the previous
/// version current again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom rollback --models models")]
pub(crate) struct RollbackArgs {
    /// Why; kept with the step.
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Folder of the registry.
    #[arg(long, value_name = "DIR", default_value = "models")]
    models: PathBuf,
}

#[derive(Debug, Serialize)]
struct Verdict {
    id: String,
    promoted: bool,
    reasons: Vec<String>,
    /// What the gate said, where it was asked.
    gate: Option<String>,
    in_spite: Option<String>,
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
    let none_is_current = versions.iter().all(|version| !version.current);
    if let Some(newest) = versions.first().filter(|_| none_is_current) {
        let models = args.models.display();
        out.next(format_args!(
            "lagom promote {} --models {models}",
            newest.id
        ));
    }
    Ok(Answer::Yes)
}

fn line(version: &Listed) -> String {
    let role = match (version.current, version.previous, version.stage) {
        (true, _, _) => "current ".to_owned(),
        (_, _, Some(Stage::Shadow)) => "shadow  ".to_owned(),
        (_, _, Some(Stage::Canary { share })) => format!("canary {share}"),
        (_, true, _) => "previous".to_owned(),
        _ => "        ".to_owned(),
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
    let reasons = registry::reasons_against(&args.models, &version, args.stage)?;
    let judged = registry::judged(&args.models, version.id())?;
    let promoted = reasons.is_empty() || args.in_spite.is_some();
    let pointers = if promoted {
        let in_spite = args.in_spite.as_deref();
        let why = registry::why(&args.models, version.id(), args.stage, in_spite)?;
        registry::put(&args.models, version.id(), args.stage, &why)?
    } else {
        registry.pointers()?
    };
    let verdict = Verdict {
        id: version.id().to_owned(),
        promoted,
        reasons,
        gate: judged.map(|judged| judged.valuation.verdict.words),
        in_spite: args.in_spite.clone(),
        pointers,
    };
    out.report(&verdict, || {
        if verdict.promoted {
            let why = verdict.pointers.changes.last();
            let why = why.map_or("", |step| step.reason.as_str());
            match &verdict.pointers.candidate {
                Some(candidate) => format!("{}: {}: {why}", verdict.id, candidate.stage),
                None => format!("{} is current: {why}", verdict.id),
            }
        } else {
            format!(
                "{} is not promoted: {}",
                verdict.id,
                verdict.reasons.join("; ")
            )
        }
    })?;
    if promoted {
        out.next(format_args!(
            "LAGOM__MODELS__DIR={} lagom serve",
            args.models.display()
        ));
    }
    Ok(if promoted { Answer::Yes } else { Answer::No })
}

pub(crate) fn rollback(args: &RollbackArgs, out: &mut Output) -> Result<Answer, Failure> {
    let reason = args.reason.as_deref().unwrap_or("asked for");
    let pointers = registry::rollback(&args.models, reason)?;
    out.report(&pointers, || {
        format!(
            "{} is current again",
            pointers.current.as_deref().unwrap_or("nothing")
        )
    })?;
    out.next(format_args!(
        "lagom models --models {}",
        args.models.display()
    ));
    Ok(Answer::Yes)
}
