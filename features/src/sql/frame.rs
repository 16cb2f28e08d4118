//! The rows of a source at every point, and what each feature makes of them in one grouping.
//!
//! ```text
//! …_rows → …_ranked (the latest N) → …_marked (last value, last zero, order statistics) → …_totals
//! ```

use super::cells::{Cells, Made, Replay, Unit};
use super::query::Query;
use super::sweep::{Answer, RESPONSE};
use super::{CellKind, Dialect, chosen, facts};
use crate::domain::EventType;
use crate::spec::feature::{Aggregate, Column, Facet, Filter, Op, Scope, Window};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Events,
    Settlements,
    Dues,
    Invoices,
}

/// The rows of one source.
#[derive(Debug)]
pub(super) struct Frame {
    source: Source,
    dialect: Dialect,
    features: usize,
    ranked: Vec<String>,
    marked: Vec<String>,
    totals: Vec<String>,
    /// Whether a feature looks at local time.
    local: bool,
    /// Whether a feature looks at what followed a contact.
    followed: bool,
    /// The types of events that features take.
    types: BTreeSet<EventType>,
    /// Whether a feature takes events of other invoices, or of none.
    beyond: bool,
}

impl Frame {
    pub(super) const ALL: [Source; 4] = [
        Source::Events,
        Source::Settlements,
        Source::Dues,
        Source::Invoices,
    ];

    pub(super) fn new(source: Source, dialect: Dialect) -> Self {
        Self {
            source,
            dialect,
            features: 0,
            ranked: Vec::new(),
            marked: Vec::new(),
            totals: Vec::new(),
            local: false,
            followed: false,
            types: BTreeSet::new(),
            beyond: false,
        }
    }

    pub(super) fn is_used(&self) -> bool {
        self.features > 0
    }

    fn name(&self) -> &'static str {
        match self.source {
            Source::Events => "event",
            Source::Settlements => "settlement",
            Source::Dues => "due",
            Source::Invoices => "invoice",
        }
    }

    /// Name of the part with one row a point.
    pub(super) fn totals(&self) -> String {
        format!("{}_totals", self.name())
    }

    fn total(&mut self, cells: &mut Cells, sql: &str, kind: CellKind) -> usize {
        let alias = format!("t{}", self.totals.len());
        let place = cells.add(format!("{}.{alias}", self.totals()), kind);
        self.totals.push(format!("{sql} AS {alias}"));
        place
    }

    /// Adds what a feature needs.
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate, cells: &mut Cells) -> Made {
        self.features += 1;
        let n = self.features;
        let mut taken = self.taken(aggregate);
        if let Window::Last(rows) = aggregate.window {
            self.ranked.push(format!(
                "ROW_NUMBER() OVER (PARTITION BY point_id, CASE WHEN {taken} THEN 1 ELSE 0 END \
                 ORDER BY nth DESC) AS rank_{n}"
            ));
            taken = format!("{taken} AND rank_{n} <= {rows}");
        }
        let mut whole = |frame: &mut Self, sql: String| frame.total(cells, &sql, CellKind::Whole);
        let count = |condition: &str| format!("COUNT(CASE WHEN {condition} THEN 1 END)");
        match &aggregate.op {
            Op::Count => Made::Count(whole(self, count(&taken))),
            Op::Any => Made::Any(whole(self, count(&taken))),
            Op::DaysSince | Op::DaysSinceFirst => {
                let extreme = if aggregate.op == Op::DaysSince {
                    "MIN"
                } else {
                    "MAX"
                };
                let age = format!("{extreme}(CASE WHEN {taken} THEN asked_at - row_at END)");
                Made::Number(whole(self, age), Unit::Days)
            }
            Op::Rate(of, shrink) => {
                let passes = format!("{taken} AND {}", self.passes(of));
                let sum = whole(self, count(&passes));
                Made::Mean(sum, whole(self, count(&taken)), *shrink)
            }
            Op::Sum(column) | Op::Mean(column, _) => {
                let (value, unit) = self.value(*column);
                let shrink = match aggregate.op {
                    Op::Mean(_, shrink) => Some(shrink),
                    _ => None,
                };
                if unit != Unit::One {
                    let list = self.list(cells, &taken, &value);
                    return Made::List(list, unit, shrink.map_or(Replay::Sum, Replay::Mean));
                }
                let chosen = format!("CASE WHEN {taken} THEN {value} END");
                let sum = whole(self, format!("CAST(SUM({chosen}) AS BIGINT)"));
                match shrink {
                    None => Made::Count(sum),
                    Some(by) => Made::Mean(sum, whole(self, format!("COUNT({chosen})")), by),
                }
            }
            Op::Min(column) | Op::Max(column) => {
                let extreme = if matches!(aggregate.op, Op::Min(_)) {
                    "MIN"
                } else {
                    "MAX"
                };
                let (value, unit) = self.value(*column);
                let sql = format!("{extreme}(CASE WHEN {taken} THEN {value} END)");
                Made::Number(whole(self, sql), unit)
            }
            Op::Last(column) => {
                let (value, unit) = self.value(*column);
                self.marked.push(format!(
                    "MAX(CASE WHEN {taken} AND {value} IS NOT NULL THEN nth END) \
                     OVER (PARTITION BY point_id) AS mark_{n}"
                ));
                let sql = format!("MAX(CASE WHEN nth = mark_{n} THEN {value} END)");
                Made::Number(whole(self, sql), unit)
            }
            Op::Streak(column) => {
                let (value, _) = self.value(*column);
                self.marked.push(format!(
                    "MAX(CASE WHEN {taken} AND {value} = 0 THEN nth END) \
                     OVER (PARTITION BY point_id) AS mark_{n}"
                ));
                let after =
                    format!("{taken} AND {value} IS NOT NULL AND nth > COALESCE(mark_{n}, 0)");
                Made::Count(whole(self, count(&after)))
            }
            Op::Distinct(facet) => {
                let facet = self.facet(*facet);
                Made::Count(whole(
                    self,
                    format!("COUNT(DISTINCT CASE WHEN {taken} THEN {facet} END)"),
                ))
            }
            Op::Quantile(column, q) => {
                let (value, unit) = self.value(*column);
                let known = format!("{taken} AND {value} IS NOT NULL");
                self.marked.push(format!(
                    "ROW_NUMBER() OVER (PARTITION BY point_id, CASE WHEN {known} THEN 1 ELSE 0 END \
                     ORDER BY {value}) AS place_{n}"
                ));
                self.marked.push(format!(
                    "COUNT(CASE WHEN {known} THEN 1 END) OVER (PARTITION BY point_id) AS known_{n}"
                ));
                let real = self.dialect.real();
                let place = format!("CAST('{q}' AS {real}) * CAST(known_{n} - 1 AS {real})");
                let at = |side: &str| {
                    format!(
                        "MAX(CASE WHEN {known} AND place_{n} = {side}({place}) + 1 THEN {value} END)"
                    )
                };
                let (low, high) = (whole(self, at("FLOOR")), whole(self, at("CEIL")));
                let n = whole(self, count(&known));
                Made::Quantile {
                    low,
                    high,
                    n,
                    q: *q,
                    unit,
                }
            }
            Op::Decayed(column, half_life) => {
                let (value, unit) =
                    column.map_or_else(|| ("1".to_owned(), Unit::One), |column| self.value(column));
                let list = self.list(cells, &taken, &value);
                Made::List(list, unit, Replay::Decayed(*half_life))
            }
        }
    }

    /// `value:age` of each row, latest first.
    fn list(&mut self, cells: &mut Cells, taken: &str, value: &str) -> usize {
        let text = self.dialect.text();
        let item = format!("CAST({value} AS {text}) || ':' || CAST(asked_at - row_at AS {text})");
        let chosen = format!("CASE WHEN {taken} AND {value} IS NOT NULL THEN {item} END");
        let sql = match self.dialect {
            Dialect::Standard => format!("STRING_AGG({chosen}, ',' ORDER BY nth DESC)"),
            Dialect::Spark => format!(
                "ARRAY_JOIN(TRANSFORM(ARRAY_SORT(COLLECT_LIST(CASE WHEN {taken} AND {value} IS NOT \
                 NULL THEN STRUCT(-nth AS place, {item} AS item) END)), x -> x.item), ',')"
            ),
        };
        self.total(cells, &sql, CellKind::Text)
    }

    /// Which rows a feature takes, but for the latest N.
    fn taken(&mut self, aggregate: &Aggregate) -> String {
        let mut all = Vec::new();
        let types = chosen::types(&aggregate.rows);
        if !types.is_empty() {
            let names = types.iter().map(|one| one.name());
            all.push(chosen::one_of(self.dialect, "type", names));
        }
        self.types.extend(types);
        self.beyond |= aggregate.scope != Scope::ThisInvoice;
        all.push(self.passes(&aggregate.filter));
        match aggregate.scope {
            Scope::Customer => {}
            Scope::ThisInvoice => all.push("this_one = 1".to_owned()),
            Scope::OtherInvoices => all.push("other_one = 1".to_owned()),
        }
        match aggregate.window {
            Window::Lifetime | Window::Last(_) => {}
            Window::Length(length) => {
                all.push(format!("row_at >= asked_at - {}", length.micros()));
            }
            Window::SinceDue => all.push("row_at >= due_from_asked".to_owned()),
            Window::SinceIssue => all.push("row_at >= issued_asked".to_owned()),
        }
        chosen::all(all)
    }

    fn passes(&mut self, filter: &Filter) -> String {
        let mut all = chosen::words(filter, self.dialect);
        if let Some(hours) = filter.within_hours {
            self.local = true;
            let apart = format!(
                "ABS({} - {})",
                hour("local_second", self.dialect),
                hour("second_now", self.dialect)
            );
            let real = self.dialect.real();
            all.push(format!(
                "LEAST({apart}, CAST(24 AS {real}) - {apart}) <= CAST({hours} AS {real})"
            ));
        }
        let flag = |value: bool| u8::from(value);
        if let Some(open) = filter.open {
            all.push(format!("is_open = {}", flag(open)));
        }
        if let Some(late) = filter.late {
            all.push(format!("late = {}", flag(late)));
        }
        chosen::all(all)
    }

    /// A column as a whole number, NULL where the row does not have it.
    fn value(&mut self, column: Column) -> (String, Unit) {
        let (sql, unit) = match column {
            Column::Amount => ("amount", Unit::One),
            Column::LogAmount => ("CASE WHEN amount >= -1 THEN amount END", Unit::Log),
            Column::DwellSeconds => ("dwell_ms", Unit::Thousandths),
            Column::LocalHour => {
                self.local = true;
                ("local_second", Unit::Hours)
            }
            Column::LagDays => ("lag_days", Unit::One),
            Column::Late => ("late", Unit::One),
            Column::DaysToSettle => ("settled_at - issued_at", Unit::Days),
            Column::Outstanding => ("outstanding", Unit::One),
            Column::TermsDays => ("terms", Unit::One),
            Column::Opened => ("opened", Unit::One),
            Column::DaysToOpen => ("open_after", Unit::Days),
            Column::LedToOpen => ("led_open", Unit::One),
            Column::LedToClick => ("led_click", Unit::One),
            Column::LedToPayment => ("led_payment", Unit::One),
        };
        self.followed |= matches!(
            column,
            Column::LedToOpen | Column::LedToClick | Column::LedToPayment
        );
        (format!("({sql})"), unit)
    }

    fn facet(&mut self, facet: Facet) -> &'static str {
        match facet {
            Facet::Channel => "channel",
            Facet::Device => "device",
            Facet::Method => "method",
            Facet::Invoice => "invoice_id",
            Facet::Day => {
                self.local = true;
                "local_day"
            }
        }
    }

    /// Writes the steps of this source, unless no feature uses it.
    pub(super) fn write(&self, query: &mut Query) {
        if !self.is_used() {
            return;
        }
        let name = self.name();
        let mut rows = format!("{name}_rows");
        query.step(&rows, self.rows().trim_start());
        for (step, columns) in [("ranked", &self.ranked), ("marked", &self.marked)] {
            if !columns.is_empty() {
                let next = format!("{name}_{step}");
                let columns = columns.join(",\n    ");
                query.step(
                    &next,
                    format!("SELECT r.*,\n    {columns}\n  FROM {rows} AS r"),
                );
                rows = next;
            }
        }
        query.step(
            &self.totals(),
            format!(
                "SELECT point_id,\n    {}\n  FROM {rows}\n  GROUP BY point_id",
                self.totals.join(",\n    ")
            ),
        );
    }

    /// The events that points see, of the types and invoices that a feature takes or what followed
    /// needs.
    fn events(&self) -> String {
        let mut types = self.types.clone();
        let mut beyond = self.beyond;
        if self.followed {
            beyond = true;
            types.extend(Answer::ALL.iter().flat_map(|answer| answer.types()));
        }
        let invoice = if beyond {
            ""
        } else {
            " AND e.invoice_id = p.invoice_id"
        };
        let names = types.iter().map(|one| one.name());
        format!(
            "  SELECT p.point_id, p.asked_at, e.occurred_at AS row_at, e.nth, \
             e.type, e.channel, e.tone, e.method,\n    e.device, e.dwell_ms, e.invoice_id, \
             a.due_from AS due_from_asked, p.issued_at AS issued_asked,\n    \
             p.zone, p.second_now,\n    \
             CASE WHEN e.currency = p.currency THEN e.amount_minor END AS amount,\n    \
             CASE WHEN e.invoice_id = p.invoice_id THEN 1 ELSE 0 END AS this_one,\n    \
             CASE WHEN e.invoice_id <> p.invoice_id THEN 1 ELSE 0 END AS other_one\n  \
             FROM point_then AS p\n  \
             JOIN ordered_events AS e ON e.customer_id = p.customer_id{invoice} AND {}\n    \
             AND e.recorded_at < p.asked_at AND e.occurred_at < p.asked_at\n  \
             JOIN facts AS a ON a.point_id = p.point_id AND a.asked = 1",
            chosen::one_of(self.dialect, "e.type", names)
        )
    }

    fn rows(&self) -> String {
        let mut own = match self.source {
            Source::Events => self.events(),
            Source::Settlements => invoices("settled_at", "f.settled_at IS NOT NULL"),
            Source::Dues => invoices("late_from", "f.late_from < f.asked_at"),
            Source::Invoices => invoices("issued_at", "1 = 1"),
        };
        if self.local {
            let local = "r.row_at + z.shift";
            own = format!(
                "  SELECT r.*, {} AS local_day, {} AS local_second\n  FROM (\n{own}) AS r\n  \
                 LEFT JOIN zone_spans AS z ON z.zone = r.zone AND r.row_at >= z.since \
                 AND r.row_at < z.upto",
                facts::day(local, self.dialect),
                facts::second(local, self.dialect)
            );
        }
        if self.followed {
            // What follows, read backwards: a frame that begins at its row is made anew for each row.
            let next = |answer: Answer| {
                format!(
                    "MIN(CASE WHEN type IN ({}) THEN row_at END) OVER (PARTITION BY point_id \
                     ORDER BY nth DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)",
                    answer.list()
                )
            };
            let led = |name: &str| {
                format!(
                    "CASE WHEN next_{name} <= row_at + {RESPONSE} THEN 1 \
                     WHEN asked_at > row_at + {RESPONSE} THEN 0 END AS led_{name}"
                )
            };
            own = format!(
                "  SELECT w.*,\n    {},\n    {},\n    {}\n  FROM (\n  SELECT v.*,\n    {} AS next_open,\n    \
                 {} AS next_click,\n    {} AS next_payment\n  FROM (\n{own}) AS v) AS w",
                led("open"),
                led("click"),
                led("payment"),
                next(Answer::Open),
                next(Answer::Click),
                next(Answer::Payment)
            );
        }
        own
    }
}

/// Invoices as rows; of those at one instant the id decides.
fn invoices(at: &str, which: &str) -> String {
    format!(
        "  SELECT f.point_id, f.asked_at, f.{at} AS row_at,\n    \
         ROW_NUMBER() OVER (PARTITION BY f.point_id ORDER BY f.{at}, f.invoice_id) AS nth,\n    \
         f.invoice_id, f.zone, f.asked AS this_one, 1 - f.asked AS other_one,\n    \
         a.due_from AS due_from_asked, a.issued_at AS issued_asked, p.second_now,\n    \
         f.is_open, f.late, f.lag_days, f.terms, f.settled_at, f.issued_at,\n    \
         CASE WHEN f.comparable = 1 THEN f.amount_minor END AS amount,\n    \
         CASE WHEN f.comparable = 1 THEN f.outstanding END AS outstanding,\n    \
         CASE WHEN f.opened_at IS NULL THEN 0 ELSE 1 END AS opened,\n    \
         CASE WHEN f.opened_at >= COALESCE(f.delivered_at, f.issued_at)\n      \
         THEN f.opened_at - COALESCE(f.delivered_at, f.issued_at)\n      \
         WHEN f.opened_at IS NOT NULL THEN 0 END AS open_after\n  \
         FROM facts AS f\n  \
         JOIN facts AS a ON a.point_id = f.point_id AND a.asked = 1\n  \
         JOIN point_then AS p ON p.point_id = f.point_id\n  \
         WHERE {which}"
    )
}

/// An hour of the day as the extractor has it, of a second of the day.
pub(super) fn hour(second: &str, dialect: Dialect) -> String {
    let real = dialect.real();
    let of = |whole: &str, by: u32| format!("CAST({whole} AS {real}) / CAST({by} AS {real})");
    format!(
        "({} + {} + {})",
        of(&format!("{second} - {second} % 3600"), 3600),
        of(&format!("({second} % 3600 - {second} % 60) / 60"), 60),
        of(&format!("{second} % 60"), 3600)
    )
}
