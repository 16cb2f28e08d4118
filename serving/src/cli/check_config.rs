//! `lagom check-config`: every fault of a configuration, before it matters.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use lagom_features::spec::FeatureSpec;
use lagom_model::guardrails::{Pack, conflicts};
use serde::Serialize;
use std::path::PathBuf;

/// Checks a configuration file, a feature spec or a pack of rules, and reports every fault with its line. Of a valid
/// configuration it tells which steps of the strategy no rule ever allows, and which rules refuse
/// them.
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
    /// Steps of the strategy that the rules never allow.
    conflicts: Vec<String>,
}

/// A strategy that the rules thwart is valid; whoever wrote it wants to know.
fn contradictions(config: &Config) -> Vec<String> {
    let found = conflicts(&config.guardrails, &config.strategy);
    found
        .iter()
        .map(|conflict| {
            let what = match &conflict.step {
                Some(step) => format!("{step} is never allowed"),
                None => "no step is ever allowed".to_owned(),
            };
            let rules = conflict.rules.iter().map(|id| {
                let source = config
                    .guardrails
                    .rule_named(id.as_str())
                    .map(|rule| &rule.source);
                source.map_or_else(|| id.to_string(), |source| format!("{id} ({source})"))
            });
            let rules: Vec<String> = rules.collect();
            format!(
                "strategy.stages[{}] \"{}\": {what}, by {}",
                conflict.stage,
                conflict.name,
                rules.join("; ")
            )
        })
        .collect()
}

/// The fault of `[training]`, which only a build that trains can know.
#[cfg(feature = "training")]
fn in_training(text: &str) -> Option<String> {
    // What is no TOML at all has been said before.
    text.parse::<toml::Table>().ok()?;
    let read = lagom_training::pipeline::TrainingConfig::parse(text, FeatureSpec::built_in());
    read.err().map(|error| error.to_string())
}

#[cfg(not(feature = "training"))]
fn in_training(_: &str) -> Option<String> {
    None
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let text = std::fs::read_to_string(&args.file)
        .map_err(|error| format!("{}: {error}", args.file.display()))?;
    let has = |header: &str| text.lines().any(|line| line.trim() == header);
    let (is, faults, conflicts) = if has("[[rules]]") {
        let faults = Pack::parse(&text, &[]).err().unwrap_or_default();
        let faults = faults.iter().map(ToString::to_string).collect();
        ("pack of rules", faults, Vec::new())
    } else if has("[[feature]]") {
        let fault = FeatureSpec::parse(&text)
            .err()
            .map(|error| error.to_string());
        ("feature spec", fault.into_iter().collect(), Vec::new())
    } else {
        let (texts, conflicts) = match Config::load(Some(&args.file)) {
            Ok(config) => (Vec::new(), contradictions(&config)),
            Err(error) => (error.0, Vec::new()),
        };
        let faults = texts.iter().map(ToString::to_string);
        let faults = faults.chain(in_training(&text)).collect();
        ("configuration", faults, conflicts)
    };
    let checked = Checked {
        file: args.file.display().to_string(),
        is,
        faults,
        conflicts,
    };
    let right = checked.faults.is_empty();
    out.report(&checked, || {
        if right {
            let mut text = format!("{}: a valid {}", checked.file, checked.is);
            for conflict in &checked.conflicts {
                text += &format!("\n  {conflict}");
            }
            text
        } else {
            format!("{}: {}", checked.file, checked.faults.join("\n"))
        }
    })?;
    if right {
        let file = args.file.display();
        match checked.is {
            "feature spec" => out.next(format_args!("lagom features --spec {file} --data DIR")),
            "configuration" => out.next(format_args!("lagom serve --config {file}")),
            _ => {}
        }
    }
    Ok(if right { Answer::Yes } else { Answer::No })
}
