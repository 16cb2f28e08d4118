//! The difference of two arms.

use serde::Serialize;

use super::{Alpha, ArmEstimate, TestResult};

/// Treatment minus control, with both customary tests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Treatment minus control, in the metric's unit.
    pub diff: f64,
    /// Standard error of `diff`.
    pub se: f64,
    /// Welch's t test; absent when the standard error is zero.
    pub welch: Option<TestResult>,
    /// The normal test; absent when the standard error is zero.
    pub z: Option<TestResult>,
}

impl Difference {
    /// Compares two arms without assuming equal variances.
    ///
    /// ```text
    /// d  = m_t - m_c
    /// se = √(s²_c/n_c + s²_t/n_t)
    /// ν  = se⁴ / ((s²_c/n_c)²/(n_c - 1) + (s²_t/n_t)²/(n_t - 1))
    /// ```
    /// Welch, *Biometrika* 34 (1947) 28. Equal to least squares on an indicator of treatment with
    /// HC2 standard errors.
    #[must_use]
    pub fn between(control: &ArmEstimate, treatment: &ArmEstimate, alpha: Alpha) -> Self {
        let diff = treatment.mean - control.mean;
        let se = (control.variance_of_mean() + treatment.variance_of_mean()).sqrt();
        let dof = welch_dof(control, treatment);
        Self {
            diff,
            se,
            welch: TestResult::student(diff, se, dof, alpha),
            z: TestResult::normal(diff, se, alpha),
        }
    }
}

/// Welch's (Satterthwaite's) degrees of freedom; NaN when both variances are zero.
#[must_use]
pub fn welch_dof(control: &ArmEstimate, treatment: &ArmEstimate) -> f64 {
    let (v_c, v_t) = (control.variance_of_mean(), treatment.variance_of_mean());
    (v_c + v_t).powi(2) / (v_c * v_c / (control.n - 1.0) + v_t * v_t / (treatment.n - 1.0))
}
