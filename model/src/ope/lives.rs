//! Logged lives of invoices, and what following another policy through them is worth.
//!
//! A life is the decisions about one invoice from the first on, each with what happened until the
//! next. With one decision a life this is the one-step value, by the same estimators.

use super::{
    direct::solve::solve,
    episode::{self, Step},
    error::OpeError,
    estimate::Estimate,
    numeric::real,
    overlap::Overlap,
};

/// Folds of the reward model; those of a customer stay together.
const FOLDS: u32 = 4;
/// Most rounds of fitted Q evaluation: a model need not look further ahead.
const MOST_SWEEPS: usize = 24;
/// Ridge on every coefficient, as a share of the rows.
const RIDGE: f64 = 1e-3;

/// Decisions in the order of their lives, with the features of what was done and what came of it.
#[derive(Debug, Clone)]
pub struct Lives {
    width: usize,
    metrics: usize,
    starts: Vec<usize>,
    customers: Vec<u32>,
    taken: Vec<f64>,
    rewards: Vec<f64>,
}

/// How one policy would have acted in the places of a [`Lives`].
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// Importance weight of each decision, `π(a|x) / p(a|x)`.
    pub weights: Vec<f64>,
    /// Features averaged over the policy, `Σ π(b|x) φ(x, b)`, decisions × width.
    pub averaged: Vec<f64>,
}

/// One metric under one policy, a number a life.
#[derive(Debug, Clone)]
pub struct Worth {
    /// Per-decision importance sampling.
    pub per_decision: Estimate,
    /// The same, normalised by the weights at every step; none where some step has no weight.
    pub weighted: Option<Estimate>,
    /// Sequential doubly robust, with a cross-fitted linear model.
    pub doubly_robust: Estimate,
}

impl Lives {
    /// No lives yet, of decisions with `width` features and `metrics` rewards.
    #[must_use]
    pub fn new(width: usize, metrics: usize) -> Self {
        Self {
            width,
            metrics,
            starts: vec![0],
            customers: Vec::new(),
            taken: Vec::new(),
            rewards: Vec::new(),
        }
    }

    /// Adds the next decision of the life that is open: `φ(x, a)` and the rewards until the next.
    ///
    /// # Panics
    /// If the lengths are not those promised.
    pub fn push(&mut self, taken: &[f64], rewards: &[f64]) {
        assert_eq!((taken.len(), rewards.len()), (self.width, self.metrics));
        self.taken.extend_from_slice(taken);
        self.rewards.extend_from_slice(rewards);
    }

    /// Ends the open life; customers are numbered from 0. A life without decisions is not kept.
    pub fn end(&mut self, customer: u32) {
        let decisions = self.decisions();
        if self.starts.last() != Some(&decisions) {
            self.starts.push(decisions);
            self.customers.push(customer);
        }
    }

    /// Decisions of all lives.
    #[must_use]
    pub fn decisions(&self) -> usize {
        self.rewards.len() / self.metrics
    }

    /// Number of lives.
    #[must_use]
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// Customer of each life.
    #[must_use]
    pub fn customers(&self) -> &[u32] {
        &self.customers
    }

    /// How a policy acts that is the log's own: weights of one.
    #[must_use]
    pub fn as_logged(&self, averaged: Vec<f64>) -> Followed {
        Followed {
            weights: vec![1.0; self.decisions()],
            averaged,
        }
    }

    /// Weights of whole lives, `Π w`.
    #[must_use]
    pub fn weights(&self, followed: &Followed) -> Vec<f64> {
        let lives = self.starts.windows(2);
        lives
            .map(|life| followed.weights[life[0]..life[1]].iter().product())
            .collect()
    }

    /// Weights of whole lives, and how evenly they spread.
    #[must_use]
    pub fn overlap(&self, followed: &Followed) -> Overlap {
        Overlap::of_weights(&self.weights(followed), Some(&self.customers))
    }

    /// Every metric under the policy, in order; undiscounted.
    ///
    /// # Errors
    /// No lives, a policy of other decisions, and what the estimators refuse.
    pub fn value(&self, followed: &Followed) -> Result<Vec<Worth>, OpeError> {
        let decisions = self.decisions();
        if followed.weights.len() != decisions {
            return Err(OpeError::Shape {
                what: "the policy",
                unit: "rows",
                found: followed.weights.len(),
                expected: decisions,
            });
        }
        if followed.averaged.len() != decisions * self.width {
            return Err(OpeError::Shape {
                what: "the averaged features",
                unit: "columns",
                found: followed.averaged.len() / decisions.max(1),
                expected: self.width,
            });
        }
        if self.is_empty() {
            return Err(OpeError::NoRounds);
        }
        let models = self.fit(followed);
        (0..self.metrics)
            .map(|metric| {
                let lives = self.steps(followed, metric, &models);
                Ok(Worth {
                    per_decision: episode::per_decision(&lives, 1.0)?,
                    weighted: episode::weighted_per_decision(&lives, 1.0).ok(),
                    doubly_robust: episode::doubly_robust(&lives, 1.0)?,
                })
            })
            .collect()
    }

    fn steps(
        &self,
        followed: &Followed,
        metric: usize,
        models: &[Vec<Vec<f64>>],
    ) -> Vec<Vec<Step>> {
        let lives = self.starts.windows(2).zip(&self.customers);
        lives
            .map(|(life, &customer)| {
                let model = &models[(customer % FOLDS) as usize][metric];
                (life[0]..life[1])
                    .map(|at| Step {
                        weight: followed.weights[at],
                        reward: self.rewards[at * self.metrics + metric],
                        chosen: dot(model, self.row(&self.taken, at)),
                        expected: dot(model, self.row(&followed.averaged, at)),
                    })
                    .collect()
            })
            .collect()
    }

    fn row<'a>(&self, matrix: &'a [f64], at: usize) -> &'a [f64] {
        &matrix[at * self.width..(at + 1) * self.width]
    }

    /// Fitted Q evaluation with `q(x, a) = w · φ(x, a)`: for each fold the coefficients of every
    /// metric, from the lives of the other folds.
    ///
    /// ```text
    /// w ← (Σ φφᵀ + λI)⁻¹ Σ φ ( r + φ̄(next) · w )
    /// ```
    ///
    /// Sweeps end when they stop settling: off the log's policy they may diverge, and the doubly
    /// robust value needs no particular one to be right.
    fn fit(&self, followed: &Followed) -> Vec<Vec<Vec<f64>>> {
        let (n, folds) = (self.width, FOLDS as usize);
        let mut parts = vec![Sums::new(n, self.metrics); folds];
        for (life, &customer) in self.starts.windows(2).zip(&self.customers) {
            let part = &mut parts[(customer % FOLDS) as usize];
            for at in life[0]..life[1] {
                let next = (at + 1 < life[1]).then(|| self.row(&followed.averaged, at + 1));
                let rewards = &self.rewards[at * self.metrics..(at + 1) * self.metrics];
                part.add(self.row(&self.taken, at), next, rewards);
            }
        }
        (0..folds)
            .map(|fold| {
                let mut others = Sums::new(n, self.metrics);
                for (number, part) in parts.iter().enumerate() {
                    if number != fold {
                        others.merge(part);
                    }
                }
                let longest = self.starts.windows(2).map(|life| life[1] - life[0]).max();
                let sweeps = longest.unwrap_or(1).min(MOST_SWEEPS);
                (0..self.metrics)
                    .map(|metric| others.settle(metric, sweeps))
                    .collect()
            })
            .collect()
    }
}

/// What fitting needs of some lives: additive.
#[derive(Debug, Clone)]
struct Sums {
    width: usize,
    rows: f64,
    /// `Σ φφᵀ`.
    gram: Vec<f64>,
    /// `Σ φ φ̄(next)ᵀ`.
    onward: Vec<f64>,
    /// `Σ φ r` by metric.
    reward: Vec<Vec<f64>>,
}

impl Sums {
    fn new(width: usize, metrics: usize) -> Self {
        Self {
            width,
            rows: 0.0,
            gram: vec![0.0; width * width],
            onward: vec![0.0; width * width],
            reward: vec![vec![0.0; width]; metrics],
        }
    }

    fn add(&mut self, taken: &[f64], next: Option<&[f64]>, rewards: &[f64]) {
        self.rows += 1.0;
        for (row, &left) in taken.iter().enumerate().filter(|(_, left)| **left != 0.0) {
            let cells = row * self.width..(row + 1) * self.width;
            for (cell, right) in self.gram[cells.clone()].iter_mut().zip(taken) {
                *cell += left * right;
            }
            if let Some(next) = next {
                for (cell, right) in self.onward[cells].iter_mut().zip(next) {
                    *cell += left * right;
                }
            }
            for (sums, reward) in self.reward.iter_mut().zip(rewards) {
                sums[row] += left * reward;
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        fn plus(left: &mut [f64], right: &[f64]) {
            for (left, right) in left.iter_mut().zip(right) {
                *left += right;
            }
        }
        self.rows += other.rows;
        plus(&mut self.gram, &other.gram);
        plus(&mut self.onward, &other.onward);
        for (left, right) in self.reward.iter_mut().zip(&other.reward) {
            plus(left, right);
        }
    }

    fn settle(&self, metric: usize, sweeps: usize) -> Vec<f64> {
        let none = vec![0.0; self.width];
        let Some(mut model) = self.solve(self.reward[metric].clone()) else {
            return none;
        };
        let mut moved = f64::INFINITY;
        for _ in 1..sweeps {
            let onward = self.onward.chunks_exact(self.width);
            let right = self.reward[metric].iter().zip(onward);
            let right = right.map(|(reward, row)| reward + dot(row, &model));
            let Some(next) = self.solve(right.collect()) else {
                break;
            };
            let step: f64 = model.iter().zip(&next).map(|(a, b)| (a - b).powi(2)).sum();
            if !step.is_finite() || step > moved {
                break;
            }
            (model, moved) = (next, step);
            if moved == 0.0 {
                break;
            }
        }
        model
    }

    fn solve(&self, mut right: Vec<f64>) -> Option<Vec<f64>> {
        let mut left = self.gram.clone();
        let ridge = (RIDGE * self.rows).max(1.0);
        for place in 0..self.width {
            left[place * self.width + place] += ridge;
        }
        solve(&mut left, &mut right).then_some(right)
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// The part of an estimate that some of its lives make: their mean, each with its own influence.
///
/// For estimates that are means (per-decision, doubly robust); `keep` says which lives.
///
/// # Errors
/// [`OpeError::NoRounds`] where none is kept.
pub fn part_of(
    estimate: &Estimate,
    customers: &[u32],
    keep: impl Fn(usize) -> bool,
) -> Result<(Estimate, Vec<u32>), OpeError> {
    let kept: Vec<usize> = (0..estimate.influence.len())
        .filter(|&life| keep(life))
        .collect();
    if kept.is_empty() {
        return Err(OpeError::NoRounds);
    }
    let parts: Vec<f64> = kept
        .iter()
        .map(|&life| estimate.value + estimate.influence[life])
        .collect();
    let value = parts.iter().sum::<f64>() / real(parts.len());
    let influence = parts.into_iter().map(|part| part - value).collect();
    let customers = kept.iter().map(|&life| customers[life]).collect();
    Ok((Estimate { value, influence }, customers))
}

#[cfg(test)]
mod tests;
