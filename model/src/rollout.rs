//! Which version decides, and how another takes over from it: by steps, with a way back.
//!
//! ```text
//! trained ──> shadow ──> canary ──> live        shadow decides without effect, a canary for a share
//!               └──────────┴──> withdrawn       of the customers; by hand, or by the guardrails
//! ```
//! Every step is kept with its instant and its reason. This is the document and its transitions;
//! reading and writing it is done elsewhere.

pub mod guard;

use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Steps that are kept; the oldest go first.
const KEPT: usize = 500;

/// How far a candidate has come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stage {
    /// It decides beside the version in force, without effect.
    Shadow,
    /// It decides for a share of the customers, the same ones as long as the share does not fall.
    Canary {
        /// The share, in (0, 1).
        share: f64,
    },
}

impl Stage {
    /// The share of the customers for whom it decides.
    #[must_use]
    pub const fn share(self) -> f64 {
        match self {
            Self::Shadow => 0.0,
            Self::Canary { share } => share,
        }
    }

    /// Its name without the share.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Canary { .. } => "canary",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shadow => f.write_str("shadow"),
            Self::Canary { share } => write!(f, "canary={share}"),
        }
    }
}

/// Where a version is to be put.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Beside the version in force.
    Stage(Stage),
    /// In its place.
    Live,
}

/// A stage that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no stage; write shadow, canary=SHARE with a share in (0, 1), or live")]
pub struct UnknownStage(String);

impl FromStr for Target {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Self, UnknownStage> {
        let unknown = || UnknownStage(text.to_owned());
        match text.split_once('=') {
            None if text == "shadow" => Ok(Self::Stage(Stage::Shadow)),
            None if text == "live" => Ok(Self::Live),
            Some(("canary", share)) => {
                let share = share.parse().map_err(|_| unknown())?;
                let open = share > 0.0 && share < 1.0;
                open.then_some(Self::Stage(Stage::Canary { share }))
                    .ok_or_else(unknown)
            }
            _ => Err(unknown()),
        }
    }
}

/// A version on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Which.
    pub id: String,
    /// Where it stands.
    pub stage: Stage,
    /// Number of the step that put it there.
    pub number: u64,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The version began to decide without effect.
    Shadow,
    /// The version began to decide for this share of the customers.
    Canary(f64),
    /// The version took over.
    Live,
    /// The version before it took over again.
    RolledBack,
    /// The version is no longer a candidate.
    Withdrawn,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// One above that of the step before it, from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Of which version.
    pub model: String,
    /// What was done.
    pub step: Step,
    /// Why.
    pub reason: String,
}

/// Which versions are in force, and the steps that led there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pointers {
    /// The version that decides.
    pub current: Option<String>,
    /// The one before it; what a rollback returns to.
    pub previous: Option<String>,
    /// The one that may come after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
    /// What was done, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StepError {
    /// There is nothing to return to.
    #[error("no version was in force before the current one; promote one instead")]
    NoPrevious,
    /// There is nobody to stand beside.
    #[error("no version is in force, so there is nothing to try another beside; promote it live")]
    NoCurrent,
    /// It is there already.
    #[error("{0} is in force already")]
    IsCurrent(String),
}

impl Pointers {
    /// `id` decides from now on, and what decided becomes previous. Promoting the version in force
    /// takes a candidate off its way, and otherwise changes nothing.
    #[must_use]
    pub fn promote(mut self, id: &str, at: Timestamp, reason: &str) -> Self {
        if self.current.as_deref() == Some(id) && self.candidate.is_none() {
            return self;
        }
        if self.current.as_deref() != Some(id) {
            self.previous = self.current.replace(id.to_owned());
        }
        self.candidate = None;
        self.took(id, Step::Live, at, reason);
        self
    }

    /// `id` stands beside the version in force from now on; another candidate gives way.
    ///
    /// # Errors
    /// [`StepError`] where no other version is in force.
    pub fn stage(
        mut self,
        id: &str,
        stage: Stage,
        at: Timestamp,
        reason: &str,
    ) -> Result<Self, StepError> {
        match self.current.as_deref() {
            None => return Err(StepError::NoCurrent),
            Some(current) if current == id => return Err(StepError::IsCurrent(id.to_owned())),
            Some(_) => {}
        }
        let step = match stage {
            Stage::Shadow => Step::Shadow,
            Stage::Canary { share } => Step::Canary(share),
        };
        let number = self.took(id, step, at, reason);
        self.candidate = Some(Candidate {
            id: id.to_owned(),
            stage,
            number,
        });
        Ok(self)
    }

    /// The candidate that was put there by step `number` is one no longer; another stays.
    #[must_use]
    pub fn withdraw(mut self, number: u64, at: Timestamp, reason: &str) -> Self {
        if let Some(candidate) = self.candidate.take_if(|one| one.number == number) {
            self.took(&candidate.id, Step::Withdrawn, at, reason);
        }
        self
    }

    /// Undoes the last step: takes the candidate off its way or, where there is none, lets the
    /// previous version decide again.
    ///
    /// # Errors
    /// [`StepError::NoPrevious`] where there is neither.
    pub fn rollback(mut self, at: Timestamp, reason: &str) -> Result<Self, StepError> {
        if let Some(number) = self.candidate.as_ref().map(|one| one.number) {
            return Ok(self.withdraw(number, at, reason));
        }
        let id = self.previous.take().ok_or(StepError::NoPrevious)?;
        self.previous = self.current.replace(id.clone());
        self.took(&id, Step::RolledBack, at, reason);
        Ok(self)
    }

    /// The version before `id` decides again, if `id` is in force; a candidate stays. Nothing changes
    /// where another one is in force by now.
    ///
    /// Where `id` itself decides by a rollback, what is called previous is what was rolled back; returning to
    /// that would let two harmful versions take turns.
    ///
    /// # Errors
    /// [`StepError::NoPrevious`] where there is none to return to.
    pub fn take_back(mut self, id: &str, at: Timestamp, reason: &str) -> Result<Self, StepError> {
        if self.current.as_deref() != Some(id) {
            return Ok(self);
        }
        let taking_over = |one: &&Change| matches!(one.step, Step::Live | Step::RolledBack);
        let latest = self.changes.iter().rev().find(taking_over);
        if latest.is_some_and(|one| one.step == Step::RolledBack) {
            return Err(StepError::NoPrevious);
        }
        let before = self.previous.take().ok_or(StepError::NoPrevious)?;
        self.candidate.take_if(|one| one.id == before);
        self.previous = self.current.replace(before.clone());
        self.took(&before, Step::RolledBack, at, reason);
        Ok(self)
    }

    fn took(&mut self, id: &str, step: Step, at: Timestamp, reason: &str) -> u64 {
        let number = self.changes.last().map_or(1, |last| last.number + 1);
        self.changes.push(Change {
            number,
            at,
            model: id.to_owned(),
            step,
            reason: reason.to_owned(),
        });
        let over = self.changes.len().saturating_sub(KEPT);
        self.changes.drain(..over);
        number
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(day: u8) -> Timestamp {
        Timestamp::parse(&format!("2026-03-{day:02}")).unwrap()
    }

    #[test]
    fn a_version_goes_from_shadow_to_canary_to_live_and_back() {
        let none = Pointers::default();
        let refused = none.clone().stage("b", Stage::Shadow, at(1), "");
        assert_eq!(refused, Err(StepError::NoCurrent));
        assert_eq!(none.clone().rollback(at(1), ""), Err(StepError::NoPrevious));
        let one = none.promote("a", at(1), "first");
        let same = one.clone().stage("a", Stage::Shadow, at(1), "");
        assert_eq!(same, Err(StepError::IsCurrent("a".to_owned())));
        let shadow = one.stage("b", Stage::Shadow, at(2), "try").unwrap();
        let canary = shadow
            .stage("b", Stage::Canary { share: 0.1 }, at(3), "")
            .unwrap();
        let candidate = canary.candidate.clone().unwrap();
        assert_eq!((candidate.number, candidate.stage.share()), (3, 0.1));
        // A rollback meant for the shadow does not end the canary.
        assert_eq!(canary.clone().withdraw(2, at(4), "late"), canary);
        let stopped = canary.clone().withdraw(3, at(4), "harm");
        assert_eq!(stopped.current.as_deref(), Some("a"));
        assert!(stopped.candidate.is_none());
        assert_eq!(stopped.changes.last().unwrap().reason, "harm");
        let live = canary.promote("b", at(5), "");
        assert_eq!(live.previous.as_deref(), Some("a"));
        assert!(live.candidate.is_none());
        let taken = live.clone().take_back("b", at(6), "harm").unwrap();
        assert_eq!(taken.current.as_deref(), Some("a"));
        let again = taken.clone().take_back("b", at(7), "late").unwrap();
        assert_eq!(again, taken, "another one is in force by now");
        let back = live.rollback(at(6), "").unwrap();
        assert_eq!(back.current.as_deref(), Some("a"));
        assert_eq!(back.previous.as_deref(), Some("b"));
        assert_eq!(back.changes.last().unwrap().number, 5);
    }

    #[test]
    fn two_harmful_versions_do_not_take_turns() {
        let live = Pointers::default()
            .promote("a", at(1), "")
            .promote("b", at(2), "");
        let taken = live.take_back("b", at(3), "harm").unwrap();
        // The service then lets the ladder decide.
        let refused = taken.clone().take_back("a", at(4), "harm");
        assert_eq!(refused, Err(StepError::NoPrevious));
        // By hand anything may be brought back, and is guarded anew.
        let again = taken.promote("c", at(5), "");
        let back = again.take_back("c", at(6), "harm").unwrap();
        assert_eq!(back.current.as_deref(), Some("a"));
    }

    #[test]
    fn a_rollback_takes_the_candidate_first() {
        let staged = Pointers::default()
            .promote("a", at(1), "")
            .promote("b", at(1), "")
            .stage("c", Stage::Shadow, at(2), "")
            .unwrap();
        let back = staged.rollback(at(3), "").unwrap();
        assert_eq!(back.current.as_deref(), Some("b"));
        assert!(back.candidate.is_none());
    }

    #[test]
    fn stages_are_read_as_written_and_pointers_of_before_are_read() {
        for text in ["shadow", "canary=0.05"] {
            let Target::Stage(stage) = text.parse().unwrap() else {
                panic!("{text}");
            };
            assert_eq!(stage.to_string(), text);
        }
        for text in [
            "canary",
            "canary=0",
            "canary=1",
            "canary=NaN",
            "canary=x",
            "on",
            "",
            "live=1",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
        let before = r#"{"current":"a","previous":null}"#;
        let read: Pointers = serde_json::from_str(before).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), before);
        let staged = read
            .stage("b", Stage::Canary { share: 0.2 }, at(1), "x")
            .unwrap();
        let text = serde_json::to_string(&staged).unwrap();
        assert_eq!(serde_json::from_str::<Pointers>(&text).unwrap(), staged);
    }
}
