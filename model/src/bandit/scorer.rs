//! Scores of all eligible actions at once, and the distribution over them.

mod scratch;

pub use scratch::Scratch;

use std::sync::Arc;

use super::base_measure::BaseMeasure;
use super::deviation::{deviation, deviations};
use super::eligible::ActionSet;
use super::error::BanditError;
use super::explore::{ExplorationRule, Situation, allowance, floor};
use super::generation::Generation;

/// What the company wants of the heads, at the time of the decision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Valuation {
    /// What one unit of each head is worth, in the layout's order; negative for what should not happen.
    pub head_weights: Vec<f64>,
    /// Known value of each action beside the heads, such as minus its price; empty: none.
    pub action_values: Vec<f64>,
}

/// A generation seen through a valuation: the heads combined into one value an action.
///
/// ```text
/// v         = M x                              M: one row a contextual atom, heads already combined
/// value(a)  = constant(a) + Σ v[atoms of a]    constants, pairs and known values summed beforehand
/// score(a)  = value(a) / span + optimism · sqrt(φ' (A + κΛ)⁻¹ φ)
/// span      = Σ_h |c_h| span_h
/// ```
/// Changing the valuation needs no new fit; [`Scorer::revalue`] reuses the memory, so that it can be done
/// for each request where weights differ by customer.
#[derive(Debug, Clone)]
pub struct Scorer {
    generation: Arc<Generation>,
    base: BaseMeasure,
    /// Contextual atoms; one more, always zero, pads actions that have fewer.
    rows: usize,
    /// `M` by columns: entry `x_j` meets `matrix[j · rows ..]`.
    matrix: Vec<f64>,
    /// The same of each head alone, one after the other, of which `matrix` is the weighted sum.
    heads: Vec<f64>,
    /// What each head says of each atom whatever the context, head by head.
    head_constants: Vec<f64>,
    /// Room for the constants of the atoms, heads combined.
    atom_constants: Vec<f64>,
    /// Rows of each action, `stride` of them.
    rows_of: Vec<u32>,
    stride: usize,
    constants: Vec<f64>,
    span: f64,
}

impl Scorer {
    /// A generation seen through a valuation.
    ///
    /// # Errors
    /// When the valuation has another number of heads or actions than the generation.
    pub fn new(generation: Arc<Generation>, valuation: &Valuation) -> Result<Self, BanditError> {
        let layout = Arc::clone(generation.layout());
        let mut rows = 0;
        let row_of: Vec<Option<u32>> = layout
            .atoms()
            .iter()
            .map(|atom| {
                atom.contextual.then(|| {
                    rows += 1;
                    rows - 1
                })
            })
            .collect();
        let own_rows = |action: usize| {
            let atoms = layout.atoms_of(action).iter();
            atoms.filter_map(|&atom| row_of[atom as usize])
        };
        let actions = layout.space().len();
        let stride = (0..actions)
            .map(|action| own_rows(action).count())
            .max()
            .unwrap_or(0);
        let rows_of = (0..actions)
            .flat_map(|action| own_rows(action).chain(std::iter::repeat(rows)).take(stride))
            .collect();
        let base = BaseMeasure::new(layout.space(), generation.config().base_measure);
        let rows = rows as usize + 1;
        let mut scorer = Self {
            generation,
            base,
            rows,
            matrix: vec![0.0; rows * layout.context().len()],
            heads: Vec::new(),
            head_constants: Vec::new(),
            atom_constants: Vec::with_capacity(layout.atoms().len()),
            rows_of,
            stride,
            constants: vec![0.0; actions],
            span: 1.0,
        };
        scorer.lay_out_heads();
        scorer.revalue(valuation)?;
        Ok(scorer)
    }

    /// The generation behind it.
    #[must_use]
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// What a score of 1 is worth in the valuation's units.
    #[must_use]
    pub fn span(&self) -> f64 {
        self.span
    }

    /// Looks through another valuation from now on.
    ///
    /// # Errors
    /// When it has another number of heads or actions than the generation. The scorer is then unchanged.
    pub fn revalue(&mut self, valuation: &Valuation) -> Result<(), BanditError> {
        let layout = Arc::clone(self.generation.layout());
        let expect = |what, found: usize, expected: usize| {
            if found == expected {
                return Ok(());
            }
            Err(BanditError::Length {
                what,
                found,
                expected,
            })
        };
        let weights = &valuation.head_weights;
        expect(
            "the valuation's head weights",
            weights.len(),
            layout.heads().len(),
        )?;
        if !valuation.action_values.is_empty() {
            let found = valuation.action_values.len();
            expect("the valuation's action values", found, layout.space().len())?;
        }
        self.combine(weights);
        for (constant, &value) in self.constants.iter_mut().zip(&valuation.action_values) {
            *constant += value;
        }
        let config = self.generation.config();
        let span: f64 = weights
            .iter()
            .enumerate()
            .map(|(head, weight)| weight.abs() * config.span(head))
            .sum();
        self.span = if span > 0.0 { span } else { 1.0 };
        Ok(())
    }

    /// Lays the heads' coefficients out as `matrix` has them, so that combining them is one pass
    /// over memory in order.
    fn lay_out_heads(&mut self) {
        let layout = self.generation.layout();
        let (rows, width) = (self.rows, layout.context().len());
        let heads = layout.heads().len();
        self.heads = vec![0.0; heads * rows * width];
        self.head_constants = Vec::with_capacity(heads * layout.atoms().len());
        for (head, matrix) in self
            .heads
            .chunks_exact_mut((rows * width).max(1))
            .enumerate()
        {
            let mut row = 0;
            for atom in layout.atoms() {
                let own = &self.generation.weights(atom.block, head)[atom.offset..];
                if atom.contextual {
                    for (entry, &coefficient) in own[1..=width].iter().enumerate() {
                        matrix[entry * rows + row] = coefficient;
                    }
                    row += 1;
                }
            }
        }
        for head in 0..heads {
            let constants = layout.atoms().iter();
            let constants =
                constants.map(|atom| self.generation.weights(atom.block, head)[atom.offset]);
            self.head_constants.extend(constants);
        }
    }

    /// Combines the heads' coefficients into `matrix` and `constants`.
    fn combine(&mut self, head_weights: &[f64]) {
        let layout = self.generation.layout();
        add_up(&self.heads, head_weights, &mut self.matrix);
        self.atom_constants.clear();
        self.atom_constants.resize(layout.atoms().len(), 0.0);
        add_up(&self.head_constants, head_weights, &mut self.atom_constants);
        for (action, constant) in self.constants.iter_mut().enumerate() {
            let atoms = layout.atoms_of(action).iter();
            *constant = atoms.map(|&atom| self.atom_constants[atom as usize]).sum();
        }
    }

    /// Scores the eligible actions and writes their distribution into `scratch`.
    ///
    /// # Errors
    /// When nothing is eligible, or the context or the eligible set has another length than the layout.
    pub fn decide(
        &self,
        context: &[f64],
        eligible: &ActionSet,
        scratch: &mut Scratch,
    ) -> Result<(), BanditError> {
        self.score(context, eligible, scratch)?;
        self.spread(context, scratch);
        Ok(())
    }

    /// Writes the distribution over what [`score`](Self::score) scored in this context and
    /// [`retain`](Scratch::retain) has left.
    pub fn spread(&self, context: &[f64], scratch: &mut Scratch) {
        scratch.deviations.clear();
        let config = self.generation.config();
        if config.exploration.rule.asks_for_deviations() {
            deviations(
                &self.generation,
                context,
                &scratch.eligible,
                &mut scratch.deviations,
            );
        }
        let Scratch {
            eligible,
            values,
            scores,
            base,
            probabilities,
            deviations,
            tree,
            ..
        } = scratch;
        self.base.restrict(eligible, tree, base);
        probabilities.clear();
        probabilities.resize(scores.len(), 0.0);
        let situation = Situation {
            scores,
            base,
            deviations,
        };
        self.generation
            .rule()
            .distribution(situation, probabilities);
        let epsilon = config.exploration.floor;
        floor::mix(epsilon, base, probabilities);
        if let Some(allowance) = self.generation.allowance() {
            allowance::cap(allowance, values, epsilon, base, probabilities);
        }
    }

    /// Scores the eligible actions into `scratch`, without a distribution.
    ///
    /// # Errors
    /// As for [`decide`](Self::decide).
    pub fn score(
        &self,
        context: &[f64],
        eligible: &ActionSet,
        scratch: &mut Scratch,
    ) -> Result<(), BanditError> {
        self.generation.layout().check_context(context)?;
        if eligible.catalogue() != self.constants.len() {
            return Err(BanditError::Length {
                what: "the eligible set",
                found: eligible.catalogue(),
                expected: self.constants.len(),
            });
        }
        scratch.held_back = 0.0;
        scratch.eligible.clear();
        scratch
            .eligible
            .extend(eligible.iter().map(|action| action as u32));
        if scratch.eligible.is_empty() {
            return Err(BanditError::NothingEligible);
        }
        scratch.rows.clear();
        scratch.rows.resize(self.rows, 0.0);
        for (&entry, column) in context.iter().zip(self.matrix.chunks_exact(self.rows)) {
            for (sum, &coefficient) in scratch.rows.iter_mut().zip(column) {
                *sum += entry * coefficient;
            }
        }
        let rows = &scratch.rows;
        scratch.values.clear();
        scratch
            .values
            .extend(scratch.eligible.iter().map(|&action| {
                let at = action as usize;
                let own = &self.rows_of[at * self.stride..(at + 1) * self.stride];
                own.iter()
                    .fold(self.constants[at], |sum, &row| sum + rows[row as usize])
            }));
        scratch.scores.clear();
        scratch
            .scores
            .extend(scratch.values.iter().map(|&value| value / self.span));
        if self.generation.is_optimistic() {
            self.add_bonus(context, scratch);
        }
        Ok(())
    }

    fn add_bonus(&self, context: &[f64], scratch: &mut Scratch) {
        let optimism = self.generation.config().exploration.optimism;
        scratch.features.clear();
        scratch.features.push(1.0);
        scratch.features.extend_from_slice(context);
        let layout = self.generation.layout();
        for (score, &action) in scratch.scores.iter_mut().zip(&scratch.eligible) {
            let block = layout.block_of(action as usize);
            let features = &scratch.features[..layout.dimensions()[block]];
            *score += optimism * deviation(self.generation.block(block), features);
        }
    }
}

/// `sum = Σ_h weight_h · part_h`, where the parts follow one another; added in the order of the heads.
fn add_up(parts: &[f64], weights: &[f64], sum: &mut [f64]) {
    /// Entries that are summed in registers.
    const TOGETHER: usize = 8;
    let length = sum.len();
    let mut at = 0;
    while at + TOGETHER <= length {
        let mut here = [0.0; TOGETHER];
        for (head, &weight) in weights.iter().enumerate() {
            let part = &parts[head * length + at..][..TOGETHER];
            for (sum, &coefficient) in here.iter_mut().zip(part) {
                *sum += weight * coefficient;
            }
        }
        sum[at..at + TOGETHER].copy_from_slice(&here);
        at += TOGETHER;
    }
    for (at, sum) in sum.iter_mut().enumerate().skip(at) {
        let products = weights.iter().enumerate();
        *sum = products.fold(0.0, |sum, (head, &weight)| {
            sum + weight * parts[head * length + at]
        });
    }
}

#[cfg(test)]
mod tests;
