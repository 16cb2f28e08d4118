//! What a record of the log says.

use super::Catalogue;
use crate::experiment::{Assignment, Phase};
use crate::recording::Recording;
use crate::rollout::Staged;
use lagom_features::domain::{Action, CustomerId, DecisionId, InvoiceId, Timestamp};
use lagom_model::log::{Decision, Outcome};
use std::sync::Arc;

/// A contact that ConfirmAction let through and that nobody has yet reported as sent or skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// By which decision.
    pub decision_id: DecisionId,
    /// Of whose contact budget.
    pub customer_id: CustomerId,
    /// About which invoice.
    pub invoice_id: InvoiceId,
    /// What is about to be sent.
    pub action: Action,
    /// When it was let through.
    pub reserved_at: Timestamp,
}

/// A publication of the policy's learning state. Its number decides nothing before it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Number of the generation.
    pub generation: u64,
    /// When it was published.
    pub published_at: Timestamp,
    /// How many outcomes had been folded into it.
    pub outcomes: u64,
    /// Experiments from whose customers nothing was learnt, by name.
    pub excluded: Vec<String>,
    /// The state, in the form that the model gives it.
    pub state: Vec<u8>,
}

impl Publication {
    /// The same without what had been learnt.
    #[must_use]
    pub fn without_state(self) -> Self {
        Self {
            state: Vec::new(),
            ..self
        }
    }
}

/// The policy was paused or resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChange {
    /// When.
    pub at: Timestamp,
    /// Whether the ladder decides from here on.
    pub paused: bool,
    /// Who or what asked for it.
    pub reason: String,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Something happened to a customer.
    Recorded(Box<Recording>),
    /// What a strategy may advise; named before anything is decided by it.
    Catalogue(Arc<Catalogue>),
    /// Advice was given.
    Decided(Arc<Decision>),
    /// A contact was let through.
    Reserved(Reservation),
    /// The window of a decision closed.
    Matured(Box<Outcome>),
    /// The learner published its state.
    Published(Publication),
    /// The policy was paused or resumed.
    Policy(PolicyChange),
    /// A customer was drawn into an arm.
    Assigned(Assignment),
    /// An experiment began, or what was agreed of it changed.
    Phase(Box<Phase>),
    /// What a candidate in shadow would have decided, under the id of the decision that was made.
    /// Features and refusals are those of that decision, and left out.
    Shadowed(Arc<Decision>),
    /// A candidate took up a stage, or left.
    Staged(Box<Staged>),
    /// A customer was erased; other replicas forget whoever has this digest.
    Forgotten {
        /// Of tenant and customer.
        digest: [u8; 32],
    },
}

/// The kind of a record, as numbered in the file. Numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// [`Entry::Recorded`].
    Recorded = 1,
    /// [`Entry::Catalogue`].
    Catalogue = 2,
    /// [`Entry::Decided`].
    Decided = 3,
    /// [`Entry::Reserved`].
    Reserved = 4,
    /// [`Entry::Matured`].
    Matured = 5,
    /// [`Entry::Published`].
    Published = 6,
    /// [`Entry::Policy`].
    Policy = 7,
    /// [`Entry::Assigned`].
    Assigned = 8,
    /// [`Entry::Phase`].
    Phase = 9,
    /// [`Entry::Shadowed`].
    Shadowed = 10,
    /// [`Entry::Staged`].
    Staged = 11,
    /// [`Entry::Forgotten`].
    Forgotten = 12,
}

impl Kind {
    /// The kind of a number, if there is one.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        const ALL: [Kind; 12] = [
            Kind::Recorded,
            Kind::Catalogue,
            Kind::Decided,
            Kind::Reserved,
            Kind::Matured,
            Kind::Published,
            Kind::Policy,
            Kind::Assigned,
            Kind::Phase,
            Kind::Shadowed,
            Kind::Staged,
            Kind::Forgotten,
        ];
        ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

impl Entry {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Recorded(_) => Kind::Recorded,
            Self::Catalogue(_) => Kind::Catalogue,
            Self::Decided(_) => Kind::Decided,
            Self::Reserved(_) => Kind::Reserved,
            Self::Matured(_) => Kind::Matured,
            Self::Published(_) => Kind::Published,
            Self::Policy(_) => Kind::Policy,
            Self::Assigned(_) => Kind::Assigned,
            Self::Phase(_) => Kind::Phase,
            Self::Shadowed(_) => Kind::Shadowed,
            Self::Staged(_) => Kind::Staged,
            Self::Forgotten { .. } => Kind::Forgotten,
        }
    }
}
