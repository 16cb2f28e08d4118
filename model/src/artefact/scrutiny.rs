//! What a reviewer asks of a model beyond its figures: whether it holds over time and in every part of
//! the customers, and whether it could have seen what it predicts.

use super::HeldOut;
use crate::metrics::Metrics;
use crate::statistics::special::student_t;
use serde::{Deserialize, Serialize};

/// How a feature fared when the model was fitted anew on the past of each fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stability {
    /// The feature, or pair of features.
    pub feature: String,
    /// Standard deviation over decisions of what it adds to the log-odds, in the stored model.
    pub strength: f64,
    /// The least that it was in a fold's model; 0 where one did without it.
    pub low: f64,
    /// The most.
    pub high: f64,
    /// Lowest correlation, over the folds, of what it adds in the fold's model and in the stored one:
    /// 1 where its curve keeps its shape, below 0 where it turns. None where a fold did without it.
    pub agreement: Option<f64>,
}

/// Figures in one part of the decisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Which part, as in `stage: due` or `business: yes`.
    pub segment: String,
    /// Mean of what was predicted there.
    pub mean_predicted: f64,
    /// The figures of the twin there; `base_rate` is what was seen.
    pub metrics: Metrics,
}

/// A way to see the future that was looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// What was asked.
    pub name: String,
    /// Whether none was found.
    pub passed: bool,
    /// What was found.
    pub words: String,
}

/// The answers for one model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scrutiny {
    /// Figures of models fitted with the stored one's settings on the past of each fold and judged on
    /// the fold, without a calibration map; in order of time.
    pub folds: Vec<HeldOut>,
    /// Features, the strongest first.
    pub stability: Vec<Stability>,
    /// Figures of the judged twin by part.
    pub segments: Vec<Segment>,
    /// Leaks that were looked for.
    pub leaks: Vec<Leak>,
}

/// A figure over the folds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverFolds {
    /// Its mean.
    pub mean: f64,
    /// Lower end of the 95 % interval of the mean of a fold like these.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Scrutiny {
    /// Whether nothing was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A figure over the folds that have it, with Student's interval of its mean; none with fewer than
    /// two folds.
    ///
    /// ```text
    /// mean ± t_{k−1; 0.975}·s/√k
    /// ```
    pub fn over_folds(&self, figure: impl Fn(&Metrics) -> Option<f64>) -> Option<OverFolds> {
        let values: Vec<f64> = self
            .folds
            .iter()
            .filter_map(|fold| figure(&fold.metrics))
            .collect();
        if values.len() < 2 {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (squares / (count - 1.0) / count).sqrt();
        let reach = student_t::isf(0.025, count - 1.0) * error;
        Some(OverFolds {
            mean,
            low: mean - reach,
            high: mean + reach,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{HeldOut, Scrutiny};
    use crate::metrics::Metrics;
    use lagom_features::domain::Timestamp;

    #[test]
    fn the_interval_over_folds_is_students() {
        let fold = |log_loss| HeldOut {
            fitted_before: Timestamp::MIN,
            judged_from: Timestamp::MIN,
            fitted_rows: 1,
            metrics: Metrics {
                log_loss,
                ..Metrics::of(&[true, true], &[0.5, 0.5]).unwrap()
            },
        };
        let scrutiny = Scrutiny {
            folds: [0.4, 0.5, 0.6].map(fold).to_vec(),
            ..Scrutiny::default()
        };
        let found = scrutiny.over_folds(|m| Some(m.log_loss)).unwrap();
        // t of 2 degrees of freedom is 4.302652729911275 (R 4.3: qt(.975, 2)); s/√k = .1/√3.
        let reach = 4.302_652_729_911_275 * 0.1 / 3.0_f64.sqrt();
        assert!((found.mean - 0.5).abs() < 1e-12);
        assert!((found.low - (0.5 - reach)).abs() < 1e-9);
        assert!((found.high - (0.5 + reach)).abs() < 1e-9);
        // Folds of one outcome have no area under a curve.
        assert_eq!(scrutiny.over_folds(|m| m.auc), None);
    }
}
