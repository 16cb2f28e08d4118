//! Outcomes as records.

use super::{Unreadable, field};
use lagom_features::domain::{DecisionId, Timestamp};
use lagom_model::log::{Executed, Outcome};
use prost::Message;

const SENT: u32 = 1;
const CANCELLED: u32 = 2;
const FAILED: u32 = 3;

/// What became of a decision.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Matured {
    #[prost(string, tag = "1")]
    decision_id: String,
    #[prost(uint32, tag = "2")]
    executed: u32,
    /// Rule of a cancellation, reason of a failure.
    #[prost(string, tag = "3")]
    why: String,
    #[prost(sint64, tag = "4")]
    matured_at: i64,
    #[prost(sint64, tag = "5")]
    outstanding_minor: i64,
    #[prost(sint64, tag = "6")]
    collected_minor: i64,
    #[prost(double, optional, tag = "7")]
    days_to_payment: Option<f64>,
    #[prost(bool, tag = "8")]
    paid: bool,
    #[prost(bool, tag = "9")]
    churned: bool,
    #[prost(bool, tag = "10")]
    complaint: bool,
    #[prost(uint32, tag = "11")]
    support_contacts: u32,
    #[prost(bool, tag = "12")]
    opt_out: bool,
    #[prost(bool, tag = "13")]
    collection_case: bool,
    #[prost(sint64, tag = "14")]
    cost_minor: i64,
    #[prost(sint64, tag = "15")]
    fee_minor: i64,
    #[prost(double, tag = "16")]
    value_minor: f64,
    #[prost(bool, tag = "17")]
    censored: bool,
}

impl Matured {
    pub(super) fn of(one: &Outcome) -> Self {
        let (executed, why) = match &one.executed {
            Executed::Sent => (SENT, ""),
            Executed::Cancelled { rule } => (CANCELLED, rule.as_str()),
            Executed::Failed { reason } => (FAILED, reason.as_str()),
        };
        Self {
            decision_id: one.decision_id.to_string(),
            executed,
            why: why.to_owned(),
            matured_at: one.matured_at.micros(),
            outstanding_minor: one.outstanding_minor,
            collected_minor: one.collected_minor,
            days_to_payment: one.days_to_payment,
            paid: one.paid,
            churned: one.churned,
            complaint: one.complaint,
            support_contacts: one.support_contacts,
            opt_out: one.opt_out,
            collection_case: one.collection_case,
            cost_minor: one.cost_minor,
            fee_minor: one.fee_minor,
            value_minor: one.value_minor,
            censored: one.censored,
        }
    }

    pub(super) fn read(self) -> Result<Outcome, Unreadable> {
        let executed = match self.executed {
            SENT => Executed::Sent,
            CANCELLED => Executed::Cancelled { rule: self.why },
            FAILED => Executed::Failed { reason: self.why },
            other => return Err(format!("executed: {other} is unknown")),
        };
        Ok(Outcome {
            decision_id: field("decision_id", DecisionId::new(self.decision_id))?,
            executed,
            matured_at: field("matured_at", Timestamp::from_micros(self.matured_at))?,
            outstanding_minor: self.outstanding_minor,
            collected_minor: self.collected_minor,
            days_to_payment: self.days_to_payment,
            paid: self.paid,
            churned: self.churned,
            complaint: self.complaint,
            support_contacts: self.support_contacts,
            opt_out: self.opt_out,
            collection_case: self.collection_case,
            cost_minor: self.cost_minor,
            fee_minor: self.fee_minor,
            value_minor: self.value_minor,
            censored: self.censored,
        })
    }
}
