//! Time within a long period, as it passes for settlement.
//!
//! ```text
//! τ(x) = a + (b − a)·(H(x) − H(a)) / (H(b) − H(a))        within the period [a, b)
//! ```
//! `H` is the cumulated hazard of everybody (Nelson and Aalen), day by day: if payments of a
//! period that is two weeks long all come on its first day, then for settlement nearly all of the
//! period is over by its second. Periods begin and end when the calendar says so; only what is
//! between differs. Source: Aalen, Annals of Statistics 6(4), 1978, doi:10.1214/aos/1176344247.

use super::CUTS;
use serde::{Deserialize, Serialize};

/// First and last day, from the instant at which an invoice becomes late, that have a length.
const DAYS: (i32, i32) = (-90, 180);
/// Settlements' worth of a level hazard that each period starts from.
const LEVEL_WEIGHT: f64 = 5.0;

/// Lengths of the days of the long periods; see the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// One a day from 90 days before lateness to 180 days after; those of a period add up to its
    /// days on the calendar.
    lengths: Vec<f64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            lengths: vec![1.0; (DAYS.1 - DAYS.0) as usize],
        }
    }
}

/// Counts of what a clock is learnt from.
#[derive(Debug, Clone)]
pub struct Settlements {
    exposed: Vec<f64>,
    settled: Vec<f64>,
}

impl Default for Settlements {
    fn default() -> Self {
        let days = (DAYS.1 - DAYS.0) as usize;
        Self {
            exposed: vec![0.0; days],
            settled: vec![0.0; days],
        }
    }
}

impl Settlements {
    /// Adds an invoice that was seen open from `from` to `until`, in days from the instant at which
    /// it became late, and settled at `until` or not seen any more.
    pub fn see(&mut self, from: f64, until: f64, settled: bool) {
        let last = f64::from(DAYS.1);
        let mut day = from.max(f64::from(DAYS.0)).floor();
        while day < until.min(last) {
            let part = (until.min(day + 1.0) - from.max(day)).max(0.0);
            let place = (day - f64::from(DAYS.0)) as usize;
            let ends = settled && until < day + 1.0;
            // One that is settled within a day was exposed to all of it.
            self.exposed[place] += if ends {
                day + 1.0 - from.max(day)
            } else {
                part
            };
            self.settled[place] += f64::from(u8::from(ends));
            day += 1.0;
        }
    }

    /// The clock of these counts.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let mut clock = Clock::default();
        let mut from = f64::from(DAYS.0);
        for (until, _) in CUTS.into_iter().filter(|(cut, _)| cut.is_finite()) {
            if until <= from {
                continue;
            }
            let places = (from - f64::from(DAYS.0)) as usize..(until - f64::from(DAYS.0)) as usize;
            from = until;
            let (days, events) = (places.len() as f64, &self.settled[places.clone()]);
            let exposed = &self.exposed[places.clone()];
            let (all, exposure) = (events.iter().sum::<f64>(), exposed.iter().sum::<f64>());
            if all <= 0.0 || exposure <= 0.0 {
                continue;
            }
            let level = all / exposure;
            // Each day is drawn towards the level of its period by `LEVEL_WEIGHT / days` settlements.
            let prior = LEVEL_WEIGHT / days;
            let rates: Vec<f64> = events
                .iter()
                .zip(exposed)
                .map(|(events, exposed)| (events + prior) / (exposed + prior / level))
                .collect();
            let sum: f64 = rates.iter().sum();
            for (length, rate) in clock.lengths[places].iter_mut().zip(rates) {
                *length = days * rate / sum;
            }
        }
        clock
    }
}

impl Clock {
    /// Whether every day is a day.
    #[must_use]
    pub fn is_level(&self) -> bool {
        *self == Self::default()
    }

    /// Whether there is a length above 0 for every day.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.lengths.len() == (DAYS.1 - DAYS.0) as usize
            && self.lengths.iter().all(|one| one.is_finite() && *one > 0.0)
    }

    /// Days that have passed for settlement between two instants of one period, both in days from
    /// the instant at which the invoice becomes late.
    pub(super) fn between(&self, from: f64, until: f64) -> f64 {
        let (first, last) = (f64::from(DAYS.0), f64::from(DAYS.1));
        if until <= first || from >= last {
            return (until - from).max(0.0);
        }
        let mut passed = (first - from).max(0.0) + (until - last).max(0.0);
        let end = until.min(last);
        let mut at = from.max(first);
        while at < end {
            let day = at.floor();
            let next = (day + 1.0).min(end);
            passed += (next - at) * self.lengths[(day - first) as usize];
            at = next;
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Settlements};

    #[test]
    fn a_level_clock_is_the_calendar() {
        let clock = Clock::default();
        for (from, until) in [
            (-200.0, -100.5),
            (-95.0, -88.25),
            (3.2, 9.7),
            (100.0, 300.0),
        ] {
            assert!((clock.between(from, until) - (until - from)).abs() < 1e-9);
        }
    }

    #[test]
    fn time_passes_when_settlements_come_and_periods_keep_their_days() {
        let mut seen = Settlements::default();
        // Of a thousand, half are settled on the first day of the period from 30 to 45 days.
        for one in 0..1000 {
            seen.see(0.0, if one % 2 == 0 { 30.5 } else { 60.0 }, one % 2 == 0);
        }
        let clock = seen.clock();
        assert!(clock.is_sound());
        assert!((clock.between(30.0, 45.0) - 15.0).abs() < 1e-9);
        assert!(clock.between(30.0, 31.0) > 14.5);
        assert!(clock.between(31.0, 32.0) > 0.0);
        assert!((clock.between(21.0, 24.5) - 3.5).abs() < 1e-9);
        assert_eq!(seen.exposed[90 + 29], 1000.0);
        assert_eq!(seen.settled[90 + 30], 500.0);
    }
}
