//! The state of each invoice at each point, as running values over its events.
//!
//! ```text
//! events of the invoice, each at max(occurred_at, recorded_at) ─┐
//! points that know the invoice, before what comes at theirs ────┴→ …_state → owed
//! ```
//! Sums, first instants and the places of latest events run. What is read of a latest event (until when
//! it promised, to when it moved the due date) is looked up by its place afterwards. When the open amount fell
//! to nothing does not run, because a payment that is learnt late changes the balances after it: that is
//! replayed, once for each amount billed and latest payment learnt at which any point finds nothing open.

use super::query::Query;
use super::{Dialect, facts};
use crate::domain::EventType;
use crate::domain::time::DAY_MICROS;
use crate::ledger::IN_FLIGHT_DAYS;

/// The types of events that change a state, and those that are one to it.
const STATED: &[EventType] = &[
    EventType::PaymentSucceeded,
    EventType::CreditIssued,
    EventType::PaymentRefunded,
    EventType::PaymentFailed,
    EventType::PaymentInitiated,
    EventType::DueDateChanged,
    EventType::PromiseMade,
    EventType::PlanStarted,
    EventType::PlanEnded,
    EventType::DisputeOpened,
    EventType::DisputeResolved,
    EventType::CollectionOpened,
    EventType::CollectionRecalled,
    EventType::WrittenOff,
    EventType::InvoiceDelivered,
    EventType::InvoiceOpened,
    EventType::InvoiceViewed,
];

/// `what` is one of `types`, which are numbers so that no words are sorted.
fn is(types: &[EventType]) -> String {
    let numbers: Vec<String> = types.iter().map(|one| one.index().to_string()).collect();
    format!("what IN ({})", numbers.join(", "))
}

/// Writes the steps from `invoice_then` and `point_then` to `owed`.
pub(super) fn write(query: &mut Query, dialect: Dialect) {
    use EventType as T;
    let number = STATED
        .iter()
        .map(|one| format!("WHEN '{}' THEN {}", one.name(), one.index()));
    let number = number.collect::<Vec<_>>().join(" ");
    let names = STATED.iter().map(|one| format!("'{}'", one.name()));
    let names = names.collect::<Vec<_>>().join(", ");
    query.step(
        "dealings",
        format!(
            "\
  SELECT customer_id, invoice_id, seen_at, occurred_at, nth, until,
    CASE type {number} END AS what,
    CASE type
      WHEN 'payment_succeeded' THEN -COALESCE(amount_minor, 0)
      WHEN 'credit_issued' THEN -COALESCE(amount_minor, 0)
      WHEN 'payment_refunded' THEN COALESCE(amount_minor, 0)
      END AS change
  FROM ordered_events
  WHERE invoice_id IS NOT NULL AND type IN ({names})"
        ),
    );
    query.step(
        "dealing_changes",
        "\
  SELECT customer_id, invoice_id, seen_at AS moment, 1 AS later, CAST(NULL AS BIGINT) AS point_id,
    what, nth, occurred_at, change, CASE WHEN until IS NULL THEN 0 ELSE 1 END AS has_until,
    NULL AS asked, NULL AS billed, NULL AS issued_at, NULL AS terms_days, NULL AS due_on, NULL AS currency
  FROM dealings
  UNION ALL
  SELECT customer_id, invoice_id, asked_at, 0, point_id, NULL, NULL, NULL, NULL, NULL,
    asked, amount_minor, issued_at, terms_days, due_on, currency
  FROM invoice_then",
    );
    let over = "OVER (PARTITION BY customer_id, invoice_id ORDER BY moment, later \
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)";
    let run = |name: &str, of: &str, types: &[T], value: &str| {
        format!(
            ",\n    {of}(CASE WHEN {} THEN {value} END) {over} AS {name}",
            is(types)
        )
    };
    let latest = |name: &str, types: &[T]| run(name, "MAX", types, "nth");
    let first = |name: &str, types: &[T]| run(name, "MIN", types, "occurred_at");
    let money = [T::PaymentSucceeded, T::CreditIssued, T::PaymentRefunded];
    let running = [
        format!(",\n    SUM(change) {over} AS change"),
        run("money_at", "MAX", &money, "moment"),
        format!(
            ",\n    MAX(CASE WHEN {} AND has_until = 1 THEN nth END) {over} AS moved_nth",
            is(&[T::DueDateChanged])
        ),
        latest("promise_nth", &[T::PromiseMade]),
        latest("plan_nth", &[T::PlanStarted]),
        latest("ended_nth", &[T::PlanEnded]),
        latest("disputed_nth", &[T::DisputeOpened]),
        latest("resolved_nth", &[T::DisputeResolved]),
        latest("collected_nth", &[T::CollectionOpened]),
        latest("recalled_nth", &[T::CollectionRecalled]),
        latest("initiated_nth", &[T::PaymentInitiated]),
        latest("landed_nth", &[T::PaymentSucceeded, T::PaymentFailed]),
        run("initiated_at", "MAX", &[T::PaymentInitiated], "occurred_at"),
        latest("written_off_nth", &[T::WrittenOff]),
        first("delivered_at", &[T::InvoiceDelivered]),
        first("opened_at", &[T::InvoiceOpened, T::InvoiceViewed]),
    ];
    query.step(
        "invoice_state",
        format!(
            "\
  SELECT point_id, customer_id, invoice_id, asked_at, asked, billed, issued_at, terms_days, due_on, currency,
    CAST(billed + COALESCE(change, 0) AS BIGINT) AS balance, money_at, moved_nth, promise_nth,
    plan_nth, ended_nth, disputed_nth, resolved_nth, collected_nth, recalled_nth, initiated_nth,
    landed_nth, initiated_at, written_off_nth, delivered_at, opened_at
  FROM (
  SELECT point_id, customer_id, invoice_id, moment AS asked_at, asked, billed, issued_at, terms_days,
    due_on, currency{}
  FROM dealing_changes) AS w
  WHERE point_id IS NOT NULL",
            running.concat()
        ),
    );
    settlements(query, &money);
    owed(query, dialect);
}

/// Writes `settled`, by invoice, amount billed and latest payment learnt: the last event by which the
/// open amount fell to nothing.
fn settlements(query: &mut Query, money: &[EventType]) {
    query.step(
        "closings",
        "\
  SELECT DISTINCT customer_id, invoice_id, billed, money_at
  FROM invoice_state
  WHERE balance <= 0 AND money_at IS NOT NULL",
    );
    query.step(
        "balances",
        format!(
            "\
  SELECT c.customer_id, c.invoice_id, c.billed, c.money_at, d.occurred_at, d.change,
    CAST(c.billed + SUM(d.change) OVER (PARTITION BY c.customer_id, c.invoice_id, c.billed, c.money_at
      ORDER BY d.nth ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS balance
  FROM closings AS c
  JOIN dealings AS d ON d.customer_id = c.customer_id AND d.invoice_id = c.invoice_id
    AND d.seen_at <= c.money_at AND {}",
            is(money)
        ),
    );
    query.step(
        "settled",
        "\
  SELECT customer_id, invoice_id, billed, money_at,
    MAX(CASE WHEN balance <= 0 AND balance - change > 0 THEN occurred_at END) AS paid_up_at
  FROM balances
  GROUP BY customer_id, invoice_id, billed, money_at",
    );
}

/// Writes `owed`, one row for each invoice known at each point.
fn owed(query: &mut Query, dialect: Dialect) {
    let moved = facts::day("m.until", dialect);
    let in_flight = IN_FLIGHT_DAYS * DAY_MICROS;
    let read = |alias: &str, kind: EventType, nth: &str| {
        format!(
            "LEFT JOIN (SELECT customer_id, nth, until FROM dealings WHERE {}) AS {alias}\n    \
             ON {alias}.customer_id = s.customer_id AND {alias}.nth = s.{nth}",
            is(&[kind])
        )
    };
    let after = |one: &str, other: &str| format!("COALESCE(s.{one}, 0) > COALESCE(s.{other}, 0)");
    query.step(
        "owed",
        format!(
            "\
  SELECT s.point_id, s.asked_at, s.asked, s.invoice_id, s.issued_at, s.billed AS amount_minor, s.terms_days,
    s.due_on AS first_due_on, p.zone,
    CASE WHEN s.currency = p.currency THEN 1 END AS comparable,
    CASE WHEN m.until IS NULL THEN s.due_on ELSE {moved} END AS due_on,
    s.balance,
    CASE WHEN s.balance <= 0 THEN c.paid_up_at END AS settled_at,
    r.until AS promised_until, s.delivered_at, s.opened_at,
    CASE WHEN {} AND COALESCE(g.until, s.asked_at + 1) > s.asked_at THEN 1 ELSE 0 END AS plan_running,
    CASE WHEN {} THEN 1 ELSE 0 END AS disputed,
    CASE WHEN {} THEN 1 ELSE 0 END AS in_collection,
    CASE WHEN {} AND s.asked_at - s.initiated_at <= {in_flight} THEN 1 ELSE 0 END AS in_flight,
    CASE WHEN s.written_off_nth IS NULL THEN 0 ELSE 1 END AS written_off
  FROM invoice_state AS s
  JOIN point_then AS p ON p.point_id = s.point_id
  LEFT JOIN settled AS c ON c.customer_id = s.customer_id AND c.invoice_id = s.invoice_id
    AND c.billed = s.billed AND c.money_at = s.money_at
  {}
  {}
  {}",
            after("plan_nth", "ended_nth"),
            after("disputed_nth", "resolved_nth"),
            after("collected_nth", "recalled_nth"),
            after("initiated_nth", "landed_nth"),
            read("m", EventType::DueDateChanged, "moved_nth"),
            read("r", EventType::PromiseMade, "promise_nth"),
            read("g", EventType::PlanStarted, "plan_nth"),
        ),
    );
}
