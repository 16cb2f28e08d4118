//! The sums of one block of the normal equations.
//!
//! The ceiling that [`SufficientStatistics`](super::SufficientStatistics) keeps bounds every sum here, so
//! that wrapping arithmetic never wraps; it spares the innermost loop a check an addition.

use serde::{Deserialize, Serialize};

use super::fixed_point::{self, FixedRound};
use crate::bandit::error::BanditError;
use crate::bandit::layout::{Atom, Layout};

/// `A` (packed upper triangle), `B`, and the heads' own sums, of one block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockSums {
    dimension: usize,
    /// Rows of the upper triangle one after another; row `i` starts at its diagonal.
    gram: Vec<i128>,
    /// Head by head, `dimension` sums each.
    moments: Vec<i128>,
    /// `Σ w y²` of each head.
    squares: Vec<i128>,
    weight: i128,
    rounds: u64,
}

/// Where row `i` of the packed upper triangle of an `n × n` matrix starts.
fn row_start(i: usize, n: usize) -> usize {
    i * (2 * n + 1 - i) / 2
}

impl BlockSums {
    pub(super) fn new(dimension: usize, heads: usize) -> Self {
        Self {
            dimension,
            gram: vec![0; dimension * (dimension + 1) / 2],
            moments: vec![0; dimension * heads],
            squares: vec![0; heads],
            weight: 0,
            rounds: 0,
        }
    }

    /// Number of coefficients.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of rounds.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// `Σ w`.
    #[must_use]
    pub fn weight(&self) -> f64 {
        fixed_point::weight(self.weight)
    }

    /// Row `i` of `A` from its diagonal on: `A[i, i ..]`.
    pub fn gram_row(&self, i: usize) -> impl Iterator<Item = f64> + '_ {
        let start = row_start(i, self.dimension);
        self.gram[start..start + self.dimension - i]
            .iter()
            .map(|&sum| fixed_point::gram(sum))
    }

    /// `A[i, i]`.
    #[must_use]
    pub fn gram_diagonal(&self, i: usize) -> f64 {
        fixed_point::gram(self.gram[row_start(i, self.dimension)])
    }

    /// Column `head` of `B`.
    pub fn moments(&self, head: usize) -> impl Iterator<Item = f64> + '_ {
        self.moments[head * self.dimension..(head + 1) * self.dimension]
            .iter()
            .map(|&sum| fixed_point::moment(sum))
    }

    /// `Σ w y²` of one head.
    #[must_use]
    pub fn square(&self, head: usize) -> f64 {
        fixed_point::square(self.squares[head])
    }

    pub(super) fn add(&mut self, layout: &Layout, action: usize, round: &FixedRound) {
        self.apply(layout, action, round, |sum, term| {
            *sum = sum.wrapping_add(term)
        });
        self.rounds += 1;
    }

    pub(super) fn subtract(&mut self, layout: &Layout, action: usize, round: &FixedRound) {
        self.apply(layout, action, round, |sum, term| {
            *sum = sum.wrapping_sub(term)
        });
        self.rounds -= 1;
    }

    fn apply(
        &mut self,
        layout: &Layout,
        action: usize,
        round: &FixedRound,
        change: impl Fn(&mut i128, i128) + Copy,
    ) {
        let outer = round.outer();
        let width = round.features.len();
        let atoms = layout.atoms_of(action);
        let length = |atom: &Atom| if atom.contextual { width } else { 1 };
        for (at, &first) in atoms.iter().enumerate() {
            let first = &layout.atoms()[first as usize];
            for row in 0..length(first) {
                let i = first.offset + row;
                let start = row_start(i, self.dimension);
                let terms = &outer[row * width..(row + 1) * width];
                let own = start..start + length(first) - row;
                apply_run(&mut self.gram[own], &terms[row..length(first)], change);
                for &second in &atoms[at + 1..] {
                    let second = &layout.atoms()[second as usize];
                    let from = start + second.offset - i;
                    let run = from..from + length(second);
                    apply_run(&mut self.gram[run], &terms[..length(second)], change);
                }
            }
            for (head, &target) in round.weighted_targets.iter().enumerate() {
                let from = head * self.dimension + first.offset;
                let sums = &mut self.moments[from..from + length(first)];
                for (sum, &feature) in sums.iter_mut().zip(&round.features) {
                    change(sum, i128::from(feature) * i128::from(target));
                }
            }
        }
        let pairs = round.targets.iter().zip(&round.weighted_targets);
        for (sum, (&target, &weighted)) in self.squares.iter_mut().zip(pairs) {
            change(sum, i128::from(target) * i128::from(weighted));
        }
        change(&mut self.weight, i128::from(round.weight));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.combine(other, |sum, term| *sum = sum.wrapping_add(term));
        self.rounds += other.rounds;
    }

    pub(super) fn forget(&mut self, other: &Self) {
        self.combine(other, |sum, term| *sum = sum.wrapping_sub(term));
        self.rounds -= other.rounds;
    }

    fn combine(&mut self, other: &Self, change: impl Fn(&mut i128, i128) + Copy) {
        apply_run(&mut self.gram, &other.gram, change);
        apply_run(&mut self.moments, &other.moments, change);
        apply_run(&mut self.squares, &other.squares, change);
        change(&mut self.weight, other.weight);
    }

    pub(super) fn check_shape(&self, expected: &Self) -> Result<(), BanditError> {
        let lengths = [
            ("a block's gram", self.gram.len(), expected.gram.len()),
            (
                "a block's moments",
                self.moments.len(),
                expected.moments.len(),
            ),
            (
                "a block's squares",
                self.squares.len(),
                expected.squares.len(),
            ),
            ("a block", self.dimension, expected.dimension),
        ];
        for (what, found, expected) in lengths {
            if found != expected {
                return Err(BanditError::Length {
                    what,
                    found,
                    expected,
                });
            }
        }
        Ok(())
    }
}

fn apply_run(sums: &mut [i128], terms: &[i128], change: impl Fn(&mut i128, i128)) {
    for (sum, &term) in sums.iter_mut().zip(terms) {
        change(sum, term);
    }
}
