//! How a command ends.

use std::error::Error;
use std::process::ExitCode;

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is done, or holds.
    Yes,
    /// It does not hold: a gate failed, a check found something.
    #[allow(
        dead_code,
        reason = "gates and checks answer so; not every build has one"
    )]
    No,
}

impl Answer {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Yes => ExitCode::SUCCESS,
            Self::No => ExitCode::from(1),
        }
    }
}

/// Why a command could not be carried out: bad input, configuration or a broken machine.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// A failure with its causes in one line, each cause once.
pub(crate) fn in_one_line(failure: &(dyn Error + 'static)) -> String {
    let mut line = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line.replace('\n', " ")
}
