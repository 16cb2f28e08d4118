//! The Kaplan–Meier curve.

use serde::Serialize;

use crate::statistics::StatisticsError;

/// The curve after one time at which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// Time of the events.
    pub time: f64,
    /// At risk just before.
    pub at_risk: f64,
    /// Events at this time.
    pub events: f64,
    /// Share surviving from here until the next step.
    pub survival: f64,
}

/// The share of invoices still unpaid as a function of time, steps at times with payments.
///
/// ```text
/// S(t) = Π_{t_j ≤ t} (1 - d_j/Y_j)
/// ```
/// Kaplan and Meier, *J. Am. Stat. Assoc.* 53 (1958) 457. Censored invoices are at risk up to and
/// including their own time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KaplanMeier {
    steps: Vec<Step>,
}

impl KaplanMeier {
    /// The curve of `time` (≥ 0), where `event` tells payment from censoring.
    ///
    /// # Errors
    /// [`StatisticsError::Length`] for columns of unequal length, [`StatisticsError::TooFew`] below
    /// two, [`StatisticsError::NotFinite`] for a missing, infinite or negative time.
    pub fn of(time: &[f64], event: &[bool]) -> Result<Self, StatisticsError> {
        if time.len() != event.len() {
            return Err(StatisticsError::Length {
                left_name: "the times",
                left: time.len(),
                right_name: "the events",
                right: event.len(),
            });
        }
        if time.len() < 2 {
            return Err(StatisticsError::TooFew {
                what: "a survival curve",
                needed: 2,
                found: time.len(),
            });
        }
        if let Some(position) = time.iter().position(|t| !t.is_finite() || *t < 0.0) {
            return Err(StatisticsError::NotFinite {
                what: "a time of at least zero",
                position,
                value: time[position],
            });
        }
        let mut order: Vec<(f64, bool)> = time.iter().copied().zip(event.iter().copied()).collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut steps = Vec::new();
        let mut survival = 1.0;
        let mut left = count(order.len());
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            let events = count(group.iter().filter(|(_, event)| *event).count());
            if events > 0.0 {
                survival *= 1.0 - events / left;
                steps.push(Step {
                    time: group[0].0,
                    at_risk: left,
                    events,
                    survival,
                });
            }
            left -= count(group.len());
        }
        Ok(Self { steps })
    }

    /// The steps in order of time.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// `S(t)`.
    #[must_use]
    pub fn survival(&self, t: f64) -> f64 {
        let passed = self.steps.partition_point(|step| step.time <= t);
        if passed == 0 {
            1.0
        } else {
            self.steps[passed - 1].survival
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of invoices")]
fn count(n: usize) -> f64 {
    n as f64
}
