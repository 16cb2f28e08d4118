//! What was learnt from history, as sums: a server begins with it, and shards of a log are added up.

use crate::bandit::{Anchor, BanditError, ForwardDecay, Recovery, SufficientStatistics};
use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days among which the busiest is looked for.
const BUSY_DAYS: usize = 28;

/// What has been learnt from history, to start a server's learning with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmStart {
    /// Everything learnt, as sums.
    pub sums: SufficientStatistics,
    /// How rounds were weighted by their age.
    pub decay: ForwardDecay,
    /// The latest end of a window that was learnt from; rounds up to it are in the sums.
    pub through: Timestamp,
    /// Fingerprint of the features.
    pub feature_fingerprint: String,
    /// Decisions of each of the latest days that were learnt from, by days since 1970.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<i64, u64>,
    /// What still comes in when a window has closed.
    #[serde(default)]
    pub recovery: Recovery,
    /// How far the policy may go from the ladder; see
    /// [`Learning::anchored`](super::learning::Learning::anchored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
}

impl WarmStart {
    /// Adds what another shard of the same log has learnt. Everything is a sum of whole numbers or a latest
    /// time, so that shards in any order come to what one pass over the log comes to, bit for bit.
    ///
    /// # Errors
    /// [`BanditError::ForeignSums`] for another catalogue, context, spec of features, weighting by age or
    /// distance from the ladder; [`BanditError::SumsFull`]. Nothing is changed then.
    pub fn merge(&mut self, shard: &Self) -> Result<(), BanditError> {
        if self.terms() != shard.terms() {
            let [expected, found] = [&*self, shard].map(Self::terms);
            return Err(BanditError::ForeignSums { found, expected });
        }
        self.sums.merge(&shard.sums)?;
        let landmark = &mut self.decay.landmark_seconds;
        *landmark = (*landmark).min(shard.decay.landmark_seconds);
        self.through = self.through.max(shard.through);
        self.recovery.merge(&shard.recovery);
        for (day, decisions) in &shard.days {
            *self.days.entry(*day).or_default() += decisions;
        }
        keep_latest(&mut self.days);
        Ok(())
    }

    /// What shards must agree on, in words. Without a half-life every round counts alike, from wherever its
    /// age is reckoned.
    fn terms(&self) -> String {
        let layout = self.sums.layout().digest();
        let age = match self.decay.half_life_days {
            None => "rounds of every age alike".to_owned(),
            Some(days) => format!(
                "a half-life of {days} days from second {}",
                self.decay.landmark_seconds
            ),
        };
        let held = match self.anchor {
            None => "its own way".to_owned(),
            Some(Anchor {
                exploration,
                tilt_minor,
            }) => format!("held to the ladder at {exploration}, {tilt_minor}"),
        };
        format!(
            "{layout} over features {}, {age}, {held}",
            self.feature_fingerprint
        )
    }
}

/// Leaves the latest four weeks of days on which something was decided.
pub(super) fn keep_latest(days: &mut BTreeMap<i64, u64>) {
    while days.len() > BUSY_DAYS {
        days.pop_first();
    }
}
