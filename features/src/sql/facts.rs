//! What every feature is counted against: the customer and each invoice as known at the point, and
//! the state of the invoice that the events seen then give (the ledger).

use super::cells::{Cells, DayPart, Made, Unit};
use super::query::Query;
use super::{CellKind, Dialect};
use crate::domain::time::DAY_MICROS;
use crate::ledger::IN_FLIGHT_DAYS;
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
pub(super) fn write(query: &mut Query, dialect: Dialect, autopay: bool) {
    let local = "p.asked_at + z.shift";
    let (today, second_now) = (day(local, dialect), second(local, dialect));
    let in_flight = IN_FLIGHT_DAYS * DAY_MICROS;
    let moved = day("l.moved_to", dialect);
    let issued_on = day("o.issued_at + i.shift", dialect);
    let settled_on = day("o.settled_at + s.shift", dialect);
    query.step(
        "ordered_events",
        "\
  -- Of equal event ids the one that happened first stays; ties are decided as the extractor does.
  SELECT u.*, ROW_NUMBER() OVER (
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
    query.step(
        "seen",
        "\
  SELECT p.point_id, p.asked_at, e.invoice_id, e.nth, e.type, e.occurred_at, e.channel, e.tone,
    e.amount_minor, e.currency, e.method, e.device, e.dwell_ms, e.until
  FROM point_then AS p
  JOIN ordered_events AS e ON e.customer_id = p.customer_id
    AND e.recorded_at < p.asked_at AND e.occurred_at < p.asked_at",
    );
    query.step(
        "moves",
        "\
  SELECT i.point_id, i.asked_at, i.invoice_id, i.amount_minor AS billed,
    e.nth, e.type, e.occurred_at, e.until,
    CASE e.type
      WHEN 'payment_succeeded' THEN -COALESCE(e.amount_minor, 0)
      WHEN 'credit_issued' THEN -COALESCE(e.amount_minor, 0)
      WHEN 'payment_refunded' THEN COALESCE(e.amount_minor, 0)
      ELSE 0 END AS change
  FROM invoice_then AS i
  JOIN seen AS e ON e.point_id = i.point_id AND e.invoice_id = i.invoice_id",
    );
    query.step(
        "balances",
        "\
  SELECT m.*,
    CAST(billed + SUM(change) OVER (PARTITION BY point_id, invoice_id ORDER BY nth
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS balance,
    MAX(CASE WHEN type = 'promise_made' THEN nth END)
      OVER (PARTITION BY point_id, invoice_id) AS promise_nth,
    MAX(CASE WHEN type = 'plan_started' THEN nth END)
      OVER (PARTITION BY point_id, invoice_id) AS plan_nth,
    MAX(CASE WHEN type = 'due_date_changed' AND until IS NOT NULL THEN nth END)
      OVER (PARTITION BY point_id, invoice_id) AS moved_nth
  FROM moves AS m",
    );
    query.step(
        "ledger",
        format!(
            "\
  SELECT point_id, invoice_id,
    CAST(SUM(change) AS BIGINT) AS change,
    -- The last event by which the open amount fell to nothing.
    MAX(CASE WHEN balance <= 0 AND balance - change > 0 THEN occurred_at END) AS paid_up_at,
    MAX(CASE WHEN nth = moved_nth THEN until END) AS moved_to,
    MAX(CASE WHEN nth = promise_nth THEN until END) AS promised_until,
    CASE WHEN COALESCE(MAX(plan_nth), 0) > COALESCE(MAX(CASE WHEN type = 'plan_ended' THEN nth END), 0)
      AND COALESCE(MAX(CASE WHEN nth = plan_nth THEN until END), MAX(asked_at) + 1) > MAX(asked_at)
      THEN 1 ELSE 0 END AS plan_running,
    CASE WHEN COALESCE(MAX(CASE WHEN type = 'dispute_opened' THEN nth END), 0)
      > COALESCE(MAX(CASE WHEN type = 'dispute_resolved' THEN nth END), 0)
      THEN 1 ELSE 0 END AS disputed,
    CASE WHEN COALESCE(MAX(CASE WHEN type = 'collection_opened' THEN nth END), 0)
      > COALESCE(MAX(CASE WHEN type = 'collection_recalled' THEN nth END), 0)
      THEN 1 ELSE 0 END AS in_collection,
    CASE WHEN COALESCE(MAX(CASE WHEN type = 'payment_initiated' THEN nth END), 0)
      > COALESCE(MAX(CASE WHEN type IN ('payment_succeeded', 'payment_failed') THEN nth END), 0)
      AND MAX(asked_at) - MAX(CASE WHEN type = 'payment_initiated' THEN occurred_at END)
        <= {in_flight}
      THEN 1 ELSE 0 END AS in_flight,
    MAX(CASE WHEN type = 'written_off' THEN 1 ELSE 0 END) AS written_off,
    MIN(CASE WHEN type = 'invoice_delivered' THEN occurred_at END) AS delivered_at,
    MIN(CASE WHEN type IN ('invoice_opened', 'invoice_viewed') THEN occurred_at END) AS opened_at
  FROM balances
  GROUP BY point_id, invoice_id"
        ),
    );
    query.step(
        "owed",
        format!(
            "\
  SELECT i.point_id, i.asked_at, i.asked, i.invoice_id, i.issued_at, i.amount_minor, i.terms_days,
    i.due_on AS first_due_on, p.zone,
    CASE WHEN i.currency = p.currency THEN 1 END AS comparable,
    CASE WHEN l.moved_to IS NULL THEN i.due_on ELSE {moved} END AS due_on,
    i.amount_minor + COALESCE(l.change, 0) AS balance,
    CASE WHEN i.amount_minor + COALESCE(l.change, 0) <= 0 THEN l.paid_up_at END AS settled_at,
    l.promised_until, l.delivered_at, l.opened_at,
    COALESCE(l.plan_running, 0) AS plan_running, COALESCE(l.disputed, 0) AS disputed,
    COALESCE(l.in_collection, 0) AS in_collection, COALESCE(l.in_flight, 0) AS in_flight,
    COALESCE(l.written_off, 0) AS written_off
  FROM invoice_then AS i
  JOIN point_then AS p ON p.point_id = i.point_id
  LEFT JOIN ledger AS l ON l.point_id = i.point_id AND l.invoice_id = i.invoice_id"
        ),
    );
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
    if autopay {
        query.step(
            "habits",
            "\
  SELECT point_id,
    COALESCE(MAX(CASE WHEN type = 'autopay_enabled' THEN nth END), 0) AS on_nth,
    COALESCE(MAX(CASE WHEN type = 'autopay_disabled' THEN nth END), 0) AS off_nth
  FROM seen
  GROUP BY point_id",
        );
    }
}

/// The cells of a fact: of the point `p`, of its invoice `a`, and of habits `h`.
pub(super) fn attribute(attribute: Attribute, paydays: &[i8], cells: &mut Cells) -> Made {
    use Attribute as A;
    let flag = |condition: &str| format!("CASE WHEN {condition} THEN 1 ELSE 0 END");
    let (sql, unit): (String, Unit) = match attribute {
        A::TenureDays => ("p.asked_at - p.created_at".into(), Unit::Days),
        A::Autopay => (
            "CASE WHEN h.on_nth > h.off_nth THEN 1 WHEN h.off_nth > h.on_nth THEN 0 \
             ELSE p.autopay END"
                .into(),
            Unit::One,
        ),
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
