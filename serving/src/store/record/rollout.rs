//! The stages of a candidate.

use super::{Unreadable, field};
use crate::rollout::Staged as Stands;
use lagom_features::domain::Timestamp;
use lagom_model::rollout::Stage;
use prost::Message;

/// A stage that was taken up, or left.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Staged {
    #[prost(sint64, tag = "1")]
    at: i64,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(string, tag = "3")]
    model: String,
    /// `shadow`, `canary`, or empty off its way.
    #[prost(string, tag = "4")]
    stage: String,
    #[prost(double, tag = "5")]
    share: f64,
    #[prost(string, tag = "6")]
    reason: String,
}

impl Staged {
    pub(super) fn of(one: &Stands) -> Self {
        Self {
            at: one.at.micros(),
            number: one.number,
            model: one.model.clone(),
            stage: one.stage.map_or("", Stage::name).to_owned(),
            share: one.stage.map_or(0.0, Stage::share),
            reason: one.reason.clone(),
        }
    }

    pub(super) fn read(self) -> Result<Stands, Unreadable> {
        if self.model.is_empty() {
            return Err("model: is empty".to_owned());
        }
        let stage = match self.stage.as_str() {
            "" => None,
            "shadow" => Some(Stage::Shadow),
            "canary" if self.share > 0.0 && self.share < 1.0 => {
                Some(Stage::Canary { share: self.share })
            }
            other => return Err(format!("stage: `{other}` of {} is none", self.share)),
        };
        Ok(Stands {
            at: field("at", Timestamp::from_micros(self.at))?,
            number: self.number,
            model: self.model,
            stage,
            reason: self.reason,
        })
    }
}
