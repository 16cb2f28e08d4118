//! What a set of candidate actions looks like to the rules: the case, and each slot in which
//! something could be sent, in every local time that it may have.

use super::facts::Facts;
use lagom_features::domain::{Channel, Date, Timestamp, Timing, Zone};

/// A slot in one of the customer's possible zones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local {
    /// The day on which it begins.
    pub(crate) day: Date,
    /// Minutes from that day's midnight to its begin.
    pub(crate) from_minute: i32,
    /// Minutes from that day's midnight to its end.
    pub(crate) until_minute: i32,
}

impl Local {
    fn of(from: Timestamp, until: Timestamp, zone: &Zone) -> Self {
        let (first, last) = (from.civil(zone), until.civil(zone));
        let day = Date::from_civil(first.date());
        let days = Date::from_civil(last.date()).days_since(day);
        let minute = |hour: i8, minute: i8| i32::from(hour) * 60 + i32::from(minute);
        Self {
            day,
            from_minute: minute(first.hour(), first.minute()),
            // Rounded up, so that a second past the hour is past the hour.
            until_minute: days * 24 * 60
                + minute(last.hour(), last.minute())
                + i32::from(last.second() > 0 || last.subsec_nanosecond() > 0),
        }
    }
}

/// A time at which something could be sent.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    /// Earliest instant of sending.
    pub(crate) from: Timestamp,
    /// The day of `from`, as the case counts days.
    pub(crate) day: Date,
    /// Days from the due date to `day`.
    pub(crate) days_from_due: i32,
    /// Whether it is over.
    pub(crate) past: bool,
    /// One for each zone that the customer may be in.
    pub(crate) locals: Vec<Local>,
}

impl Slot {
    fn new(facts: &Facts, from: Timestamp, until: Timestamp, past: bool) -> Self {
        let locals: Vec<Local> = facts
            .zones
            .iter()
            .map(|zone| Local::of(from, until, zone))
            .collect();
        let day = locals
            .first()
            .map_or_else(|| from.date(&facts.zone()), |local| local.day);
        Self {
            from,
            day,
            days_from_due: day.days_since(facts.due_on),
            past,
            locals,
        }
    }

    /// A single instant.
    pub(crate) fn instant(facts: &Facts, at: Timestamp) -> Self {
        Self::new(facts, at, at, false)
    }

    /// The slot of a timing.
    pub(crate) fn of(facts: &Facts, timing: Timing) -> Self {
        let (from, until) = facts.slot(timing);
        Self::new(facts, from, until, until <= facts.now)
    }
}

/// All that a rule is judged on.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// The case.
    pub(crate) facts: &'a Facts,
    /// Slots of the candidates; the first is "at once".
    pub(crate) slots: Vec<Slot>,
    /// Fees of the candidates in minor units; the first is none.
    pub(crate) fees: &'a [i64],
    /// Whether the fees are of the invoice's currency.
    pub(crate) fees_in_currency: bool,
    /// Whether fees were agreed on when the debts arose.
    pub(crate) fees_agreed: bool,
    /// Channels that the caller can use, if that is limited.
    pub(crate) allowed_channels: Option<&'a [Channel]>,
}

impl Scene<'_> {
    /// The slots that `keep` holds, one bit each.
    pub(crate) fn slots_where(&self, keep: impl Fn(&Slot) -> bool) -> u64 {
        let kept = self.slots.iter().enumerate().filter(|(_, slot)| keep(slot));
        kept.fold(0, |set, (at, _)| set | (1 << at))
    }
}
