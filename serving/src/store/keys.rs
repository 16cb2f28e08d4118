//! The keys by which records are found, and under which there is one of a kind at most.

use super::record::{self, Catalogues};
use super::{Entry, Kind};
use lagom_features::domain::{DecisionId, RequestId};

/// What leads from keys to records. Numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Index {
    Decision = 1,
    Request = 2,
    Outcome = 3,
    Catalogue = 4,
}

impl Index {
    pub(super) const ALL: [Self; 4] = [
        Self::Decision,
        Self::Request,
        Self::Outcome,
        Self::Catalogue,
    ];

    /// Its place in [`Self::ALL`].
    pub(super) const fn place(self) -> usize {
        self as usize - 1
    }

    /// Its name, for a person and as a table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Request => "request",
            Self::Outcome => "outcome",
            Self::Catalogue => "catalogue",
        }
    }

    /// A key of it, for a person.
    pub(super) fn said(self, key: &str) -> String {
        let what = match self {
            Self::Decision => "decision",
            Self::Request => "request",
            Self::Outcome => "the outcome of decision",
            Self::Catalogue => "the catalogue of strategy",
        };
        format!("{what} `{key}`")
    }
}

/// A key under which a record can be found, and only once.
#[derive(Debug)]
pub(super) enum Key {
    None,
    Decision {
        decision_id: DecisionId,
        request_id: RequestId,
    },
    Outcome {
        decision_id: DecisionId,
    },
    Catalogue {
        strategy_id: String,
    },
}

impl Key {
    pub(super) fn of(entry: &Entry) -> Self {
        match entry {
            Entry::Decided(one) => Self::Decision {
                decision_id: one.decision_id.clone(),
                request_id: one.request_id.clone(),
            },
            Entry::Matured(one) => Self::Outcome {
                decision_id: one.decision_id.clone(),
            },
            Entry::Catalogue(one) => Self::Catalogue {
                strategy_id: one.strategy_id.clone(),
            },
            _ => Self::None,
        }
    }

    /// The rows that lead from a key to its record.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Index, &str)> {
        let (first, second) = match self {
            Self::None => (None, None),
            Self::Decision {
                decision_id,
                request_id,
            } => (
                Some((Index::Decision, decision_id.as_str())),
                Some((Index::Request, request_id.as_str())),
            ),
            Self::Outcome { decision_id } => (Some((Index::Outcome, decision_id.as_str())), None),
            Self::Catalogue { strategy_id } => {
                (Some((Index::Catalogue, strategy_id.as_str())), None)
            }
        };
        first.into_iter().chain(second)
    }
}

/// A record ready to be written.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) kind: Kind,
    pub(super) body: Vec<u8>,
    pub(super) key: Key,
    /// What it is about, on a log that others write too.
    pub(super) about: Option<String>,
}

/// What every replica is about that is about no customer: no customer has an empty id.
pub(super) const HOUSE: &str = "";

/// What must not have changed unseen when `entry` is written: its customer, or for what concerns
/// all of them [`HOUSE`]. Whoever writes about a customer must have seen the latter too. What is learnt is guarded by the lease, a catalogue by its key.
pub(super) fn about(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Recorded(one) => Some(one.customer_id().as_str()),
        Entry::Decided(one) | Entry::Shadowed(one) => Some(one.customer_id.as_str()),
        Entry::Reserved(one) => Some(one.customer_id.as_str()),
        Entry::Assigned(one) => Some(one.customer_id.as_str()),
        Entry::Policy(_) | Entry::Phase(_) | Entry::Staged(_) | Entry::Forgotten { .. } => {
            Some(HOUSE)
        }
        Entry::Catalogue(_) | Entry::Matured(_) | Entry::Published(_) => None,
    }
}

impl Encoded {
    pub(super) fn of(entry: &Entry, catalogues: &Catalogues) -> Self {
        Self {
            kind: entry.kind(),
            body: record::encode(entry, catalogues),
            key: Key::of(entry),
            about: about(entry).map(str::to_owned),
        }
    }
}
