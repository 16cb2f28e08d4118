//! What follows a message within its week, and from when on it is known.

use super::super::query::Query;
use crate::domain::EventType;
use crate::domain::time::DAY_MICROS;
use crate::spec::feature::Column;

/// How soon an opening, click or payment must follow a contact to be counted as led to.
pub(in super::super) const RESPONSE: i64 = 7 * DAY_MICROS;
/// Later than every instant, and far enough from the largest number to be added to.
const NEVER: i64 = 1 << 60;

/// What a message may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Answer {
    Open,
    Click,
    Payment,
}

impl Answer {
    pub(in super::super) const ALL: [Self; 3] = [Self::Open, Self::Click, Self::Payment];

    pub(super) const fn of(column: Column) -> Option<Self> {
        match column {
            Column::LedToOpen => Some(Self::Open),
            Column::LedToClick => Some(Self::Click),
            Column::LedToPayment => Some(Self::Payment),
            _ => None,
        }
    }

    pub(in super::super) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Click => "click",
            Self::Payment => "payment",
        }
    }

    pub(in super::super) const fn types(self) -> &'static [EventType] {
        match self {
            Self::Open => &[EventType::InvoiceOpened, EventType::InvoiceViewed],
            Self::Click => &[EventType::LinkClicked],
            Self::Payment => &[EventType::PaymentSucceeded],
        }
    }

    /// The types as a list of SQL.
    pub(in super::super) fn list(self) -> String {
        let types: Vec<String> = self
            .types()
            .iter()
            .map(|one| format!("'{}'", one.name()))
            .collect();
        types.join(", ")
    }
}

/// Writes `contacts_judged`: each message with, for each of `answers`, the instant after which it is
/// known that it came (`…_came`) and that after which it is known whether it did (`…_judged`): it
/// came, or its week is over.
///
/// A later event of the same instant follows too; what is later is the order of events.
pub(super) fn write(query: &mut Query, answers: &[Answer]) {
    let answers: Vec<Answer> = Answer::ALL
        .into_iter()
        .filter(|one| answers.contains(one))
        .collect();
    if answers.is_empty() {
        return;
    }
    let joined = |make: &dyn Fn(Answer) -> String| {
        let all: Vec<String> = answers.iter().map(|one| make(*one)).collect();
        all.join(",\n    ")
    };
    let next = joined(&|answer| {
        let seen = format!("CASE WHEN type IN ({}) THEN seen_at END", answer.list());
        let name = answer.name();
        format!(
            "COALESCE(MIN({seen}) OVER (PARTITION BY customer_id ORDER BY occurred_at \
             RANGE BETWEEN 1 FOLLOWING AND {RESPONSE} FOLLOWING), {NEVER}) AS {name}_later,\n    \
             COALESCE(MIN({seen}) OVER (PARTITION BY customer_id, occurred_at ORDER BY nth DESC \
             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), {NEVER}) AS {name}_beside"
        )
    });
    let came = joined(&|answer| {
        let name = answer.name();
        format!("GREATEST(seen_at, LEAST({name}_later, {name}_beside)) AS {name}_came")
    });
    let judged = joined(&|answer| {
        let name = answer.name();
        format!("LEAST({name}_came, GREATEST(seen_at, occurred_at + {RESPONSE})) AS {name}_judged")
    });
    let lists: Vec<String> = answers.iter().map(|one| one.list()).collect();
    query.step(
        "contacts_judged",
        format!(
            "SELECT c.*,\n    {judged}\n  FROM (\n  SELECT w.*,\n    {came}\n  FROM (\n  SELECT e.*,\n    {next}\n  \
             FROM ordered_events AS e\n  WHERE type IN ('contact_sent', {})) AS w\n  \
             WHERE type = 'contact_sent') AS c",
            lists.join(", ")
        ),
    );
}

/// Whether an instant of `contacts_judged` comes at all.
pub(super) fn comes(instant: &str) -> String {
    format!("{instant} < {NEVER}")
}
