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
//! A level of the first facet that is dear to try may count as less than one level; where nothing but such
//! levels is eligible, what they leave is the reference's.
//!
//! An importance weight of a facet level is then bounded by that level's share, not by the action's.

use std::collections::BTreeMap;

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BaseMeasureConfig {
    /// The shape over the actions other than the reference.
    pub shape: BaseShape,
    /// Share of the reference action (waiting), in `(0, 1)`.
    pub reference_share: f64,
    /// As how much of a level each level of the first facet counts, by its name, in `(0, 1]`; 1 where it
    /// is not named.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, f64>,
}

impl Default for BaseMeasureConfig {
    fn default() -> Self {
        Self {
            shape: BaseShape::Tree,
            reference_share: 0.5,
            weights: BTreeMap::new(),
        }
    }
}

impl BaseMeasureConfig {
    /// Refuses a share outside `(0, 1)` and a weight outside `(0, 1]`.
    ///
    /// # Errors
    /// With a share of 0 or 1, or a weight of 0, some action would never be explored, and nothing could be
    /// said of it.
    pub fn check(&self) -> Result<(), BanditError> {
        let share = self.reference_share;
        if !(share > 0.0 && share < 1.0) {
            return Err(BanditError::Parameter {
                name: "base_measure.reference_share",
                value: share,
                expected: "above 0 and below 1",
            });
        }
        let good = |weight: f64| weight > 0.0 && weight <= 1.0;
        match self.weights.values().find(|&&weight| !good(weight)) {
            Some(&value) => Err(BanditError::Parameter {
                name: "base_measure.weights",
                value,
                expected: "above 0 and at most 1",
            }),
            None => Ok(()),
        }
    }
}

/// The base measure of a catalogue, ready to be restricted to any eligible set.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseMeasure {
    /// Parent of each inner node; parents come before their children, node 0 is the root.
    parents: Vec<u32>,
    /// As how many children each inner node counts beneath its parent.
    counts: Vec<f64>,
    /// The inner node each action hangs from.
    parent_of: Vec<u32>,
    /// As how many children each action counts beneath it.
    action_counts: Vec<f64>,
    reference: Option<usize>,
    reference_share: f64,
}

/// Room for the inner nodes' counts and masses, reused from decision to decision.
#[derive(Debug, Clone, Default)]
pub struct BaseScratch {
    live: Vec<f64>,
    each: Vec<f64>,
}

impl BaseMeasure {
    /// Builds the tree of a catalogue.
    #[must_use]
    pub fn new(space: &ActionSpace, config: &BaseMeasureConfig) -> Self {
        let names = &space.facets()[0].levels;
        let weight = |level: u16| config.weights.get(&names[usize::from(level)]);
        let weight = |level: u16| weight(level).copied().unwrap_or(1.0);
        let mut parents = vec![0];
        let mut counts = vec![1.0];
        let inner_facets = match config.shape {
            BaseShape::Tree => space.facets().len() - 1,
            BaseShape::Uniform => 0,
        };
        let mut order: Vec<usize> = (0..space.len())
            .filter(|&action| space.reference() != Some(action))
            .collect();
        order.sort_by_key(|&action| space.levels(action));
        let mut parent_of = vec![0_u32; space.len()];
        let mut action_counts = vec![1.0; space.len()];
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
                counts.push(if level_of_depth.is_empty() {
                    weight(level)
                } else {
                    1.0
                });
                level_of_depth.push((level, parents.len() as u32));
                parents.push(parent);
            }
            if levels.is_empty() {
                action_counts[action] = weight(space.levels(action)[0]);
            }
            parent_of[action] = level_of_depth.last().map_or(0, |&(_, node)| node);
        }
        Self {
            parents,
            counts,
            parent_of,
            action_counts,
            reference: space.reference(),
            reference_share: config.reference_share,
        }
    }

    /// Writes `μ` of each eligible action, in the order of `eligible`, which has no action twice.
    pub fn restrict(&self, eligible: &[u32], scratch: &mut BaseScratch, measure: &mut Vec<f64>) {
        let is_reference = |&action: &u32| self.reference == Some(action as usize);
        let has_reference = eligible.iter().any(is_reference);
        self.count_live(eligible, scratch);
        let others = match (has_reference, eligible.len()) {
            (true, 1) => 0.0,
            (true, _) => (1.0 - self.reference_share) * scratch.live[0].min(1.0),
            (false, _) => 1.0,
        };
        scratch.each.clear();
        for (node, (&live, &parent)) in scratch.live.iter().zip(&self.parents).enumerate() {
            let own = if node == 0 {
                others
            } else {
                scratch.each[parent as usize] * self.counts[node]
            };
            // Of a node without live children nobody asks.
            scratch.each.push(if live > 0.0 { own / live } else { 0.0 });
        }
        measure.clear();
        measure.extend(eligible.iter().map(|action| {
            if is_reference(action) {
                1.0 - others
            } else {
                let action = *action as usize;
                scratch.each[self.parent_of[action] as usize] * self.action_counts[action]
            }
        }));
    }

    /// Counts each inner node's children that have an eligible action beneath them.
    fn count_live(&self, eligible: &[u32], scratch: &mut BaseScratch) {
        scratch.live.clear();
        scratch.live.resize(self.parents.len(), 0.0);
        for &action in eligible {
            let action = action as usize;
            if self.reference == Some(action) {
                continue;
            }
            let mut node = self.parent_of[action] as usize;
            let mut count = self.action_counts[action];
            loop {
                let is_new = scratch.live[node] == 0.0;
                scratch.live[node] += count;
                if !is_new || node == 0 {
                    break;
                }
                count = self.counts[node];
                node = self.parents[node] as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests;
