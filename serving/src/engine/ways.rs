//! Other ways to learn and to choose pass the gate: catalogue, context, prior and exploration change
//! only where the version in force was judged under the new ones, or somebody says why not.
//!
//! ```text
//! nothing learnt yet ──────────────────────────────────┐
//! the ways of what was published last ─────────────────┤
//! a passing verdict of the version in force under them ├──> in force
//! [bandit.in_spite] names them ────────────────────────┘         else refused; the old ones stay
//! ```
//! More outcomes of the same, weights, prices, guardrails and shares flow: they are no ways.

use super::change::Learnt;
use crate::config::Config;
use crate::registry;
use lagom_model::bandit::{Digest, Generation};
use thiserror::Error;

/// Why other ways of the bandit are refused.
#[derive(Debug, Clone, Error)]
#[error(
    "[bandit] or the catalogue now says to learn or to choose in other ways than those that learnt from \
     {outcomes} outcomes, and no verdict speaks for them. Run `lagom evaluate --data DIR --policy \
     {policy} --config FILE` with the new file and take it up if it passes; or write why it is taken \
     up all the same:\n[bandit.in_spite]\nways = \"{ways}\"\nreason = \"...\""
)]
pub struct Unproven {
    /// What the old ways learnt from.
    pub outcomes: u64,
    /// The version in force, or what a policy without one is called.
    pub policy: String,
    /// The new ways.
    pub ways: Digest,
}

/// Whether what was learnt may be published under the configuration.
pub(super) fn check(learnt: &Learnt, config: &Config) -> Result<(), Unproven> {
    let ways = learnt.learning.generation().ways();
    let Some(last) = learnt.published.as_ref().filter(|last| last.outcomes > 0) else {
        return Ok(());
    };
    // A publication whose state was erased, or is of an older format, cannot be compared.
    let before = serde_json::from_slice::<Generation>(&last.state);
    if before.map_or(true, |before| before.ways() == ways) {
        return Ok(());
    }
    let pointers = registry::pointers(&config.models).unwrap_or_default();
    let judged = pointers.current.as_deref().and_then(|id| {
        let judged = registry::judged(&config.models, id);
        judged.unwrap_or_else(|error| {
            tracing::warn!(%error, "the verdict of the version in force is not counted");
            None
        })
    });
    if let Some(judged) = judged.filter(|one| one.ways == Some(ways))
        && judged.valuation.verdict.passed
    {
        tracing::info!(
            verdict = judged.valuation.verdict.words,
            "the bandit has other ways"
        );
        return Ok(());
    }
    if let Some(in_spite) = config.in_spite.as_ref().filter(|one| one.ways == ways) {
        tracing::warn!(
            reason = in_spite.reason,
            "the bandit has other ways, unproven"
        );
        return Ok(());
    }
    Err(Unproven {
        outcomes: last.outcomes,
        policy: pointers.current.unwrap_or_else(|| "bandit".to_owned()),
        ways,
    })
}
