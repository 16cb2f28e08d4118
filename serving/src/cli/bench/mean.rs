//! A mean over seeds.

use lagom_model::statistics::special::student_t;
use serde::Serialize;

/// A mean over seeds with its 95 % interval by Student's t.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Mean {
    pub(super) mean: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Mean {
    /// Of one value a seed; of a single seed the interval is not a number.
    pub(super) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let half = student_t::isf(0.025, n - 1.0) * (variance / n).sqrt();
        Self {
            mean,
            low: mean - half,
            high: mean + half,
        }
    }
}
