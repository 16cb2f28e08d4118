//! Public holidays from a few lines of data: fixed days, days around Easter, weekdays on or after
//! a date, and days off in lieu.

use lagom_features::domain::Date;
use serde::Deserialize;

/// First and last year for which holidays are computed.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;

/// One holiday. Exactly one of `day`, `easter` and `weekday` with `on_or_after` says when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// For people.
    pub name: String,
    /// Month and day, as `12-25`.
    #[serde(default)]
    day: Option<String>,
    /// Days after Easter Sunday.
    #[serde(default)]
    easter: Option<i32>,
    /// Day of the week, Monday is 1.
    #[serde(default)]
    weekday: Option<i32>,
    /// Month and day on or after which that weekday falls.
    #[serde(default)]
    on_or_after: Option<String>,
    /// Days to the day off in lieu when it falls on a Saturday.
    #[serde(default)]
    saturday_moves: Option<i32>,
    /// Days to the day off in lieu when it falls on a Sunday.
    #[serde(default)]
    sunday_moves: Option<i32>,
    /// First year.
    #[serde(default)]
    from_year: Option<i32>,
    /// Last year.
    #[serde(default)]
    until_year: Option<i32>,
}

/// All holidays of one country, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holidays(Vec<Date>);

/// Day of the week, Monday is 1 and Sunday 7.
#[must_use]
pub fn weekday(date: Date) -> i32 {
    (date.days() + 3).rem_euclid(7) + 1
}

/// Days since 1970-01-01 of a Gregorian date (H. Hinnant, "chrono-compatible low-level date
/// algorithms", `days_from_civil`).
fn date(year: i32, month: i32, day: i32) -> Date {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Date::from_days(era * 146_097 + days - 719_468)
}

/// Easter Sunday of a Gregorian year (Meeus, Jones and Butcher: J. Meeus, "Astronomical
/// Algorithms", 1991, chapter 8).
#[must_use]
pub fn easter(year: i32) -> Date {
    let golden = year % 19;
    let (century, of_century) = (year / 100, year % 100);
    let moon = (8 * century + 13) / 25;
    let epact = (19 * golden + century - century / 4 - moon + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 19 * weekday) / 433;
    let shift = epact + weekday - 7 * late;
    let month = (shift + 90) / 25;
    date(year, month, (shift + 33 * month + 19) % 32)
}

fn month_day(text: &str) -> Option<(i32, i32)> {
    let (month, day) = text.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((month, day))
}

impl Holiday {
    fn fault(&self) -> Option<String> {
        let dates = [&self.day, &self.on_or_after].into_iter().flatten();
        for text in dates {
            if month_day(text).is_none() {
                return Some(format!("`{text}` is not a month and day such as 12-25"));
            }
        }
        if self.weekday.is_some_and(|day| !(1..=7).contains(&day)) {
            return Some("weekday must be 1 (Monday) to 7 (Sunday)".to_owned());
        }
        let ways = [
            self.day.is_some(),
            self.easter.is_some(),
            self.weekday.is_some() && self.on_or_after.is_some(),
        ];
        let loose = self.weekday.is_some() != self.on_or_after.is_some();
        let given = ways.into_iter().filter(|&way| way).count();
        (given != 1 || loose).then(|| {
            "exactly one of day, easter, or weekday with on_or_after must say when".to_owned()
        })
    }

    fn in_year(&self, year: i32) -> Option<Date> {
        if let Some((month, day)) = self.day.as_deref().and_then(month_day) {
            return Some(date(year, month, day));
        }
        if let Some(after) = self.easter {
            return Some(easter(year).plus_days(after));
        }
        let (month, day) = self.on_or_after.as_deref().and_then(month_day)?;
        let first = date(year, month, day);
        let wait = (self.weekday? - weekday(first)).rem_euclid(7);
        Some(first.plus_days(wait))
    }

    fn dates(&self, year: i32) -> impl Iterator<Item = Date> {
        let runs = self.from_year.is_none_or(|from| year >= from)
            && self.until_year.is_none_or(|until| year <= until);
        let day = self.in_year(year).filter(|_| runs);
        let moves = day.and_then(|day| match weekday(day) {
            6 => self.saturday_moves,
            7 => self.sunday_moves,
            _ => None,
        });
        let in_lieu = day.zip(moves).map(|(day, moves)| day.plus_days(moves));
        day.into_iter().chain(in_lieu)
    }
}

impl Holidays {
    /// Computes the days of every holiday.
    ///
    /// # Errors
    /// The name of the first holiday that says its day in no way or in two, and why.
    pub fn new(holidays: &[Holiday]) -> Result<Self, (String, String)> {
        for holiday in holidays {
            if let Some(reason) = holiday.fault() {
                return Err((holiday.name.clone(), reason));
            }
        }
        let every = |year| holidays.iter().flat_map(move |one| one.dates(year));
        let mut days: Vec<Date> = YEARS.flat_map(every).collect();
        days.sort_unstable();
        days.dedup();
        Ok(Self(days))
    }

    /// Whether `date` is a holiday.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.0.binary_search(&date).is_ok()
    }

    /// Whether banks work on `date`: neither a holiday nor a weekend.
    #[must_use]
    pub fn is_bank_day(&self, date: Date) -> bool {
        weekday(date) < 6 && !self.contains(date)
    }

    /// The day after `date` on which `days` bank days have passed.
    #[must_use]
    pub fn plus_bank_days(&self, date: Date, days: i32) -> Date {
        let mut day = date;
        for _ in 0..days {
            day = day.plus_days(1);
            while !self.is_bank_day(day) {
                day = day.plus_days(1);
            }
        }
        day
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn easter_falls_where_the_almanac_says() {
        // U.S. Naval Observatory, "Dates of Ash Wednesday and Easter Sunday".
        for day in [
            "1981-04-19",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2019-04-21",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2038-04-25",
            "2049-04-18",
        ] {
            let year = day[..4].parse().unwrap();
            assert_eq!(easter(year).to_string(), day);
        }
    }

    #[test]
    fn civil_dates_and_weekdays_agree_with_the_calendar() {
        for text in [
            "1970-01-01",
            "2000-02-29",
            "2028-02-29",
            "2026-12-31",
            "2199-12-31",
        ] {
            let day = Date::parse(text).unwrap();
            let part = |range: std::ops::Range<usize>| text[range].parse::<i32>().unwrap();
            assert_eq!(date(part(0..4), part(5..7), part(8..10)), day);
            let jiff = i32::from(day.civil().weekday().to_monday_one_offset());
            assert_eq!(weekday(day), jiff);
        }
    }
}
