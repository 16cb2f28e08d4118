//! How sure a fit is of a difference between two actions: the posterior that its coefficients are
//! the mean of.
//!
//! ```text
//! w_h ~ N(ŵ_h, σ_h² (A + κΛ)⁻¹)          σ_h² = (Σ w y² − B'ŵ + b) / (Σ w + a)
//! sd_h(a, b) = σ_h ‖L⁻¹ (φ(x, a) − φ(x, b))‖        L L' = A + κΛ
//! ```
//! Λ is that of the head's group (see `firmness`). A coefficient that no round has touched keeps its prior. The noise has the prior of the search for
//! `κ`: one round's worth of a third of the head's span.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cholesky::Cholesky;
use super::evidence::{NOISE_ROUNDS, NOISE_VARIANCE};
use super::fit::Posterior;
use super::generation::Generation;
use super::normal_equations::NormalEquations;
use super::prior::HeadGroup;

/// The posterior of each block. It follows from the sums and decides nothing that is not logged, so it
/// is no part of a generation's identity and not stored with one, which has none when it is read back; a
/// [`Learner`](super::Learner) is stored with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubt(Vec<Arc<BlockDoubt>>);

impl Serialize for Doubt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|block| &**block))
    }
}

impl<'de> Deserialize<'de> for Doubt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let blocks = Vec::<BlockDoubt>::deserialize(deserializer)?;
        Ok(Self(blocks.into_iter().map(Arc::new).collect()))
    }
}

impl PartialEq for Doubt {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BlockDoubt {
    groups: Vec<GroupDoubt>,
    /// `Σ w y² − B'ŵ` of each head.
    unexplained: Vec<f64>,
    /// `Σ w`.
    weight: f64,
}

/// The posterior that a group of heads shares.
#[derive(Debug, Serialize, Deserialize)]
struct GroupDoubt {
    heads: Vec<usize>,
    factor: Cholesky,
    /// Place of each coefficient in the factor, if some round has touched it.
    places: Vec<Option<u32>>,
    penalties: Vec<f64>,
}

impl BlockDoubt {
    pub(super) fn new(
        posteriors: Vec<Posterior>,
        groups: Vec<HeadGroup>,
        weights: &[f64],
        equations: &NormalEquations,
    ) -> Self {
        let dimension = equations.gram.dimension();
        let heads = weights.chunks_exact(dimension).zip(&equations.moments);
        let explained = heads
            .map(|(own, moments)| -> f64 { own.iter().zip(moments).map(|(w, b)| w * b).sum() });
        let squares = equations.squares.iter().zip(explained);
        Self {
            unexplained: squares
                .map(|(square, own)| (square - own).max(0.0))
                .collect(),
            weight: equations.weight,
            groups: (posteriors.into_iter().zip(groups))
                .map(|(posterior, group)| GroupDoubt::new(posterior, group))
                .collect(),
        }
    }

    /// `‖L⁻¹ δ‖²` of each head, untouched coefficients included; `delta` holds coefficients and what
    /// they are multiplied with. Left at what it was where all heads of a group are worth nothing.
    fn variances(&self, delta: &[(usize, f64)], worth: &[f64], into: &mut [f64]) {
        for group in &self.groups {
            if group.heads.iter().all(|&head| worth[head] == 0.0) {
                continue;
            }
            let variance = group.variance(delta);
            for &head in &group.heads {
                into[head] += variance;
            }
        }
    }
}

impl GroupDoubt {
    fn new(posterior: Posterior, group: HeadGroup) -> Self {
        let mut places = vec![None; group.penalties.len()];
        for (place, &coefficient) in (0_u32..).zip(&posterior.touched) {
            places[coefficient] = Some(place);
        }
        Self {
            heads: group.heads,
            factor: posterior.factor,
            places,
            penalties: group.penalties,
        }
    }

    fn fits(&self, dimension: usize, heads: usize) -> bool {
        let within = |place: &u32| (*place as usize) < self.factor.dimension();
        self.penalties.len() == dimension
            && self.places.len() == dimension
            && self.places.iter().flatten().all(within)
            && self.heads.iter().all(|&head| head < heads)
    }

    fn variance(&self, delta: &[(usize, f64)]) -> f64 {
        let mut touched = vec![0.0; self.factor.dimension()];
        let mut first = touched.len();
        let mut untouched = 0.0;
        for &(coefficient, value) in delta {
            match self.places[coefficient] {
                Some(place) => {
                    let place = place as usize;
                    touched[place] += value;
                    first = first.min(place);
                }
                None => untouched += value * value / self.penalties[coefficient],
            }
        }
        let z = self.factor.forward_from(first, touched);
        untouched + z[first..].iter().map(|z| z * z).sum::<f64>()
    }
}

impl Doubt {
    /// Whether it has the posterior of every block, of these dimensions and so many heads, or of none.
    pub(super) fn fits(&self, dimensions: &[usize], heads: usize) -> bool {
        let fits = |(block, &dimension): (&Arc<BlockDoubt>, &usize)| {
            block.unexplained.len() == heads
                && (block.groups.iter()).all(|group| group.fits(dimension, heads))
        };
        self.0.is_empty()
            || self.0.len() == dimensions.len() && self.0.iter().zip(dimensions).all(fits)
    }

    /// Puts a block in its place.
    pub(super) fn set(&mut self, block: usize, doubt: BlockDoubt) {
        let doubt = Arc::new(doubt);
        match self.0.get_mut(block) {
            Some(own) => *own = doubt,
            None => self.0.push(doubt),
        }
    }
}

impl Generation {
    /// The same without its posterior, which is most of what it holds in memory.
    #[must_use]
    pub fn without_doubt(&self) -> Self {
        let mut same = self.clone();
        same.doubt = Doubt::default();
        same
    }

    /// Standard deviation of the difference in value of two actions for a customer with this
    /// `context`, where one unit of each head is worth `head_weights`. `None` for a generation that
    /// was read back, which has no posterior.
    ///
    /// The heads' noises may go together in any way (who leaves also does not pay): the bound
    /// `Σ_h |c_h| sd_h` holds for all of them.
    #[must_use]
    pub fn deviation(
        &self,
        context: &[f64],
        (a, b): (usize, usize),
        head_weights: &[f64],
    ) -> Option<f64> {
        let blocks = &self.doubt.0;
        if blocks.len() != self.layout().dimensions().len() || blocks.is_empty() {
            return None;
        }
        let (first, second) = (self.layout().block_of(a), self.layout().block_of(b));
        let mut delta = self.row(context, a, 1.0);
        let mut variances = vec![0.0; head_weights.len()];
        if first == second {
            let other = self.row(context, b, -1.0);
            // What both share cancels and need not be looked at.
            let (mut own, mut rest): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
            own.extend(delta.iter().filter(|one| !other.contains(&(one.0, -one.1))));
            rest.extend(other.iter().filter(|one| !delta.contains(&(one.0, -one.1))));
            own.append(&mut rest);
            blocks[first].variances(&own, head_weights, &mut variances);
        } else {
            blocks[first].variances(&delta, head_weights, &mut variances);
            delta = self.row(context, b, -1.0);
            blocks[second].variances(&delta, head_weights, &mut variances);
        }
        let weight: f64 = blocks.iter().map(|block| block.weight).sum();
        let deviation: f64 = head_weights
            .iter()
            .enumerate()
            .map(|(head, worth)| {
                let span = self.config().span(head);
                let rest: f64 = blocks.iter().map(|block| block.unexplained[head]).sum();
                let prior = NOISE_ROUNDS * NOISE_VARIANCE * span * span;
                let noise = (rest + prior) / (weight + NOISE_ROUNDS);
                worth.abs() * (noise * variances[head]).sqrt()
            })
            .sum();
        Some(deviation)
    }

    /// Coefficients of an action's row, each with `sign` times its feature.
    fn row(&self, context: &[f64], action: usize, sign: f64) -> Vec<(usize, f64)> {
        let mut row = Vec::new();
        for &atom in self.layout().atoms_of(action) {
            let atom = &self.layout().atoms()[atom as usize];
            row.push((atom.offset, sign));
            if atom.contextual {
                let entries = (atom.offset + 1..).zip(context);
                row.extend(entries.map(|(at, entry)| (at, sign * entry)));
            }
        }
        row
    }
}

#[cfg(test)]
mod tests;
