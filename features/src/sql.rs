//! A spec as SQL, for engines that hold the tables already: PostgreSQL, DuckDB, Spark.
//!
//! ```text
//! lagom_customers, lagom_invoices, lagom_events, lagom_points ─(query)→ cells ─(here)→ vector
//! ```
//! One query, in which only names, quotes and lists differ between engines ([`Dialect`]). What adds up
//! runs over events that come and go (`sweep`, `ledger`); for the rest (`frame`) every decision
//! point is joined with what it can see (`recorded_at < t` and `occurred_at < t`). It
//! aggregates *whole numbers only*, which every engine does exactly: counts, sums of minor units,
//! microseconds between two instants, order statistics. What those numbers mean, ratios, logarithms
//! and transformations are made by [`Compiled::finish`] with the code of the extractor, so that a
//! vector is that of the extractor bit for bit. Sums of what is no whole number (logarithms, days,
//! decayed weights) depend on their order; the query hands over their rows in order, and they are
//! summed here as the extractor sums them.
//!
//! [`Form::Finished`] makes the vector in SQL too, for whoever runs the text without lagom. What
//! would then not be exact is refused by name ([`Refused`]).
//!
//! Where equality ends: sums of 2⁵³ minor units or more, which the extractor rounds.

mod cells;
mod chosen;
mod facts;
mod finish;
mod finished;
mod frame;
mod ledger;
mod query;
mod sweep;
mod zones;

use crate::domain::{Timestamp, Zone};
use crate::spec::FeatureSpec;
use crate::spec::feature::{Definition, Feature, Rows};
use cells::{Cells, Made};
use frame::Frame;
use query::Query;
use std::fmt;
use sweep::Sweeps;
use thiserror::Error;

pub use finish::Value;
pub use query::Step;

/// The names that engines do not share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL 15 and later, and DuckDB.
    Standard,
    /// Spark SQL 4.0 and later, in a session with [`Dialect::settings`].
    Spark,
}

impl Dialect {
    /// Names and values that a session must have set before a query: what a server may have set
    /// otherwise and the query relies on.
    #[must_use]
    pub const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Standard => &[],
            Self::Spark => &[
                // What overflows or is no number is an error and not another number.
                ("spark.sql.ansi.enabled", "true"),
                ("spark.sql.ansi.enforceReservedKeywords", "false"),
                // Words of a spec are texts, whatever is in them.
                ("spark.sql.variable.substitute", "false"),
                ("spark.sql.parser.escapedStringLiterals", "false"),
            ],
        }
    }

    /// A word as SQL.
    #[must_use]
    pub fn quoted(self, text: &str) -> String {
        match self {
            Self::Standard => format!("'{}'", text.replace('\'', "''")),
            Self::Spark => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        }
    }

    const fn real(self) -> &'static str {
        match self {
            Self::Standard => "DOUBLE PRECISION",
            Self::Spark => "DOUBLE",
        }
    }

    /// A column's name, which may hold more than letters.
    fn named(self, column: &str) -> String {
        match self {
            Self::Standard => format!("\"{}\"", column.replace('"', "\"\"")),
            Self::Spark => format!("`{}`", column.replace('`', "``")),
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Standard => "VARCHAR",
            Self::Spark => "STRING",
        }
    }
}

/// How far the query goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// To cells, from which [`Compiled::finish`] makes the vector.
    Cells,
    /// To the vector.
    Finished,
}

/// The zones of the customers and the time that the tables span, which the query needs because
/// local days and hours are looked up in it: engines need no time zones of their own.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// Every zone of a customer, in any order.
    pub zones: Vec<Zone>,
    /// No instant and no day of the tables is earlier.
    pub from: Timestamp,
    /// No instant and no day of the tables is later.
    pub to: Timestamp,
}

/// A feature that the query cannot hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its name.
    pub feature: String,
    /// Line of the spec that declares it.
    pub line: usize,
    /// Why, and what to do.
    pub reason: String,
}

impl Refusal {
    fn of_pooled(feature: &Feature) -> Self {
        Self {
            feature: feature.name.clone(),
            line: feature.line,
            reason:
                "it is pooled by segment, and the query joins a decision with the rows of its own \
                     customer only; leave it out, or have lagom compute the features itself"
                    .to_owned(),
        }
    }
}

/// Every feature that the query cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Refused(pub Vec<Refusal>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(
            f,
            "{count} features cannot be expressed in this SQL; leave them out of the spec:"
        )?;
        for one in &self.0 {
            write!(
                f,
                "\n  line {}: `{}`: {}",
                one.line, one.feature, one.reason
            )?;
        }
        Ok(())
    }
}

/// A spec, compiled.
#[derive(Debug, Clone)]
pub struct Compiled {
    query: Query,
    features: Vec<Feature>,
    made: Vec<Made>,
    kinds: Vec<CellKind>,
}

/// What a column of the answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// `BIGINT`
    Whole,
    /// Text.
    Text,
}

/// Refuses what no query holds in any form, without the tables.
///
/// # Errors
/// [`Refused`] names every such feature.
pub fn check(spec: &FeatureSpec) -> Result<(), Refused> {
    let pooled: Vec<Refusal> = spec.pooled().map(Refusal::of_pooled).collect();
    if pooled.is_empty() {
        return Ok(());
    }
    Err(Refused(pooled))
}

impl Compiled {
    /// Compiles `spec`.
    ///
    /// # Errors
    /// [`Refused`] names every feature that cannot be expressed in `form`.
    pub fn new(
        spec: &FeatureSpec,
        form: Form,
        dialect: Dialect,
        calendar: &Calendar,
    ) -> Result<Self, Refused> {
        check(spec)?;
        let mut frames = Frame::ALL.map(|rows| Frame::new(rows, dialect));
        let mut sweeps = Sweeps::new(dialect);
        let mut cells = Cells::default();
        let mut made = Vec::new();
        for feature in spec.features() {
            made.push(match &feature.definition {
                Definition::Aggregate(aggregate) => {
                    let place = match aggregate.rows {
                        Rows::Events(_) | Rows::Contacts => 0,
                        Rows::Settlements => 1,
                        Rows::Dues => 2,
                        Rows::Invoices => 3,
                    };
                    let runs = sweeps.aggregate(aggregate, &mut cells);
                    runs.unwrap_or_else(|| frames[place].aggregate(aggregate, &mut cells))
                }
                Definition::Attribute { attribute, days } => {
                    facts::attribute(*attribute, days, &mut sweeps, &mut cells)
                }
                Definition::Pair { op, left, right } => Made::Pair(*op, *left, *right),
                // Refused above.
                Definition::Pooled(_) => continue,
            });
        }
        let mut query = Query::default();
        zones::write(&mut query, dialect, calendar);
        facts::write(&mut query, dialect);
        sweeps.write(&mut query);
        for frame in &frames {
            frame.write(&mut query);
        }
        let used = frames.iter().filter(|frame| frame.is_used());
        let totals: Vec<String> = used.map(Frame::totals).chain(sweeps.totals()).collect();
        let select = cells.select(&totals);
        match form {
            Form::Cells => query.end(match dialect {
                Dialect::Standard => format!("{select}\nORDER BY p.point_id\n"),
                // It would shuffle every row once more, and ask for a part of them twice.
                Dialect::Spark => format!("{select}\n"),
            }),
            Form::Finished => {
                query.step("cells", select);
                query.end(finished::select(spec.features(), &made, dialect)?);
            }
        }
        Ok(Self {
            query,
            features: spec.features().to_vec(),
            made,
            kinds: cells.kinds(),
        })
    }

    /// The query. In [`Form::Cells`] its columns are `point_id` (a `BIGINT`, by which the rows are
    /// ordered except by Spark) and one for each of [`Self::kinds`], `c0`, `c1` …; in [`Form::Finished`] they are `customer_id`,
    /// `invoice_id`, `asked_at` and one for each column of the spec.
    #[must_use]
    pub fn query(&self) -> String {
        self.query.text()
    }

    /// The query in steps, for an engine that would compute a step once for each of its readers: the
    /// tables to make one after the other, and the query that then gives the answer.
    #[must_use]
    pub fn steps(&self) -> (&[Step], &str) {
        (self.query.steps(), self.query.answer())
    }

    /// What the columns after `point_id` hold.
    #[must_use]
    pub fn kinds(&self) -> &[CellKind] {
        &self.kinds
    }

    /// Writes the vector that a row of cells gives to `out`.
    ///
    /// # Errors
    /// What is not such a row.
    pub fn finish(&self, cells: &[Value<'_>], out: &mut Vec<f64>) -> Result<(), String> {
        finish::vector(&self.features, &self.made, cells, out)
    }
}
