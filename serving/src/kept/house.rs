//! What the log adds up to that is no customer's.

use crate::experiment::Phase;
use crate::rollout::{Staged, decides_for_all};
use crate::store::{Entry, PolicyChange, from_record, to_record};
use lagom_features::domain::Timestamp;
use lagom_model::log::Decision;
use lagom_model::rollout::Stage;
use serde::{Deserialize, Serialize};

/// Phases of experiments, the last pause, the last stage of a rollout, and the latest time seen.
#[derive(Debug, Clone)]
pub(crate) struct House {
    pub(crate) phases: Vec<Phase>,
    pub(crate) policy: Option<PolicyChange>,
    /// With the number of its record.
    pub(crate) staged: Option<(i64, Staged)>,
    live: Option<Live>,
    pub(crate) last: Timestamp,
}

/// A version that decides for all beside a holdout.
#[derive(Debug, Clone)]
struct Live {
    model: String,
    /// The record of its first decision.
    first: i64,
    /// The last stage before it.
    staged: Option<Staged>,
}

impl Default for House {
    fn default() -> Self {
        Self {
            phases: Vec::new(),
            policy: None,
            staged: None,
            live: None,
            last: Timestamp::MIN,
        }
    }
}

impl House {
    /// Takes in a record, as far as it is about the house.
    pub(crate) fn take(&mut self, seq: i64, entry: &Entry) {
        match entry {
            Entry::Recorded(one) => self.passed(one.recorded_at),
            Entry::Decided(one) => {
                self.passed(one.decided_at);
                self.decided(seq, one);
            }
            Entry::Reserved(one) => self.passed(one.reserved_at),
            Entry::Policy(one) => {
                self.policy = Some(one.clone());
                self.live = None;
            }
            Entry::Phase(one) => self.phases.push(Phase::clone(one)),
            Entry::Staged(one) => {
                self.passed(one.at);
                self.staged = Some((seq, Staged::clone(one)));
            }
            Entry::Matured(_)
            | Entry::Published(_)
            | Entry::Catalogue(_)
            | Entry::Assigned(_)
            | Entry::Shadowed(_)
            | Entry::Forgotten { .. } => {}
        }
    }

    fn passed(&mut self, at: Timestamp) {
        self.last = self.last.max(at);
    }

    fn decided(&mut self, seq: i64, decision: &Decision) {
        let staged = self.staged.as_ref().map(|(_, staged)| staged);
        if let Some(model) = decides_for_all(decision, staged)
            && self.live.as_ref().is_none_or(|live| live.model != model)
        {
            self.live = Some(Live {
                model: model.to_owned(),
                first: seq,
                staged: staged.cloned(),
            });
        }
    }

    /// The record before which neither a canary that is under way nor the version in force beside a
    /// holdout has seen anything, where there is such: what they have seen since is read from the log.
    /// And the last stage before it.
    pub(crate) fn watched_since(&self) -> Option<(i64, Option<&Staged>)> {
        let staged = self.staged.as_ref();
        let canary = staged
            .filter(|(_, staged)| matches!(staged.stage, Some(Stage::Canary { .. })))
            .map(|(seq, staged)| (seq - 1, Some(staged)));
        let live = self.live.as_ref();
        let live = live.map(|live| (live.first - 1, live.staged.as_ref()));
        canary.into_iter().chain(live).min_by_key(|(seq, _)| *seq)
    }
}

/// The form in which it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredHouse {
    last: i64,
    staged_at: Option<i64>,
    live: Option<StoredLive>,
    /// Kinds and bodies as in the log: phases in order, then pause and stage.
    records: Vec<(u8, Vec<u8>)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredLive {
    model: String,
    first: i64,
    /// Kind and body as in the log.
    staged: Option<(u8, Vec<u8>)>,
}

pub(super) fn stage_record(staged: &Staged) -> (u8, Vec<u8>) {
    to_record(&Entry::Staged(Box::new(staged.clone())))
}

/// The stage that [`stage_record`] wrote.
pub(super) fn read_stage((kind, body): (u8, Vec<u8>)) -> Result<Staged, String> {
    match from_record(kind, &body)? {
        Entry::Staged(one) => Ok(*one),
        other => Err(format!("{other:?} is no stage")),
    }
}

impl From<&House> for StoredHouse {
    fn from(house: &House) -> Self {
        let phases = house.phases.iter().cloned();
        let phases = phases.map(|one| Entry::Phase(Box::new(one)));
        let policy = house.policy.iter().cloned().map(Entry::Policy);
        let staged = house.staged.iter().cloned();
        let staged = staged.map(|(_, one)| Entry::Staged(Box::new(one)));
        let all = phases.chain(policy).chain(staged);
        Self {
            last: house.last.micros(),
            staged_at: house.staged.as_ref().map(|(seq, _)| *seq),
            live: house.live.as_ref().map(|live| StoredLive {
                model: live.model.clone(),
                first: live.first,
                staged: live.staged.as_ref().map(stage_record),
            }),
            records: all.map(|entry| to_record(&entry)).collect(),
        }
    }
}

impl StoredHouse {
    pub(super) fn read(self) -> Result<House, String> {
        let mut house = House::default();
        for (kind, body) in self.records {
            let entry = from_record(kind, &body)?;
            house.take(self.staged_at.unwrap_or_default(), &entry);
        }
        if let Some(live) = self.live {
            let staged = live.staged.map(read_stage).transpose()?;
            house.live = Some(Live {
                model: live.model,
                first: live.first,
                staged,
            });
        }
        house.last = Timestamp::from_micros(self.last).map_err(|error| error.to_string())?;
        Ok(house)
    }
}
