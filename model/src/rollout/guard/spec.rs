//! What a company takes for harm.

use super::WATCHED;
use serde::{Deserialize, Serialize};

/// What a company takes for harm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardSpec {
    /// Whether a canary that harms is taken off its way without asking.
    pub automatic: bool,
    /// Chance, over all sequences and looks, that a harmless canary is taken for harmful; in
    /// (0, 0.5).
    pub alpha: f64,
    /// How many more customers may leave, as a share of those of the version in force.
    pub churn: f64,
    /// How many more customers may complain, likewise.
    pub complaints: f64,
    /// How many more customers may call for support, likewise.
    pub support_contacts: f64,
    /// How many more contacts a customer may be advised, likewise.
    pub contacts: f64,
    /// Customers, of both sides, at which the sequence of contacts is tightest.
    pub planned_customers: u32,
}

impl Default for GuardSpec {
    fn default() -> Self {
        Self {
            automatic: true,
            alpha: 0.05,
            churn: 0.0,
            complaints: 0.0,
            support_contacts: 0.0,
            contacts: 0.25,
            planned_customers: 2_000,
        }
    }
}

impl GuardSpec {
    /// What is wrong with it: the key, and what it must be.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if !(self.alpha > 0.0 && self.alpha < 0.5) {
            faults.push(("alpha", format!("{} must lie in (0, 0.5)", self.alpha)));
        }
        for (key, value) in WATCHED.into_iter().zip(self.tolerated()) {
            if !(value >= 0.0 && value.is_finite()) {
                faults.push((key, format!("{value} must be 0 or more")));
            }
        }
        if self.planned_customers == 0 {
            faults.push(("planned_customers", "0 must be 1 or more".to_owned()));
        }
        faults
    }

    pub(super) fn tolerated(&self) -> [f64; WATCHED.len()] {
        [
            self.churn,
            self.complaints,
            self.support_contacts,
            self.contacts,
        ]
    }
}
