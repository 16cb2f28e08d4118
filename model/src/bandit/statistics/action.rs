//! The sums of one action.
//!
//! The ceiling that [`SufficientStatistics`](super::SufficientStatistics) keeps bounds every sum here, so
//! that wrapping arithmetic never wraps; it spares the innermost loop a check an addition.

use serde::{Deserialize, Serialize};

use super::fixed_point::{self, FixedRound};
use crate::bandit::error::BanditError;

/// `Σ w u u'`, `Σ w u y'` and the heads' own sums over the rounds of one action, with `u = [1, x]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionSums {
    /// Entries of `u`.
    width: usize,
    /// Rows of the upper triangle one after another, each from its diagonal on.
    gram: Vec<i128>,
    /// Head by head, `width` sums each.
    moments: Vec<i128>,
    /// `Σ w y²` of each head.
    squares: Vec<i128>,
    weight: i128,
    rounds: u64,
}

impl ActionSums {
    pub(super) fn new(width: usize, heads: usize) -> Self {
        Self {
            width,
            gram: vec![0; width * (width + 1) / 2],
            moments: vec![0; width * heads],
            squares: vec![0; heads],
            weight: 0,
            rounds: 0,
        }
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

    /// `discount · Σ w u u'`, both triangles, row after row, into `square`.
    pub(in crate::bandit) fn gram_square(&self, discount: f64, square: &mut Vec<f64>) {
        let width = self.width;
        square.clear();
        square.resize(width * width, 0.0);
        let mut rest = self.gram.as_slice();
        for i in 0..width {
            let (row, after) = rest.split_at(width - i);
            rest = after;
            for (j, &sum) in (i..).zip(row) {
                let value = fixed_point::gram(sum) * discount;
                square[i * width + j] = value;
                square[j * width + i] = value;
            }
        }
    }

    /// `Σ w u y` of one head.
    pub fn moments(&self, head: usize) -> impl Iterator<Item = f64> + '_ {
        self.moments[head * self.width..(head + 1) * self.width]
            .iter()
            .map(|&sum| fixed_point::moment(sum))
    }

    /// `Σ w y²` of one head.
    #[must_use]
    pub fn square(&self, head: usize) -> f64 {
        fixed_point::square(self.squares[head])
    }

    pub(super) fn add(&mut self, round: &FixedRound) {
        self.apply(round, |sum, term| *sum = sum.wrapping_add(term));
        self.rounds += 1;
    }

    pub(super) fn subtract(&mut self, round: &FixedRound) {
        self.apply(round, |sum, term| *sum = sum.wrapping_sub(term));
        self.rounds -= 1;
    }

    fn apply(&mut self, round: &FixedRound, change: impl Fn(&mut i128, i128) + Copy) {
        let product = |left: i64, right: i64| i128::from(left).wrapping_mul(i128::from(right));
        let mut rest = self.gram.as_mut_slice();
        for (i, &feature) in round.features.iter().enumerate() {
            let (row, after) = rest.split_at_mut(self.width - i);
            rest = after;
            for (sum, &weighted) in row.iter_mut().zip(&round.weighted[i..]) {
                change(sum, product(feature, weighted));
            }
        }
        let heads = self.moments.chunks_exact_mut(self.width);
        for (sums, &target) in heads.zip(&round.weighted_targets) {
            for (sum, &feature) in sums.iter_mut().zip(&round.features) {
                change(sum, product(feature, target));
            }
        }
        let pairs = round.targets.iter().zip(&round.weighted_targets);
        for (sum, (&target, &weighted)) in self.squares.iter_mut().zip(pairs) {
            change(sum, product(target, weighted));
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
        let vectors = [
            (&mut self.gram, &other.gram),
            (&mut self.moments, &other.moments),
            (&mut self.squares, &other.squares),
        ];
        for (sums, terms) in vectors {
            for (sum, &term) in sums.iter_mut().zip(terms) {
                change(sum, term);
            }
        }
        change(&mut self.weight, other.weight);
    }

    pub(super) fn check_shape(&self, expected: &Self) -> Result<(), BanditError> {
        let lengths = [
            ("an action's width", self.width, expected.width),
            ("an action's gram", self.gram.len(), expected.gram.len()),
            (
                "an action's moments",
                self.moments.len(),
                expected.moments.len(),
            ),
            (
                "an action's squares",
                self.squares.len(),
                expected.squares.len(),
            ),
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
