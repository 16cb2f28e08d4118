//! The two layers and their ridges.

use ndarray::{ArrayView1, ArrayView2};

use super::{Sample, design::Scaling, solve::solve};
use crate::ope::error::OpeError;

/// Rows of prior for the shared slopes: only to keep the system solvable.
const SHARED_PRIOR: f64 = 1.0;
/// Rows of prior that pull an action's own level towards the common one.
const LEVEL_PRIOR: f64 = 5.0;

/// A fitted reward model; see [`super`] for its form.
#[derive(Debug, Clone)]
pub struct DirectModel {
    scaling: Scaling,
    mean: f64,
    slopes: Vec<f64>,
    levels: Vec<f64>,
    /// `K × (d + 1)`, level first; empty without a second layer.
    own: Vec<f64>,
    least: f64,
    most: f64,
}

impl DirectModel {
    /// Predicted reward of an action in a context (length `d`), within the
    /// range of the rewards it was fitted on.
    #[must_use]
    pub fn predict(&self, context: ArrayView1<'_, f64>, action: usize) -> f64 {
        let width = self.slopes.len() + 1;
        let own = self.own.get(action * width..(action + 1) * width);
        let mut value = self.mean + self.levels[action] + own.map_or(0.0, |layer| layer[0]);
        for (position, x) in self.scaling.apply(context).enumerate() {
            let slope = self.slopes[position] + own.map_or(0.0, |layer| layer[position + 1]);
            value += slope * x;
        }
        value.clamp(self.least, self.most)
    }
}

/// The first layer fitted, and the sums from which any second layer follows.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    first: DirectModel,
    /// For each action the Gram matrix of `(1, x̃)` and its products with the
    /// first layer's residuals.
    grams: Vec<Vec<f64>>,
    products: Vec<Vec<f64>>,
}

impl Fit {
    /// Fits the first layer on some rows of the sample.
    pub(super) fn on(sample: &Sample<'_>, rows: &[usize]) -> Result<Self, OpeError> {
        let scaling = Scaling::of(sample.contexts, rows);
        let first = first_layer(sample, rows, scaling)?;
        let width = first.slopes.len() + 1;
        let mut grams = vec![vec![0.0; width * width]; sample.actions];
        let mut products = vec![vec![0.0; width]; sample.actions];
        let mut features = Vec::with_capacity(width);
        for &row in rows {
            let action = sample.chosen[row] as usize;
            fill(&mut features, &first.scaling, sample.contexts, row);
            let fitted = first.mean + first.levels[action] + dot(&first.slopes, &features[1..]);
            let left = sample.rewards[row] - fitted;
            add_outer(&mut grams[action], &features);
            for (total, feature) in products[action].iter_mut().zip(&features) {
                *total += feature * left;
            }
        }
        Ok(Self {
            first,
            grams,
            products,
        })
    }

    /// The model whose second layer is held back by `strength` rows of prior.
    pub(super) fn model(&self, strength: f64) -> Result<DirectModel, OpeError> {
        let mut model = self.first.clone();
        if strength.is_infinite() {
            return Ok(model);
        }
        let width = model.slopes.len() + 1;
        for (gram, product) in self.grams.iter().zip(&self.products) {
            let mut matrix = gram.clone();
            for diagonal in 0..width {
                matrix[diagonal * width + diagonal] += strength;
            }
            let mut own = product.clone();
            if !solve(&mut matrix, &mut own) {
                return Err(not_solvable());
            }
            model.own.extend(own);
        }
        Ok(model)
    }
}

/// Mean, shared slopes and one level an action, by one ridge.
fn first_layer(
    sample: &Sample<'_>,
    rows: &[usize],
    scaling: Scaling,
) -> Result<DirectModel, OpeError> {
    let columns = scaling.columns();
    let width = 1 + columns + sample.actions;
    let mut gram = vec![0.0; width * width];
    let mut product = vec![0.0; width];
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut features = Vec::with_capacity(columns + 1);
    let dense = columns + 1;
    for &row in rows {
        let reward = sample.rewards[row];
        (least, most) = (least.min(reward), most.max(reward));
        fill(&mut features, &scaling, sample.contexts, row);
        let level = dense + sample.chosen[row] as usize;
        for (i, left) in features.iter().enumerate() {
            for (j, right) in features[..=i].iter().enumerate() {
                gram[i * width + j] += left * right;
            }
            gram[level * width + i] += left;
            product[i] += left * reward;
        }
        gram[level * width + level] += 1.0;
        product[level] += reward;
    }
    for diagonal in 1..width {
        gram[diagonal * width + diagonal] += if diagonal < dense {
            SHARED_PRIOR
        } else {
            LEVEL_PRIOR
        };
    }
    if !solve(&mut gram, &mut product) {
        return Err(not_solvable());
    }
    Ok(DirectModel {
        scaling,
        mean: product[0],
        slopes: product[1..dense].to_vec(),
        levels: product[dense..].to_vec(),
        own: Vec::new(),
        least,
        most,
    })
}

fn fill(into: &mut Vec<f64>, scaling: &Scaling, contexts: ArrayView2<'_, f64>, row: usize) {
    into.clear();
    into.push(1.0);
    into.extend(scaling.apply(contexts.row(row)));
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// Adds the lower triangle of `f fᵀ`; the solver reads nothing else.
fn add_outer(gram: &mut [f64], features: &[f64]) {
    let width = features.len();
    for (i, left) in features.iter().enumerate() {
        for (j, right) in features[..=i].iter().enumerate() {
            gram[i * width + j] += left * right;
        }
    }
}

fn not_solvable() -> OpeError {
    OpeError::Missing {
        estimator: "the fitted reward model".to_owned(),
        what: "contexts of finite, moderate size",
    }
}
