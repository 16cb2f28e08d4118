//! Why a call could not be answered.

use crate::convert::FieldFault;
use crate::store::StoreError;
use lagom_features::domain::Timestamp;
use lagom_model::decide::DecideError;
use std::fmt::Display;
use thiserror::Error;

/// Why a call could not be answered; the table of statuses is beside the services.
#[derive(Debug, Clone, Error)]
pub enum Failure {
    /// A field cannot be accepted.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// There is nothing of this id.
    #[error("{what} `{id}` is not known{hint}")]
    Unknown {
        /// Customer, invoice, decision or model.
        what: &'static str,
        /// The id.
        id: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A rule forbids it.
    #[error("{0}")]
    Forbidden(String),
    /// What all customers add up to at the beginning of this week is not held.
    #[error("the features by segment as of {0} are not at hand yet")]
    Week(Timestamp),
    /// It could not be written down, so it did not happen.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is at fault.
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    /// There is no `what` of this id.
    pub(crate) fn unknown(what: &'static str, id: &dyn Display) -> Self {
        let hint = match what {
            "customer" => "; record the customer first",
            "invoice" => " for this customer at this time; record the invoice first",
            _ => "",
        };
        Self::Unknown {
            what,
            id: id.to_string(),
            hint,
        }
    }
}

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Customer(id) => Self::unknown("customer", &id),
            DecideError::Invoice { invoice_id, .. } => Self::unknown("invoice", &invoice_id),
            DecideError::Week { week } => Self::Week(week),
            DecideError::Policy(error) => Self::Internal(error.to_string()),
        }
    }
}
