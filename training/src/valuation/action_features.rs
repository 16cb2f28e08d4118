//! What the reward model sees of an action in a place: the place, the action's facets, and the
//! place again where the action is a contact.

use lagom_features::domain::{ActionId, Channel, Kind, Tone};
use lagom_model::log::Choice;
use std::collections::HashMap;

/// Facets of an action as numbers: kinds, channels, tones, days until it is carried out, contact.
#[derive(Debug, Default)]
pub(super) struct ActionFeatures {
    known: HashMap<ActionId, Vec<f64>>,
}

impl ActionFeatures {
    fn facets(&mut self, id: &ActionId) -> &[f64] {
        self.known.entry(id.clone()).or_insert_with(|| {
            let action = id.action();
            let flag = |holds: bool| f64::from(u8::from(holds));
            let mut facets = vec![flag(action.kind.is_contact())];
            facets.extend(Kind::ALL.iter().map(|kind| flag(*kind == action.kind)));
            facets.extend(
                Channel::ALL
                    .iter()
                    .map(|one| flag(Some(*one) == action.channel)),
            );
            facets.extend(Tone::ALL.iter().map(|one| flag(Some(*one) == action.tone)));
            facets.push(action.timing.map_or(0.0, |one| f64::from(one.day_offset)) / 7.0);
            facets
        })
    }

    /// `φ(x, a)`.
    pub(super) fn of(&mut self, context: &[f64], id: &ActionId) -> Vec<f64> {
        let facets = self.facets(id).to_vec();
        joined(context, &facets)
    }

    /// `Σ π(b|x) φ(x, b)`, for probabilities in the order of `eligible`.
    pub(super) fn averaged(
        &mut self,
        context: &[f64],
        eligible: &[Choice],
        chances: &[f64],
    ) -> Vec<f64> {
        let mut sum: Vec<f64> = Vec::new();
        for (choice, &chance) in eligible.iter().zip(chances) {
            let facets = self.facets(&choice.action);
            sum.resize(facets.len(), 0.0);
            if chance > 0.0 {
                for (sum, facet) in sum.iter_mut().zip(facets) {
                    *sum += chance * facet;
                }
            }
        }
        joined(context, &sum)
    }
}

/// One, the place, the facets, and the place times the first facet: whether it is a contact.
fn joined(context: &[f64], facets: &[f64]) -> Vec<f64> {
    let contact = facets.first().copied().unwrap_or(0.0);
    let mut row = Vec::with_capacity(1 + 2 * context.len() + facets.len());
    row.push(1.0);
    row.extend_from_slice(context);
    row.extend_from_slice(facets);
    row.extend(context.iter().map(|entry| contact * entry));
    row
}
