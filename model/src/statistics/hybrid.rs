//! The hybrid rule: look every day, and still decide by an ordinary interval at the planned end.

use serde::Serialize;

use super::{
    Alpha, Interval, StatisticsError, TestResult,
    asymptotic_cs::{AsymptoticCs, SequenceLook},
    running::Running,
};

/// Splits the level between daily looks and one fixed look at the planned end.
///
/// The sequence spends `a₁` over all looks, the fixed interval `a₂` once; by the union bound the
/// two together err with probability at most `a₁ + a₂` (0.01 + 0.04 by default). The final interval
/// is hardly wider than a fixed one, while harm is still noticed early.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Hybrid {
    sequence: AsymptoticCs,
    fixed: Alpha,
    running: Running,
    at_end: Option<(Interval, f64)>,
}

/// What the hybrid rule says at one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HybridLook {
    /// The interval valid together with all earlier ones.
    pub ci: Interval,
    /// p-value at the common level: `min(p_seq (a₁+a₂)/a₁, p_fixed (a₁+a₂)/a₂)`, the latter only
    /// once the planned end is reached.
    pub p: f64,
    /// Whether the planned end has been reached, so that the fixed look is spent.
    pub at_planned_end: bool,
    /// The sequence's own look.
    pub sequence: SequenceLook,
}

impl Hybrid {
    /// Spends a fifth of `alpha` on the sequence and the rest on the fixed look after `planned`
    /// customers (both arms).
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] unless `planned ≥ 1`.
    pub fn new(alpha: Alpha, planned: f64) -> Result<Self, StatisticsError> {
        Self::split(
            Alpha::new(alpha.value() * 0.2)?,
            Alpha::new(alpha.value() * 0.8)?,
            planned,
        )
    }

    /// Spends `sequential` on daily looks and `fixed` on the planned end.
    ///
    /// # Errors
    /// [`StatisticsError::OutOfRange`] unless `planned ≥ 1` and the levels sum to less than 1.
    pub fn split(sequential: Alpha, fixed: Alpha, planned: f64) -> Result<Self, StatisticsError> {
        Alpha::new(sequential.value() + fixed.value())?;
        Ok(Self {
            sequence: AsymptoticCs::new(sequential, planned)?,
            fixed,
            running: Running::default(),
            at_end: None,
        })
    }

    /// The level of both parts together.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.sequence.alpha().value() + self.fixed.value()
    }

    /// Looks at `effect` with standard error `se` after `units` customers in both arms.
    ///
    /// The first look at or after the planned end is the fixed one; later looks keep its interval,
    /// since its level is spent.
    pub fn look(&mut self, units: f64, effect: f64, se: f64) -> HybridLook {
        let sequence = self.sequence.look(units, effect, se);
        self.running.take(&sequence);
        if units >= self.sequence.planned() && self.at_end.is_none() {
            self.at_end = TestResult::normal(effect, se, self.fixed).map(|test| (test.ci, test.p));
        }
        let by_sequence = self.running.min_p * self.alpha() / self.sequence.alpha().value();
        let (ci, p) = match self.at_end {
            None => (self.running.ci, by_sequence),
            Some((fixed, p)) => (
                self.running.ci.intersection(&fixed),
                by_sequence.min(p * self.alpha() / self.fixed.value()),
            ),
        };
        HybridLook {
            ci,
            p: p.min(1.0),
            at_planned_end: self.at_end.is_some(),
            sequence,
        }
    }
}
