//! Time between the instants that the periods know, as it passes for settlement.
//!
//! ```text
//! τ(x) = a + (b − a)·(H(x) − H(a)) / (H(b) − H(a))        within the period [a, b)
//! ```
//! `H` is the cumulated hazard of everybody (Nelson and Aalen), day by day and within a day hour by
//! hour: if payments of a period that is two weeks long all come on its first day, then for
//! settlement nearly all of the period is over by its second; and if banks book at eight in the
//! evening, nearly nothing of a day has passed by noon. Half of all invoices may be settled on the
//! due date alone, so a curve that is level within it is wrong by a sixth of them at its noon.
//! Periods begin and end when the calendar says so; only what is between differs. Source: Aalen,
//! Annals of Statistics 6(4), 1978, doi:10.1214/aos/1176344247.

use super::period::CUTS;
use serde::{Deserialize, Serialize};
use std::array;

/// First and last day, from the instant at which an invoice becomes late, that have a length.
const DAYS: (i32, i32) = (-90, 180);
/// Settlements' worth of a level hazard that each period, and each kind of day, starts from.
const LEVEL_WEIGHT: f64 = 5.0;
/// Hours of a day.
const HOURS: usize = 24;
/// Days that share the shape of their hours: those before the due date, the due date, those after.
const KINDS: usize = 3;

/// Shares of a day, one an hour from midnight, that add up to 1; for each kind of day.
type Shapes = [[f64; HOURS]; KINDS];

const LEVEL: Shapes = [[1.0 / HOURS as f64; HOURS]; KINDS];

/// Lengths of days and of the hours within them; see the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Lengths", into = "Lengths")]
pub struct Clock {
    lengths: Lengths,
    /// Days that have passed for settlement from the first of [`DAYS`] to the beginning of each.
    passed: Vec<f64>,
    /// Share of a day that has passed at the beginning of each hour, and at its end.
    shares: [[f64; HOURS + 1]; KINDS],
}

/// A clock as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lengths {
    /// One a day from 90 days before lateness to 180 days after; those of a period add up to its
    /// days on the calendar.
    lengths: Vec<f64>,
    /// Of the hours within a day.
    #[serde(default = "level", skip_serializing_if = "is_level")]
    hours: Shapes,
}

fn level() -> Shapes {
    LEVEL
}

fn is_level(hours: &Shapes) -> bool {
    *hours == LEVEL
}

impl From<Lengths> for Clock {
    fn from(lengths: Lengths) -> Self {
        let sums = |parts: &[f64]| -> Vec<f64> {
            let mut sum = 0.0;
            let sums = parts.iter().map(|part| {
                sum += part;
                sum
            });
            std::iter::once(0.0).chain(sums).collect()
        };
        let shares = array::from_fn(|kind| {
            let sums = sums(&lengths.hours[kind]);
            // The day ends where the next begins, whatever the sum was rounded to.
            array::from_fn(|hour| if hour < HOURS { sums[hour] } else { 1.0 })
        });
        Self {
            passed: sums(&lengths.lengths),
            shares,
            lengths,
        }
    }
}

impl From<Clock> for Lengths {
    fn from(clock: Clock) -> Self {
        clock.lengths
    }
}

impl Default for Clock {
    fn default() -> Self {
        let lengths = vec![1.0; (DAYS.1 - DAYS.0) as usize];
        Self::from(Lengths {
            lengths,
            hours: LEVEL,
        })
    }
}

/// The kind of a day by its first instant, in days from lateness.
fn kind_of(day: f64) -> usize {
    match day {
        _ if day < -1.0 => 0,
        _ if day < 0.0 => 1,
        _ => 2,
    }
}

/// Counts of what a clock is learnt from.
#[derive(Debug, Clone)]
pub struct Settlements {
    exposed: Vec<f64>,
    settled: Vec<f64>,
    hours_exposed: Shapes,
    hours_settled: Shapes,
}

impl Default for Settlements {
    fn default() -> Self {
        let days = (DAYS.1 - DAYS.0) as usize;
        Self {
            exposed: vec![0.0; days],
            settled: vec![0.0; days],
            hours_exposed: [[0.0; HOURS]; KINDS],
            hours_settled: [[0.0; HOURS]; KINDS],
        }
    }
}

impl Settlements {
    /// Adds an invoice that was seen open from `from` to `until`, in days from the instant at which
    /// it became late, and settled at `until` or not seen any more.
    pub fn see(&mut self, from: f64, until: f64, settled: bool) {
        let last = f64::from(DAYS.1);
        let mut day = from.max(f64::from(DAYS.0)).floor();
        let goes_on = |day: f64| day < until || (settled && day <= until);
        while goes_on(day) && day < last {
            let place = (day - f64::from(DAYS.0)) as usize;
            let (starts, stops) = (from.max(day), until.min(day + 1.0));
            let ends = settled && until < day + 1.0;
            // One that is settled within a day was exposed to all of it.
            let exposed = if ends { day + 1.0 } else { stops };
            self.exposed[place] += (exposed - starts).max(0.0);
            self.settled[place] += f64::from(u8::from(ends));
            self.see_hours(day, (starts - day, stops - day), ends);
            day += 1.0;
        }
    }

    /// The part `from..until` of a day, as a share of it.
    fn see_hours(&mut self, day: f64, (from, until): (f64, f64), settled: bool) {
        let kind = kind_of(day);
        let (from, until) = (from * HOURS as f64, until * HOURS as f64);
        let last = (until as usize).min(HOURS - 1);
        for hour in (from as usize).min(last)..=last {
            let (start, end) = (hour as f64, hour as f64 + 1.0);
            let ends = settled && hour == last;
            let exposed = if ends { end } else { until.min(end) };
            self.hours_exposed[kind][hour] += (exposed - from.max(start)).max(0.0);
            self.hours_settled[kind][hour] += f64::from(u8::from(ends));
        }
    }

    /// The clock of these counts.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let mut lengths = vec![1.0; self.exposed.len()];
        let mut from = f64::from(DAYS.0);
        for (until, _) in CUTS.into_iter().filter(|(cut, _)| cut.is_finite()) {
            if until <= from {
                continue;
            }
            let places = (from - f64::from(DAYS.0)) as usize..(until - f64::from(DAYS.0)) as usize;
            from = until;
            let days = places.len() as f64;
            let seen = (&self.settled[places.clone()], &self.exposed[places.clone()]);
            for (length, share) in lengths[places].iter_mut().zip(shares(seen.0, seen.1)) {
                *length = days * share;
            }
        }
        let mut hours = LEVEL;
        for (shape, (settled, exposed)) in hours
            .iter_mut()
            .zip(self.hours_settled.iter().zip(&self.hours_exposed))
        {
            for (length, share) in shape.iter_mut().zip(shares(settled, exposed)) {
                *length = share;
            }
        }
        Clock::from(Lengths { lengths, hours })
    }
}

/// Share of the cumulated hazard in each of some parts of equal length, each drawn towards the
/// level of all by `LEVEL_WEIGHT / parts` settlements; equal ones where nothing was settled.
fn shares(settled: &[f64], exposed: &[f64]) -> Vec<f64> {
    let parts = settled.len() as f64;
    let (all, exposure) = (settled.iter().sum::<f64>(), exposed.iter().sum::<f64>());
    if all <= 0.0 || exposure <= 0.0 {
        return vec![1.0 / parts; settled.len()];
    }
    let (level, prior) = (all / exposure, LEVEL_WEIGHT / parts);
    let rates = settled
        .iter()
        .zip(exposed)
        .map(|(settled, exposed)| (settled + prior) / (exposed + prior / level));
    let sum: f64 = rates.clone().sum();
    rates.map(|rate| rate / sum).collect()
}

impl Clock {
    /// Whether every day is a day, and every hour an hour.
    #[must_use]
    pub fn is_level(&self) -> bool {
        *self == Self::default()
    }

    /// Whether there is a length above 0 for every day and every hour.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let positive = |one: &f64| one.is_finite() && *one > 0.0;
        let hours = &self.lengths.hours;
        self.lengths.lengths.len() == (DAYS.1 - DAYS.0) as usize
            && self.lengths.lengths.iter().all(positive)
            && hours.as_flattened().iter().all(positive)
            && hours
                .iter()
                .all(|shape| (shape.iter().sum::<f64>() - 1.0).abs() < 1e-9)
    }

    /// Days that have passed for settlement between two instants of one period, both in days from
    /// the instant at which the invoice becomes late.
    pub(super) fn between(&self, from: f64, until: f64) -> f64 {
        self.at(until) - self.at(from)
    }

    /// Days that have passed for settlement since the first of [`DAYS`].
    fn at(&self, instant: f64) -> f64 {
        let (first, last) = (f64::from(DAYS.0), f64::from(DAYS.1));
        if instant < first {
            return instant - first;
        }
        if instant >= last {
            return self.passed[self.passed.len() - 1] + (instant - last);
        }
        let day = instant.floor();
        let place = (day - first) as usize;
        let shares = &self.shares[kind_of(day)];
        let hours = (instant - day) * HOURS as f64;
        let hour = (hours as usize).min(HOURS - 1);
        let share = shares[hour] + (shares[hour + 1] - shares[hour]) * (hours - hour as f64);
        self.passed[place] + self.lengths.lengths[place] * share
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

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
        assert!((clock.between(21.0, 24.0) - 3.0).abs() < 1e-9);
        assert_eq!(seen.exposed[90 + 29], 1000.0);
        assert_eq!(seen.settled[90 + 30], 500.0);
    }

    #[test]
    fn hours_pass_when_settlements_come_each_kind_of_day_by_itself() {
        let evening = |day: f64| day + 20.0 / 24.0;
        let mut seen = Settlements::default();
        // Before the due date at any hour; on it at eight in the evening; nobody after it.
        for one in 0..2400 {
            let hour = (f64::from(one % 24) + 0.5) / 24.0;
            let until = [-4.0 + hour, evening(-1.0), 9.0][one as usize % 3];
            seen.see(-20.0, until, one % 3 < 2);
        }
        let clock = seen.clock();
        assert!(clock.is_sound());
        assert!(clock.between(-1.0, evening(-1.0)) < 0.02);
        assert!(clock.between(evening(-1.0), evening(-1.0) + 1.0 / 24.0) > 0.97);
        assert!((clock.between(-1.0, 0.0) - 1.0).abs() < 1e-9);
        let morning = clock.between(-4.0, -3.5) / clock.between(-4.0, -3.0);
        assert!((morning - 0.5).abs() < 0.01, "{morning}");
        assert!((clock.between(3.0, 3.25) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn a_day_that_is_begun_counts_from_where_it_was_begun() {
        let mut seen = Settlements::default();
        seen.see(0.5, 1.25, true);
        assert_eq!(seen.hours_exposed[2][11], 0.0);
        assert_eq!(seen.hours_exposed[2][12], 1.0);
        // Settled as the seventh hour of the second day begins, and exposed to all of it.
        assert_eq!(seen.hours_exposed[2][6], 1.0);
        assert_eq!(seen.hours_settled[2][6], 1.0);
        assert_eq!(seen.hours_exposed[2][7], 0.0);
        assert_eq!(seen.hours_settled[2].iter().sum::<f64>(), 1.0);
    }

    #[test]
    fn a_stored_clock_is_read_as_it_was_and_one_without_hours_is_level_within_days() {
        let mut seen = Settlements::default();
        (0..50).for_each(|one| seen.see(-9.0, f64::from(one) * 0.37, true));
        let clock = seen.clock();
        let text = serde_json::to_string(&clock).unwrap();
        assert_eq!(serde_json::from_str::<Clock>(&text).unwrap(), clock);
        let old = serde_json::json!({ "lengths": vec![1.0; 270] });
        assert!(serde_json::from_value::<Clock>(old).unwrap().is_level());
    }
}
