//! Time zones: jiff knows the rules, a table of offsets answers at the speed of a search.

use super::time::{DAY_MICROS, Date, TimeError, Timestamp};
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// An IANA time zone. Copies share one table.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Arc<Table>);

/// Every offset from 1900 to 2200: `offsets[i]` holds from `starts[i]` to `starts[i + 1]`.
struct Table {
    zone: TimeZone,
    name: String,
    starts: Vec<i64>,
    offsets: Vec<i64>,
}

/// Tables by canonical name: one takes some hundred steps to make and is wanted for every customer.
static TABLES: LazyLock<Mutex<HashMap<String, Zone>>> = LazyLock::new(Mutex::default);
static UTC: LazyLock<Zone> = LazyLock::new(|| Zone(Arc::new(Table::of(TimeZone::UTC))));

impl Table {
    fn of(zone: TimeZone) -> Self {
        let first = Timestamp::MIN.jiff();
        let micros = |offset: Offset| i64::from(offset.seconds()) * 1_000_000;
        let (mut starts, mut offsets) = (vec![i64::MIN], vec![micros(zone.to_offset(first))]);
        for change in zone.following(first) {
            let at = change.timestamp().as_microsecond();
            if at > Timestamp::MAX.micros() {
                break;
            }
            starts.push(at);
            offsets.push(micros(change.offset()));
        }
        let name = zone.iana_name().unwrap_or("UTC").to_owned();
        Self {
            zone,
            name,
            starts,
            offsets,
        }
    }

    /// Place of the span that an instant lies in.
    fn span(&self, micros: i64) -> usize {
        self.starts.partition_point(|&start| start <= micros) - 1
    }
}

impl Zone {
    /// Looks the zone up by its IANA name.
    ///
    /// # Errors
    /// [`TimeError::Zone`] where there is none of that name.
    pub fn parse(name: &str) -> Result<Self, TimeError> {
        let unknown = |_| TimeError::Zone(name.to_owned());
        let zone = TimeZone::get(name).map_err(unknown)?;
        let canonical = zone.iana_name().unwrap_or("UTC").to_owned();
        let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = tables.entry(canonical);
        Ok(kept
            .or_insert_with(|| Self(Arc::new(Table::of(zone))))
            .clone())
    }

    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        UTC.clone()
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Spans of one offset that `from` to `to` touch: start, end (exclusive) and offset in
    /// microseconds; the first and the last are open.
    pub(crate) fn spans(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = (i64, i64, i64)> + '_ {
        let Table {
            starts, offsets, ..
        } = &*self.0;
        (self.0.span(from.micros())..=self.0.span(to.micros())).map(|span| {
            let end = starts.get(span + 1).copied().unwrap_or(i64::MAX);
            (starts[span], end, offsets[span])
        })
    }

    /// Microseconds since 1970 that a clock in the zone would show.
    pub(super) fn local_micros(&self, at: Timestamp) -> i64 {
        at.micros() + self.0.offsets[self.0.span(at.micros())]
    }

    /// The instant at `hour` o'clock of `day`: the earlier of two, and past a skipped hour the next.
    pub(super) fn instant(&self, day: Date, hour: i8) -> Timestamp {
        let local = i64::from(day.days()) * DAY_MICROS + i64::from(hour) * (DAY_MICROS / 24);
        // No offset is as long as a day, so no other span can show this local time.
        let span = self.0.span(local - DAY_MICROS);
        if span == self.0.span(local + DAY_MICROS) {
            return Timestamp::clamped(local - self.0.offsets[span]);
        }
        let civil = day.civil().at(hour, 0, 0, 0);
        let found = self.0.zone.to_ambiguous_zoned(civil).compatible();
        Timestamp::clamped(found.map_or(0, |zoned| zoned.timestamp().as_microsecond()))
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.name == other.0.name
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.name()).finish()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl TryFrom<String> for Zone {
    type Error = TimeError;
    fn try_from(name: String) -> Result<Self, TimeError> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Every zone that changes its clocks in a way of its own, and one that never does.
    const ZONES: [&str; 8] = [
        "Europe/Stockholm",
        "America/New_York",
        "Africa/Casablanca",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
        "UTC",
    ];

    #[test]
    fn the_table_says_what_jiff_says() {
        for name in ZONES {
            let (zone, jiff) = (Zone::parse(name).unwrap(), TimeZone::get(name).unwrap());
            // Steps that fall on every hour of the day and on both sides of each change.
            let step = 37 * DAY_MICROS / 24 + 1;
            let mut micros = Timestamp::MIN.micros() + 2 * DAY_MICROS;
            while micros < Timestamp::MAX.micros() - 2 * DAY_MICROS {
                let at = Timestamp::from_micros(micros).unwrap();
                let expected = at.jiff().to_zoned(jiff.clone()).datetime();
                assert_eq!(at.civil(&zone), expected, "{name} at {at}");
                let day = at.date(&zone);
                let hour = expected.hour();
                let start = jiff.to_ambiguous_zoned(expected.date().at(hour, 0, 0, 0));
                let start = start.compatible().unwrap().timestamp().as_microsecond();
                assert_eq!(day.at(hour, &zone).micros(), start, "{name}, {day} {hour}");
                micros += step;
            }
        }
    }

    #[test]
    fn hours_skipped_and_repeated_are_read_as_jiff_reads_them() {
        for name in ZONES {
            let (zone, jiff) = (Zone::parse(name).unwrap(), TimeZone::get(name).unwrap());
            for change in jiff.following(Timestamp::MIN.jiff()).take(150) {
                let around = change.timestamp().to_zoned(jiff.clone()).date();
                for hour in 0..24 {
                    let civil = around.at(hour, 0, 0, 0);
                    let expected = jiff.to_ambiguous_zoned(civil).compatible().unwrap();
                    let got = Date::from_civil(around).at(hour, &zone);
                    assert_eq!(
                        got.micros(),
                        expected.timestamp().as_microsecond(),
                        "{civil}"
                    );
                }
            }
        }
    }

    #[test]
    fn equal_names_are_equal_zones() {
        let zone = Zone::parse("Europe/Stockholm").unwrap();
        assert_eq!(Zone::parse("europe/stockholm").unwrap(), zone);
        assert_ne!(zone, Zone::utc());
        assert!(Zone::parse("Europe/Gothenburg").is_err());
    }
}
