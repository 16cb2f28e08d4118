//! Winsorising: heavy tails clamped at a cap common to all arms.

use serde::{Deserialize, Serialize};

use super::{StatisticsError, quantile::quantile};

/// Which values set the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapBase {
    /// All customers.
    #[default]
    All,
    /// Customers whose value is not zero: for metrics that are zero for most.
    Nonzero,
}

/// A cap and how many units it touches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cap {
    /// The largest value kept; larger ones are lowered to it.
    pub cap: f64,
    /// Share of all units above the cap, in [0, 1].
    pub share_capped: f64,
}

impl Cap {
    /// The `q` quantile (type 7) of the values of **all arms together**.
    ///
    /// A cap per arm can create a difference where there is none and hide one where there is; units
    /// are clamped, never dropped. For a ratio, numerator and denominator get a cap each, and the
    /// clamped values go into every moment.
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] when no value is left to take the quantile of,
    /// [`StatisticsError::OutOfRange`] for `q` outside [0, 1].
    pub fn pooled<'a>(
        arms: impl IntoIterator<Item = &'a [f64]>,
        q: f64,
        base: CapBase,
    ) -> Result<Self, StatisticsError> {
        let mut values: Vec<f64> = arms.into_iter().flatten().copied().collect();
        let units = values.len();
        if base == CapBase::Nonzero {
            values.retain(|value| *value != 0.0);
        }
        let cap = quantile(&mut values, q)?;
        let above = values.iter().filter(|value| **value > cap).count();
        #[expect(clippy::cast_precision_loss, reason = "counts of units")]
        let share_capped = above as f64 / units as f64;
        Ok(Self { cap, share_capped })
    }

    /// `values` with everything above the cap lowered to it.
    #[must_use]
    pub fn clamp(&self, values: &[f64]) -> Vec<f64> {
        values.iter().map(|value| value.min(self.cap)).collect()
    }
}
