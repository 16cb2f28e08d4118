//! The whole numbers and words that the query hands over, and what a feature makes of them.

use super::CellKind;
use crate::domain::Days;
use crate::spec::feature::{PairOp, Shrink};

/// What a whole number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Itself.
    One,
    /// Microseconds; the feature has days.
    Days,
    /// Milliseconds; the feature has seconds.
    Thousandths,
    /// Seconds since midnight; the feature has hours.
    Hours,
    /// Itself; the feature has ln(1 + x).
    Log,
}

/// A part of the calendar day, days since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DayPart {
    Weekday,
    DayOfMonth,
    Month,
    ToPayday(Vec<i8>),
    SincePayday(Vec<i8>),
}

/// What is summed over the rows of a list, latest first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Replay {
    Sum,
    Mean(Option<Shrink>),
    Decayed(Days),
}

/// How a feature's number comes of cells, named by their places.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Made {
    /// A number; NaN where there is none.
    Number(usize, Unit),
    /// 0 where there is none.
    Count(usize),
    /// 1 where the count is not 0.
    Any(usize),
    /// Of whole numbers: sum and how many.
    Mean(usize, usize, Option<Shrink>),
    /// Two neighbouring order statistics and how many values there are.
    Quantile {
        low: usize,
        high: usize,
        n: usize,
        q: f64,
        unit: Unit,
    },
    /// Values in the order of their rows.
    List(usize, Unit, Replay),
    /// One over another.
    Share(usize, usize),
    /// Of a calendar day.
    Day(usize, DayPart),
    /// A word, which becomes columns by its levels.
    Word(usize),
    /// Of two columns of the vector.
    Pair(PairOp, usize, usize),
}

/// The columns of the answer.
#[derive(Debug, Default)]
pub(super) struct Cells(Vec<(String, CellKind)>);

impl Cells {
    /// Adds `sql`, over the aliases of [`Self::select`], and gives its place.
    pub(super) fn add(&mut self, sql: String, kind: CellKind) -> usize {
        self.0.push((sql, kind));
        self.0.len() - 1
    }

    /// Adds a whole number.
    pub(super) fn whole(&mut self, sql: impl Into<String>) -> usize {
        self.add(sql.into(), CellKind::Whole)
    }

    pub(super) fn kinds(&self) -> Vec<CellKind> {
        self.0.iter().map(|(_, kind)| *kind).collect()
    }

    /// A row of cells for each point whose invoice is known; `totals` have a row a point.
    pub(super) fn select(&self, totals: &[String]) -> String {
        let mut sql = "SELECT p.point_id".to_owned();
        for (place, (cell, kind)) in self.0.iter().enumerate() {
            sql += &match kind {
                CellKind::Whole => format!(",\n  CAST({cell} AS BIGINT) AS c{place}"),
                CellKind::Text => format!(",\n  {cell} AS c{place}"),
            };
        }
        sql += "\nFROM point_then AS p\nJOIN facts AS a ON a.point_id = p.point_id AND a.asked = 1";
        for name in totals {
            sql += &format!("\nLEFT JOIN {name} ON {name}.point_id = p.point_id");
        }
        sql
    }
}
