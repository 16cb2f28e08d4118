//! A value together with what each round contributed to it.

use super::error::OpeError;
use super::numeric::mean;

/// An estimated value and its influence: how much each round moved it.
///
/// For a mean, `influence[i] = zᵢ − mean(z)`; for a ratio, its linearisation.
/// Influences sum to zero up to rounding, and
/// `value ≈ V + mean(influence under V)`, so their spread gives the variance,
/// within customers where rounds of one customer hang together.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The estimated value, in units of the reward.
    pub value: f64,
    /// One number a round, of mean zero.
    pub influence: Vec<f64>,
}

impl Estimate {
    /// The mean of one number a round; there is at least one.
    pub(super) fn mean_of(rows: &[f64]) -> Self {
        let value = mean(rows);
        Self {
            value,
            influence: rows.iter().map(|row| row - value).collect(),
        }
    }

    /// The difference of two values estimated on the same rounds, so that what
    /// they share cancels: a gate compares candidate and incumbent this way.
    ///
    /// # Errors
    /// Estimates of different numbers of rounds.
    pub fn minus(&self, other: &Self) -> Result<Self, OpeError> {
        if self.influence.len() != other.influence.len() {
            return Err(OpeError::Shape {
                what: "the other estimate",
                unit: "rows",
                found: other.influence.len(),
                expected: self.influence.len(),
            });
        }
        Ok(Self {
            value: self.value - other.value,
            influence: self
                .influence
                .iter()
                .zip(&other.influence)
                .map(|(ours, theirs)| ours - theirs)
                .collect(),
        })
    }
}
