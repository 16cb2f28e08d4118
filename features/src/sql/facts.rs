//! What every feature is counted against: the customer and each invoice as known at the point, and
//! what the state of the invoice then ([`ledger`]) comes to.

use super::cells::{Cells, DayPart, Made, Unit};
use super::query::Query;
use super::sweep::Sweeps;
use super::{CellKind, Dialect, ledger};
use crate::domain::time::DAY_MICROS;
use crate::spec::feature::Attribute;

/// Microseconds since midnight of a local instant.
fn time_of_day(local: &str) -> String {
    format!("((({local}) % {DAY_MICROS} + {DAY_MICROS}) % {DAY_MICROS})")
}

/// The day of a local instant. Engines do not agree on what `/` of whole numbers is, so a multiple
/// is divided, which is exact as a real number.
pub(super) fn day(local: &str, dialect: Dialect) -> String {
    let (real, time) = (dialect.real(), time_of_day(local));
    format!("CAST(CAST(({local}) - {time} AS {real}) / CAST({DAY_MICROS} AS {real}) AS BIGINT)")
}

/// The whole second of the day of a local instant.
pub(super) fn second(local: &str, dialect: Dialect) -> String {
    let (real, time) = (dialect.real(), time_of_day(local));
    let whole = format!("{time} - {time} % 1000000");
    format!("CAST(CAST({whole} AS {real}) / CAST(1000000 AS {real}) AS BIGINT)")
}

/// Writes the steps up to `facts`, one row for each invoice known at each point.
pub(super) fn write(query: &mut Query, dialect: Dialect) {
    let local = "p.asked_at + z.shift";
    let (today, second_now) = (day(local, dialect), second(local, dialect));
    let issued_on = day("o.issued_at + i.shift", dialect);
    let settled_on = day("o.settled_at + s.shift", dialect);
    query.step(
        "ordered_events",
        "\
  -- Of equal event ids the one that happened first stays; ties are decided as the extractor does.
  SELECT u.*, GREATEST(occurred_at, recorded_at) AS seen_at, ROW_NUMBER() OVER (
      PARTITION BY customer_id ORDER BY occurred_at, recorded_at, event_id) AS nth
  FROM (
    SELECT e.*, ROW_NUMBER() OVER (
        PARTITION BY customer_id, event_id ORDER BY occurred_at, recorded_at, seq) AS repetition
    FROM lagom_events AS e) AS u
  WHERE repetition = 1",
    );
    query.step(
        "customer_then",
        "\
  SELECT * FROM (
    SELECT p.point_id, c.*, ROW_NUMBER() OVER (
        PARTITION BY p.point_id ORDER BY c.recorded_at DESC, c.seq DESC) AS newest
    FROM lagom_points AS p
    JOIN lagom_customers AS c ON c.customer_id = p.customer_id AND c.recorded_at < p.asked_at) AS u
  WHERE newest = 1",
    );
    query.step(
        "invoice_then",
        "\
  SELECT * FROM (
    SELECT p.point_id, p.asked_at, i.*,
      CASE WHEN i.invoice_id = p.invoice_id THEN 1 ELSE 0 END AS asked,
      ROW_NUMBER() OVER (
        PARTITION BY p.point_id, i.invoice_id ORDER BY i.recorded_at DESC, i.seq DESC) AS newest
    FROM lagom_points AS p
    JOIN lagom_invoices AS i ON i.customer_id = p.customer_id AND i.recorded_at < p.asked_at) AS u
  WHERE newest = 1 AND issued_at < asked_at",
    );
    query.step(
        "point_then",
        format!(
            "\
  SELECT p.*, z.shift AS shift_now, {today} AS today, {second_now} AS second_now
  FROM (
    SELECT i.point_id, i.customer_id, i.asked_at, i.invoice_id, i.currency, i.issued_at,
      i.payment_method, i.billing_channel, i.product,
      c.created_at, c.kind, c.country, c.language, c.segment, c.autopay, c.annual_margin_minor,
      LOWER(COALESCE(c.time_zone, 'UTC')) AS zone
    FROM invoice_then AS i
    LEFT JOIN customer_then AS c ON c.point_id = i.point_id
    WHERE i.asked = 1) AS p
  LEFT JOIN zone_spans AS z ON z.zone = p.zone AND p.asked_at >= z.since AND p.asked_at < z.upto"
        ),
    );
    ledger::write(query, dialect);
    query.step(
        "dated",
        format!(
            "\
  SELECT o.*,
    CASE WHEN o.balance > 0 THEN o.balance ELSE 0 END AS outstanding,
    CASE WHEN o.balance > 0 AND o.written_off = 0 THEN 1 ELSE 0 END AS is_open,
    o.due_on * {DAY_MICROS} - d.shift AS due_from,
    (o.due_on + 1) * {DAY_MICROS} - n.shift AS late_from,
    COALESCE(o.terms_days, o.first_due_on - {issued_on}) AS terms,
    {settled_on} - o.due_on AS lag_days
  FROM owed AS o
  LEFT JOIN zone_days AS d ON d.zone = o.zone AND o.due_on >= d.since AND o.due_on < d.upto
  LEFT JOIN zone_days AS n ON n.zone = o.zone AND o.due_on + 1 >= n.since AND o.due_on + 1 < n.upto
  LEFT JOIN zone_spans AS i ON i.zone = o.zone AND o.issued_at >= i.since AND o.issued_at < i.upto
  LEFT JOIN zone_spans AS s ON s.zone = o.zone AND o.settled_at >= s.since AND o.settled_at < s.upto"
        ),
    );
    query.step(
        "facts",
        "\
  SELECT t.*,
    CASE WHEN late_from < asked_at
      THEN CASE WHEN settled_at IS NULL OR settled_at >= late_from THEN 1 ELSE 0 END
      END AS late
  FROM dated AS t",
    );
}

/// The cells of a fact: of the point `p`, of its invoice `a`, and of what runs.
pub(super) fn attribute(
    attribute: Attribute,
    paydays: &[i8],
    sweeps: &mut Sweeps,
    cells: &mut Cells,
) -> Made {
    use Attribute as A;
    let flag = |condition: &str| format!("CASE WHEN {condition} THEN 1 ELSE 0 END");
    let (sql, unit): (String, Unit) = match attribute {
        A::TenureDays => ("p.asked_at - p.created_at".into(), Unit::Days),
        A::Autopay => {
            let [on, off] = sweeps.habits();
            let sql = format!(
                "CASE WHEN {on} > {off} THEN 1 WHEN {off} > {on} THEN 0 ELSE p.autopay END"
            );
            (sql, Unit::One)
        }
        A::Business => (
            "CASE WHEN p.kind = 'business' THEN 1 WHEN p.kind IS NOT NULL THEN 0 END".into(),
            Unit::One,
        ),
        A::AnnualMargin => ("p.annual_margin_minor".into(), Unit::One),
        A::InvoiceAmount => ("a.amount_minor".into(), Unit::One),
        A::InvoiceOutstanding => ("a.outstanding".into(), Unit::One),
        A::OutstandingShare => {
            let part = cells.whole("a.outstanding");
            return Made::Share(part, cells.whole("a.amount_minor"));
        }
        A::DaysSinceIssue => ("p.asked_at - a.issued_at".into(), Unit::Days),
        A::DaysPastDue => ("p.today - a.due_on".into(), Unit::One),
        A::InvoiceTermsDays => ("a.terms".into(), Unit::One),
        A::Disputed => ("a.disputed".into(), Unit::One),
        A::Promised => (flag("a.promised_until >= p.asked_at"), Unit::One),
        A::PromiseBroken => (flag("a.promised_until < p.asked_at"), Unit::One),
        A::PlanRunning => ("a.plan_running".into(), Unit::One),
        A::InCollection => ("a.in_collection".into(), Unit::One),
        A::PaymentInFlight => ("a.in_flight".into(), Unit::One),
        A::DueDateMoved => (flag("a.due_on <> a.first_due_on"), Unit::One),
        A::Hour => ("p.second_now".into(), Unit::Hours),
        A::DueWeekday => return Made::Day(cells.whole("a.due_on"), DayPart::Weekday),
        A::DueDayOfMonth => return Made::Day(cells.whole("a.due_on"), DayPart::DayOfMonth),
        A::Weekday => return Made::Day(cells.whole("p.today"), DayPart::Weekday),
        A::DayOfMonth => return Made::Day(cells.whole("p.today"), DayPart::DayOfMonth),
        A::Month => return Made::Day(cells.whole("p.today"), DayPart::Month),
        A::DaysToPayday => {
            return Made::Day(cells.whole("p.today"), DayPart::ToPayday(paydays.to_vec()));
        }
        A::DaysSincePayday => {
            return Made::Day(
                cells.whole("p.today"),
                DayPart::SincePayday(paydays.to_vec()),
            );
        }
        A::Segment
        | A::Country
        | A::Language
        | A::PaymentMethod
        | A::BillingChannel
        | A::Product => {
            let word = format!("p.{}", attribute.name());
            return Made::Word(cells.add(word, CellKind::Text));
        }
    };
    Made::Number(cells.whole(sql), unit)
}
