//! From log-odds to the probability that is quoted: maps learnt on rows that the model was not fitted on.
//!
//! Every map is non-decreasing, so that calibration never changes who is likelier than whom, and stays strictly
//! inside (0, 1), so that no single row can cost an infinite log-loss.

use serde::{Deserialize, Serialize};

/// Probabilities are kept at least this far from 0 and 1.
pub const SMALLEST_PROBABILITY: f64 = 1e-9;

/// A monotone map from log-odds `z` to a probability.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Calibration {
    /// `σ(z) = 1 / (1 + e^(−z))`: the fit is calibrated as it stands.
    #[default]
    Identity,
    /// `σ(slope·z + intercept)`. Source: Platt, *Advances in Large Margin Classifiers*, 1999.
    Platt {
        /// Above 0; below 1 says that the fit was too sure of itself.
        slope: f64,
        /// Log-odds.
        intercept: f64,
    },
    /// The line through `(scores, probabilities)`, level outside. Source: Zadrozny and Elkan, KDD 2002,
    /// doi:10.1145/775047.775151.
    Isotonic {
        /// Log-odds, strictly ascending, at least one.
        scores: Vec<f64>,
        /// Probabilities, non-decreasing, one a score.
        probabilities: Vec<f64>,
    },
}

/// Why numbers are not a calibration map.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Platt's slope is not a positive number or its intercept is not finite.
    #[error("slope {slope} must be above 0 and intercept {intercept} finite")]
    Platt {
        /// The slope.
        slope: f64,
        /// The intercept.
        intercept: f64,
    },
    /// The isotonic map has no points, or not as many scores as probabilities.
    #[error(
        "{scores} scores and {probabilities} probabilities; there must be as many of each, at least one"
    )]
    Points {
        /// Number of scores.
        scores: usize,
        /// Number of probabilities.
        probabilities: usize,
    },
    /// The isotonic map decreases, or leaves [0, 1], at this point.
    #[error(
        "point {index} (score {score}, probability {probability}) breaks the order or leaves [0, 1]"
    )]
    Order {
        /// Place of the point.
        index: usize,
        /// Its score.
        score: f64,
        /// Its probability.
        probability: f64,
    },
}

impl Calibration {
    /// The calibrated probability for log-odds `z`, in `[1e-9, 1 − 1e-9]`; `NaN` only for `NaN`.
    #[must_use]
    pub fn probability(&self, z: f64) -> f64 {
        let raw = match self {
            Self::Identity => logistic(z),
            Self::Platt { slope, intercept } => logistic(slope * z + intercept),
            Self::Isotonic {
                scores,
                probabilities,
            } => interpolate(scores, probabilities, z),
        };
        raw.clamp(SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    }

    /// Whether the numbers are a map.
    ///
    /// # Errors
    /// [`CalibrationError`] with the numbers that are out of range or order.
    pub fn check(&self) -> Result<(), CalibrationError> {
        match self {
            Self::Identity => Ok(()),
            Self::Platt { slope, intercept } => {
                if *slope > 0.0 && slope.is_finite() && intercept.is_finite() {
                    return Ok(());
                }
                Err(CalibrationError::Platt {
                    slope: *slope,
                    intercept: *intercept,
                })
            }
            Self::Isotonic {
                scores,
                probabilities,
            } => points(scores, probabilities),
        }
    }
}

fn points(scores: &[f64], probabilities: &[f64]) -> Result<(), CalibrationError> {
    if scores.is_empty() || scores.len() != probabilities.len() {
        return Err(CalibrationError::Points {
            scores: scores.len(),
            probabilities: probabilities.len(),
        });
    }
    for index in 0..scores.len() {
        let (score, probability) = (scores[index], probabilities[index]);
        let inside = score.is_finite() && (0.0..=1.0).contains(&probability);
        let after =
            index == 0 || (scores[index - 1] < score && probabilities[index - 1] <= probability);
        if !inside || !after {
            return Err(CalibrationError::Order {
                index,
                score,
                probability,
            });
        }
    }
    Ok(())
}

/// The line through ascending `(xs, ys)` at `x`, level outside.
fn interpolate(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    let above = xs.partition_point(|at| *at < x);
    if above == 0 {
        return ys[0];
    }
    if above == xs.len() {
        return ys[above - 1];
    }
    let share = (x - xs[above - 1]) / (xs[above] - xs[above - 1]);
    ys[above - 1] + (ys[above] - ys[above - 1]) * share
}

/// `σ(z) = 1 / (1 + e^(−z))`, without overflow and equal on every platform.
#[must_use]
pub fn logistic(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + libm::exp(-z))
    } else {
        let odds = libm::exp(z);
        odds / (1.0 + odds)
    }
}

/// `ln(p / (1 − p))`, the inverse of [`logistic`], for `p` strictly between 0 and 1.
#[must_use]
pub fn log_odds(p: f64) -> f64 {
    libm::log(p) - libm::log1p(-p)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Calibration, CalibrationError, log_odds, logistic};

    #[test]
    fn logistic_and_log_odds_are_inverse_and_never_overflow() {
        for z in [-700.0, -30.0, -1.5, 0.0, 1e-9, 2.0, 30.0] {
            assert!((log_odds(logistic(z)) - z).abs() <= 1e-9 * (1.0 + z.abs()) || z > 29.0);
        }
        assert_eq!(logistic(1e9), 1.0);
        assert_eq!(logistic(-1e9), 0.0);
    }

    #[test]
    fn platt_of_slope_one_is_the_identity() {
        let platt = Calibration::Platt {
            slope: 1.0,
            intercept: 0.0,
        };
        assert_eq!(
            platt.probability(0.7),
            Calibration::Identity.probability(0.7)
        );
    }

    #[test]
    fn isotonic_interpolates_and_is_level_outside() {
        let map = Calibration::Isotonic {
            scores: vec![-1.0, 1.0],
            probabilities: vec![0.2, 0.6],
        };
        map.check().unwrap();
        assert_eq!(map.probability(-9.0), 0.2);
        assert!((map.probability(0.0) - 0.4).abs() < 1e-15);
        assert_eq!(map.probability(9.0), 0.6);
    }

    #[test]
    fn certainty_is_never_quoted() {
        let sure = Calibration::Isotonic {
            scores: vec![0.0],
            probabilities: vec![1.0],
        };
        assert!(sure.probability(5.0) < 1.0);
        assert!(Calibration::Identity.probability(-1e6) > 0.0);
    }

    #[test]
    fn maps_that_turn_the_order_round_are_refused() {
        let falling = Calibration::Platt {
            slope: -1.0,
            intercept: 0.0,
        };
        assert!(falling.check().is_err());
        let falling = Calibration::Isotonic {
            scores: vec![0.0, 1.0],
            probabilities: vec![0.5, 0.4],
        };
        assert!(matches!(
            falling.check(),
            Err(CalibrationError::Order { index: 1, .. })
        ));
    }
}
