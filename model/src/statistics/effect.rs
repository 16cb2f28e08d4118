//! Everything said about one metric of two arms.

use serde::Serialize;

use super::{
    Alpha, ArmEstimate,
    difference::Difference,
    relative::{RelativeDelta, RelativeFieller, RelativeLogDelta},
};

/// One metric, two arms: the estimates, their difference, and the lift by three intervals.
///
/// The names of the serialised fields are those of the reference numbers it is tested against.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// Units in the control arm.
    pub n_c: f64,
    /// Units in the treatment arm.
    pub n_t: f64,
    /// Estimate of the control arm.
    pub mean_c: f64,
    /// Estimate of the treatment arm.
    pub mean_t: f64,
    /// Variance per unit in the control arm.
    pub var_c: f64,
    /// Variance per unit in the treatment arm.
    pub var_t: f64,
    /// Treatment minus control.
    pub absolute: Difference,
    /// The lift by the delta method; absent over a control mean of zero.
    pub relative_delta: Option<RelativeDelta>,
    /// The lift through the logarithm; absent when the means differ in sign or one is zero.
    pub relative_log_delta: Option<RelativeLogDelta>,
    /// The lift by Fieller's theorem; absent over a control mean of zero.
    pub relative_fieller: Option<RelativeFieller>,
}

impl Effect {
    /// Compares `treatment` with `control`, intervals at level `1 - alpha`.
    #[must_use]
    pub fn between(control: &ArmEstimate, treatment: &ArmEstimate, alpha: Alpha) -> Self {
        Self {
            n_c: control.n,
            n_t: treatment.n,
            mean_c: control.mean,
            mean_t: treatment.mean,
            var_c: control.variance,
            var_t: treatment.variance,
            absolute: Difference::between(control, treatment, alpha),
            relative_delta: RelativeDelta::between(control, treatment, alpha),
            relative_log_delta: RelativeLogDelta::between(control, treatment, alpha),
            relative_fieller: RelativeFieller::between(control, treatment, alpha),
        }
    }

    /// The control arm's estimate.
    #[must_use]
    pub fn control(&self) -> ArmEstimate {
        ArmEstimate {
            n: self.n_c,
            mean: self.mean_c,
            variance: self.var_c,
        }
    }

    /// The treatment arm's estimate.
    #[must_use]
    pub fn treatment(&self) -> ArmEstimate {
        ArmEstimate {
            n: self.n_t,
            mean: self.mean_t,
            variance: self.var_t,
        }
    }
}
