//! Facts about the customer, the invoice in question and the calendar.

use super::Moment;
use super::row::{days, hour};
use crate::domain::{Country, CustomerKind, Date};
use crate::spec::feature::Attribute;

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// A number or a flag; NaN where it is unknown.
pub(super) fn number(attribute: Attribute, paydays: &[i8], moment: &Moment<'_>) -> f64 {
    let Moment {
        now,
        zone,
        customer,
        state,
        autopay,
        ..
    } = moment;
    let Some(state) = state else {
        return f64::NAN;
    };
    let today = || now.date(zone);
    let minor = |minor: i64| minor as f64;
    match attribute {
        Attribute::TenureDays => customer.map_or(f64::NAN, |one| days(one.created_at, *now)),
        Attribute::Autopay => autopay.map_or(f64::NAN, flag),
        Attribute::Business => customer
            .and_then(|one| one.kind)
            .map_or(f64::NAN, |kind| flag(kind == CustomerKind::Business)),
        Attribute::AnnualMargin => customer
            .and_then(|one| one.annual_margin_minor)
            .map_or(f64::NAN, minor),
        Attribute::InvoiceAmount => minor(state.invoice.amount.minor_units),
        Attribute::InvoiceOutstanding => minor(state.outstanding_minor.max(0)),
        Attribute::OutstandingShare => {
            minor(state.outstanding_minor.max(0)) / minor(state.invoice.amount.minor_units)
        }
        Attribute::DaysSinceIssue => days(state.invoice.issued_at, *now),
        Attribute::DaysPastDue => f64::from(today().days_since(state.due_on)),
        Attribute::InvoiceTermsDays => f64::from(state.invoice.terms_days.map_or_else(
            || {
                let issued_on = state.invoice.issued_at.date(zone);
                state.invoice.due_on.days_since(issued_on)
            },
            i32::from,
        )),
        Attribute::Disputed => flag(state.disputed),
        Attribute::Promised => flag(state.promised_until.is_some_and(|until| until >= *now)),
        Attribute::PromiseBroken => flag(state.promised_until.is_some_and(|until| until < *now)),
        Attribute::PlanRunning => flag(state.plan_running),
        Attribute::InCollection => flag(state.in_collection),
        Attribute::PaymentInFlight => flag(state.payment_in_flight_since.is_some()),
        Attribute::DueDateMoved => flag(state.due_on != state.invoice.due_on),
        Attribute::DueWeekday => weekday(state.due_on),
        Attribute::DueDayOfMonth => f64::from(state.due_on.civil().day()),
        Attribute::Weekday => weekday(today()),
        Attribute::DayOfMonth => f64::from(today().civil().day()),
        Attribute::Month => f64::from(today().civil().month()),
        Attribute::Hour => hour(*now, zone),
        Attribute::DaysToPayday => to_payday(today(), paydays, 1),
        Attribute::DaysSincePayday => to_payday(today(), paydays, -1),
        Attribute::Segment
        | Attribute::Country
        | Attribute::Language
        | Attribute::PaymentMethod
        | Attribute::BillingChannel
        | Attribute::Product => f64::NAN,
    }
}

/// A word; none where it is unknown or the attribute is a number.
pub(super) fn text<'a>(attribute: Attribute, moment: &'a Moment<'_>) -> Option<&'a str> {
    let (customer, invoice) = (moment.customer, moment.state?.invoice);
    match attribute {
        Attribute::Segment => customer?.segment.as_deref(),
        Attribute::Country => customer?.country.as_ref().map(Country::as_str),
        Attribute::Language => customer?.language.as_deref(),
        Attribute::PaymentMethod => invoice.payment_method.as_deref(),
        Attribute::BillingChannel => invoice.billing_channel.as_deref(),
        Attribute::Product => invoice.product.as_deref(),
        _ => None,
    }
}

pub(crate) fn weekday(date: Date) -> f64 {
    f64::from(date.civil().weekday().to_monday_zero_offset())
}

/// Days from `today` to the nearest pay-day after it, or before it where `step` is negative; 0 on
/// one of them. In a month without that day, its last day takes the part.
pub(crate) fn to_payday(today: Date, paydays: &[i8], step: i32) -> f64 {
    let civil = today.civil();
    let here = i32::from(civil.day());
    let length = i32::from(civil.days_in_month());
    let neighbour = if step < 0 {
        today.plus_days(-here)
    } else {
        today.plus_days(length - here + 1)
    };
    let neighbour_length = i32::from(neighbour.civil().days_in_month());
    let away = |payday: i32| {
        let this_month = (payday.min(length) - here) * step;
        if this_month >= 0 {
            this_month
        } else if step < 0 {
            here + neighbour_length - payday.min(neighbour_length)
        } else {
            length - here + payday.min(neighbour_length)
        }
    };
    let nearest = paydays.iter().map(|&day| away(i32::from(day))).min();
    nearest.map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paydays_are_found_across_months_of_every_length() {
        let on = |text: &str, step| to_payday(Date::parse(text).unwrap(), &[1, 25, 31], step);
        assert_eq!(on("2026-02-24", 1), 1.0);
        assert_eq!(on("2026-02-26", 1), 2.0);
        assert_eq!(on("2026-02-28", 1), 0.0);
        assert_eq!(on("2026-03-30", -1), 5.0);
        assert_eq!(on("2026-03-01", -1), 0.0);
        let only = |text: &str, step| to_payday(Date::parse(text).unwrap(), &[31], step);
        assert_eq!(only("2026-03-01", -1), 1.0);
        assert_eq!(only("2026-01-31", 1), 0.0);
        assert_eq!(only("2028-02-29", -1), 0.0);
        let twentieth = |text: &str, step| to_payday(Date::parse(text).unwrap(), &[20], step);
        assert_eq!(twentieth("2026-02-21", 1), 27.0);
        assert_eq!(twentieth("2026-03-05", -1), 13.0);
    }
}
