//! Choosing the strength of a shrinkage from the data.

pub mod mse;
pub mod slope;

use super::{error::OpeError, estimator::Estimator, shrinkage::Shrinkage, terms::Terms};

/// A family of estimators with one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPS with clipped weights.
    ClippedImportance,
    /// Doubly robust with clipped weights.
    ClippedDoublyRobust,
    /// Switch-DR.
    Switch,
    /// Doubly robust with optimistic shrinkage.
    Optimistic,
}

impl Family {
    /// The member with this parameter.
    #[must_use]
    pub fn member(self, parameter: f64) -> Estimator {
        match self {
            Self::ClippedImportance => Estimator::importance(Shrinkage::Clip(parameter)),
            Self::ClippedDoublyRobust => Estimator::doubly_robust(Shrinkage::Clip(parameter)),
            Self::Switch => Estimator::doubly_robust(Shrinkage::Switch(parameter)),
            Self::Optimistic => Estimator::doubly_robust(Shrinkage::Optimistic(parameter)),
        }
    }

    /// The parameters tried when none are named: weights of one to a hundred,
    /// and their square for the optimistic shrinkage, whose peak is at √λ.
    #[must_use]
    pub fn default_grid(self) -> &'static [f64] {
        match self {
            Self::Optimistic => &[0.5, 1.0, 5.0, 10.0, 50.0, 100.0, 1000.0],
            _ => &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0],
        }
    }
}

/// How the parameter is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// The narrowest interval that agrees with all wider ones: [`slope`].
    Slope,
    /// The least bound of the mean squared error: [`mse`].
    MeanSquaredError,
}

/// Failure probability of the bounds both criteria use.
const DELTA: f64 = 0.1;

/// The parameter of `grid` that the criterion prefers.
///
/// # Errors
/// An empty grid, too few rounds, or an estimator that cannot be computed.
pub fn choose(
    family: Family,
    grid: &[f64],
    criterion: Criterion,
    terms: &Terms,
) -> Result<f64, OpeError> {
    if grid.is_empty() {
        return Err(OpeError::TooFew {
            what: "tuning",
            needed: 1,
            found: 0,
            unit: "parameters",
        });
    }
    if terms.len() < 2 {
        return Err(OpeError::TooFew {
            what: "tuning",
            needed: 2,
            found: terms.len(),
            unit: "rounds",
        });
    }
    match criterion {
        Criterion::Slope => slope::choose(family, grid, terms, DELTA),
        Criterion::MeanSquaredError => mse::choose(family, grid, terms, DELTA),
    }
}
