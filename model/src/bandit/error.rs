//! What can be wrong with what the bandit is handed.

use thiserror::Error;

/// A refusal of the bandit, with the numbers that disagree.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum BanditError {
    /// A catalogue without facets, levels or actions decides nothing.
    #[error("the action catalogue has no {missing}; declare at least one")]
    EmptyCatalogue {
        /// What there is none of.
        missing: &'static str,
    },
    /// An action names another number of facets than the catalogue has.
    #[error("action {action} has {found} facet levels where the catalogue has {expected} facets")]
    FacetCount {
        /// Index of the action in the catalogue.
        action: usize,
        /// Levels the action gives.
        found: usize,
        /// Facets of the catalogue.
        expected: usize,
    },
    /// An action names a level its facet does not have.
    #[error("action {action} asks for level {level} of facet `{facet}`, which has {levels} levels")]
    UnknownLevel {
        /// Index of the action in the catalogue.
        action: usize,
        /// Name of the facet.
        facet: String,
        /// The level asked for.
        level: usize,
        /// Levels the facet has.
        levels: usize,
    },
    /// Two actions are the same combination of levels.
    #[error(
        "actions {first} and {second} are the same combination of levels; drop one or add a facet that tells them apart"
    )]
    DuplicateAction {
        /// Index of the earlier action.
        first: usize,
        /// Index of the later action.
        second: usize,
    },
    /// An index points outside the catalogue.
    #[error("action {action} is not among the catalogue's {actions} actions")]
    UnknownAction {
        /// The index asked for.
        action: usize,
        /// Actions of the catalogue.
        actions: usize,
    },
    /// A decision was asked for among no actions at all.
    #[error(
        "no action is eligible; the guardrails always leave waiting, so the eligible set was not built from them"
    )]
    NothingEligible,
    /// A vector has another length than its layout says.
    #[error("{what} has {found} entries where {expected} are expected")]
    Length {
        /// Which vector.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length expected.
        expected: usize,
    },
    /// A number is not finite, or beyond what the fixed-point sums carry exactly.
    #[error("{what} {index} is {value}, beyond ±{limit}; scale it before it reaches the bandit")]
    OutOfRange {
        /// Which quantity.
        what: &'static str,
        /// Its position.
        index: usize,
        /// Its value.
        value: f64,
        /// The largest magnitude that is carried exactly.
        limit: f64,
    },
    /// A parameter of the configuration is outside its range.
    #[error("`{name}` is {value}; it must be {expected}")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Its range in words.
        expected: &'static str,
    },
    /// Sums of different layouts cannot be added, subtracted or fitted together.
    #[error(
        "the sums have layout {found} where {expected} is expected; rebuild them from the log under the present catalogue and features"
    )]
    ForeignSums {
        /// Digest of the layout found.
        found: String,
        /// Digest of the layout expected.
        expected: String,
    },
    /// The fixed-point sums cannot take more without risk of overflow.
    #[error(
        "the sums hold as much as 128 bits carry exactly; move the decay's landmark forward and rebuild them from the log"
    )]
    SumsFull,
    /// More was forgotten than had been learnt.
    #[error(
        "forgetting {removed} rounds from sums of {held} rounds; only what was folded in can be taken out"
    )]
    ForgetsMoreThanHeld {
        /// Rounds to take out.
        removed: u64,
        /// Rounds held.
        held: u64,
    },
    /// The normal equations are not positive definite.
    #[error(
        "the normal equations of block {block} are not positive definite: pivot {pivot} is {value:e}; raise the prior's penalties or rebuild the sums from the log"
    )]
    NotPositiveDefinite {
        /// Which block.
        block: usize,
        /// Which pivot.
        pivot: usize,
        /// Its value.
        value: f64,
    },
    /// A stored form was written by another version.
    #[error("stored {what} has version {found}; this build reads version {expected}")]
    FormVersion {
        /// What was stored.
        what: &'static str,
        /// The version found.
        found: u32,
        /// The version read.
        expected: u32,
    },
    /// A stored generation is not what it was when it was published.
    #[error(
        "the generation's content has digest {found} where {expected} was published; restore it from the registry"
    )]
    Altered {
        /// Digest of the content.
        found: String,
        /// Digest that was published.
        expected: String,
    },
}
