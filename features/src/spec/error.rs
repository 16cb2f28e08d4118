//! What is wrong with a spec, and on which line.

use std::fmt;
use thiserror::Error;

/// One fault of a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecFault {
    /// Line of the text, from 1.
    pub line: usize,
    /// Name of the feature, where the fault lies in one that has a name.
    pub feature: Option<String>,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl fmt::Display for SpecFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(feature) = &self.feature {
            write!(f, ", feature `{feature}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Every fault of a spec, at once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SpecError {
    /// In the order of the text.
    pub faults: Vec<SpecFault>,
}

/// The line, from 1, on which byte `at` of `text` lies.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    let before = text.len().min(at);
    1 + text.as_bytes()[..before]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
}
