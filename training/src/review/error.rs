//! What can be wrong with a review: always one line that says what, where and how to mend it.

use lagom_model::statistics::StatisticsError;

use super::plan::PlanFault;
use crate::flat_table::FlatTableError;
use crate::tables::TableError;

/// Why a review could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// A file could not be read.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The plan is not what a plan must be; every fault is listed.
    #[error("{file}: {}", listed(.faults))]
    Plan {
        /// The plan's file.
        file: String,
        /// Its faults in the order of lines.
        faults: Vec<PlanFault>,
    },
    /// The table cannot be read, or lacks a column.
    #[error(transparent)]
    Facts(#[from] FlatTableError),
    /// A customer has two rows in one arm.
    #[error(
        "row {second}: customer `{customer}` of arm `{arm}` already has row {first}; facts hold one row a customer, so add its rows up first"
    )]
    RepeatedCustomer {
        /// The customer.
        customer: String,
        /// The arm.
        arm: String,
        /// 0-based row of the first occurrence.
        first: usize,
        /// 0-based row of the second.
        second: usize,
    },
    /// The control arm of the plan has no customers.
    #[error("no customer whose window has closed is in the control arm `{control}`; {}", if .found.is_empty() { "nobody is in any arm".to_owned() } else { format!("the table has customers in {}", .found.join(", ")) })]
    NoControl {
        /// The control of the plan.
        control: String,
        /// Arms with customers.
        found: Vec<String>,
    },
    /// Only the control arm has customers.
    #[error("only the control arm `{control}` has customers; there is nothing to compare it with")]
    NoTreatment {
        /// The control of the plan.
        control: String,
    },
    /// The log has no decision of this experiment.
    #[error("no decision of experiment `{experiment}` is in the log; it has {}", if .known.is_empty() { "none of any experiment".to_owned() } else { .known.join(", ") })]
    NoSuchExperiment {
        /// The experiment asked for.
        experiment: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// Money of several currencies is never added.
    #[error("the invoices of the experiment are in {}; money is never converted, so run one experiment a currency", .found.join(" and "))]
    Currencies {
        /// Currencies found.
        found: Vec<String>,
    },
    /// The log cannot be read, or contradicts itself.
    #[error("the log: {0}")]
    Log(String),
    /// The canonical tables cannot be read.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// A statistic could not be computed.
    #[error("metric `{metric}`, {comparison}: {source}")]
    Statistics {
        /// The metric, or covariate.
        metric: String,
        /// The arms compared.
        comparison: String,
        /// What was wrong.
        source: StatisticsError,
    },
    /// A statistic of the design could not be computed.
    #[error("the design of the plan: {0}")]
    Design(StatisticsError),
}

fn listed(faults: &[PlanFault]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
