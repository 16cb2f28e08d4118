//! Dates in text columns, and what they say to a model.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Spellings of a date beside ISO 8601 and RFC 3339; month first, as the tables that use strokes mostly do.
const STROKES: [&str; 2] = ["%m/%d/%Y", "%Y/%m/%d"];
/// Spelling with dots, day first.
const DOTS: &str = "%d.%m.%Y";
const SECONDS_A_DAY: f64 = 86_400.0;

/// The moment that `text` names, without a zone read as UTC.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.len() < 8 {
        return None;
    }
    let utc = |at: DateTime| {
        at.to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return utc(at);
    }
    let spelled = STROKES.into_iter().chain([DOTS]);
    let date = spelled
        .filter_map(|spelling| Date::strptime(spelling, text).ok())
        .next()?;
    utc(date.at(0, 0, 0, 0))
}

/// Days since 1970-01-01 UTC.
pub(super) fn days(moment: Timestamp) -> f64 {
    moment.as_second() as f64 / SECONDS_A_DAY
}

/// Weekday (1 is Monday), day of the month and month of a moment, in UTC.
pub(super) fn calendar(moment: Timestamp) -> [f64; 3] {
    let date = moment.to_zoned(TimeZone::UTC).date();
    [
        f64::from(date.weekday().to_monday_one_offset()),
        f64::from(date.day()),
        f64::from(date.month()),
    ]
}

/// The moments of a text column; `None` unless every known cell names one.
pub(super) fn moments(cells: &[Option<String>]) -> Option<Vec<Option<Timestamp>>> {
    let mut known = false;
    let moments = cells
        .iter()
        .map(|cell| match cell {
            Some(text) => {
                known = true;
                moment(text).map(Some)
            }
            None => Some(None),
        })
        .collect::<Option<Vec<_>>>()?;
    known.then_some(moments)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{calendar, days, moment, moments};

    #[test]
    fn the_spellings_of_one_day_are_one_moment() {
        let day = days(moment("2013-01-02").unwrap());
        assert_eq!(day, 15_707.0);
        for text in [
            "1/2/2013",
            "01/02/2013",
            "2013/01/02",
            "02.01.2013",
            "2013-01-02T00:00:00Z",
        ] {
            assert_eq!(days(moment(text).unwrap()), day, "{text}");
        }
        assert_eq!(days(moment("2013-01-02 12:00:00").unwrap()), day + 0.5);
        assert_eq!(calendar(moment("2013-01-02").unwrap()), [3.0, 2.0, 1.0]);
    }

    #[test]
    fn what_is_not_a_date_is_not_taken_for_one() {
        for text in ["0379-NEVHP", "12 months", "may", "13/45/2013", "1.5"] {
            assert!(moment(text).is_none(), "{text}");
        }
        let mixed = [Some("2013-01-02".to_owned()), Some("soon".to_owned())];
        assert!(moments(&mixed).is_none());
        assert!(moments(&[None, None]).is_none());
    }
}
