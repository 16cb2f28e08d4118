//! A reward model for logs that bring none: ridge in two layers, cross-fitted.
//!
//! ```text
//! q(x, a) = m + β·x̃ + α_a  +  γ_a0 + γ_a·x̃
//!           what works for everybody   what differs, shrunk towards nothing
//! ```
//!
//! The second layer is fitted to what the first leaves over, one ridge an
//! action, with a strength chosen on rows the model has not seen. With few
//! rows an action the second layer vanishes, and every action shares one slope.

mod design;
mod layers;
pub(super) mod solve;

pub use layers::DirectModel;

use ndarray::{Array2, ArrayView2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::error::OpeError;

/// The log a model is fitted on: `n` rounds, `d` context columns.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Contexts, `n × d`, without missing values.
    pub contexts: ArrayView2<'a, f64>,
    /// The action taken in every round, `0..actions`.
    pub chosen: &'a [u32],
    /// The reward of every round.
    pub rewards: &'a [f64],
    /// The number of actions.
    pub actions: usize,
    /// The customer of every round: a customer's rounds stay in one fold.
    pub customers: Option<&'a [u32]>,
}

/// Number of folds when none is named.
pub const FOLDS: usize = 5;

/// Strengths tried for the second layer, in rows of prior: infinity is no
/// second layer at all.
const STRENGTHS: [f64; 5] = [f64::INFINITY, 3_000.0, 300.0, 100.0, 30.0];

impl Sample<'_> {
    fn check(&self) -> Result<(), OpeError> {
        let rounds = self.chosen.len();
        if rounds == 0 {
            return Err(OpeError::NoRounds);
        }
        for (what, found) in [
            ("the rewards", self.rewards.len()),
            ("the contexts", self.contexts.nrows()),
            ("the customers", self.customers.map_or(rounds, <[u32]>::len)),
        ] {
            if found != rounds {
                return Err(OpeError::Shape {
                    what,
                    unit: "rows",
                    found,
                    expected: rounds,
                });
            }
        }
        for (round, (&action, &reward)) in self.chosen.iter().zip(self.rewards).enumerate() {
            super::round::check_decision(round, action as usize, reward, 1.0, self.actions)?;
        }
        Ok(())
    }

    /// A fold for every round: shuffled, whole customers together.
    fn folds(&self, folds: usize, seed: u64) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let units = match self.customers {
            Some(customers) => customers.iter().copied().max().unwrap_or(0) as usize + 1,
            None => self.chosen.len(),
        };
        let mut fold_of: Vec<usize> = (0..units).map(|unit| unit % folds).collect();
        for last in (1..units).rev() {
            let other = random.random_range(0..=last as u64);
            fold_of.swap(last, usize::try_from(other).unwrap_or(last));
        }
        match self.customers {
            Some(customers) => customers.iter().map(|&one| fold_of[one as usize]).collect(),
            None => fold_of,
        }
    }
}

/// Predicted rewards of every action in every round (`n × K`), each by a model
/// that has not seen the round's fold; what doubly robust estimators want.
///
/// # Errors
/// Shapes that disagree, fewer rounds than folds, or fewer than two folds.
pub fn cross_fit(sample: &Sample<'_>, folds: usize, seed: u64) -> Result<Array2<f64>, OpeError> {
    sample.check()?;
    let rounds = sample.chosen.len();
    if folds < 2 || rounds < folds {
        return Err(OpeError::TooFew {
            what: "a cross-fitted reward model",
            needed: folds.max(2),
            found: if folds < 2 { folds } else { rounds },
            unit: "rounds and two folds",
        });
    }
    let fold_of = sample.folds(folds, seed);
    let models = (0..folds)
        .map(|fold| {
            let seen: Vec<usize> = (0..rounds).filter(|&row| fold_of[row] != fold).collect();
            layers::Fit::on(sample, &seen)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let strength = best_strength(sample, &fold_of, &models)?;
    let models = models
        .into_iter()
        .map(|fit| fit.model(strength))
        .collect::<Result<Vec<_>, _>>()?;
    let mut predicted = Array2::zeros((rounds, sample.actions));
    for (row, mut into) in predicted.rows_mut().into_iter().enumerate() {
        let model = &models[fold_of[row]];
        for (action, value) in into.iter_mut().enumerate() {
            *value = model.predict(sample.contexts.row(row), action);
        }
    }
    Ok(predicted)
}

/// One model on all rounds, its second layer as strong as unseen rounds allow.
///
/// # Errors
/// As [`cross_fit`].
pub fn fit(sample: &Sample<'_>, folds: usize, seed: u64) -> Result<DirectModel, OpeError> {
    sample.check()?;
    let rounds = sample.chosen.len();
    let everything: Vec<usize> = (0..rounds).collect();
    let whole = layers::Fit::on(sample, &everything)?;
    if folds < 2 || rounds < folds {
        return whole.model(f64::INFINITY);
    }
    let fold_of = sample.folds(folds, seed);
    let parts = (0..folds)
        .map(|fold| {
            let seen: Vec<usize> = (0..rounds).filter(|&row| fold_of[row] != fold).collect();
            layers::Fit::on(sample, &seen)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let strength = best_strength(sample, &fold_of, &parts)?;
    whole.model(strength)
}

/// The strength with the least squared error on unseen rounds.
fn best_strength(
    sample: &Sample<'_>,
    fold_of: &[usize],
    fits: &[layers::Fit],
) -> Result<f64, OpeError> {
    let mut best = (f64::INFINITY, f64::INFINITY);
    for strength in STRENGTHS {
        let models = fits
            .iter()
            .map(|fit| fit.model(strength))
            .collect::<Result<Vec<_>, _>>()?;
        let error: f64 = (0..fold_of.len())
            .map(|row| {
                let action = sample.chosen[row] as usize;
                let predicted = models[fold_of[row]].predict(sample.contexts.row(row), action);
                (sample.rewards[row] - predicted).powi(2)
            })
            .sum();
        if error < best.1 {
            best = (strength, error);
        }
    }
    Ok(best.0)
}
