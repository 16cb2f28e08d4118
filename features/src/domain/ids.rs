//! Identifiers chosen by others: opaque, compared byte for byte, never parsed for meaning. Copies
//! of one share its text.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use thiserror::Error;

/// Longest id that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 200;

/// Why a text cannot be an id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// The text is empty.
    #[error("a {0} must not be empty")]
    Empty(&'static str),
    /// The text is longer than [`MAX_ID_BYTES`].
    #[error("a {what} has at most {MAX_ID_BYTES} bytes; this one has {bytes}")]
    TooLong {
        /// Which id.
        what: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// The text holds a control character.
    #[error("a {what} has no control characters; this one has U+{code:04X}")]
    Control {
        /// Which id.
        what: &'static str,
        /// The character's code point.
        code: u32,
    },
}

fn check(what: &'static str, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty(what));
    }
    if text.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong {
            what,
            bytes: text.len(),
        });
    }
    // Nearly all ids are plain ASCII, which is told byte by byte without decoding.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    if let Some(control) = text.chars().find(|c| c.is_control()) {
        return Err(IdError::Control {
            what,
            code: control.into(),
        });
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text of 1 to [`MAX_ID_BYTES`] bytes without control characters.
            ///
            /// # Errors
            /// [`IdError`] says which of these the text is not.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                Self::check(text).map(|()| Self(text.into()))
            }

            /// Whether a text could be such an id.
            ///
            /// # Errors
            /// As [`Self::new`].
            pub fn check(text: &str) -> Result<(), IdError> {
                check($what, text)
            }

            /// The id as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }
    };
}

id!(
    /// A namespace for everything lagom holds.
    TenantId, "tenant"
);
id!(
    /// A person or company that is invoiced.
    CustomerId, "customer_id"
);
id!(
    /// An invoice.
    InvoiceId, "invoice_id"
);
id!(
    /// A fact about a customer; the key under which it is recorded once.
    EventId, "event_id"
);
id!(
    /// A decision that lagom made.
    DecisionId, "decision_id"
);
id!(
    /// A caller's idempotency key for a decision.
    RequestId, "request_id"
);

impl Default for TenantId {
    fn default() -> Self {
        Self("default".into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_keeps_its_bytes_and_refuses_what_cannot_be_one() {
        assert_eq!(CustomerId::new("c-1 å").unwrap().as_str(), "c-1 å");
        assert_eq!(CustomerId::new(""), Err(IdError::Empty("customer_id")));
        assert!(matches!(
            InvoiceId::new("x".repeat(201)),
            Err(IdError::TooLong { bytes: 201, .. })
        ));
        assert!(matches!(
            EventId::new("a\nb"),
            Err(IdError::Control { code: 10, .. })
        ));
    }
}
