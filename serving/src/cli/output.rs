//! Where commands write: text for people, or one JSON document.

use super::answer::{Failure, in_one_line};
use super::terminal;
use serde::Serialize;
use std::fmt;
use std::io::{self, Write};

/// Standard output in one of its two forms.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn stdout(json: bool) -> Self {
        Self { json }
    }

    /// A line for a person; nothing where JSON is wanted.
    pub(crate) fn line(&mut self, line: impl fmt::Display) {
        if !self.json {
            write_all(format_args!("{line}\n"));
        }
    }

    /// The command that a person would give next; nothing where JSON is wanted.
    pub(crate) fn next(&mut self, command: impl fmt::Display) {
        self.line(format_args!("{} {command}", terminal::leading("next:")));
    }

    /// The document, where JSON is wanted; otherwise `text` says it to a person.
    pub(crate) fn report<T: Serialize>(
        &mut self,
        document: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            write_all(format_args!(
                "{}\n",
                serde_json::to_string_pretty(document)?
            ));
        } else {
            let text = text();
            write_all(format_args!("{}\n", text.trim_end()));
        }
        Ok(())
    }

    /// Says why a command could not be carried out.
    pub(crate) fn complain(&mut self, failure: &Failure) {
        let line = in_one_line(failure.as_ref());
        let _ = writeln!(
            io::stderr().lock(),
            "{} {line}",
            terminal::alarming("lagom:")
        );
    }
}

/// A closed pipe (`lagom … | head`) is the reader's choice, not an error.
fn write_all(text: fmt::Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_fmt(text);
    let _ = stdout.flush();
}
