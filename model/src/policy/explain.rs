//! Why the bandit valued a step as it did, taken apart exactly, because its model is linear.
//!
//! ```text
//! value(a) − value(b) = Σ_h c_h Σ_parts (w_h,part · x) of a, less that of b, less the difference in price
//! ```
//! `c` is what the objective says one unit of a head is worth. Where the difference turns its sign is
//! linear in each weight and in each entry of the context, and so are the answers to "what would have
//! changed the choice".

use super::heads::{self, Stakes};
use crate::bandit::{BanditError, Contribution, Generation, HeadExplanation, Valuation};
use crate::decide::Snapshot;
use crate::log::Decision;
use crate::strategy::WAIT;
use lagom_features::domain::ActionId;

/// Part of a prediction that was expected before anything was learnt.
pub const PRIOR: &str = "prior";

/// One head of the chosen step beside the step it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadValue {
    /// Name of the head.
    pub head: String,
    /// Prediction for the chosen step.
    pub chosen: f64,
    /// Prediction for the other.
    pub other: f64,
    /// What one unit of the head is worth, in minor units.
    pub weight_minor: f64,
    /// The addends of the chosen step's prediction, in the head's units, largest first; [`PRIOR`] is
    /// what was expected of the step before anything was learnt.
    pub addends: Vec<Contribution>,
}

/// What would have made both steps worth the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// A head that counts another multiple of what it counts now.
    Weight {
        /// Name of the head.
        head: String,
        /// Multiple of its weight.
        times: f64,
    },
    /// A feature of another value.
    Feature {
        /// Name of the feature.
        feature: String,
        /// The value at which both are worth the same.
        value: f64,
    },
}

/// A choice, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Value of each eligible step less that of waiting, in minor units, in the decision's order.
    pub values: Vec<f64>,
    /// What the chosen step is compared with: the most valuable other one.
    pub other: Option<ActionId>,
    /// Value of the chosen step less that of the other, in minor units.
    pub difference_minor: f64,
    /// Of that difference, what each entry of the context adds, in minor units; largest first.
    pub by_feature: Vec<(String, f64)>,
    /// Of that difference, what does not depend on the customer: the steps' own effects and prices.
    pub constant_minor: f64,
    /// Head by head.
    pub heads: Vec<HeadValue>,
    /// The smallest changes that would have made both worth the same.
    pub turns: Vec<Turn>,
}

/// Explains `decision` by the generation of `snapshot`, which must be the one that decided.
///
/// `None` where the decision was made by another generation, objective, strategy or feature spec than
/// the snapshot's, or not by the bandit's own scores: nothing exact can be said of it then.
///
/// # Errors
/// [`BanditError`] where the context does not fit the generation.
pub fn explain(
    decision: &Decision,
    snapshot: &Snapshot,
    stakes: Stakes,
) -> Result<Option<Explained>, BanditError> {
    let parts = snapshot.parts();
    let (generation, strategy) = (&parts.generation, snapshot.strategy());
    let same = decision.policy_generation == generation.number()
        && decision.objective_id == snapshot.objective_id()
        && decision.strategy_id == strategy.id()
        && decision.feature_fingerprint == snapshot.extractor().fingerprint();
    if !same || decision.expected_value.is_none() {
        return Ok(None);
    }
    let mut valuation = Valuation::default();
    let age_days = parts.context.age_days(&decision.features);
    heads::value(
        &parts.objective,
        strategy,
        stakes,
        heads::later(&parts.objective, generation.recovery(), age_days),
        generation.shadow_prices(),
        &mut valuation,
    );
    let mut row = Vec::new();
    parts.context.of(
        &decision.features,
        decision.payment_propensity,
        decision.churn_risk,
        &mut row,
    );
    let value = |place: usize| value(generation, &valuation, &row, place);
    let waiting = value(WAIT)?;
    let mut places = Vec::with_capacity(decision.eligible.len());
    let mut values = Vec::with_capacity(decision.eligible.len());
    let mut catalogue = strategy.catalogue().iter().enumerate();
    for choice in &decision.eligible {
        // Choices stand in the catalogue's order.
        let Some((place, _)) = catalogue.find(|(_, action)| action.id() == choice.action) else {
            return Ok(None);
        };
        places.push(place);
        values.push(value(place)? - waiting);
    }
    let Some(chosen) = strategy.place(&decision.action) else {
        return Ok(None);
    };
    let others = places
        .iter()
        .zip(&values)
        .filter(|(place, _)| **place != chosen);
    let other = others.reduce(|best, one| if one.1 > best.1 { one } else { best });
    let Some((&other, &other_value)) = other else {
        return Ok(Some(Explained {
            values,
            other: None,
            difference_minor: 0.0,
            by_feature: Vec::new(),
            constant_minor: 0.0,
            heads: Vec::new(),
            turns: Vec::new(),
        }));
    };
    let expected = (
        heads::expected(&decision.action),
        heads::expected(&strategy.catalogue()[other]),
    );
    let pair = Pair {
        chosen: generation.explain(&row, chosen)?,
        other: generation.explain(&row, other)?,
        valuation: &valuation,
    };
    let by_feature = pair.by_feature(generation.layout().context());
    let from_features: f64 = by_feature.iter().map(|(_, value)| value).sum();
    let difference_minor = value(chosen)? - waiting - other_value;
    let mut explained = Explained {
        constant_minor: difference_minor - from_features,
        turns: pair.turns(&by_feature, &row, snapshot, difference_minor, expected),
        heads: pair.heads(expected.0, expected.1),
        other: Some(strategy.catalogue()[other].id()),
        by_feature,
        difference_minor,
        values,
    };
    explained
        .by_feature
        .sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    Ok(Some(explained))
}

fn value(
    generation: &Generation,
    valuation: &Valuation,
    row: &[f64],
    place: usize,
) -> Result<f64, BanditError> {
    let predicted = generation.predict(row, place)?;
    let heads = predicted.iter().zip(&valuation.head_weights);
    let heads: f64 = heads.map(|(prediction, weight)| prediction * weight).sum();
    Ok(heads + valuation.action_values.get(place).copied().unwrap_or(0.0))
}

struct Pair<'a> {
    chosen: Vec<HeadExplanation>,
    other: Vec<HeadExplanation>,
    valuation: &'a Valuation,
}

impl Pair<'_> {
    /// What each entry adds to the difference in value.
    fn by_feature(&self, entries: &[String]) -> Vec<(String, f64)> {
        let of = |head: &HeadExplanation, entry: &str| -> f64 {
            let own = head.contributions.iter();
            own.filter(|one| one.entry.as_deref() == Some(entry))
                .map(|one| one.value)
                .sum()
        };
        entries
            .iter()
            .map(|entry| {
                let heads = self.chosen.iter().zip(&self.other);
                let sum = heads
                    .zip(&self.valuation.head_weights)
                    .map(|((chosen, other), weight)| {
                        weight * (of(chosen, entry) - of(other, entry))
                    })
                    .sum();
                (entry.clone(), sum)
            })
            .collect()
    }

    /// Head by head, with what was expected of both steps before anything was learnt.
    fn heads(self, of_chosen: [f64; 6], of_other: [f64; 6]) -> Vec<HeadValue> {
        let expected = of_chosen.into_iter().zip(of_other);
        let weights = self.valuation.head_weights.iter();
        let heads = self.chosen.into_iter().zip(self.other);
        heads
            .zip(weights)
            .zip(expected)
            .map(|(((chosen, other), &weight_minor), expected)| {
                let mut addends = chosen.contributions;
                addends.push(Contribution {
                    part: PRIOR.to_owned(),
                    entry: None,
                    value: expected.0,
                });
                addends.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
                HeadValue {
                    head: chosen.head,
                    chosen: chosen.prediction + expected.0,
                    other: other.prediction + expected.1,
                    weight_minor,
                    addends,
                }
            })
            .collect()
    }

    fn turns(
        &self,
        by_feature: &[(String, f64)],
        row: &[f64],
        snapshot: &Snapshot,
        difference: f64,
        expected: ([f64; 6], [f64; 6]),
    ) -> Vec<Turn> {
        let mut turns: Vec<(f64, Turn)> = Vec::new();
        let heads = self.chosen.iter().zip(&self.other);
        let expected = expected.0.into_iter().zip(expected.1);
        for (((chosen, other), &weight), expected) in
            heads.zip(&self.valuation.head_weights).zip(expected)
        {
            let learnt = chosen.prediction - other.prediction;
            let worth = weight * (learnt + expected.0 - expected.1);
            let times = 1.0 - difference / worth;
            if times.is_finite() && times >= 0.0 {
                let head = chosen.head.clone();
                turns.push((times.max(1e-9).ln().abs(), Turn::Weight { head, times }));
            }
        }
        let entries = snapshot.parts().context.entries();
        for ((entry, &(_, adds)), &scaled) in entries.zip(by_feature).zip(row) {
            if scaled == 0.0 || adds == 0.0 {
                continue;
            }
            let turned = scaled - difference * scaled / adds;
            if let Some(value) = entry.unscaled(turned) {
                let feature = entry.feature.clone();
                turns.push(((turned - scaled).abs(), Turn::Feature { feature, value }));
            }
        }
        turns.sort_by(|a, b| a.0.total_cmp(&b.0));
        turns.into_iter().take(4).map(|(_, turn)| turn).collect()
    }
}
