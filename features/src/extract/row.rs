//! A row of a source: what filters look at and what columns are read from.

use super::Moment;
use super::invoices::Facts;
use crate::domain::time::DAY_MICROS;
use crate::domain::{Days, EventType, Timestamp, Zone};
use crate::history::Known;
use crate::spec::feature::{Column, Facet, Filter, Scope};

/// How soon an opening, click or payment must follow a contact to be counted as led to.
const RESPONSE: Days = Days::whole(7);

/// Whether a row is of the invoice in question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Unattached,
    Asked,
    Other,
}

impl Whose {
    pub(super) fn within(self, scope: Scope) -> bool {
        match scope {
            Scope::Customer => true,
            Scope::ThisInvoice => self == Self::Asked,
            Scope::OtherInvoices => self == Self::Other,
        }
    }
}

/// What followed a contact: 1, 0, or NaN while it may still come.
#[derive(Clone, Copy)]
pub(super) struct Followed {
    open: f64,
    click: f64,
    payment: f64,
}

impl Followed {
    pub(super) const UNKNOWN: Self = Self {
        open: f64::NAN,
        click: f64::NAN,
        payment: f64::NAN,
    };
}

/// The next responses after the place that a backward pass has come to.
#[derive(Default)]
pub(super) struct Trail {
    open: Option<Timestamp>,
    click: Option<Timestamp>,
    payment: Option<Timestamp>,
}

impl Trail {
    /// What is known at `now` to have followed a contact at `at`.
    pub(super) fn after(&self, at: Timestamp, now: Timestamp) -> Followed {
        let judge = |next: Option<Timestamp>| match next {
            Some(next) if next <= at + RESPONSE => 1.0,
            _ if now > at + RESPONSE => 0.0,
            _ => f64::NAN,
        };
        Followed {
            open: judge(self.open),
            click: judge(self.click),
            payment: judge(self.payment),
        }
    }

    pub(super) fn pass(&mut self, event: Known<'_>) {
        let at = Some(event.occurred_at());
        match event.kind() {
            EventType::InvoiceOpened | EventType::InvoiceViewed => self.open = at,
            EventType::LinkClicked => self.click = at,
            EventType::PaymentSucceeded => self.payment = at,
            _ => {}
        }
    }
}

enum Body<'a> {
    Event(Known<'a>, Followed),
    Invoice(Facts),
}

/// One row.
pub(super) struct Row<'a> {
    pub(super) at: Timestamp,
    pub(super) whose: Whose,
    body: Body<'a>,
}

impl<'a> Row<'a> {
    pub(super) fn event(event: Known<'a>, whose: Whose, followed: Followed) -> Self {
        Self {
            at: event.occurred_at(),
            whose,
            body: Body::Event(event, followed),
        }
    }

    pub(super) fn invoice(at: Timestamp, facts: Facts) -> Self {
        let whose = if facts.in_question {
            Whose::Asked
        } else {
            Whose::Other
        };
        Self {
            at,
            whose,
            body: Body::Invoice(facts),
        }
    }

    pub(super) fn passes(&self, filter: &Filter, moment: &Moment<'_>) -> bool {
        match &self.body {
            Body::Event(event, _) => {
                allows(&filter.channel, || event.channel())
                    && allows(&filter.tone, || event.tone())
                    && allows(&filter.method, || event.method())
                    && allows(&filter.device, || event.device())
                    && (filter.within_hours)
                        .is_none_or(|hours| apart(event.occurred_at(), moment) <= f64::from(hours))
            }
            Body::Invoice(facts) => {
                filter.open.is_none_or(|open| open == facts.open)
                    && filter
                        .late
                        .is_none_or(|late| facts.late == f64::from(u8::from(late)))
            }
        }
    }

    /// NaN where the row does not have it.
    pub(super) fn value(&self, column: Column, moment: &Moment<'_>) -> f64 {
        match &self.body {
            Body::Event(event, followed) => match column {
                Column::Amount => amount(*event, moment),
                Column::LogAmount => libm::log1p(amount(*event, moment)),
                Column::DwellSeconds => event
                    .dwell_ms()
                    .map_or(f64::NAN, |millis| f64::from(millis) / 1000.0),
                Column::LocalHour => hour(event.occurred_at(), &moment.zone),
                Column::LedToOpen => followed.open,
                Column::LedToClick => followed.click,
                Column::LedToPayment => followed.payment,
                _ => f64::NAN,
            },
            Body::Invoice(facts) => facts.value(column),
        }
    }

    /// A number that is the same for equal values of a facet; texts by a hash of 64 bits.
    pub(super) fn facet(&self, facet: Facet, moment: &Moment<'_>) -> Option<u64> {
        let day = |at: Timestamp| u64::from(at.date(&moment.zone).days().unsigned_abs());
        match (&self.body, facet) {
            (_, Facet::Day) => Some(day(self.at)),
            (Body::Event(event, _), Facet::Channel) => {
                event.channel().map(|one| one.index() as u64)
            }
            (Body::Event(event, _), Facet::Device) => event.device().map(hash),
            (Body::Event(event, _), Facet::Method) => event.method().map(hash),
            (Body::Event(event, _), Facet::Invoice) => event.slot().map(|slot| slot.index() as u64),
            (Body::Invoice(facts), Facet::Invoice) => Some(u64::from(facts.place)),
            (Body::Invoice(_), _) => None,
        }
    }
}

/// An empty list allows everything, and then nothing is looked up.
fn allows<T: PartialEq<V>, V>(list: &[T], value: impl FnOnce() -> Option<V>) -> bool {
    list.is_empty() || value().is_some_and(|value| list.iter().any(|one| *one == value))
}

fn amount(event: Known<'_>, moment: &Moment<'_>) -> f64 {
    event
        .amount()
        .filter(|money| Some(money.currency) == moment.currency)
        .map_or(f64::NAN, |money| money.minor_units as f64)
}

/// Hour of the day in `zone`, with minutes and seconds as a fraction.
pub(super) fn hour(at: Timestamp, zone: &Zone) -> f64 {
    let local = at.civil(zone).time();
    f64::from(local.hour()) + f64::from(local.minute()) / 60.0 + f64::from(local.second()) / 3600.0
}

/// Hours between two hours of the day, around the clock: that of `at` and that of the decision.
fn apart(at: Timestamp, moment: &Moment<'_>) -> f64 {
    let between = (hour(at, &moment.zone) - hour(moment.now, &moment.zone)).abs();
    between.min(24.0 - between)
}

/// Days of 24 hours from `earlier` to `later`.
pub(super) fn days(earlier: Timestamp, later: Timestamp) -> f64 {
    (later.micros() - earlier.micros()) as f64 / DAY_MICROS as f64
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
