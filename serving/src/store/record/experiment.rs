//! Who was drawn into which arm, and what was agreed when.

use super::{Unreadable, field};
use crate::experiment::{Assignment, Phase};
use lagom_features::domain::{CustomerId, Timestamp};
use prost::Message;

/// A customer in an arm.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Assigned {
    #[prost(string, tag = "1")]
    customer_id: String,
    #[prost(string, tag = "2")]
    experiment: String,
    #[prost(string, tag = "3")]
    salt: String,
    #[prost(string, tag = "4")]
    arm: String,
    #[prost(sint64, tag = "5")]
    at: i64,
}

impl Assigned {
    pub(super) fn of(one: &Assignment) -> Self {
        Self {
            customer_id: one.customer_id.to_string(),
            experiment: one.experiment.clone(),
            salt: one.salt.clone(),
            arm: one.arm.clone(),
            at: one.at.micros(),
        }
    }

    pub(super) fn read(self) -> Result<Assignment, Unreadable> {
        Ok(Assignment {
            customer_id: field("customer_id", CustomerId::new(self.customer_id))?,
            experiment: self.experiment,
            salt: self.salt,
            arm: self.arm,
            at: field("at", Timestamp::from_micros(self.at))?,
        })
    }
}

/// A phase of an experiment.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Began {
    #[prost(string, tag = "1")]
    experiment: String,
    #[prost(uint32, tag = "2")]
    number: u32,
    #[prost(sint64, tag = "3")]
    started_at: i64,
    #[prost(string, tag = "4")]
    salt: String,
    #[prost(string, tag = "5")]
    digest: String,
    #[prost(message, repeated, tag = "6")]
    shares: Vec<Share>,
    #[prost(bool, tag = "7")]
    isolated: bool,
    #[prost(string, tag = "8")]
    plan: String,
}

/// An arm's share.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Share {
    #[prost(string, tag = "1")]
    arm: String,
    #[prost(double, tag = "2")]
    share: f64,
}

impl Began {
    pub(super) fn of(one: &Phase) -> Self {
        let share = |(arm, share): &(String, f64)| Share {
            arm: arm.clone(),
            share: *share,
        };
        Self {
            experiment: one.experiment.clone(),
            number: one.number,
            started_at: one.started_at.micros(),
            salt: one.salt.clone(),
            digest: one.digest.clone(),
            shares: one.shares.iter().map(share).collect(),
            isolated: one.isolated,
            plan: one.plan.clone(),
        }
    }

    pub(super) fn read(self) -> Result<Phase, Unreadable> {
        if self.experiment.is_empty() {
            return Err("experiment: is empty".to_owned());
        }
        let shares = self.shares.into_iter().map(|one| (one.arm, one.share));
        Ok(Phase {
            experiment: self.experiment,
            number: self.number,
            started_at: field("started_at", Timestamp::from_micros(self.started_at))?,
            salt: self.salt,
            digest: self.digest,
            shares: shares.collect(),
            isolated: self.isolated,
            plan: self.plan,
        })
    }
}
