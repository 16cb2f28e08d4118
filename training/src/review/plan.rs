//! The plan of an experiment: what was agreed before the start.
//!
//! ```toml
//! experiment = "bandit against ladder"
//! control = "ladder"
//! planned_customers = 4000     # both arms together
//!
//! [columns]
//! customer = "customer_id"
//! arm = "arm"
//!
//! [shares]
//! ladder = 0.5
//! bandit = 0.5
//!
//! [[metrics]]
//! name = "collection_rate"
//! role = "success"
//! direction = "higher"
//! numerator = "collected60"
//! denominator = "billed"
//!
//! [[metrics]]
//! name = "complaint"
//! role = "guardrail"
//! direction = "lower"
//! value = "complaint"
//! margin = { absolute = 0.01 }
//!
//! [[segments]]
//! column = "segment"
//! ```

use std::fmt;

use lagom_model::statistics::{
    Alpha, maturity::Window, non_inferiority::Direction, winsor::CapBase,
};

mod check;
mod raw;

/// A plan whose every part has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Name of the experiment.
    pub experiment: String,
    /// The arm others are compared with.
    pub control: String,
    /// Level shared by the success metrics (default 0.05, two-sided); guardrails use half of it.
    pub alpha: Alpha,
    /// Power the size was planned for (default 0.8).
    pub power: f64,
    /// Customers of all arms together at the planned end; zero when no size was planned.
    pub planned_customers: u64,
    /// How intervals are to be read (default: the hybrid rule).
    pub interval: IntervalRule,
    /// Column that identifies customers.
    pub customer: String,
    /// Column with the arm.
    pub arm: String,
    /// Column with the day of enrolment, for what is watched over time.
    pub enrolled: Option<String>,
    /// Planned shares by arm; empty means equal shares.
    pub shares: Vec<(String, f64)>,
    /// The maturity gate.
    pub gate: Option<Gate>,
    /// The metrics in the plan's order.
    pub metrics: Vec<Metric>,
    /// The segments in the plan's order.
    pub segments: Vec<Segment>,
}

/// Which customers have been watched long enough.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Column with the day of first exposure.
    pub exposed: String,
    /// The window that must have passed.
    pub window: Window,
    /// The day of the review.
    pub as_of: f64,
}

/// How intervals are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalRule {
    /// A fifth of the level for daily looks, the rest for one fixed look at the planned end.
    #[default]
    Hybrid,
    /// The whole level for a confidence sequence.
    Sequential,
    /// The whole level for one look; only valid when nobody looked before.
    Fixed,
}

/// One metric of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its part in the decision.
    pub role: Role,
    /// Which way is good; absent when the metric is shown but not judged (fees are an example).
    pub direction: Option<Direction>,
    /// Where its values are.
    pub column: Column,
    /// Whether large values are lowered to a cap.
    pub winsorising: Option<Winsorising>,
    /// Columns known before the experiment that take out noise.
    pub covariates: Vec<String>,
}

/// A metric's part in the decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// A goal.
    Success,
    /// Must not be harmed beyond a margin.
    Guardrail(Margin),
    /// Shown only.
    Informative,
}

/// The loss a guardrail allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// In the metric's own unit.
    Absolute(f64),
    /// As a share of the control's true value.
    Relative(f64),
}

/// Where a metric's values are.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// The mean of a column over customers.
    Mean(String),
    /// The ratio of the sums of two columns.
    Ratio {
        /// Column above the line.
        numerator: String,
        /// Column below the line.
        denominator: String,
    },
}

/// How large values are lowered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Winsorising {
    /// To a quantile of all arms together.
    Quantile {
        /// Order of the quantile, in (0, 1).
        order: f64,
        /// Which values it is taken of.
        base: CapBase,
    },
    /// To a cap frozen before the start (for means only).
    Cap(f64),
}

/// A segmentation declared before the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Column with the segment of each customer.
    pub column: String,
    /// Customers an arm below which a segment is not shown.
    pub smallest: u64,
}

/// One fault of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    /// 1-based line.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub reason: String,
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl Metric {
    /// `mean.NAME` or `ratio.NAME`: the metric's key in the report.
    #[must_use]
    pub fn key(&self) -> String {
        match self.column {
            Column::Mean(_) => format!("mean.{}", self.name),
            Column::Ratio { .. } => format!("ratio.{}", self.name),
        }
    }

    /// The columns of the table it needs: the values first, then the covariates.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut columns = match &self.column {
            Column::Mean(value) => vec![value.as_str()],
            Column::Ratio {
                numerator,
                denominator,
            } => vec![numerator.as_str(), denominator.as_str()],
        };
        columns.extend(self.covariates.iter().map(String::as_str));
        columns
    }
}
