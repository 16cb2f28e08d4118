//! Dates and times as an input writes them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A day, or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Day(Date),
    Instant(Timestamp),
}

/// How an input writes times.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// Format in `strptime`'s letters; none is RFC 3339, or a date.
    pub(super) format: Option<String>,
    /// Zone of local times.
    pub(super) zone: TimeZone,
}

impl Clock {
    /// Reads a time.
    pub(super) fn read(&self, text: &str) -> Result<Moment, String> {
        let Some(format) = &self.format else {
            let date = text.parse().map(Moment::Day).ok();
            // jiff reads the date out of a longer text as well; only a lone date is a day.
            return match date.filter(|_| text.len() == 10) {
                Some(day) => Ok(day),
                None => text.parse().map(Moment::Instant).map_err(|_| {
                    format!("`{text}` is not a time; write 2026-03-31T08:00:00Z or 2026-03-31, or state its `format`")
                }),
            };
        };
        let wrong = |error: jiff::Error| format!("`{text}` is not of the form `{format}`: {error}");
        let parsed = jiff::fmt::strtime::parse(format, text).map_err(wrong)?;
        if let Ok(instant) = parsed.to_timestamp() {
            return Ok(Moment::Instant(instant));
        }
        match parsed.to_datetime() {
            Ok(local) => self.local(local).map(Moment::Instant),
            Err(_) => parsed.to_date().map(Moment::Day).map_err(wrong),
        }
    }

    /// The same zone, with times as lagom writes them.
    pub(super) fn plain(&self) -> Self {
        Self {
            format: None,
            zone: self.zone.clone(),
        }
    }

    fn local(&self, local: DateTime) -> Result<Timestamp, String> {
        let zoned = self.zone.to_ambiguous_zoned(local).compatible();
        zoned.map(|z| z.timestamp()).map_err(|e| e.to_string())
    }

    /// The moment `months` and then `days` later, by the calendar of the zone.
    pub(super) fn later(&self, from: Moment, months: i32, days: i32) -> Result<Moment, String> {
        if months == 0 && days == 0 {
            return Ok(from);
        }
        let span = Span::new()
            .try_months(months)
            .and_then(|span| span.try_days(days));
        let span = span.map_err(|error| error.to_string())?;
        match from {
            Moment::Day(day) => day.checked_add(span).map(Moment::Day),
            Moment::Instant(instant) => instant
                .to_zoned(self.zone.clone())
                .checked_add(span)
                .map(|zoned| Moment::Instant(zoned.timestamp())),
        }
        .map_err(|error| error.to_string())
    }

    /// As an instant; a day is its first one in the zone.
    pub(super) fn instant(&self, moment: Moment) -> Result<String, String> {
        let instant = match moment {
            Moment::Instant(instant) => instant,
            Moment::Day(day) => self.local(day.at(0, 0, 0, 0))?,
        };
        Ok(instant.to_string())
    }

    /// As a day in the zone.
    pub(super) fn day(&self, moment: Moment) -> String {
        match moment {
            Moment::Day(day) => day.to_string(),
            Moment::Instant(instant) => instant.to_zoned(self.zone.clone()).date().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn clock(format: Option<&str>, zone: &str) -> Clock {
        Clock {
            format: format.map(str::to_owned),
            zone: TimeZone::get(zone).unwrap(),
        }
    }

    #[test]
    fn days_and_instants_are_read_in_the_inputs_form_and_zone() {
        let us = clock(Some("%m/%d/%Y"), "UTC");
        assert_eq!(us.day(us.read("4/6/2013").unwrap()), "2013-04-06");
        assert!(us.read("13/6/2013").is_err());
        assert!(us.read("4/6/2013 and more").is_err());
        let local = clock(Some("%d.%m.%Y %H:%M"), "Europe/Stockholm");
        let read = local.read("01.07.2025 01:30").unwrap();
        assert_eq!(local.instant(read).unwrap(), "2025-06-30T23:30:00Z");
        assert_eq!(local.day(read), "2025-07-01");
        let plain = clock(None, "Europe/Stockholm");
        let day = plain.read("2025-07-01").unwrap();
        assert_eq!(plain.instant(day).unwrap(), "2025-06-30T22:00:00Z");
        assert!(plain.read("2025-07-01T10:00").is_err());
    }

    #[test]
    fn months_keep_the_day_where_there_is_one() {
        let clock = clock(None, "UTC");
        let later = |text: &str, months, days| {
            let moment = clock.later(clock.read(text).unwrap(), months, days);
            clock.day(moment.unwrap())
        };
        assert_eq!(later("2025-01-31", 1, 0), "2025-02-28");
        assert_eq!(later("2025-01-31", 0, 30), "2025-03-02");
        assert_eq!(later("2005-05-26T04:00:00Z", 2, 1), "2005-07-27");
    }
}
