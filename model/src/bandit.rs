//! The bandit: learns what each action is worth in a context, and chooses with known probabilities.
//!
//! ```text
//! matured rounds ─fold→ SufficientStatistics ─fit→ Generation ─valuation→ Scorer ─decide→ probabilities
//!                        sums, exact                immutable              heads combined     │ draw
//!                                                                                             action
//! ```
//! * [`ActionSpace`]: the catalogue, actions as combinations of facet levels.
//! * [`Layout`]: where each coefficient lives.
//! * [`SufficientStatistics`]: additive sums that merge, forget and rebuild to the bit.
//! * [`Generation`]: a published fit; with a valuation, a context and an eligible set it determines every
//!   probability.
//! * [`Recovery`]: what still comes in when a window has closed.
//! * [`Scorer`]: scores hundreds of actions from a few inner products and writes their distribution.
//! * [`explore`]: the rules, each in closed form, behind one trait.
//! * [`draw`](fn@draw): one number a decision, from its id.
//! * [`Learner`]: folds and publishes on a schedule that is part of the configuration.

mod action_space;
mod base_measure;
mod cholesky;
mod config;
mod deviation;
mod digest;
mod doubt;
mod draw;
mod eligible;
mod error;
mod evidence;
mod explain;
pub mod explore;
mod fit;
#[cfg(test)]
mod fixture;
mod generation;
mod layout;
mod learner;
mod normal_equations;
mod prior;
mod recovery;
mod scorer;
pub mod statistics;

pub use action_space::{ActionSpace, Facet, FacetPair};
pub use base_measure::{BaseMeasure, BaseMeasureConfig, BaseScratch, BaseShape};
pub use config::{BanditConfig, Exploration, Refresh};
pub use digest::Digest;
pub use draw::{draw, select};
pub use eligible::ActionSet;
pub use error::BanditError;
pub use explain::{Contribution, HeadExplanation};
pub use generation::{Anchor, Aside, Generation};
pub use layout::{Atom, AtomKind, Layout, Role};
pub use learner::Learner;
pub use prior::{PriorScales, Shrinkage};
pub use recovery::Recovery;
pub use scorer::{Scorer, Scratch, Valuation};
pub use statistics::{ForwardDecay, Round, SufficientStatistics};
