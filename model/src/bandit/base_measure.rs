//! What exploration spreads over.
//!
//! A floor of `ε / n` over hundreds of actions is nearly all contact and leaves waiting with `1 / n`. The
//! tree splits each request's mass evenly among the levels of the first facet that have an eligible
//! action, then within each among those of the second, and so on; waiting has a share of its own.
//!
//! ```text
//! μ(reference) = share                            when other actions are eligible too
//! μ(a)         = (1 − share) Π_f 1 / (live levels of facet f beneath a's levels of the facets before f)
//! ```
//! An importance weight of a facet level is then bounded by that level's share, not by the action's.

use serde::{Deserialize, Serialize};

use super::action_space::ActionSpace;
use super::error::BanditError;

/// The shape of the base measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseShape {
    /// Evenly facet by facet, in the order in which the catalogue declares them.
    #[default]
    Tree,
    /// Evenly over the eligible actions.
    Uniform,
}

/// How the base measure is built.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BaseMeasureConfig {
    /// The shape over the actions other than the reference.
    pub shape: BaseShape,
    /// Share of the reference action (waiting), in `(0, 1)`.
    pub reference_share: f64,
}

impl Default for BaseMeasureConfig {
    fn default() -> Self {
        Self {
            shape: BaseShape::Tree,
            reference_share: 0.5,
        }
    }
}

impl BaseMeasureConfig {
    /// Refuses a share outside `(0, 1)`.
    ///
    /// # Errors
    /// With a share of 0 or 1 some action would never be explored, and nothing could be said of it.
    pub fn check(&self) -> Result<(), BanditError> {
        if self.reference_share > 0.0 && self.reference_share < 1.0 {
            return Ok(());
        }
        Err(BanditError::Parameter {
            name: "base_measure.reference_share",
            value: self.reference_share,
            expected: "above 0 and below 1",
        })
    }
}

/// The base measure of a catalogue, ready to be restricted to any eligible set.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseMeasure {
    /// Parent of each inner node; parents come before their children, node 0 is the root.
    parents: Vec<u32>,
    /// The inner node each action hangs from.
    parent_of: Vec<u32>,
    reference: Option<usize>,
    reference_share: f64,
}

/// Room for the inner nodes' counts and masses, reused from decision to decision.
#[derive(Debug, Clone, Default)]
pub struct BaseScratch {
    live: Vec<u32>,
    each: Vec<f64>,
}

impl BaseMeasure {
    /// Builds the tree of a catalogue.
    #[must_use]
    pub fn new(space: &ActionSpace, config: BaseMeasureConfig) -> Self {
        let mut parents = vec![0];
        let inner_facets = match config.shape {
            BaseShape::Tree => space.facets().len() - 1,
            BaseShape::Uniform => 0,
        };
        let mut order: Vec<usize> = (0..space.len())
            .filter(|&action| space.reference() != Some(action))
            .collect();
        order.sort_by_key(|&action| space.levels(action));
        let mut parent_of = vec![0_u32; space.len()];
        let mut level_of_depth: Vec<(u16, u32)> = Vec::new();
        for action in order {
            let levels = &space.levels(action)[..inner_facets];
            let shared = level_of_depth
                .iter()
                .zip(levels)
                .take_while(|((level, _), own)| level == *own)
                .count();
            level_of_depth.truncate(shared);
            for &level in &levels[shared..] {
                let parent = level_of_depth.last().map_or(0, |&(_, node)| node);
                level_of_depth.push((level, parents.len() as u32));
                parents.push(parent);
            }
            parent_of[action] = level_of_depth.last().map_or(0, |&(_, node)| node);
        }
        Self {
            parents,
            parent_of,
            reference: space.reference(),
            reference_share: config.reference_share,
        }
    }

    /// Writes `μ` of each eligible action, in the order of `eligible`, which has no action twice.
    pub fn restrict(&self, eligible: &[u32], scratch: &mut BaseScratch, measure: &mut Vec<f64>) {
        let is_reference = |&action: &u32| self.reference == Some(action as usize);
        let has_reference = eligible.iter().any(is_reference);
        let others = match (has_reference, eligible.len()) {
            (true, 1) => 0.0,
            (true, _) => 1.0 - self.reference_share,
            (false, _) => 1.0,
        };
        self.count_live(eligible, scratch);
        scratch.each.clear();
        for (node, (&live, &parent)) in scratch.live.iter().zip(&self.parents).enumerate() {
            let own = if node == 0 {
                others
            } else {
                scratch.each[parent as usize]
            };
            scratch.each.push(own / f64::from(live.max(1)));
        }
        measure.clear();
        measure.extend(eligible.iter().map(|action| {
            if is_reference(action) {
                1.0 - others
            } else {
                scratch.each[self.parent_of[*action as usize] as usize]
            }
        }));
    }

    /// Counts each inner node's children that have an eligible action beneath them.
    fn count_live(&self, eligible: &[u32], scratch: &mut BaseScratch) {
        scratch.live.clear();
        scratch.live.resize(self.parents.len(), 0);
        for &action in eligible {
            if self.reference == Some(action as usize) {
                continue;
            }
            let mut node = self.parent_of[action as usize] as usize;
            scratch.live[node] += 1;
            while scratch.live[node] == 1 && node != 0 {
                node = self.parents[node] as usize;
                scratch.live[node] += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
