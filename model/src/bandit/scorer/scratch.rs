//! What one decision leaves behind: values, scores and probabilities of what is eligible.

use super::super::base_measure::BaseScratch;
use super::super::draw;

/// Room for one decision, reused from one to the next.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    pub(super) eligible: Vec<u32>,
    pub(super) values: Vec<f64>,
    pub(super) scores: Vec<f64>,
    pub(super) base: Vec<f64>,
    pub(super) probabilities: Vec<f64>,
    pub(super) rows: Vec<f64>,
    pub(super) features: Vec<f64>,
    pub(super) deviations: Vec<f64>,
    pub(super) held_back: f64,
    pub(super) tree: BaseScratch,
}

impl Scratch {
    /// The eligible actions, ascending; the other vectors follow this order.
    #[must_use]
    pub fn eligible(&self) -> &[u32] {
        &self.eligible
    }

    /// The value of each eligible action, in the valuation's units, without bonus and less what was
    /// [held back](Self::hold_back).
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The score of each eligible action, of unit scale, with the bonus.
    #[must_use]
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The base measure of each eligible action.
    #[must_use]
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// The probability of each eligible action, floor included.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Probabilities over the whole catalogue, exactly 0 where not eligible.
    #[must_use]
    pub fn catalogue_probabilities(&self, actions: usize) -> Vec<f64> {
        let mut all = vec![0.0; actions];
        for (&action, &probability) in self.eligible.iter().zip(&self.probabilities) {
            all[action as usize] = probability;
        }
        all
    }

    /// Leaves of the scored actions those that `keep` holds; they must not be none.
    pub fn retain(&mut self, keep: impl Fn(u32) -> bool) {
        let mut at = 0;
        for from in 0..self.eligible.len() {
            if keep(self.eligible[from]) {
                self.eligible[at] = self.eligible[from];
                self.values[at] = self.values[from];
                self.scores[at] = self.scores[from];
                at += 1;
            }
        }
        self.eligible.truncate(at);
        self.values.truncate(at);
        self.scores.truncate(at);
    }

    /// The most valuable of the eligible actions but `reference`, the first of equals.
    #[must_use]
    pub fn best_beside(&self, reference: usize) -> Option<usize> {
        let pairs = self.eligible.iter().zip(&self.values);
        let others = pairs.filter(|(action, _)| **action as usize != reference);
        let best = others.reduce(|best, one| if one.1 > best.1 { one } else { best });
        best.map(|(&action, _)| action as usize)
    }

    /// Lowers the value of every action but `reference` by `less`, `span` being what a score of 1 is worth.
    ///
    /// What is best of hundreds of estimates is partly the luckiest of them. Less a multiple of how
    /// uncertain its gain is, it beats doing nothing only where that gain has been seen; among
    /// themselves the actions keep their distances.
    pub fn hold_back(&mut self, reference: usize, less: f64, span: f64) {
        self.held_back += less;
        for (at, &action) in self.eligible.iter().enumerate() {
            if action as usize != reference {
                self.values[at] -= less;
                self.scores[at] -= less / span;
            }
        }
    }

    /// What was taken from the value of every action but the reference, in the valuation's units.
    #[must_use]
    pub fn held_back(&self) -> f64 {
        self.held_back
    }

    /// The action that `u` in `[0, 1)` selects.
    #[must_use]
    pub fn select(&self, u: f64) -> Option<usize> {
        draw::select(&self.probabilities, u).map(|at| self.eligible[at] as usize)
    }
}
