//! What a row does to one feature, so far as that is known before any row is seen.

use crate::spec::feature::{Aggregate, Column, Filter, Op, Scope};

/// What a row does to one feature, in the few bytes that a pass over many rows has to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Whether every row in its scope counts, whatever it is.
    pub(super) unfiltered: bool,
    pub(super) scope: Scope,
    pub(super) kind: StepKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    /// The row is noted, none of its columns.
    Row,
    /// A column is added up.
    Value(Column),
    /// What its operation says.
    Other,
}

impl Step {
    pub(super) const NONE: Self = Self {
        unfiltered: false,
        scope: Scope::Customer,
        kind: StepKind::Other,
    };

    pub(super) fn of(aggregate: &Aggregate) -> Self {
        Self {
            unfiltered: aggregate.filter == Filter::default(),
            scope: aggregate.scope,
            kind: match aggregate.op {
                Op::Count | Op::Any | Op::DaysSince | Op::DaysSinceFirst => StepKind::Row,
                Op::Sum(column)
                | Op::Mean(column, _)
                | Op::Min(column)
                | Op::Max(column)
                | Op::Last(column) => StepKind::Value(column),
                _ => StepKind::Other,
            },
        }
    }
}
