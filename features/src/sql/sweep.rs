//! Features of events as running sums, which no point has to look at events for.
//!
//! ```text
//! event  ─┬─ +v  at  max(occurred_at, recorded_at), its first instant of being seen
//!         └─ −v  at  occurred_at + w, where a window of that length closes (if it was seen before)
//! point  ───  0  at  its instant, before whatever comes at that instant
//!                    └─ SUM(…) OVER (PARTITION BY key ORDER BY instant) at the point is its value
//! ```
//! Exact because only whole numbers are summed: counts, and minor units of one currency, which is then
//! part of the key. What is no sum but never has to be taken back runs likewise: the latest instant (which
//! tells `any` and `days_since` of every window, for what is outside of it is older than it), smallest and
//! largest since ever, and the latest event itself.
//!
//! Other invoices' sums are those of all invoices less those of this one. Not served, and joined by
//! range as before: what is summed in an order (`decayed`, sums of seconds, hours and logarithms), what
//! depends on the point (`within_hours`, counts since the due date), order statistics, different
//! values, streaks and the latest N.

mod answers;
mod rows;

use super::Dialect;
use super::cells::{Cells, Made, Unit};
use super::chosen;
use super::query::Query;
use crate::domain::EventType;
use crate::spec::feature::{Aggregate, Column, Filter, Op, Rows, Scope, Shrink, Window};
use rows::{Key, Running, Sum, Sweep};

pub(super) use answers::{Answer, RESPONSE};

/// Every sweep of a query.
#[derive(Debug)]
pub(super) struct Sweeps {
    dialect: Dialect,
    all: Vec<Sweep>,
}

/// The events of a feature.
struct Taken<'a> {
    types: &'a [EventType],
    condition: String,
    scope: Scope,
    window: Window,
}

impl Sweeps {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            all: Vec::new(),
        }
    }

    fn of(&mut self, key: Key) -> &mut Sweep {
        let place = self.all.iter().position(|one| one.key() == key);
        let place = place.unwrap_or_else(|| {
            self.all.push(Sweep::new(key, self.dialect));
            self.all.len() - 1
        });
        &mut self.all[place]
    }

    /// Whether the customer switched automatic payment on or off last: places of both in the order of
    /// events, 0 for never.
    pub(super) fn habits(&mut self) -> [String; 2] {
        [EventType::AutopayEnabled, EventType::AutopayDisabled].map(|kind| {
            let condition = chosen::one_of(self.dialect, "type", [kind.name()]);
            let mark = format!("CASE WHEN {condition} THEN nth END");
            let sweep = self.of(Key::CUSTOMER);
            let latest = sweep.extreme(&[kind], mark, Running::Most);
            format!("COALESCE({latest}, 0)")
        })
    }

    /// Adds what a feature needs; none where it is not one of those that run.
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate, cells: &mut Cells) -> Option<Made> {
        let filter = &aggregate.filter;
        if !aggregate.rows.are_events() || filter.within_hours.is_some() {
            return None;
        }
        let types = chosen::types(&aggregate.rows);
        let names = types.iter().map(|one| one.name());
        let mut conditions = vec![chosen::one_of(self.dialect, "type", names)];
        conditions.extend(chosen::words(filter, self.dialect));
        let taken = Taken {
            types: &types,
            condition: chosen::all(conditions),
            scope: aggregate.scope,
            window: aggregate.window,
        };
        match &aggregate.op {
            Op::Count => {
                let count = self.sum(&taken, false, "1")?;
                Some(Made::Count(cells.whole(count)))
            }
            Op::Any => {
                let any = self.any(&taken)?;
                Some(Made::Any(cells.whole(any)))
            }
            Op::DaysSince => {
                let (latest, within) = self.latest(&taken)?;
                let age = format!("CASE WHEN {within} THEN p.asked_at - {latest} END");
                Some(Made::Number(cells.whole(age), Unit::Days))
            }
            Op::DaysSinceFirst if taken.window == Window::Lifetime => {
                let first = self.extreme(&taken, false, "occurred_at", Running::Least)?;
                let age = format!("p.asked_at - {first}");
                Some(Made::Number(cells.whole(age), Unit::Days))
            }
            Op::Rate(of, shrink) => self.rate(&taken, of, *shrink, cells),
            Op::Sum(column) | Op::Mean(column, _) => {
                let shrink = match aggregate.op {
                    Op::Mean(_, shrink) => Some(shrink),
                    _ => None,
                };
                self.total(&taken, &aggregate.rows, *column, shrink, cells)
            }
            Op::Min(column) | Op::Max(column) => {
                let running = match aggregate.op {
                    Op::Min(_) => Running::Least,
                    _ => Running::Most,
                };
                let (value, unit, money) = match column {
                    Column::Amount => ("amount_minor", Unit::One, true),
                    Column::DwellSeconds => ("dwell_ms", Unit::Thousandths, false),
                    _ => return None,
                };
                (taken.window == Window::Lifetime).then_some(())?;
                let extreme = self.extreme(&taken, money, value, running)?;
                Some(Made::Number(cells.whole(extreme), unit))
            }
            _ => None,
        }
    }

    /// A share of the rows, or of the latest row.
    fn rate(
        &mut self,
        taken: &Taken<'_>,
        of: &Filter,
        shrink: Option<Shrink>,
        cells: &mut Cells,
    ) -> Option<Made> {
        if of.within_hours.is_some() {
            return None;
        }
        let passes = chosen::all(chosen::words(of, self.dialect));
        if taken.window == Window::Last(1) {
            // The latest row, and in the last bit whether it passes.
            let mark = format!("nth * 2 + CASE WHEN {passes} THEN 1 ELSE 0 END");
            let latest = self.extreme(taken, false, &mark, Running::Most)?;
            let sum = cells.whole(format!("{latest} % 2"));
            let n = cells.whole(format!("CASE WHEN {latest} IS NOT NULL THEN 1 END"));
            return Some(Made::Mean(sum, n, shrink));
        }
        let passing = format!("CASE WHEN {passes} THEN 1 END");
        let sum = self.sum(taken, false, &passing)?;
        let n = self.sum(taken, false, "1")?;
        let sum = cells.whole(sum);
        Some(Made::Mean(sum, cells.whole(n), shrink))
    }

    /// A sum of a column, or a mean.
    fn total(
        &mut self,
        taken: &Taken<'_>,
        rows: &Rows,
        column: Column,
        shrink: Option<Option<Shrink>>,
        cells: &mut Cells,
    ) -> Option<Made> {
        let of_answers = Answer::of(column).filter(|_| *rows == Rows::Contacts);
        let (sum, n) = match (column, of_answers) {
            (Column::Amount, _) => {
                let known = "CASE WHEN amount_minor IS NOT NULL THEN 1 END";
                let sum = self.sum(taken, true, "amount_minor")?;
                let n = shrink.and_then(|_| self.sum(taken, true, known));
                (sum, n)
            }
            (_, Some(answer)) if taken.window == Window::Lifetime => {
                let came = Sum::Came(answer);
                let sum = self.scoped(taken, false, "1", came)?;
                let n = shrink.and_then(|_| self.scoped(taken, false, "1", Sum::Judged(answer)));
                (sum, n)
            }
            _ => return None,
        };
        let sum = cells.whole(sum);
        Some(match (shrink, n) {
            (Some(by), Some(n)) => Made::Mean(sum, cells.whole(n), by),
            _ => Made::Count(sum),
        })
    }

    /// Whether there is one: by its latest, or by their number where the latest is of another invoice.
    fn any(&mut self, taken: &Taken<'_>) -> Option<String> {
        if taken.scope == Scope::OtherInvoices {
            return self.sum(taken, false, "1");
        }
        let (_, within) = self.latest(taken)?;
        Some(format!("CASE WHEN {within} THEN 1 ELSE 0 END"))
    }

    /// The instant of the latest, and whether it is within the window.
    fn latest(&mut self, taken: &Taken<'_>) -> Option<(String, String)> {
        let since = match taken.window {
            Window::Lifetime => None,
            Window::Length(length) => Some(format!("p.asked_at - {}", length.micros())),
            Window::SinceDue => Some("a.due_from".to_owned()),
            Window::SinceIssue => Some("p.issued_at".to_owned()),
            Window::Last(_) => return None,
        };
        let latest = self.extreme(taken, false, "occurred_at", Running::Most)?;
        let within = since.map_or_else(
            || format!("{latest} IS NOT NULL"),
            |since| format!("{latest} >= {since}"),
        );
        Some((latest, within))
    }

    /// Smallest or largest `value` since ever, whatever the window.
    fn extreme(
        &mut self,
        taken: &Taken<'_>,
        money: bool,
        value: &str,
        running: Running,
    ) -> Option<String> {
        let invoice = match taken.scope {
            Scope::Customer => false,
            Scope::ThisInvoice => true,
            // What is the largest of all but one is no difference.
            Scope::OtherInvoices => return None,
        };
        let mark = format!("CASE WHEN {} THEN {value} END", taken.condition);
        let sweep = self.of(Key { invoice, money });
        Some(sweep.extreme(taken.types, mark, running))
    }

    /// The sum of `value`, a whole number, over the rows in the window.
    fn sum(&mut self, taken: &Taken<'_>, money: bool, value: &str) -> Option<String> {
        let sum = match taken.window {
            Window::Lifetime => Sum::Ever,
            Window::Length(length) => Sum::Within(length.micros()),
            Window::SinceDue | Window::SinceIssue | Window::Last(_) => return None,
        };
        self.scoped(taken, money, value, sum)
    }

    fn scoped(&mut self, taken: &Taken<'_>, money: bool, value: &str, sum: Sum) -> Option<String> {
        let types = taken.types;
        let mark = format!("CASE WHEN {} THEN {value} END", taken.condition);
        let (customer, invoice) = (
            Key {
                invoice: false,
                money,
            },
            Key {
                invoice: true,
                money,
            },
        );
        Some(match taken.scope {
            Scope::Customer => self.of(customer).sum(types, mark, sum),
            Scope::ThisInvoice => self.of(invoice).sum(types, mark, sum),
            Scope::OtherInvoices => {
                let this = self.of(invoice).sum(types, mark, sum);
                let attached = format!(
                    "CASE WHEN invoice_id IS NOT NULL AND {} THEN {value} END",
                    taken.condition
                );
                let every = self.of(customer).sum(types, attached, sum);
                format!("COALESCE({every}, 0) - COALESCE({this}, 0)")
            }
        })
    }

    /// Writes their steps.
    pub(super) fn write(&self, query: &mut Query) {
        let answers: Vec<Answer> = self.all.iter().flat_map(Sweep::answers).collect();
        answers::write(query, &answers);
        for sweep in &self.all {
            sweep.write(query);
        }
    }

    /// Names of the steps with one row a point.
    pub(super) fn totals(&self) -> impl Iterator<Item = String> {
        self.all.iter().map(Sweep::totals)
    }
}
