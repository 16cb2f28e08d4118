//! What all customers of a segment add up to: the rows behind a feature with `key = "segment"`.
//!
//! ```text
//! week_of(t) = the last Monday, 00:00 UTC, that is at least six hours before t
//! value(t)   = Σ numerators / Σ denominators, over the customers of the segment, as of week_of(t)
//! ```
//! A customer is in the segment that was known of them then, and those without one are together; whose
//! segment is looked up is the customer asked about, as known at `t`. Rows are those that the same
//! feature without the key would count of each customer at that Monday. Of `mean` and `rate` the
//! denominator is rows, so that customers with more of them count for more; of `count`, `any` and
//! `sum` it is customers, so that the value is that of the customer on average. Who was not known at
//! the Monday is nowhere. Money is added up by currency, of the customers with an invoice in it.
//!
//! The Monday makes the value a function of what was recorded before it: the same whoever computes it
//! and whenever, so a [`Week`] need not be stored. The six hours are there for whoever has to compute it
//! before it is asked for, and for records that were stamped before the Monday and arrive after.
//!
//! Sums are whole numbers of 2⁻³², so that no order of customers changes a bit.

use crate::domain::time::DAY_MICROS;
use crate::domain::{Currency, Customer, Days, Timestamp};
use crate::extract::{Pooler, Scratch, finish};
use crate::history::{History, View};
use crate::ledger::{Ledger, LedgerMemory};
use crate::spec::FeatureSpec;
use crate::spec::feature::Op;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a week must have begun before it is looked at.
pub const GRACE: Days = Days::hours(6);

/// Numbers per one that a sum distinguishes.
const SCALE: f64 = 4_294_967_296.0;
/// What one customer can add to a sum: so much of 2³² customers fits.
const MOST: f64 = 9.0e18;

/// The beginning of the week that a decision at `t` looks at: the last Monday, 00:00 UTC, that is at
/// least [`GRACE`] before it.
#[must_use]
pub fn week_of(t: Timestamp) -> Timestamp {
    let day = (t - GRACE).micros().div_euclid(DAY_MICROS);
    // The first of January 1970 was a Thursday.
    let monday = day - (day + 3).rem_euclid(7);
    Timestamp::from_micros(monday * DAY_MICROS).unwrap_or(Timestamp::MIN)
}

/// The features by segment of a spec, compiled.
#[derive(Debug, Clone)]
pub struct Pooling {
    pooler: Pooler,
    fingerprint: String,
}

impl Pooling {
    /// None where the spec has no feature by segment: there is nothing to do then.
    #[must_use]
    pub fn new(spec: &FeatureSpec) -> Option<Self> {
        Some(Self {
            pooler: Pooler::new(spec)?,
            fingerprint: spec.fingerprint().to_owned(),
        })
    }

    /// A week of which nothing has been added up yet.
    #[must_use]
    pub fn begin(&self, week: Timestamp) -> Week {
        Week {
            at: week,
            without: Group::default(),
            segments: BTreeMap::new(),
        }
    }

    /// Adds a customer's part to `week`.
    pub fn add(&self, memory: &mut PoolingMemory, history: &History, week: &mut Week) {
        let view = history.as_of(week.at);
        let PoolingMemory { scratch, ledger } = memory;
        let states = Ledger::in_memory(&view, ledger);
        if is_known(&view, &states) {
            let segment = view.customer().and_then(|one| one.segment.as_deref());
            let group = week.group_mut(segment);
            self.add_to(scratch, &view, &states, group);
        }
        states.recycle(ledger);
    }

    /// Takes a customer's part out of `week`, to which it was added before with the same records: the
    /// values are then those of a week to which it never was.
    pub fn take_out(&self, memory: &mut PoolingMemory, history: &History, week: &mut Week) {
        let mut part = self.begin(week.at);
        self.add(memory, history, &mut part);
        week.combine(part, Cell::take_out);
    }

    fn add_to(
        &self,
        scratch: &mut Scratch,
        view: &View<'_>,
        ledger: &Ledger<'_>,
        group: &mut Group,
    ) {
        let pooler = &self.pooler;
        if pooler.has(false) {
            let cells = cells(&mut group.plain, pooler.len());
            pooler.each(scratch, view, ledger, None, |place, value, counts| {
                cells[place].add(value, counts);
            });
        }
        if pooler.has(true) {
            let currencies = || {
                ledger
                    .invoices()
                    .iter()
                    .map(|one| one.invoice.amount.currency)
            };
            for (place, currency) in currencies().enumerate() {
                if currencies().take(place).any(|earlier| earlier == currency) {
                    continue;
                }
                let cells = cells(group.money.entry(currency).or_default(), pooler.len());
                let currency = Some(currency);
                pooler.each(scratch, view, ledger, currency, |place, value, counts| {
                    cells[place].add(value, counts);
                });
            }
        }
    }
}

/// Memory that pooling reuses.
#[derive(Debug, Default)]
pub struct PoolingMemory {
    scratch: Scratch,
    ledger: LedgerMemory,
}

fn is_known(view: &View<'_>, ledger: &Ledger<'_>) -> bool {
    view.customer().is_some() || !ledger.invoices().is_empty() || view.events().next().is_some()
}

fn cells(cells: &mut Vec<Cell>, features: usize) -> &mut [Cell] {
    cells.resize(features, Cell::default());
    cells
}

/// One feature of one segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cell {
    /// In 2⁻³².
    sum: i128,
    counts: u64,
}

impl Cell {
    fn add(&mut self, value: f64, counts: u64) {
        self.sum += libm::rint(value.clamp(-MOST, MOST) * SCALE) as i128;
        self.counts += counts;
    }

    fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.counts += other.counts;
    }

    fn take_out(&mut self, other: Self) {
        self.sum -= other.sum;
        self.counts = self.counts.saturating_sub(other.counts);
    }
}

/// One segment: the cells of all features, those of money once a currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Group {
    plain: Vec<Cell>,
    money: BTreeMap<Currency, Vec<Cell>>,
}

impl Group {
    fn combine(&mut self, other: Self, by: fn(&mut Cell, Cell)) {
        let together = |mine: &mut Vec<Cell>, theirs: Vec<Cell>| {
            let features = mine.len().max(theirs.len());
            let mine = cells(mine, features).iter_mut();
            mine.zip(theirs).for_each(|(one, other)| by(one, other));
        };
        together(&mut self.plain, other.plain);
        for (currency, theirs) in other.money {
            together(self.money.entry(currency).or_default(), theirs);
        }
    }
}

/// Every segment at the beginning of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    at: Timestamp,
    /// Customers without a segment.
    without: Group,
    segments: BTreeMap<Box<str>, Group>,
}

impl Week {
    /// When it begins.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Takes in what was added up of other customers at the same instant, by the same features. The
    /// order in which that happens does not matter.
    pub fn merge(&mut self, other: Self) {
        self.combine(other, Cell::merge);
    }

    fn combine(&mut self, other: Self, by: fn(&mut Cell, Cell)) {
        self.without.combine(other.without, by);
        for (segment, group) in other.segments {
            self.segments.entry(segment).or_default().combine(group, by);
        }
    }

    fn group_mut(&mut self, segment: Option<&str>) -> &mut Group {
        match segment {
            None => &mut self.without,
            Some(segment) => self.segments.entry(segment.into()).or_default(),
        }
    }

    /// What `op`, at `place` among the pooled features, gives for a customer.
    pub(crate) fn value(
        &self,
        op: &Op,
        place: usize,
        customer: Option<&Customer>,
        currency: Option<Currency>,
    ) -> f64 {
        let segment = customer.and_then(|one| one.segment.as_deref());
        let group = match segment {
            None => Some(&self.without),
            Some(segment) => self.segments.get(segment),
        };
        let cells = group.and_then(|group| match currency.filter(|_| op.is_of_money()) {
            Some(currency) => group.money.get(&currency),
            None => Some(&group.plain),
        });
        let cell = cells.and_then(|cells| cells.get(place)).copied();
        let Cell { sum, counts } = cell.unwrap_or_default();
        let shrink = match op {
            Op::Mean(_, shrink) | Op::Rate(_, shrink) => *shrink,
            _ => None,
        };
        finish::mean(sum as f64 / SCALE, counts as f64, shrink)
    }
}

/// The weeks at hand, of one spec.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    fingerprint: String,
    weeks: BTreeMap<Timestamp, Arc<Week>>,
}

static NONE: Segments = Segments {
    fingerprint: String::new(),
    weeks: BTreeMap::new(),
};

impl Segments {
    /// No weeks, which is enough for a spec without features by segment.
    #[must_use]
    pub fn none() -> &'static Self {
        &NONE
    }

    /// No weeks yet of the spec that `pooling` is of.
    #[must_use]
    pub fn of(pooling: &Pooling) -> Self {
        Self {
            fingerprint: pooling.fingerprint.clone(),
            weeks: BTreeMap::new(),
        }
    }

    /// Whether they are of the spec that `pooling` is of.
    #[must_use]
    pub fn is_of(&self, pooling: &Pooling) -> bool {
        self.fingerprint == pooling.fingerprint
    }

    /// Takes in a week, made by the same spec.
    pub fn put(&mut self, week: Arc<Week>) {
        self.weeks.insert(week.at, week);
    }

    /// Takes a customer out of every week, as [`Pooling::take_out`] does of one.
    pub fn take_out(&mut self, pooling: &Pooling, history: &History) {
        let mut memory = PoolingMemory::default();
        for week in self.weeks.values_mut() {
            pooling.take_out(&mut memory, history, Arc::make_mut(week));
        }
    }

    /// Lets the week that begins at `at` go.
    pub fn remove(&mut self, at: Timestamp) {
        self.weeks.remove(&at);
    }

    /// When the weeks begin, the earliest first.
    pub fn begin(&self) -> impl DoubleEndedIterator<Item = Timestamp> + '_ {
        self.weeks.keys().copied()
    }

    /// The week of this spec that begins at `at`.
    #[must_use]
    pub fn week(&self, fingerprint: &str, at: Timestamp) -> Option<&Week> {
        let week = self
            .weeks
            .get(&at)
            .filter(|_| self.fingerprint == fingerprint);
        week.map(|week| &**week)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_week_is_looked_at_six_hours_after_its_monday_began() {
        let week = |text: &str| week_of(Timestamp::parse(text).unwrap()).to_string();
        assert_eq!(week("2026-03-02T06:00:00Z"), "2026-03-02T00:00:00Z");
        assert_eq!(week("2026-03-02T05:59:59.999999Z"), "2026-02-23T00:00:00Z");
        assert_eq!(week("2026-03-08T23:00:00Z"), "2026-03-02T00:00:00Z");
        assert_eq!(week("1969-12-31T12:00:00Z"), "1969-12-29T00:00:00Z");
        assert_eq!(week_of(Timestamp::MIN), Timestamp::MIN);
    }

    #[test]
    fn sums_of_parts_are_the_sum_in_every_order() {
        let values = [0.1, 1e15, -0.3, 7.0 / 3.0, -1e15, 1e-7];
        let sum = |order: &[usize]| {
            let mut cell = Cell::default();
            order.iter().for_each(|&place| cell.add(values[place], 1));
            cell
        };
        assert_eq!(sum(&[0, 1, 2, 3, 4, 5]), sum(&[4, 2, 5, 1, 0, 3]));
        let mut parts = sum(&[0, 1, 2]);
        parts.merge(sum(&[3, 4, 5]));
        assert_eq!(parts, sum(&[5, 4, 3, 2, 1, 0]));
    }
}
