//! A small composed catalogue and seeded rounds for the tests.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{ActionSpace, BanditConfig, Facet, Layout, Round, SufficientStatistics};

/// `wait`, and reminders by two channels, three tones and two timings; waiting is the reference.
pub(crate) fn space() -> ActionSpace {
    let facets = vec![
        Facet::contextual("kind", ["wait", "reminder"]),
        Facet::contextual("channel", ["none", "email", "sms"]),
        Facet::contextual("tone", ["none", "friendly", "neutral", "firm"]),
        Facet::fixed("timing", ["none", "d1", "d3"]),
    ];
    let mut actions = vec![vec![0, 0, 0, 0]];
    for channel in 1..3 {
        for tone in 1..4 {
            for timing in 1..3 {
                actions.push(vec![1, channel, tone, timing]);
            }
        }
    }
    ActionSpace::new(facets, actions, Some(0)).unwrap()
}

pub(crate) fn layout(space: ActionSpace, context: usize, heads: usize) -> Arc<Layout> {
    let names = |prefix: &str, count: usize| (0..count).map(|i| format!("{prefix}{i}")).collect();
    Arc::new(Layout::new(space, names("x", context), names("head", heads)).unwrap())
}

/// A round that owns its numbers.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pub(crate) context: Vec<f64>,
    pub(crate) action: usize,
    pub(crate) heads: Vec<f64>,
    pub(crate) weight: f64,
}

impl Owned {
    pub(crate) fn round(&self) -> Round<'_> {
        Round {
            context: &self.context,
            action: self.action,
            heads: &self.heads,
            weight: self.weight,
        }
    }
}

/// Rounds in which the first head depends on action and context, the others are noise.
pub(crate) fn rounds(layout: &Layout, count: usize, seed: u64) -> Vec<Owned> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut signed = move || rng.random::<f64>() * 2.0 - 1.0;
    (0..count)
        .map(|_| {
            let context: Vec<f64> = layout.context().iter().map(|_| signed()).collect();
            let actions = layout.space().len();
            let action = (((signed() + 1.0) * 0.5 * actions as f64) as usize).min(actions - 1);
            let mut heads: Vec<f64> = layout.heads().iter().map(|_| signed()).collect();
            let lean = context.first().copied().unwrap_or(0.0);
            heads[0] = action as f64 / actions as f64 + 0.5 * lean + 0.1 * heads[0];
            Owned {
                context,
                action,
                heads,
                weight: 0.1 + (signed() + 1.0),
            }
        })
        .collect()
}

pub(crate) fn sums(layout: &Arc<Layout>, rounds: &[Owned]) -> SufficientStatistics {
    let mut sums = SufficientStatistics::new(Arc::clone(layout));
    for round in rounds {
        sums.fold(&round.round()).unwrap();
    }
    sums
}

/// The default configuration with every penalty 1 and the common factor fixed.
pub(crate) fn unit_ridge() -> BanditConfig {
    BanditConfig {
        prior: super::PriorScales {
            baseline: 1.0,
            baseline_context: 1.0,
            level: 1.0,
            level_context: 1.0,
            pair: 1.0,
            own: 1.0,
            own_context: 1.0,
        },
        shrinkage: super::Shrinkage {
            spread: 0.0,
            ..super::Shrinkage::default()
        },
        ..BanditConfig::default()
    }
}
