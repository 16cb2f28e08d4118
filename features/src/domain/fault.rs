//! What is wrong with a record, and in which field.

use std::fmt;

/// One fault of one field of a record from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field, as the contract names it (`amount_minor`, `occurred_at`).
    pub field: &'static str,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl Fault {
    /// A fault of `field`, explained by `reason`.
    pub fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self {
            field,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for Fault {}
