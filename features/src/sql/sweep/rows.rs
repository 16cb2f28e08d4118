//! One sweep: the rows that come and go for a key, beside its points, and what runs over them.

use super::super::query::Query;
use super::super::{Dialect, chosen};
use super::answers::{Answer, comes};
use crate::domain::EventType;
use std::collections::{BTreeMap, BTreeSet};

/// Whose rows run together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Those of one invoice, not of all of the customer's.
    pub(super) invoice: bool,
    /// Those in one currency.
    pub(super) money: bool,
}

impl Key {
    pub(super) const CUSTOMER: Self = Self {
        invoice: false,
        money: false,
    };

    const fn name(self) -> &'static str {
        match (self.invoice, self.money) {
            (false, false) => "customer",
            (true, false) => "invoice",
            (false, true) => "customer_money",
            (true, true) => "invoice_money",
        }
    }

    fn columns(self) -> Vec<&'static str> {
        let mut columns = vec!["customer_id"];
        columns.extend(self.invoice.then_some("invoice_id"));
        columns.extend(self.money.then_some("currency"));
        columns
    }
}

/// What is never taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Running {
    Least,
    Most,
}

/// From when to when a row counts in a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    /// Since it was seen.
    Ever,
    /// Since it was seen and until it is so many microseconds old.
    Within(i64),
    /// A message, since it was seen to lead to something.
    Came(Answer),
    /// A message, since it was seen whether it led to something.
    Judged(Answer),
}

impl Sum {
    /// A number for the turn at which it changes: 0 where an event is seen, positive where a window of
    /// that length closes behind it, negative where it is answered.
    const fn turn(self) -> i64 {
        match self {
            Self::Ever => 0,
            Self::Within(length) => length,
            Self::Came(answer) => -1 - 2 * answer as i64,
            Self::Judged(answer) => -2 - 2 * answer as i64,
        }
    }
}

#[derive(Debug)]
pub(super) struct Sweep {
    key: Key,
    dialect: Dialect,
    /// A whole number of each event, or none; the features that read it go by its place.
    marks: Vec<String>,
    running: Vec<String>,
    /// The types of events that each turn concerns.
    turns: BTreeMap<i64, BTreeSet<EventType>>,
    answers: BTreeSet<Answer>,
}

impl Sweep {
    pub(super) fn new(key: Key, dialect: Dialect) -> Self {
        Self {
            key,
            dialect,
            marks: Vec::new(),
            running: Vec::new(),
            turns: BTreeMap::new(),
            answers: BTreeSet::new(),
        }
    }

    pub(super) const fn key(&self) -> Key {
        self.key
    }

    pub(super) fn answers(&self) -> impl Iterator<Item = Answer> {
        self.answers.iter().copied()
    }

    /// Name of the step with one row a point.
    pub(super) fn totals(&self) -> String {
        format!("{}_swept", self.key.name())
    }

    fn mark(&mut self, types: &[EventType], turn: i64, mark: String) -> String {
        self.turns.entry(turn).or_default().extend(types);
        format!("m{}", place(&mut self.marks, mark))
    }

    fn run(&mut self, sql: String) -> String {
        let totals = self.totals();
        format!("{totals}.s{}", place(&mut self.running, sql))
    }

    /// The smallest or largest of a mark of the events of `types`, as a cell.
    pub(super) fn extreme(&mut self, types: &[EventType], mark: String, of: Running) -> String {
        let mark = self.mark(types, 0, mark);
        let name = match of {
            Running::Least => "MIN",
            Running::Most => "MAX",
        };
        self.run(format!("{name}(CASE WHEN turn = 0 THEN {mark} END)"))
    }

    /// The sum of a mark of the events of `types`, as a cell.
    pub(super) fn sum(&mut self, types: &[EventType], mark: String, sum: Sum) -> String {
        let turn = sum.turn();
        let mark = self.mark(types, turn, mark);
        let added = match sum {
            Sum::Ever => format!("CASE WHEN turn = 0 THEN {mark} END"),
            Sum::Within(length) => {
                self.turns.entry(0).or_default().extend(types);
                // What is learnt when the window has closed behind it never comes.
                format!(
                    "CASE WHEN turn = 0 AND moment < occurred_at + {length} THEN {mark} \
                     WHEN turn = {length} THEN -{mark} END"
                )
            }
            Sum::Came(answer) | Sum::Judged(answer) => {
                self.answers.insert(answer);
                format!("CASE WHEN turn = {turn} THEN {mark} END")
            }
        };
        self.run(format!("SUM({added})"))
    }

    /// Writes what comes and goes, and what of it has come and not gone at each point.
    pub(super) fn write(&self, query: &mut Query) {
        let name = self.key.name();
        let columns = self.key.columns();
        let of = |alias: &str| -> String {
            let columns = columns.iter().map(|column| format!("{alias}.{column}, "));
            columns.collect()
        };
        let marks: String = (self.marks.iter().enumerate())
            .map(|(place, mark)| format!(",\n    {mark} AS m{place}"))
            .collect();
        let blank = ", NULL".repeat(self.marks.len());
        let attached: String = columns[1..]
            .iter()
            .map(|column| format!("{column} IS NOT NULL AND "))
            .collect();
        let mut branches = Vec::new();
        let (answers, ages): (Vec<i64>, Vec<i64>) = self.turns.keys().partition(|turn| **turn < 0);
        for (turns, source) in [(ages, "ordered_events"), (answers, "contacts_judged")] {
            if turns.is_empty() {
                continue;
            }
            let list = format!("{name}_turns_{}", branches.len());
            let values: Vec<String> = turns.iter().map(|turn| format!("({turn})")).collect();
            query.rows(&list, " (turn)", format!("VALUES {}", values.join(", ")));
            let (moment, comes): (Vec<String>, Vec<String>) =
                turns.iter().map(|turn| self.turn(*turn)).unzip();
            branches.push(format!(
                "SELECT {}CASE {} END AS moment, 1 AS later, CAST(NULL AS BIGINT) AS point_id,\n    \
                 t.turn, e.occurred_at{marks}\n  FROM {source} AS e\n  CROSS JOIN {list} AS t\n  \
                 WHERE {attached}({})",
                of("e"),
                moment.join(" "),
                comes.join("\n    OR ")
            ));
        }
        // Before whatever comes at its instant: it sees what was there before.
        branches.push(format!(
            "SELECT {}p.asked_at, 0, p.point_id, 0, 0{blank}\n  FROM point_then AS p",
            of("p")
        ));
        let changes = format!("{name}_changes");
        query.step(&changes, branches.join("\n  UNION ALL\n  "));
        let over = format!(
            "OVER (PARTITION BY {} ORDER BY moment, later ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
            columns.join(", ")
        );
        let (mut running, mut names) = (String::new(), String::new());
        for (place, sql) in self.running.iter().enumerate() {
            running += &format!(",\n    {sql} {over} AS s{place}");
            names += &format!(", s{place}");
        }
        query.step(
            &self.totals(),
            format!(
                "SELECT point_id{names}\n  FROM (\n  SELECT point_id{running}\n  FROM {changes}) AS w\n  \
                 WHERE point_id IS NOT NULL"
            ),
        );
    }

    /// When a turn comes, and for which rows it does.
    fn turn(&self, turn: i64) -> (String, String) {
        let types = self.turns[&turn].iter().map(|one| one.name());
        let types = chosen::one_of(self.dialect, "e.type", types);
        let of_answer = |end: fn(Answer) -> Sum| {
            let found = Answer::ALL.into_iter().find(|one| end(*one).turn() == turn);
            found.map(Answer::name)
        };
        let (moment, comes) = if turn == 0 {
            ("e.seen_at".to_owned(), None)
        } else if turn > 0 {
            let end = format!("e.occurred_at + {turn}");
            let comes = format!("e.seen_at < {end}");
            (end, Some(comes))
        } else if let Some(name) = of_answer(Sum::Came) {
            let came = format!("e.{name}_came");
            let comes = comes(&came);
            (came, Some(comes))
        } else {
            let name = of_answer(Sum::Judged).unwrap_or_default();
            (format!("e.{name}_judged"), None)
        };
        let comes = comes.map_or_else(String::new, |comes| format!(" AND {comes}"));
        (
            format!("WHEN t.turn = {turn} THEN {moment}"),
            format!("t.turn = {turn} AND {types}{comes}"),
        )
    }
}

/// The place of `sql` in `list`, which is added if it is new.
fn place(list: &mut Vec<String>, sql: String) -> usize {
    list.iter().position(|one| *one == sql).unwrap_or_else(|| {
        list.push(sql);
        list.len() - 1
    })
}
