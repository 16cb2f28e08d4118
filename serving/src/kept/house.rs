//! What the log adds up to that is no customer's.

use crate::experiment::Phase;
use crate::rollout::Staged;
use crate::store::{Entry, PolicyChange, from_record, to_record};
use lagom_features::domain::Timestamp;
use lagom_model::rollout::Stage;
use serde::{Deserialize, Serialize};

/// Phases of experiments, the last pause, the last stage of a rollout, and the latest time seen.
#[derive(Debug, Clone)]
pub(crate) struct House {
    pub(crate) phases: Vec<Phase>,
    pub(crate) policy: Option<PolicyChange>,
    /// With the number of its record.
    pub(crate) staged: Option<(i64, Staged)>,
    pub(crate) last: Timestamp,
}

impl Default for House {
    fn default() -> Self {
        Self {
            phases: Vec::new(),
            policy: None,
            staged: None,
            last: Timestamp::MIN,
        }
    }
}

impl House {
    /// Takes in a record, as far as it is about the house.
    pub(crate) fn take(&mut self, seq: i64, entry: &Entry) {
        match entry {
            Entry::Recorded(one) => self.passed(one.recorded_at),
            Entry::Decided(one) => self.passed(one.decided_at),
            Entry::Reserved(one) => self.passed(one.reserved_at),
            Entry::Policy(one) => self.policy = Some(one.clone()),
            Entry::Phase(one) => self.phases.push(Phase::clone(one)),
            Entry::Staged(one) => {
                self.passed(one.at);
                self.staged = Some((seq, Staged::clone(one)));
            }
            Entry::Matured(_)
            | Entry::Published(_)
            | Entry::Catalogue { .. }
            | Entry::Assigned(_)
            | Entry::Shadowed(_)
            | Entry::Forgotten { .. } => {}
        }
    }

    fn passed(&mut self, at: Timestamp) {
        self.last = self.last.max(at);
    }

    /// The record before which a canary has seen nothing, where one is under way: what it has seen since
    /// is read from the log.
    pub(crate) fn watched_since(&self) -> Option<i64> {
        let (seq, staged) = self.staged.as_ref()?;
        matches!(staged.stage, Some(Stage::Canary { .. })).then_some(seq - 1)
    }
}

/// The form in which it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredHouse {
    last: i64,
    staged_at: Option<i64>,
    /// Kinds and bodies as in the log: phases in order, then pause and stage.
    records: Vec<(u8, Vec<u8>)>,
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
        house.last = Timestamp::from_micros(self.last).map_err(|error| error.to_string())?;
        Ok(house)
    }
}
