//! The rich form: a curve for every number column, a constant for every level, grids for chosen pairs.

use lagom_model::calibration::Calibration;
use lagom_model::linear::{
    InputColumn, Level, Levels, LinearModel, LinearParts, Pair, Shape, SpecialValue, Term,
};

use super::blocks::{Block, Blocks};
use super::curves::{self, CurvePlan};
use super::newton::{self, Bound, Design, Memory, Solution};
use super::pairs::{self, CoarseColumn, Grid};
use super::prepare::{Preparation, Prepared};
use super::{FitError, certify};

/// Smallest and largest scale of a block.
const SCALES: (f64, f64) = (0.02, 10.0);
/// What a block stands for.
#[derive(Debug, Clone)]
enum Role {
    Curve { column: usize, plan: CurvePlan },
    Special { values: Vec<f64> },
    Missing,
    Levels { column: usize, levels: Vec<String> },
    Grid(Grid),
    Patches(Grid),
}

/// A design under construction, and the fit of it so far.
pub(super) struct Additive {
    inputs: Vec<InputColumn>,
    blocks: Blocks,
    roles: Vec<Role>,
    coarse: Vec<CoarseColumn>,
    taken: Vec<(usize, usize)>,
    outcomes: Vec<f64>,
    pub(super) solution: Solution,
    memory: Memory,
}

impl Additive {
    /// Curves and levels of every prepared column; no pairs yet.
    pub(super) fn new(preparation: &Preparation, outcomes: &[f64]) -> Self {
        let mut blocks = Blocks::new(outcomes.len());
        let mut roles = Vec::new();
        for (column, prepared) in preparation.columns.iter().enumerate() {
            match prepared {
                Prepared::LeftOut(_) => {}
                Prepared::Number(numbers) => {
                    let shape = (preparation.bounds[column], preparation.knots[column]);
                    add_number(&mut blocks, &mut roles, column, shape, numbers);
                }
                Prepared::Category { levels, index } => {
                    let index = index.iter().map(|level| *level as u16).collect();
                    let cells = levels.len() + 1;
                    blocks.push(Block::Cells { cells, index }, 1.0);
                    roles.push(Role::Levels {
                        column,
                        levels: levels.clone(),
                    });
                }
            }
        }
        // A grid over a column would bend its direction, so a column that has one is in no pair.
        let columns = preparation.columns.iter().enumerate();
        let coarse = columns
            .filter(|(place, _)| preparation.bounds[*place] == Bound::Free)
            .filter_map(|(place, column)| pairs::coarse(place, column))
            .collect();
        let solution = Solution::start(blocks.width(), outcomes);
        Self {
            inputs: preparation.inputs.clone(),
            blocks,
            roles,
            coarse,
            taken: Vec::new(),
            outcomes: outcomes.to_vec(),
            solution,
            memory: Memory::default(),
        }
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.outcomes.len()
    }

    /// The number of pairs.
    pub(super) fn pairs(&self) -> usize {
        self.taken.len()
    }

    /// Fits from the last solution.
    pub(super) fn fit(&mut self, alpha: f64, tolerance: f64) -> Result<(), FitError> {
        let mut start = self.solution.clone();
        start.weights.resize(self.blocks.width(), 0.0);
        let (memory, blocks) = (&mut self.memory, &self.blocks);
        let from = (start, tolerance);
        self.solution = newton::minimise_with(memory, blocks, &self.outcomes, alpha, from)?;
        Ok(())
    }

    /// Adds up to `count` pairs that explain the last fit's residuals best; how many were found.
    pub(super) fn add_pairs(&mut self, count: usize, scale: f64) -> usize {
        let scores = self.blocks.scores(&self.solution.weights);
        let (residuals, curvature): (Vec<f64>, Vec<f64>) = scores
            .iter()
            .zip(&self.outcomes)
            .map(|(score, outcome)| {
                let p = 1.0 / (1.0 + (-(score + self.solution.intercept)).exp());
                (p - outcome, p * (1.0 - p))
            })
            .unzip();
        let found = pairs::ranked(&self.coarse, &self.taken, &residuals, &curvature);
        let before = self.taken.len();
        for (first, second) in found.into_iter().take(count) {
            let (grid, blocks) = pairs::grid(&self.coarse[first], &self.coarse[second]);
            for block in blocks {
                self.blocks.push(block, scale);
            }
            self.roles.push(Role::Grid(grid.clone()));
            self.roles.push(Role::Patches(grid));
            self.taken.push((first, second));
        }
        self.solution.weights.resize(self.blocks.width(), 0.0);
        self.taken.len() - before
    }

    /// Gives every block the scale that the rows themselves support, by one step of evidence maximisation:
    ///
    /// ```text
    /// γ_b = p_b − α·Σ_{j ∈ b} (H⁻¹)_jj          weights of the block that the rows determine
    /// scale_b² ← scale_b² · α·|w_b|² / γ_b       so that the block's prior variance is |w_b|² / γ_b
    /// ```
    /// Blocks that say much loosen, blocks that say nothing stiffen. Source: MacKay, Neural Computation 4, 1992,
    /// doi:10.1162/neco.1992.4.3.415.
    pub(super) fn tune_scales(&mut self, alpha: f64) {
        let (memory, solution) = (&mut self.memory, &self.solution);
        let variances = newton::variances(memory, &self.blocks, &self.outcomes, alpha, solution);
        let Some(variances) = variances else { return };
        for block in 0..self.blocks.len() {
            let columns = self.blocks.columns_of(block);
            let spent: f64 = variances[columns.clone()].iter().sum();
            let determined = columns.len() as f64 - alpha * spent;
            let size: f64 = self.solution.weights[columns].iter().map(|w| w * w).sum();
            let ratio = (alpha * size / determined.max(1e-3)).sqrt().clamp(0.3, 3.0);
            let scale = (self.blocks.scale(block) * ratio).clamp(SCALES.0, SCALES.1);
            self.rescale(block, scale);
        }
    }

    /// Gives a block another scale and keeps its heights.
    fn rescale(&mut self, block: usize, scale: f64) {
        let ratio = self.blocks.scale(block) / scale;
        for weight in &mut self.solution.weights[self.blocks.columns_of(block)] {
            *weight *= ratio;
        }
        self.blocks.set_scale(block, scale);
    }

    /// Lets linfa check and finish the fit when the written-out design has at most `most_cells` numbers; whether it
    /// did.
    pub(super) fn certify(
        &mut self,
        alpha: f64,
        tolerance: f64,
        most_cells: usize,
    ) -> Result<bool, FitError> {
        if self.blocks.rows().saturating_mul(self.blocks.width()) > most_cells {
            return Ok(false);
        }
        let mut matrix = self.blocks.matrix();
        let bounds = self.blocks.bounds();
        self.solution = certify::bounded(
            &mut matrix,
            &self.outcomes,
            alpha,
            (&self.solution, &bounds),
            tolerance,
        )?;
        Ok(true)
    }

    /// The fit as a model's numbers.
    pub(super) fn model(&self) -> Result<LinearModel, FitError> {
        let weights = &self.solution.weights;
        let mut terms: Vec<Term> = Vec::new();
        for (block, role) in self.roles.iter().enumerate() {
            let heights = self.blocks.heights(block, weights);
            let mean = self.blocks.mean(block, weights);
            match role {
                Role::Curve { column, plan } => terms.push(Term::Shape(Shape {
                    column: *column,
                    knots: plan.knots.clone(),
                    heights,
                    special: Vec::new(),
                    missing: 0.0,
                    mean,
                })),
                // A column's special values and missing cells follow its curve.
                Role::Special { values } => {
                    if let Some(Term::Shape(shape)) = terms.last_mut() {
                        let special = values.iter().zip(heights);
                        shape.special = special
                            .map(|(value, weight)| SpecialValue {
                                value: *value,
                                weight,
                            })
                            .collect();
                        shape.mean += mean;
                    }
                }
                Role::Missing => {
                    if let Some(Term::Shape(shape)) = terms.last_mut() {
                        shape.missing = heights[0];
                        shape.mean += mean;
                    }
                }
                Role::Levels { column, levels } => terms.push(Term::Levels(Levels {
                    column: *column,
                    levels: levels
                        .iter()
                        .zip(&heights)
                        .map(|(level, weight)| Level {
                            level: level.clone(),
                            weight: *weight,
                        })
                        .collect(),
                    missing: heights[levels.len()],
                    mean,
                })),
                Role::Grid(grid) => {
                    let mut cells = vec![0.0; grid.first.bins() * grid.second.bins()];
                    for (place, height) in grid.filled.iter().zip(heights) {
                        cells[*place] = height;
                    }
                    terms.push(Term::Pair(Pair {
                        first: grid.first.clone(),
                        second: grid.second.clone(),
                        weights: cells,
                        mean,
                    }));
                }
                // A grid's patches follow its cells.
                Role::Patches(grid) => {
                    if let Some(Term::Pair(pair)) = terms.last_mut() {
                        for (place, patch) in grid.filled.iter().zip(&grid.patch_of) {
                            pair.weights[*place] += heights[*patch];
                        }
                        pair.mean += mean;
                    }
                }
            }
        }
        Ok(LinearModel::new(LinearParts {
            columns: self.inputs.clone(),
            intercept: self.solution.intercept,
            terms,
            calibration: Calibration::Identity,
        })?)
    }
}

fn add_number(
    blocks: &mut Blocks,
    roles: &mut Vec<Role>,
    column: usize,
    (bound, declared): (Bound, Option<usize>),
    numbers: &[f64],
) {
    let missing = numbers.iter().any(|x| x.is_nan());
    let planned = match declared {
        Some(knots) => curves::spline(numbers, knots),
        None => curves::plan(numbers),
    };
    let mut plan = planned.unwrap_or_else(|| {
        // One known value beside missing cells: a flat curve carries the missing cells' weight.
        let value = numbers.iter().copied().find(|x| !x.is_nan()).unwrap_or(0.0);
        CurvePlan {
            knots: vec![value, value + 1.0],
            special: Vec::new(),
        }
    });
    if bound != Bound::Free {
        // A value with a height of its own would stand out of a monotone curve.
        plan.special.clear();
    }
    let (left, share) = curves::places(numbers, &plan.knots);
    let knots = plan.knots.len();
    let curve = blocks.push(Block::Curve { knots, left, share }, 1.0);
    blocks.bind(curve, bound);
    let special = plan.special.clone();
    roles.push(Role::Curve { column, plan });
    if !special.is_empty() {
        let place = |x: &f64| special.iter().position(|value| value == x);
        let cells = special.len();
        let index = numbers
            .iter()
            .map(|x| place(x).unwrap_or(cells) as u16)
            .collect();
        blocks.push(Block::Cells { cells, index }, 1.0);
        roles.push(Role::Special { values: special });
    }
    if missing {
        let index = numbers.iter().map(|x| u16::from(!x.is_nan())).collect();
        blocks.push(Block::Cells { cells: 1, index }, 1.0);
        roles.push(Role::Missing);
    }
}
