//! A feature as checked: what the extractor computes.

pub use super::vocabulary::{Attribute, Column, Facet, Subject};
use crate::domain::named::named_enum;
use crate::domain::{Channel, Days, EventType, Tone};

/// Where rows come from. A row has the instant at which it happened and perhaps an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// The events of these types.
    Events(Vec<EventType>),
    /// Each `contact_sent`, with what followed it.
    Contacts,
    /// Each settled invoice, at its settlement.
    Settlements,
    /// Each invoice whose due date has passed, at the first instant after it.
    Dues,
    /// Each invoice, at its issue.
    Invoices,
}

impl Op {
    /// Whether it can be pooled: whether that of many customers follows from sums of each.
    #[must_use]
    pub const fn pools(&self) -> bool {
        matches!(
            self,
            Self::Count | Self::Any | Self::Sum(_) | Self::Mean(..) | Self::Rate(..)
        )
    }

    /// Whether it adds up money, which is of one currency.
    #[must_use]
    pub const fn is_of_money(&self) -> bool {
        matches!(
            self,
            Self::Sum(Column::Amount | Column::LogAmount | Column::Outstanding)
                | Self::Mean(Column::Amount | Column::LogAmount | Column::Outstanding, _)
        )
    }
}

impl Rows {
    /// The columns that its rows carry.
    #[must_use]
    pub const fn columns(&self) -> &'static [Column] {
        match self {
            Self::Events(_) => &[
                Column::Amount,
                Column::LogAmount,
                Column::DwellSeconds,
                Column::LocalHour,
            ],
            Self::Contacts => &[
                Column::LocalHour,
                Column::LedToOpen,
                Column::LedToClick,
                Column::LedToPayment,
            ],
            Self::Settlements | Self::Dues | Self::Invoices => &[
                Column::Amount,
                Column::LogAmount,
                Column::LagDays,
                Column::Late,
                Column::DaysToSettle,
                Column::Outstanding,
                Column::TermsDays,
                Column::Opened,
                Column::DaysToOpen,
            ],
        }
    }

    /// Whether its rows are events, which have channel, tone, method and device.
    #[must_use]
    pub const fn are_events(&self) -> bool {
        matches!(self, Self::Events(_) | Self::Contacts)
    }
}

/// Which rows of a source count. An empty list refuses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Over one of these channels.
    pub channel: Vec<Channel>,
    /// In one of these tones.
    pub tone: Vec<Tone>,
    /// Paid by one of these methods.
    pub method: Vec<String>,
    /// On one of these devices.
    pub device: Vec<String>,
    /// At an hour of the day, in the customer's zone, at most so many hours from that of the decision, around
    /// the clock: the key customer × hour of day.
    pub within_hours: Option<u32>,
    /// Still owed, or not.
    pub open: Option<bool>,
    /// Open at the first instant after its due date, or not; invoices not yet due are neither.
    pub late: Option<bool>,
}

named_enum! {
    /// Whose rows count.
    pub enum Scope as "scope" {
        /// All of the customer's.
        Customer = "customer",
        /// Those of the invoice in question.
        ThisInvoice = "this_invoice",
        /// Those of the customer's other invoices.
        OtherInvoices = "other_invoices",
    }
}

named_enum! {
    /// Of whom the rows are.
    pub enum Key as "key of rows" {
        /// Of the customer asked about.
        Customer = "customer",
        /// Of every customer of the same segment.
        Segment = "segment",
    }
}

/// How far back rows count. The end is always the decision: `occurred_at < t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Since ever.
    Lifetime,
    /// `t − length ≤ occurred_at`.
    Length(Days),
    /// The latest so many rows that the filter and the scope let through.
    Last(u32),
    /// From the first instant of the due date of the invoice in question.
    SinceDue,
    /// From the issue of the invoice in question.
    SinceIssue,
}

/// A mean drawn towards `prior` as if `strength` more rows had had that value.
///
/// ```text
/// (Σ x + strength · prior) / (n + strength)
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrink {
    /// Value of a customer of whom nothing is known.
    pub prior: f64,
    /// Weight of the prior, in rows; above zero.
    pub strength: f64,
}

/// What is made of the rows. Rows whose column is unknown do not take part.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// How many.
    Count,
    /// 1 where there is one, else 0.
    Any,
    /// Sum of a column; 0 of none.
    Sum(Column),
    /// Mean of a column; unknown of none, unless shrunken.
    Mean(Column, Option<Shrink>),
    /// Smallest.
    Min(Column),
    /// Largest.
    Max(Column),
    /// Value of the latest row that has one.
    Last(Column),
    /// Days from the latest row to the decision.
    DaysSince,
    /// Days from the earliest row to the decision.
    DaysSinceFirst,
    /// How many different values of a facet.
    Distinct(Facet),
    /// Quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996,
    /// doi:10.2307/2684934).
    Quantile(Column, f64),
    /// How many of the latest rows in a row have a column other than 0.
    Streak(Column),
    /// Share of the rows that a second filter lets through; unknown of none, unless shrunken.
    Rate(Filter, Option<Shrink>),
    /// Sum of a column (or of ones) with weight ½ per half-life of age.
    Decayed(Option<Column>, Days),
}

named_enum! {
    /// What is made of two features declared earlier.
    pub enum PairOp as "operation on two features" {
        /// left − right
        Difference = "difference",
        /// left / right; unknown where right is 0.
        Ratio = "ratio",
        /// left · right
        Product = "product",
    }
}

/// Rows, and what is made of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Of which source.
    pub rows: Rows,
    /// Which of them.
    pub filter: Filter,
    /// Whose.
    pub scope: Scope,
    /// Since when.
    pub window: Window,
    /// What is made of them.
    pub op: Op,
}

/// How a feature's number comes about.
#[derive(Debug, Clone, PartialEq)]
pub enum Definition {
    /// An aggregate of rows.
    Aggregate(Box<Aggregate>),
    /// The same aggregate of every customer of the customer's segment, pooled at the beginning of a
    /// week: see [`crate::segments`].
    Pooled(Box<Aggregate>),
    /// A fact.
    Attribute {
        /// Which.
        attribute: Attribute,
        /// Days of the month, for those counted from them.
        days: Vec<i8>,
    },
    /// Two columns declared earlier, by their places in the vector.
    Pair {
        /// What is made of them.
        op: PairOp,
        /// First.
        left: usize,
        /// Second.
        right: usize,
    },
}

/// What becomes of the number before it is written to the vector.
#[derive(Debug, Clone, PartialEq)]
pub enum Transform {
    /// Nothing.
    None,
    /// sign(x) · ln(1 + |x|)
    Log1p,
    /// Two columns, sin and cos of 2πx / period.
    Cyclic(f64),
    /// A column a bin, edges rising: 1 for the bin of the number, 0 for the others. A number on an
    /// edge is in the bin above it; the first bin is open below, the last above.
    Bins(Vec<f64>),
    /// Nothing in the vector; training bends its curve at so many knots, at quantiles of what it saw.
    Spline(usize),
    /// A column a level: 1 for it, 0 for any other, unknown where the word is.
    Levels(Vec<String>),
}

/// One declared feature: one column of the vector or, after some transformations, several.
#[derive(Debug, Clone)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// How its number comes about.
    pub definition: Definition,
    /// Bounds that the number is held to, before the transformation.
    pub clip: Option<(f64, f64)>,
    /// What becomes of the number.
    pub transform: Transform,
    /// Written where the number is unknown; NaN says so.
    pub missing: f64,
    /// Of the number, in words.
    pub unit: String,
    /// Whom to ask about it.
    pub owner: String,
    /// What it says, in a line.
    pub description: String,
    /// Names of its columns in the vector.
    pub columns: Vec<String>,
    /// Line of the spec that declares it.
    pub line: usize,
}
