//! What a person sees of the commands: help with examples, bars and colours on a terminal only, and
//! what to do next.

#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use lagom_tests::lagom;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const ESCAPE: char = '\u{1b}';

fn run(folder: &Path, line: &str) -> Output {
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("lagom"));
    Command::new(lagom())
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = below.take_while(|line| !line.trim().is_empty());
    // A description that is wrapped goes on further to the right.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_help_shows_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let mut waiting = vec!["lagom".to_owned()];
    let mut seen = 0;
    while let Some(command) = waiting.pop() {
        let shown = run(folder.path(), &format!("{command} --help"));
        assert!(shown.status.success(), "{command} --help");
        let help = text(&shown.stdout);
        let below = listed(&help);
        if below.is_empty() {
            seen += 1;
            assert!(help.contains("Example"), "no example in `{command} --help`");
            assert!(
                help.contains("lagom "),
                "no command line in `{command} --help`"
            );
        }
        waiting.extend(below.iter().map(|name| format!("{command} {name}")));
    }
    assert!(seen > 15, "only {seen} commands were found");
}

#[test]
fn off_a_terminal_there_are_no_bars_and_no_colours() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../notebooks-data/exports/stripe"
    );
    let import = format!(
        "lagom import --mapping {mapping}/mapping.toml --out stripe {mapping}/invoices.jsonl {mapping}/events.jsonl"
    );
    let lines = [
        (
            "lagom simulate --customers 40 --days 120 --seed 1 --out data",
            "lagom train --data data",
        ),
        (import.as_str(), "lagom train --data stripe"),
        ("lagom features", "lagom features --data"),
        (
            "lagom features --data data",
            "lagom features --data data --out",
        ),
        ("lagom replay --data data", ""),
        ("lagom models --models models", ""),
        ("lagom promote nothing --models models", ""),
        ("lagom --nonsense", ""),
    ];
    for (line, next) in lines {
        let done = run(folder.path(), line);
        let (out, error) = (text(&done.stdout), text(&done.stderr));
        for stream in [&out, &error] {
            assert!(
                !stream.contains(ESCAPE) && !stream.contains('\r'),
                "{line}: {stream:?}"
            );
        }
        if done.status.success() {
            assert_eq!(error, "", "{line} is not quiet");
        }
        let suggested = out.lines().find_map(|line| line.strip_prefix("next: "));
        assert!(
            suggested.unwrap_or_default().starts_with(next),
            "{line}: {suggested:?}"
        );
        assert_eq!(
            suggested.is_some(),
            !next.is_empty(),
            "{line}: {suggested:?}"
        );
        let json = run(folder.path(), &format!("{line} --json"));
        assert!(
            !text(&json.stdout).contains("next:"),
            "{line} --json suggests"
        );
    }
}

/// What a command writes to a terminal; nothing where `script` is missing, which makes one.
fn on_a_terminal(folder: &Path, line: &str, no_colour: bool) -> Option<String> {
    let command = line.replacen("lagom", lagom().to_str().unwrap(), 1);
    let mut script = Command::new("script");
    script
        .args(["-qec", &command, "/dev/null"])
        .current_dir(folder)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    if no_colour {
        script.env("NO_COLOR", "1");
    }
    match script.output() {
        Ok(shown) => Some(text(&shown.stdout)),
        Err(_) => {
            eprintln!("skipped: there is no `script` (util-linux) to make a terminal");
            None
        }
    }
}

#[test]
fn on_a_terminal_a_bar_tells_the_rate_and_the_time_left() {
    let folder = tempfile::tempdir().unwrap();
    let line = "lagom simulate --customers 1500 --days 365 --seed 1 --out data";
    let Some(shown) = on_a_terminal(folder.path(), line, false) else {
        return;
    };
    for part in ["/365 days", "/s", " left", "█"] {
        assert!(shown.contains(part), "no `{part}` in {shown:?}");
    }
    let last = shown.lines().last().unwrap();
    assert!(
        last.contains("next:") && last.contains("lagom train"),
        "{last:?}"
    );
}

#[test]
fn colours_are_on_a_terminal_only_and_no_color_is_respected() {
    let folder = tempfile::tempdir().unwrap();
    let line = "lagom promote nothing --models models";
    let Some(shown) = on_a_terminal(folder.path(), line, false) else {
        return;
    };
    assert!(shown.contains("\u{1b}[31mlagom:\u{1b}[0m"), "{shown:?}");
    let plain = on_a_terminal(folder.path(), line, true).unwrap();
    assert!(
        plain.contains("lagom: ") && !plain.contains(ESCAPE),
        "{plain:?}"
    );
}
