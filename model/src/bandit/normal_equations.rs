//! The normal equations of a block, put together from the sums of its actions.

use super::cholesky::Lower;
use super::layout::{Atom, Layout};
use super::statistics::{ActionSums, SufficientStatistics};

/// `A` and `B` of one block, discounted, without the prior.
///
/// An action's rounds enter at every pair of its atoms, so that `Σ w u u'` of each action is all that need
/// be kept of them, and a fold costs the same however many parts an action has.
#[derive(Debug, Clone)]
pub(super) struct NormalEquations {
    pub(super) gram: Lower,
    /// Head by head.
    pub(super) moments: Vec<Vec<f64>>,
    /// `Σ w y²` of each head.
    pub(super) squares: Vec<f64>,
    /// `Σ w`.
    pub(super) weight: f64,
}

impl NormalEquations {
    /// Adds up the actions of `block` in the order of the catalogue.
    pub(super) fn assemble(sums: &SufficientStatistics, block: usize, discount: f64) -> Self {
        let layout = sums.layout();
        let heads = layout.heads().len();
        let dimension = layout.dimensions()[block];
        let mut equations = Self {
            gram: Lower::zeros(dimension),
            moments: vec![vec![0.0; dimension]; heads],
            squares: vec![0.0; heads],
            weight: 0.0,
        };
        let mut square = Vec::new();
        for action in layout.actions_of(block) {
            let own = &sums.actions()[action];
            if own.rounds() > 0 {
                own.gram_square(discount, &mut square);
                equations.add(layout, action, own, &square, discount);
            }
        }
        equations
    }

    /// `square` is the action's whole `Σ w u u'`, discounted.
    fn add(
        &mut self,
        layout: &Layout,
        action: usize,
        own: &ActionSums,
        square: &[f64],
        discount: f64,
    ) {
        let width = layout.context().len() + 1;
        let length = |atom: &Atom| if atom.contextual { width } else { 1 };
        let atoms = layout.atoms_of(action);
        for (at, &later) in atoms.iter().enumerate() {
            let later = &layout.atoms()[later as usize];
            for (i, terms) in square.chunks_exact(width).take(length(later)).enumerate() {
                let row = self.gram.row_mut(later.offset + i);
                for &earlier in &atoms[..at] {
                    let earlier = &layout.atoms()[earlier as usize];
                    let run = earlier.offset..earlier.offset + length(earlier);
                    add(&mut row[run], terms);
                }
                add(&mut row[later.offset..=later.offset + i], terms);
            }
            for (head, moments) in self.moments.iter_mut().enumerate() {
                let run = later.offset..later.offset + length(later);
                for (sum, term) in moments[run].iter_mut().zip(own.moments(head)) {
                    *sum += term * discount;
                }
            }
        }
        for (head, square) in self.squares.iter_mut().enumerate() {
            *square += own.square(head) * discount;
        }
        self.weight += own.weight() * discount;
    }
}

/// `sums += terms`, as far as the sums reach.
fn add(sums: &mut [f64], terms: &[f64]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}
