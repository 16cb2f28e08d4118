//! Time: instants in UTC microseconds, calendar days, time zones. No clock: `now` is always given.

use super::zone::Zone;
use jiff::civil;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use thiserror::Error;

/// Microseconds in a day of 24 hours.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// Bytes of `YYYY-MM-DD`.
const DATE_LENGTH: usize = 10;

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeError {
    /// Neither RFC 3339 nor a date.
    #[error("`{given}` is not a time: {reason}; write 2026-03-31T08:00:00Z or 2026-03-31")]
    Form {
        /// What was given.
        given: String,
        /// What the parser says.
        reason: String,
    },
    /// Outside the years that lagom accepts.
    #[error("{micros} microseconds since 1970 lies outside the years 1900 to 2200")]
    Range {
        /// The instant.
        micros: i64,
    },
    /// No such IANA zone.
    #[error("`{0}` is not an IANA time zone; write one such as Europe/Stockholm")]
    Zone(String),
}

/// An instant: microseconds since 1970-01-01T00:00:00Z, between the years 1900 and 2200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1900-01-01.
    pub const MIN: Self = Self(-2_208_988_800_000_000);
    /// 2200-01-01.
    pub const MAX: Self = Self(7_258_118_400_000_000);

    /// Takes microseconds since 1970.
    ///
    /// # Errors
    /// [`TimeError::Range`] outside [`Self::MIN`] to [`Self::MAX`].
    pub const fn from_micros(micros: i64) -> Result<Self, TimeError> {
        if micros < Self::MIN.0 || micros > Self::MAX.0 {
            return Err(TimeError::Range { micros });
        }
        Ok(Self(micros))
    }

    /// So many microseconds after [`Self::MIN`], which must not lead beyond [`Self::MAX`]: for what was
    /// made of an accepted instant, where every pass over a history would check it again.
    #[inline]
    pub(crate) const fn after_min(micros: u64) -> Self {
        let at = Self::MIN.0 + micros as i64;
        debug_assert!(at <= Self::MAX.0);
        Self(at)
    }

    /// Reads RFC 3339, or a date as its first instant in UTC.
    ///
    /// # Errors
    /// [`TimeError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        if text.len() == DATE_LENGTH
            && let Ok(date) = Date::parse(text)
        {
            return Ok(date.start(&Zone::utc()));
        }
        let instant: jiff::Timestamp =
            text.parse().map_err(|error: jiff::Error| TimeError::Form {
                given: text.to_owned(),
                reason: error.to_string(),
            })?;
        Self::from_micros(instant.as_microsecond())
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Days of 24 hours from `earlier` to here; negative if `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / DAY_MICROS as f64
    }

    /// The calendar day and time of day in `zone`.
    #[must_use]
    pub fn civil(self, zone: &Zone) -> civil::DateTime {
        let local = zone.local_micros(self);
        let (day, micros) = (local.div_euclid(DAY_MICROS), local.rem_euclid(DAY_MICROS));
        let seconds = micros / 1_000_000;
        civil_day(day as i32).at(
            (seconds / 3600) as i8,
            (seconds / 60 % 60) as i8,
            (seconds % 60) as i8,
            (micros % 1_000_000 * 1000) as i32,
        )
    }

    /// The calendar day in `zone`.
    #[must_use]
    pub fn date(self, zone: &Zone) -> Date {
        Date::from_days(zone.local_micros(self).div_euclid(DAY_MICROS) as i32)
    }

    pub(super) fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).expect("years 1900 to 2200 are within jiff's")
    }

    pub(super) const fn clamped(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = TimeError;
    fn try_from(micros: i64) -> Result<Self, TimeError> {
        Self::from_micros(micros)
    }
}

impl From<Timestamp> for i64 {
    fn from(t: Timestamp) -> i64 {
        t.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.jiff().to_string())
    }
}

/// A span of whole microseconds, written in days of 24 hours where that is what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Days(i64);

impl Days {
    /// One microsecond: the step from an instant to the first that lies after it.
    pub const SHORTEST: Self = Self(1);

    /// `days` of 24 hours.
    #[must_use]
    pub const fn whole(days: i64) -> Self {
        Self(days * DAY_MICROS)
    }

    /// `hours` of 60 minutes.
    #[must_use]
    pub const fn hours(hours: i64) -> Self {
        Self(hours * (DAY_MICROS / 24))
    }

    /// Length in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl Add<Days> for Timestamp {
    type Output = Self;
    /// Saturates at the ends of the accepted years.
    fn add(self, span: Days) -> Self {
        Self::clamped(self.0.saturating_add(span.0))
    }
}

impl Sub<Days> for Timestamp {
    type Output = Self;
    /// Saturates at the ends of the accepted years.
    fn sub(self, span: Days) -> Self {
        Self::clamped(self.0.saturating_sub(span.0))
    }
}

/// A calendar day, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(i32);

impl Date {
    /// Takes days since 1970-01-01, clamped to the years 1900 to 2200.
    #[must_use]
    pub fn from_days(days: i32) -> Self {
        Self(days.clamp(-25_567, 84_006))
    }

    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`TimeError::Form`] for any other text.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let form = |reason: String| TimeError::Form {
            given: text.to_owned(),
            reason,
        };
        if text.len() != DATE_LENGTH {
            return Err(form("a date has ten characters".to_owned()));
        }
        let date: civil::Date = text
            .parse()
            .map_err(|error: jiff::Error| form(error.to_string()))?;
        Ok(Self::from_civil(date))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// The day `days` later, or earlier where negative.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self::from_days(self.0.saturating_add(days))
    }

    /// Calendar days from `earlier` to here.
    #[must_use]
    pub const fn days_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// First instant of this day in `zone` (daylight saving may make that later than midnight).
    #[must_use]
    pub fn start(self, zone: &Zone) -> Timestamp {
        self.at(0, zone)
    }

    /// The instant at `hour` o'clock of this day in `zone`; a skipped hour gives the next instant.
    #[must_use]
    pub fn at(self, hour: i8, zone: &Zone) -> Timestamp {
        zone.instant(self, hour)
    }

    /// Year, month, day and weekday through jiff.
    #[must_use]
    pub fn civil(self) -> civil::Date {
        civil_day(self.0)
    }

    /// The calendar day that jiff names.
    #[must_use]
    pub fn from_civil(date: civil::Date) -> Self {
        // Days of a year that begins in March, so that a leap day is its last.
        let early = i32::from(date.month() <= 2);
        let year = i32::from(date.year()) - early;
        let month = (i32::from(date.month()) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i32::from(date.day()) - 1;
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + day_of_year;
        Self::from_days(era * 146_097 + day_of_era - 719_468)
    }
}

/// Year, month and day of a number of days since 1970-01-01 (the inverse of [`Date::from_civil`]).
fn civil_day(days: i32) -> civil::Date {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = of_era + era * 400 + i32::from(month <= 2);
    civil::date(year as i16, month as i8, day as i8)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.civil().to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn times_are_read_and_written_alike() {
        let t = Timestamp::parse("2026-03-29T01:30:00Z").unwrap();
        assert_eq!(t.to_string(), "2026-03-29T01:30:00Z");
        assert_eq!(Timestamp::parse("2026-03-29T03:30:00+02:00").unwrap(), t);
        assert_eq!(Timestamp::parse("1970-01-02").unwrap().micros(), DAY_MICROS);
        assert!(Timestamp::parse("yesterday").is_err());
        assert!(Timestamp::from_micros(i64::MAX).is_err());
    }

    #[test]
    fn days_follow_the_zone_through_daylight_saving() {
        let stockholm = Zone::parse("Europe/Stockholm").unwrap();
        let before = Timestamp::parse("2026-03-28T22:59:00Z").unwrap();
        let after = Timestamp::parse("2026-03-28T23:01:00Z").unwrap();
        assert_eq!(before.date(&stockholm).to_string(), "2026-03-28");
        assert_eq!(after.date(&stockholm).to_string(), "2026-03-29");
        let skipped = Date::parse("2026-03-29").unwrap().at(2, &stockholm);
        assert_eq!(skipped.to_string(), "2026-03-29T01:00:00Z");
    }

    #[test]
    fn dates_know_leap_years() {
        let day = Date::parse("2028-02-28").unwrap().plus_days(1);
        assert_eq!(day.to_string(), "2028-02-29");
        assert_eq!(Date::from_civil(day.civil()), day);
        assert!(Date::parse("2027-02-29").is_err());
    }

    #[test]
    fn every_day_has_the_year_month_and_day_that_jiff_gives_it() {
        let first = civil::date(1970, 1, 1);
        for days in -25_567..=84_006 {
            let date = Date::from_days(days);
            let expected = first + jiff::Span::new().days(days);
            assert_eq!(date.civil(), expected);
            assert_eq!(Date::from_civil(expected), date);
        }
    }
}
