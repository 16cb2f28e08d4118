//! What is kept of the rows of one feature while they pass, latest first.

use super::row::{Row, days};
use super::{Moment, finish};
use crate::domain::Timestamp;
use crate::domain::time::DAY_MICROS;
use crate::spec::feature::Op;

/// Running sums and extremes of one feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fold {
    /// First instant that the window lets through.
    pub(super) since: Timestamp,
    /// How many rows more the window lets through.
    pub(super) rows_left: u32,
    rows: u64,
    values: u64,
    sum: f64,
    least: f64,
    most: f64,
    latest: f64,
    latest_at: Option<Timestamp>,
    earliest_at: Option<Timestamp>,
    streak_over: bool,
}

impl Fold {
    pub(super) fn new(since: Timestamp, rows_left: u32) -> Self {
        Self {
            since,
            rows_left,
            rows: 0,
            values: 0,
            sum: 0.0,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            latest: f64::NAN,
            latest_at: None,
            earliest_at: None,
            streak_over: false,
        }
    }

    /// Takes a row that is no later than those before.
    pub(super) fn take(&mut self, op: &Op, row: &Row<'_>, moment: &Moment<'_>) {
        self.row(row.at);
        match op {
            Op::Sum(column)
            | Op::Mean(column, _)
            | Op::Min(column)
            | Op::Max(column)
            | Op::Last(column) => self.value(row.value(*column, moment)),
            Op::Streak(column) => {
                let value = row.value(*column, moment);
                self.streak_over |= value == 0.0;
                if !self.streak_over && !value.is_nan() {
                    self.values += 1;
                }
            }
            Op::Rate(of, _) => self.value(f64::from(u8::from(row.passes(of, moment)))),
            Op::Decayed(column, half_life) => {
                let value = column.map_or(1.0, |column| row.value(column, moment));
                let half_lives =
                    days(row.at, moment.now) * DAY_MICROS as f64 / half_life.micros() as f64;
                self.value(value * libm::exp2(-half_lives));
            }
            Op::Count
            | Op::Any
            | Op::DaysSince
            | Op::DaysSinceFirst
            | Op::Distinct(_)
            | Op::Quantile(..) => {}
        }
    }

    /// Notes that there was a row, no later than those before.
    #[inline]
    pub(super) fn row(&mut self, at: Timestamp) {
        self.rows += 1;
        self.latest_at = self.latest_at.or(Some(at));
        self.earliest_at = Some(at);
    }

    /// Adds up a value; NaN is none.
    #[inline]
    pub(super) fn value(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        if self.values == 0 {
            self.latest = value;
        }
        self.values += 1;
        self.sum += value;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    /// What the customer adds to a pool, and how much that counts: rows to the mean of rows, the customer
    /// to the mean of customers.
    pub(super) fn pooled(&self, op: &Op) -> (f64, u64) {
        match op {
            Op::Count => (self.rows as f64, 1),
            Op::Any => (f64::from(u8::from(self.rows > 0)), 1),
            Op::Sum(_) => (self.sum, 1),
            Op::Mean(..) | Op::Rate(..) => (self.sum, self.values),
            // Refused by the spec.
            _ => (0.0, 0),
        }
    }

    /// The feature's number; NaN where the rows do not give one.
    pub(super) fn finish(&self, op: &Op, now: Timestamp) -> f64 {
        let known = |value: f64| if self.values == 0 { f64::NAN } else { value };
        let since = |at: Option<Timestamp>| at.map_or(f64::NAN, |at| days(at, now));
        match op {
            Op::Count => self.rows as f64,
            Op::Any => f64::from(u8::from(self.rows > 0)),
            Op::Sum(_) | Op::Decayed(..) => self.sum,
            Op::Mean(_, shrink) | Op::Rate(_, shrink) => {
                finish::mean(self.sum, self.values as f64, *shrink)
            }
            Op::Min(_) => known(self.least),
            Op::Max(_) => known(self.most),
            Op::Last(_) => known(self.latest),
            Op::DaysSince => since(self.latest_at),
            Op::DaysSinceFirst => since(self.earliest_at),
            Op::Streak(_) => self.values as f64,
            Op::Distinct(_) | Op::Quantile(..) => f64::NAN,
        }
    }
}
