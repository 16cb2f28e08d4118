//! What a sequence of looks has established so far.

use serde::Serialize;

use super::{Interval, asymptotic_cs::SequenceLook};

/// The intersection of the intervals and the smallest p-value over all looks.
///
/// A confidence sequence covers the truth at all looks at once, so the truth lies in every one of
/// its intervals with the same confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Running {
    /// The part common to all intervals; empty (low above high) when the effect moved.
    pub ci: Interval,
    /// The smallest p-value so far.
    pub min_p: f64,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            ci: Interval {
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
            },
            min_p: 1.0,
        }
    }
}

impl Running {
    /// Takes in one look.
    pub fn take(&mut self, look: &SequenceLook) {
        self.take_interval(look.ci, look.p);
    }

    /// Takes in an interval and its p-value from any always-valid method.
    pub fn take_interval(&mut self, ci: Interval, p: f64) {
        self.ci = self.ci.intersection(&ci);
        self.min_p = self.min_p.min(p);
    }
}
