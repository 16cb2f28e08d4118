//! Why a model was not fitted.

use lagom_model::calibration::CalibrationError;
use lagom_model::linear::LinearError;
use lagom_model::metrics::MetricsError;

/// Why a model was not fitted: what was wrong, in numbers, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Too few rows to learn anything that would hold.
    #[error("{rows} rows are too few to fit and validate a model; at least {least} are needed")]
    TooFewRows {
        /// Rows given.
        rows: usize,
        /// Rows needed.
        least: usize,
    },
    /// Only one outcome occurs, or one hardly does.
    #[error(
        "{positives} of {rows} rows are positive; at least {least} of each outcome are needed to fit and validate a model"
    )]
    OneOutcome {
        /// Rows with the positive outcome.
        positives: usize,
        /// Rows given.
        rows: usize,
        /// Rows of each outcome needed.
        least: usize,
    },
    /// The outcomes, times or groups are not as many as the rows.
    #[error("{found} {what} for {rows} rows")]
    Lengths {
        /// `outcomes`, `times`, `groups` or the name of a column.
        what: String,
        /// How many were given.
        found: usize,
        /// Rows of the columns.
        rows: usize,
    },
    /// A cell is infinite.
    #[error(
        "column `{column}`, row {row}: {value} is not a finite number; use NaN where it is unknown"
    )]
    Infinite {
        /// Name of the column.
        column: String,
        /// 0-based row.
        row: usize,
        /// The cell.
        value: f64,
    },
    /// A time is missing or infinite.
    #[error("row {row} has no time; every row needs one when rows are validated in time order")]
    NoTime {
        /// 0-based row.
        row: usize,
    },
    /// Two columns share a name.
    #[error("two columns are called `{name}`")]
    RepeatedColumn {
        /// The name.
        name: String,
    },
    /// No column tells anything.
    #[error("no column can be used: {reasons}")]
    NoFeatures {
        /// Why each was left out.
        reasons: String,
    },
    /// A direction was declared for something that is not a number.
    #[error("no column of numbers is called `{column}`, so it cannot have a direction")]
    Direction {
        /// The name.
        column: String,
    },
    /// A spline was declared for something that is not a number.
    #[error("no column of numbers is called `{column}`, so it cannot be a spline")]
    Spline {
        /// The name.
        column: String,
    },
    /// An option is out of range.
    #[error("{option} is {value}; it must be {range}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
    /// A penalty was given for the form that settles its own.
    #[error("the additive form chooses its penalties; leave C out, or ask for the plain form")]
    PenaltyOfAdditive,
    /// Every validation split lost one of its sides.
    #[error(
        "no validation split has both outcomes on both sides ({rows} rows, {groups} groups); give fewer, smaller groups or more rows"
    )]
    NoValidation {
        /// Rows given.
        rows: usize,
        /// Groups given; 0 when rows are not grouped.
        groups: usize,
    },
    /// The optimum was not reached.
    #[error(
        "the fit stopped after {steps} Newton steps with a gradient of {gradient:e}, above {tolerance:e}; raise the penalty"
    )]
    NotConverged {
        /// Newton steps taken.
        steps: usize,
        /// Euclidean norm of the gradient reached.
        gradient: f64,
        /// The norm wanted.
        tolerance: f64,
    },
    /// linfa refused the design matrix or the warm start.
    #[error("linfa-logistic: {0}")]
    Linfa(#[from] linfa_logistic::error::Error),
    /// The fitted numbers do not form a model.
    #[error(transparent)]
    Model(#[from] LinearError),
    /// The fitted calibration is not a map.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// Held-out predictions could not be judged.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}
