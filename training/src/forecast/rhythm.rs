//! When a customer is invoiced next, from when that was done before.
//!
//! Whoever is invoiced on the same day of every month (or every third, or on the last day of each) is so
//! again: months are of 28 to 31 days, so a mean gap would be days off for everybody at once, and a
//! forecast of a week with it. Other even gaps go on with their mean.

use lagom_features::domain::{Date, Days, InvoiceId, Timestamp, Zone};

/// A rhythm is read of so many gaps at least …
pub(super) const LEAST_GAPS: usize = 3;
/// … and of so many at most, the latest.
const MOST_GAPS: usize = 6;
/// How far each of them may lie from their median, as a share of it: months are 28 to 31 days.
const OFF: f64 = 0.2;
/// Gaps without an invoice after which a rhythm has ended.
const SILENT: f64 = 1.25;
/// Mean days of a month.
const MONTH_DAYS: f64 = 30.436_875;

/// What a customer was billed at one time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Issue {
    pub(super) at: Timestamp,
    pub(super) minor: f64,
    /// The last of its invoices.
    pub(super) invoice_id: InvoiceId,
}

/// Issues that follow each other evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rhythm {
    pub(super) gap_days: f64,
    pub(super) minor: f64,
    monthly: Option<Monthly>,
}

/// The same day of every so manyth month.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Monthly {
    /// Months from one issue to the next, at least 1.
    months: u32,
    /// Day of the month, or its last one where it has fewer.
    day: i8,
}

impl Monthly {
    /// Of the days of issues that are about `gap_days` apart.
    fn of(dates: &[Date], gap_days: f64) -> Option<Self> {
        let months = (gap_days / MONTH_DAYS).round() as u32;
        let day = dates.iter().map(|date| date.civil().day()).max()?;
        let found = Self { months, day };
        let mut pairs = dates.windows(2);
        (months > 0 && pairs.all(|pair| found.after(pair[0], 1) == pair[1])).then_some(found)
    }

    /// The day of the issue `ahead` after that of `date`.
    fn after(self, date: Date, ahead: u32) -> Date {
        let length = |first: Date| first.civil().days_in_month();
        let mut first = date.plus_days(1 - i32::from(date.civil().day()));
        for _ in 0..self.months * ahead {
            first = first.plus_days(i32::from(length(first)));
        }
        first.plus_days(i32::from(self.day.min(length(first))) - 1)
    }
}

impl Rhythm {
    /// Of `issues` in the order of time, as the last of them shows it; days are of `zone`.
    pub(super) fn of(issues: &[Issue], zone: &Zone) -> Option<Self> {
        let latest = &issues[issues.len().saturating_sub(MOST_GAPS + 1)..];
        let gaps = latest
            .windows(2)
            .map(|pair| pair[1].at.days_since(pair[0].at));
        let gaps: Vec<f64> = gaps.collect();
        if gaps.len() < LEAST_GAPS {
            return None;
        }
        let usual = median(gaps.clone());
        if gaps.iter().any(|gap| (gap - usual).abs() > OFF * usual) {
            return None;
        }
        let dates: Vec<Date> = latest.iter().map(|issue| issue.at.date(zone)).collect();
        Some(Self {
            gap_days: gaps.iter().sum::<f64>() / gaps.len() as f64,
            minor: median(latest.iter().map(|issue| issue.minor).collect()),
            monthly: Monthly::of(&dates, usual),
        })
    }

    /// When it has ended, unless another issue comes.
    pub(super) fn ends(&self, last: &Issue) -> Timestamp {
        last.at + Days::hours((24.0 * SILENT * self.gap_days) as i64)
    }

    /// When the issue `ahead` issues after `last` is expected: at once where that is over.
    pub(super) fn next(&self, last: &Issue, ahead: u32, now: Timestamp, zone: &Zone) -> Timestamp {
        let wait = match self.monthly {
            Some(monthly) => {
                let date = last.at.date(zone);
                Days::whole(i64::from(monthly.after(date, ahead).days_since(date)))
            }
            None => Days::hours((24.0 * self.gap_days * f64::from(ahead)).round() as i64),
        };
        (last.at + wait).max(now)
    }
}

/// The upper of the two in the middle; `values` are not empty.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Issue, Rhythm};
    use lagom_features::domain::{Days, InvoiceId, Timestamp, Zone};

    fn issues(days: &[i64]) -> Vec<Issue> {
        let start = Timestamp::parse("2026-01-01").unwrap();
        let one = |(place, day): (usize, &i64)| Issue {
            at: start + Days::whole(*day),
            minor: 100.0 + place as f64,
            invoice_id: InvoiceId::new(format!("i{place}")).unwrap(),
        };
        days.iter().enumerate().map(one).collect()
    }

    #[test]
    fn months_are_a_rhythm_and_what_comes_when_it_pleases_is_none() {
        let months = issues(&[0, 31, 59, 90, 120]);
        let zone = Zone::utc();
        let rhythm = Rhythm::of(&months, &zone).unwrap();
        assert_eq!((rhythm.gap_days, rhythm.minor), (30.0, 102.0));
        assert_eq!(Rhythm::of(&months[..3], &zone), None);
        assert_eq!(Rhythm::of(&issues(&[0, 31, 75, 90, 120]), &zone), None);
        // What was long ago is forgotten.
        let settled = issues(&[0, 3, 90, 120, 150, 180, 210, 240, 270]);
        assert_eq!(Rhythm::of(&settled, &zone).unwrap().gap_days, 30.0);
        assert_eq!(Rhythm::of(&[], &zone), None);
    }

    #[test]
    fn the_next_issue_is_a_gap_after_the_last_or_at_once_and_silence_ends_it() {
        let (months, zone) = (issues(&[0, 30, 60, 90]), Zone::utc());
        let (rhythm, last) = (Rhythm::of(&months, &zone).unwrap(), &months[3]);
        let day = |days| months[0].at + Days::whole(days);
        assert_eq!(rhythm.next(last, 1, day(100), &zone), day(120));
        assert_eq!(rhythm.next(last, 2, day(100), &zone), day(150));
        assert_eq!(rhythm.next(last, 1, day(123), &zone), day(123));
        assert_eq!(rhythm.ends(last), day(127) + Days::hours(12));
    }

    #[test]
    fn the_day_of_the_month_is_kept_whatever_its_length() {
        let zone = Zone::utc();
        // The 31st of January, the 28th of February and so on to the 30th of April.
        let last_days = issues(&[30, 58, 89, 119]);
        let rhythm = Rhythm::of(&last_days, &zone).unwrap();
        let next = |ahead| {
            let at = rhythm.next(&last_days[3], ahead, last_days[3].at, &zone);
            at.date(&zone).civil().to_string()
        };
        assert_eq!(
            [1, 2, 3].map(next),
            ["2026-05-31", "2026-06-30", "2026-07-31"]
        );
        // Every third month, on its first day.
        let quarters = issues(&[0, 90, 181, 273]);
        let rhythm = Rhythm::of(&quarters, &zone).unwrap();
        let next = rhythm.next(&quarters[3], 1, quarters[3].at, &zone);
        assert_eq!(next, Timestamp::parse("2027-01-01").unwrap());
        // Every thirty days is no day of the month.
        let days = issues(&[0, 30, 60, 90]);
        let rhythm = Rhythm::of(&days, &zone).unwrap();
        let next = rhythm.next(&days[3], 1, days[3].at, &zone);
        assert_eq!(next, days[3].at + Days::whole(30));
    }
}
