//! Sample ratio mismatch: did the arms get the shares they should?
//!
//! An experiment whose arms differ in size by more than chance lost or misrouted customers, and
//! not at random; no other number of it can be trusted. Fabijan et al., KDD 2019
//! (doi:10.1145/3292500.3330722).

use serde::Serialize;

use super::{StatisticsError, special::chi_squared};

pub mod sequential;

/// The level at which a mismatch is believed.
pub const ALPHA: f64 = 0.001;

/// The chi-squared test of the arms' sizes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SrmTest {
    /// Customers seen per arm.
    pub observed: Vec<u64>,
    /// Customers expected per arm.
    pub expected: Vec<f64>,
    /// `Σ (O-E)²/E` over arms that were to get customers.
    pub chi2: f64,
    /// Such arms minus one.
    pub df: usize,
    /// p-value.
    pub p: f64,
    /// `log10 p`, exact where `p` underflows.
    pub log10_p: f64,
    /// Customers seen in arms that were to get none: each is proof of a fault.
    pub leak_units: u64,
}

impl SrmTest {
    /// Tests constant shares. `weights` need not sum to one.
    ///
    /// # Errors
    /// [`StatisticsError::Length`] unless there is a weight an arm, [`StatisticsError::OutOfRange`]
    /// for a negative or infinite weight, [`StatisticsError::TooFew`] unless two arms have weight.
    pub fn of_weights(observed: &[u64], weights: &[f64]) -> Result<Self, StatisticsError> {
        check_weights(observed.len(), weights)?;
        let sum: f64 = weights.iter().sum();
        let units = count(observed.iter().sum());
        let expected: Vec<f64> = weights.iter().map(|weight| weight / sum * units).collect();
        Self::of_expected(observed, &expected)
    }

    /// Tests shares that changed: `periods` holds the weights of each allocation period and the
    /// customers who entered in it, all arms together; expected counts add up over the periods.
    ///
    /// # Errors
    /// As [`Self::of_weights`], for every period.
    pub fn of_periods(
        observed: &[u64],
        periods: &[(Vec<f64>, u64)],
    ) -> Result<Self, StatisticsError> {
        let mut expected = vec![0.0; observed.len()];
        for (weights, units) in periods {
            check_weights(observed.len(), weights)?;
            let sum: f64 = weights.iter().sum();
            for (total, weight) in expected.iter_mut().zip(weights) {
                *total += weight / sum * count(*units);
            }
        }
        Self::of_expected(observed, &expected)
    }

    fn of_expected(observed: &[u64], expected: &[f64]) -> Result<Self, StatisticsError> {
        let arms = expected.iter().filter(|e| **e > 0.0).count();
        if arms < 2 {
            return Err(StatisticsError::TooFew {
                what: "a test of shares, in arms that were to get customers,",
                needed: 2,
                found: arms,
            });
        }
        let pairs = || observed.iter().zip(expected);
        let chi2 = pairs()
            .filter(|(_, e)| **e > 0.0)
            .map(|(o, e)| (count(*o) - e).powi(2) / e)
            .sum();
        let leak_units = pairs().filter(|(_, e)| **e == 0.0).map(|(o, _)| o).sum();
        let df = arms - 1;
        let ln_p = chi_squared::ln_sf(chi2, count(df as u64));
        Ok(Self {
            observed: observed.to_vec(),
            expected: expected.to_vec(),
            chi2,
            df,
            p: ln_p.exp(),
            log10_p: ln_p / std::f64::consts::LN_10,
            leak_units,
        })
    }

    /// Whether the sizes are believable: no leak, and `p` not below [`ALPHA`].
    #[must_use]
    pub fn passes(&self) -> bool {
        self.leak_units == 0 && self.p >= ALPHA
    }
}

fn check_weights(arms: usize, weights: &[f64]) -> Result<(), StatisticsError> {
    if weights.len() != arms {
        return Err(StatisticsError::Length {
            left_name: "the arms",
            left: arms,
            right_name: "the shares",
            right: weights.len(),
        });
    }
    for weight in weights {
        if !weight.is_finite() || *weight < 0.0 {
            return Err(StatisticsError::OutOfRange {
                what: "an arm's share",
                range: "[0, ∞)",
                value: *weight,
            });
        }
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no experiment has 2^53 customers"
)]
fn count(units: u64) -> f64 {
    units as f64
}
