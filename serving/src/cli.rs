//! The command line: each command parses, calls, prints. What it does lives elsewhere.

mod answer;
mod backup;
#[cfg(feature = "training")]
mod bench;
mod check_config;
mod completions;
mod copy;
#[cfg(feature = "training")]
mod demo;
#[cfg(feature = "training")]
mod evaluate;
#[cfg(feature = "training")]
mod export;
mod features;
#[cfg(feature = "training")]
mod fit;
#[cfg(feature = "training")]
mod forecast;
#[cfg(feature = "training")]
mod import;
#[cfg(feature = "training")]
mod ledger;
#[cfg(feature = "training")]
mod merge;
#[cfg(feature = "training")]
mod models;
#[cfg(feature = "training")]
mod named;
mod output;
#[cfg(feature = "training")]
mod plan;
#[cfg(feature = "training")]
mod replay;
#[cfg(feature = "training")]
mod review;
mod serve;
#[cfg(feature = "training")]
mod simulate;
mod terminal;
#[cfg(feature = "training")]
mod train;

use answer::{Answer, Failure};
use clap::{CommandFactory, Parser, Subcommand};
use output::Output;
use std::process::ExitCode;

/// Learns, per customer, which next step for an unpaid invoice is just right: which channel,
/// when, in which tone, and often nothing at all.
#[derive(Debug, Parser)]
#[command(name = "lagom", version, propagate_version = true)]
#[command(after_help = "First: lagom demo. Every command explains itself: lagom help train.")]
struct Cli {
    /// One machine-readable document on stdout instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "training")]
    Demo(demo::Args),
    Serve(serve::Args),
    #[cfg(feature = "training")]
    Simulate(simulate::Args),
    #[cfg(feature = "training")]
    Import(import::Args),
    #[cfg(feature = "training")]
    Train(train::Args),
    #[cfg(feature = "training")]
    Merge(merge::Args),
    #[cfg(feature = "training")]
    Forecast(forecast::Args),
    #[cfg(feature = "training")]
    Models(models::ListArgs),
    #[cfg(feature = "training")]
    Promote(models::PromoteArgs),
    #[cfg(feature = "training")]
    Rollback(models::RollbackArgs),
    #[cfg(feature = "training")]
    Export(export::Args),
    Features(features::Args),
    CheckConfig(check_config::Args),
    Copy(copy::Args),
    Backup(backup::Args),
    Completions(completions::Args),
    #[cfg(feature = "training")]
    Fit(fit::Args),
    #[cfg(feature = "training")]
    Evaluate(evaluate::Args),
    #[cfg(feature = "training")]
    Replay(replay::Args),
    #[cfg(feature = "training")]
    Review(review::Args),
    #[cfg(feature = "training")]
    Plan(plan::Args),
    #[cfg(feature = "training")]
    Ledger(ledger::Args),
    #[cfg(feature = "training")]
    Bench(bench::Args),
}

impl Command {
    fn run(self, out: &mut Output) -> Result<Answer, Failure> {
        match self {
            #[cfg(feature = "training")]
            Self::Demo(args) => demo::run(&args, out),
            Self::Serve(args) => serve::run(&args, out),
            #[cfg(feature = "training")]
            Self::Simulate(args) => simulate::run(&args, out),
            #[cfg(feature = "training")]
            Self::Import(args) => import::run(&args, out),
            #[cfg(feature = "training")]
            Self::Train(args) => train::run(&args, out),
            #[cfg(feature = "training")]
            Self::Merge(args) => merge::run(&args, out),
            #[cfg(feature = "training")]
            Self::Forecast(args) => forecast::run(&args, out),
            #[cfg(feature = "training")]
            Self::Models(args) => models::list(&args, out),
            #[cfg(feature = "training")]
            Self::Promote(args) => models::promote(&args, out),
            #[cfg(feature = "training")]
            Self::Rollback(args) => models::rollback(&args, out),
            #[cfg(feature = "training")]
            Self::Export(args) => export::run(&args, out),
            Self::Features(args) => features::run(&args, out),
            Self::CheckConfig(args) => check_config::run(&args, out),
            Self::Copy(args) => copy::run(&args, out),
            Self::Backup(args) => backup::run(&args, out),
            Self::Completions(args) => completions::run(&args, &mut Cli::command()),
            #[cfg(feature = "training")]
            Self::Fit(args) => fit::run(&args, out),
            #[cfg(feature = "training")]
            Self::Evaluate(args) => evaluate::run(&args, out),
            #[cfg(feature = "training")]
            Self::Replay(args) => replay::run(&args, out),
            #[cfg(feature = "training")]
            Self::Review(args) => review::run(&args, out),
            #[cfg(feature = "training")]
            Self::Plan(args) => plan::run(&args, out),
            #[cfg(feature = "training")]
            Self::Ledger(args) => ledger::run(&args, out),
            #[cfg(feature = "training")]
            Self::Bench(args) => bench::run(&args, out),
        }
    }
}

/// An instant as an argument: RFC 3339, or a date.
#[cfg(feature = "training")]
fn parse_time(text: &str) -> Result<lagom_features::domain::Timestamp, String> {
    lagom_features::domain::Timestamp::parse(text).map_err(|error| error.to_string())
}

/// Runs the command line: 0 ok, 1 the answer is "no", 2 bad input or configuration.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    #[cfg(feature = "training")]
    terminal::show();
    let mut out = Output::stdout(cli.json);
    match cli.command.run(&mut out) {
        Ok(answer) => answer.exit_code(),
        Err(failure) => {
            out.complain(&failure);
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_command_line_parses() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example_that_parses() {
        let mut silent = Vec::new();
        let mut command = Cli::command();
        command.build();
        for (name, help) in leaves(&command, "") {
            let examples = examples(&help);
            let parsed = examples.iter().filter(|example| {
                let words = example.split_whitespace();
                if let Err(fault) = Cli::try_parse_from(words) {
                    panic!("{example}: {fault}");
                }
                true
            });
            if parsed.count() == 0 {
                silent.push(name);
            }
        }
        assert!(silent.is_empty(), "no example in the help of {silent:?}");
    }

    /// The commands without commands of their own, each with what its help ends with.
    fn leaves(command: &clap::Command, path: &str) -> Vec<(String, String)> {
        let path = format!("{path} {}", command.get_name());
        if !command.has_subcommands() {
            let help = command.get_after_help().map(ToString::to_string);
            return vec![(path, help.unwrap_or_default())];
        }
        let below = command.get_subcommands();
        let below = below.filter(|one| one.get_name() != "help");
        below.flat_map(|one| leaves(one, &path)).collect()
    }

    /// The command lines of a help text, without the remarks behind them and their redirections.
    fn examples(help: &str) -> Vec<String> {
        let lines = help.replace("\\\n", " ");
        let lines = lines.lines().map(|line| {
            let line = line.trim();
            let line = line
                .strip_prefix("Examples:")
                .or(line.strip_prefix("Example:"))
                .unwrap_or(line);
            line.trim().to_owned()
        });
        let commands = lines.filter(|line| line.starts_with("lagom "));
        let bare = commands.map(|line| {
            let end = line.find("   ").or(line.find(" >")).unwrap_or(line.len());
            line[..end].to_owned()
        });
        bare.collect()
    }
}
