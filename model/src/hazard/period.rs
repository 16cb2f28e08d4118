//! The periods after a decision, and when in the life of an invoice it is asked.

use lagom_features::domain::{Timestamp, Zone};
use lagom_features::ledger::InvoiceState;

/// Days after a decision from which on a period has the later models. What was seen by the decision (opened,
/// clicked, reminded) says much of the next days and less of later ones, of which habits say more, so that
/// one coefficient cannot be right for both.
pub const LATER_DAYS: f64 = 7.0;

/// Where a period ends, in days from the instant at which the invoice becomes late, and its name.
pub(super) const CUTS: [(f64, &str); 27] = [
    (-90.0, "earlier"),
    (-60.0, "-90"),
    (-45.0, "-60"),
    (-30.0, "-45"),
    (-21.0, "-30"),
    (-14.0, "-21"),
    (-10.0, "-14"),
    (-7.0, "-10"),
    (-5.0, "-7"),
    (-3.0, "-5"),
    (-2.0, "-3"),
    (-1.0, "-2"),
    (0.0, "-1"),
    (1.0, "0"),
    (2.0, "1"),
    (3.0, "2"),
    (5.0, "3"),
    (7.0, "5"),
    (10.0, "7"),
    (14.0, "10"),
    (21.0, "14"),
    (30.0, "21"),
    (45.0, "30"),
    (60.0, "45"),
    (90.0, "60"),
    (180.0, "90"),
    (f64::INFINITY, "180"),
];

/// A stretch of time after a decision in which the hazard is level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    /// Its name: the days since the invoice became late at which it begins on the calendar.
    pub name: &'static str,
    /// Days from the decision to its beginning.
    pub from: f64,
    /// Days from the decision to its end.
    pub until: f64,
    /// Whether the invoice is late in it.
    pub late: bool,
}

/// Where a period lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before the due date.
    Before,
    /// On it.
    Due,
    /// When the invoice is late.
    After,
}

/// Name of the period that is the due date.
const DUE: &str = "-1";

impl Period {
    /// Whether it begins [`LATER_DAYS`] or more after the decision.
    #[must_use]
    pub fn is_later(&self) -> bool {
        self.from >= LATER_DAYS
    }

    /// Where it lies.
    #[must_use]
    pub fn side(&self) -> Side {
        match self.late {
            true => Side::After,
            false if self.name == DUE => Side::Due,
            false => Side::Before,
        }
    }
}

/// When in the life of an invoice something is asked about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Days until the invoice becomes late; negative if it is late already.
    pub late_in_days: f64,
    /// Days since its issue.
    pub age_days: f64,
}

impl Moment {
    /// Days after its issue for which an invoice is new.
    const NEW_DAYS: f64 = 2.0;

    /// Where an invoice stands at `now`, its due date counted in `zone`.
    #[must_use]
    pub fn of(state: &InvoiceState<'_>, zone: &Zone, now: Timestamp) -> Self {
        Self {
            late_in_days: state.late_from(zone).days_since(now),
            age_days: now.days_since(state.invoice.issued_at),
        }
    }

    /// Whether nobody can have opened the invoice, or let it lie, for long: that it was not opened says
    /// little yet.
    #[must_use]
    pub fn is_new(self) -> bool {
        self.age_days < Self::NEW_DAYS
    }
}

/// The periods after a decision that is `late_in_days` before the invoice becomes late (negative if
/// it is late already), in order, without gaps, to `until` days from the decision.
pub fn periods(late_in_days: f64, until: f64) -> impl Iterator<Item = Period> {
    let mut from = 0.0;
    CUTS.into_iter().filter_map(move |(cut, name)| {
        let end = (cut + late_in_days).min(until);
        (end > from).then(|| Period {
            name,
            from: std::mem::replace(&mut from, end),
            until: end,
            late: cut > 0.0,
        })
    })
}
