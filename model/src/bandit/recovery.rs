//! What still comes in when a window has closed: unpaid is not lost.
//!
//! ```text
//! s(a)  = mean share collected within a window that opens at age a            learnt, by ten days of age
//! r(a)  = 1 − (1 − s(a + w))^((h − a − w) / w)        w: length of a window, h: the age that cash counts to
//! value of a share y collected in the window = y + r (1 − y) (1 − discount)
//! ```
//! A window counts what it sees. Counted alone, whatever hurries a payment that comes anyway looks like
//! cash: where bills are paid late out of habit, every message would seem to earn its amount.

use super::digest::DigestWriter;
use serde::{Deserialize, Serialize};

/// Youngest age that is told apart, in days after the due date.
const YOUNGEST: f64 = -30.0;
/// Days of age that are counted together.
const WIDTH: f64 = 10.0;
/// Ages up to 100 days; older ones count as the last.
const AGES: usize = 13;
/// What is assumed of an age that has hardly been seen, and how many rounds that is worth.
const ASSUMED_SHARE: f64 = 0.5;
const ASSUMED_ROUNDS: f64 = 20.0;
/// Shares are summed in millionths: whole numbers add up in any order to the same sum.
const MILLION: f64 = 1e6;

/// Sums over matured windows, by the age of the invoice when they opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Hours of all windows together.
    window_hours: u64,
    /// Age by age: windows, and shares collected in them, in millionths.
    ages: Vec<(u64, u64)>,
}

impl Recovery {
    /// Counts a window of `window_days` that opened `age_days` after the due date (before it if
    /// negative), in which `share` in `[0, 1]` of what was owed came in. An unknown age is left out.
    pub fn count(&mut self, age_days: f64, window_days: f64, share: f64) {
        if !age_days.is_finite() || window_days.is_nan() || window_days <= 0.0 {
            return;
        }
        self.ages.resize(AGES, (0, 0));
        let (windows, millionths) = &mut self.ages[place(age_days)];
        *windows += 1;
        *millionths += (share.clamp(0.0, 1.0) * MILLION).round() as u64;
        self.window_hours += (window_days * 24.0).round() as u64;
    }

    /// Adds what another shard has counted.
    pub fn merge(&mut self, shard: &Self) {
        self.ages.resize(AGES, (0, 0));
        for (own, other) in self.ages.iter_mut().zip(&shard.ages) {
            own.0 += other.0;
            own.1 += other.1;
        }
        self.window_hours += shard.window_hours;
    }

    /// Mean length of a window in days; `None` before the first.
    #[must_use]
    pub fn window_days(&self) -> Option<f64> {
        let windows: u64 = self.ages.iter().map(|(windows, _)| windows).sum();
        (windows > 0).then(|| self.window_hours as f64 / 24.0 / windows as f64)
    }

    /// Share of what a window leaves unpaid that comes in afterwards until `until_days` after the due
    /// date, for a window that opens at `age_days`; in `[0, 1]`, 0 while nothing is known.
    #[must_use]
    pub fn later(&self, age_days: f64, until_days: f64) -> f64 {
        let Some(window) = self.window_days().filter(|_| age_days.is_finite()) else {
            return 0.0;
        };
        let closes = age_days + window;
        let left = until_days - closes;
        if left <= 0.0 {
            return 0.0;
        }
        let (windows, millionths) = self.ages[place(closes)];
        let collected = millionths as f64 / MILLION + ASSUMED_ROUNDS * ASSUMED_SHARE;
        let share = collected / (windows as f64 + ASSUMED_ROUNDS);
        1.0 - libm::pow(1.0 - share, left / window)
    }

    pub(super) fn digest(&self, writer: &mut DigestWriter) {
        writer.text("recovery");
        writer.count(self.window_hours as usize);
        for &(windows, millionths) in &self.ages {
            writer.count(windows as usize);
            writer.count(millionths as usize);
        }
    }

    /// Whether the sums have the shape of this build.
    pub(super) fn is_well_formed(&self) -> bool {
        self.ages.is_empty() || self.ages.len() == AGES
    }
}

fn place(age_days: f64) -> usize {
    let tens = ((age_days - YOUNGEST) / WIDTH).floor();
    tens.clamp(0.0, (AGES - 1) as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(age: f64, share: f64, times: usize) -> Recovery {
        let mut recovery = Recovery::default();
        for _ in 0..times {
            recovery.count(age, 30.0, share);
        }
        recovery
    }

    #[test]
    fn nothing_is_said_before_anything_is_known() {
        assert_eq!(Recovery::default().later(0.0, 60.0), 0.0);
        let mut recovery = Recovery::default();
        recovery.count(f64::NAN, 30.0, 1.0);
        assert_eq!(recovery, Recovery::default());
    }

    #[test]
    fn what_late_windows_collect_is_what_early_ones_will_still_see() {
        // Nine tenths of what is open at 30 days come in within the next 30.
        let mut recovery = seen(35.0, 0.9, 100_000);
        assert!((recovery.later(0.5, 60.5) - 0.9).abs() < 1e-3);
        // Half the time: the square root of what is left.
        let half = 1.0 - 0.1_f64.sqrt();
        assert!((recovery.later(0.5, 45.5) - half).abs() < 1e-3);
        // A window that closes when cash stops to count.
        assert_eq!(recovery.later(40.0, 60.0), 0.0);
        // An age never seen is assumed.
        recovery.merge(&seen(95.0, 0.0, 1));
        assert!((recovery.later(12.0, 72.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn shards_add_up_in_any_order() {
        let (a, b) = (seen(3.0, 0.123_456_7, 77), seen(33.0, 0.7, 5));
        let (mut left, mut right) = (a.clone(), b.clone());
        left.merge(&b);
        right.merge(&a);
        assert_eq!(left, right);
    }
}
