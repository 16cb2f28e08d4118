//! Ways to tame a large importance weight: bias traded for variance.

use super::error::OpeError;

/// A map from an importance weight `w ≥ 0` to the weight an estimator uses.
///
/// Every map keeps small weights and bounds or damps large ones; only
/// [`Shrinkage::None`] leaves an estimator unbiased.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shrinkage {
    /// `w`: importance sampling as it is.
    None,
    /// `0`: the model's word alone (the direct method).
    Ignore,
    /// `min(w, λ)`, λ > 0. Clipping; with a model, the pessimistic shrinkage of
    /// Su, Dimakopoulou, Krishnamurthy and Dudík (ICML 2020, arXiv 1907.09623).
    Clip(f64),
    /// `w 1[w ≤ τ]`, τ ≥ 0. Wang, Agarwal and Dudík (ICML 2017, arXiv
    /// 1612.01205): beyond τ the model is believed instead.
    Switch(f64),
    /// `λ w / (w² + λ)`, λ ≥ 0. Optimistic shrinkage, Su et al. (2020): rises to
    /// √λ / 2 at w = √λ, then falls towards zero.
    Optimistic(f64),
    /// `w / (1 − λ + λ w)`, λ in [0, 1]. Metelli, Russo and Restelli (NeurIPS
    /// 2021): bounded by 1/λ, with sub-Gaussian concentration.
    SubGaussian(f64),
}

impl Shrinkage {
    /// The shrunken weight.
    #[must_use]
    pub fn apply(self, weight: f64) -> f64 {
        match self {
            Self::None => weight,
            Self::Ignore => 0.0,
            Self::Clip(limit) => weight.min(limit),
            Self::Switch(limit) if weight <= limit => weight,
            Self::Switch(_) => 0.0,
            Self::Optimistic(strength) if weight > 0.0 => {
                strength * weight / (weight * weight + strength)
            }
            Self::Optimistic(_) => 0.0,
            Self::SubGaussian(share) => weight / (1.0 - share + share * weight),
        }
    }

    /// Refuses a parameter outside its range.
    ///
    /// # Errors
    /// The parameter, its value and the range.
    pub fn check(self) -> Result<(), OpeError> {
        let (name, value, allowed, fits) = match self {
            Self::None | Self::Ignore => return Ok(()),
            Self::Clip(limit) => ("the clipping limit", limit, "above 0", limit > 0.0),
            Self::Switch(limit) => ("the switching limit", limit, "at least 0", limit >= 0.0),
            Self::Optimistic(strength) => (
                "the optimistic shrinkage",
                strength,
                "finite and at least 0",
                (0.0..f64::INFINITY).contains(&strength),
            ),
            Self::SubGaussian(share) => (
                "the sub-gaussian share",
                share,
                "in [0, 1]",
                (0.0..=1.0).contains(&share),
            ),
        };
        if fits {
            return Ok(());
        }
        Err(OpeError::Parameter {
            name,
            value,
            allowed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Shrinkage;

    #[test]
    fn every_map_keeps_zero_and_never_enlarges_a_weight_above_one() {
        for map in [
            Shrinkage::None,
            Shrinkage::Clip(5.0),
            Shrinkage::Switch(5.0),
            Shrinkage::Optimistic(5.0),
            Shrinkage::SubGaussian(0.05),
        ] {
            assert!(map.apply(0.0).abs() < 1e-300);
            for weight in [1.0, 2.0, 5.0, 5.1, 1e3, 1e9] {
                assert!(map.apply(weight) <= weight, "{map:?} at {weight}");
            }
        }
    }

    #[test]
    fn optimistic_shrinkage_peaks_at_the_root() {
        let map = Shrinkage::Optimistic(9.0);
        assert!((map.apply(3.0) - 1.5).abs() < 1e-15);
        assert!(map.apply(3.0) > map.apply(2.9) && map.apply(3.0) > map.apply(3.1));
    }

    #[test]
    fn a_parameter_outside_its_range_is_refused() {
        assert!(Shrinkage::Clip(0.0).check().is_err());
        assert!(Shrinkage::Switch(f64::NAN).check().is_err());
        assert!(Shrinkage::Optimistic(f64::INFINITY).check().is_err());
        assert!(Shrinkage::SubGaussian(1.5).check().is_err());
        assert!(Shrinkage::SubGaussian(0.05).check().is_ok());
    }
}
