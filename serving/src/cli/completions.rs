//! `lagom completions`: what a shell needs to complete lagom's commands and options.

use super::answer::{Answer, Failure};
use clap::Command;
use clap_complete::{Shell, generate};
use std::io::Write;

/// Prints the completion script of a shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lagom completions bash > ~/.local/share/bash-completion/completions/lagom"
)]
pub(crate) struct Args {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, command: &mut Command) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    generate(args.shell, command, "lagom", &mut script);
    // A closed pipe is the reader's choice, not an error.
    let _ = std::io::stdout().lock().write_all(&script);
    Ok(Answer::Yes)
}
