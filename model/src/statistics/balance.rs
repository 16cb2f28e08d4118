//! Were the arms alike before the experiment?

use super::ArmEstimate;

/// A standardised difference from which arms are called unbalanced.
pub const NOTABLE: f64 = 0.1;

/// The standardised mean difference, `(m_t - m_c)/√((s²_c + s²_t)/2)`.
///
/// Unlike a p-value it does not grow with the size of the experiment. Zero when neither arm varies
/// and the means agree, infinite when they do not.
#[must_use]
pub fn standardised_mean_difference(control: &ArmEstimate, treatment: &ArmEstimate) -> f64 {
    let difference = treatment.mean - control.mean;
    if difference == 0.0 {
        return 0.0;
    }
    difference / (0.5 * (control.variance + treatment.variance)).sqrt()
}
