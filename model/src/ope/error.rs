//! What can be wrong with logged rounds or with a question asked of them.

use super::round::Role;
use crate::statistics::StatisticsError;

/// A fault in the data or the parameters of an off-policy evaluation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OpeError {
    /// There is nothing to evaluate.
    #[error("no rounds were given: at least one logged decision is needed")]
    NoRounds,
    /// Fewer rounds (or customers) than the method needs.
    #[error("{what} needs at least {needed} {unit}, and there are {found}")]
    TooFew {
        /// The method.
        what: &'static str,
        /// The least number it can work with.
        needed: usize,
        /// How many there are.
        found: usize,
        /// What is counted: `rounds`, `customers`.
        unit: &'static str,
    },
    /// A column or matrix has another size than the actions of the log.
    #[error("{what} has {found} {unit} where {expected} are needed")]
    Shape {
        /// The column or matrix.
        what: &'static str,
        /// What is counted: `rows`, `columns`.
        unit: &'static str,
        /// The size it has.
        found: usize,
        /// The size it should have.
        expected: usize,
    },
    /// An action outside the catalogue.
    #[error("round {round}: action {action} is not one of the {actions} actions (0 to {last})", last = actions.saturating_sub(1))]
    Action {
        /// 0-based position of the round.
        round: usize,
        /// The action logged.
        action: usize,
        /// The number of actions.
        actions: usize,
    },
    /// A reward that is not a finite number.
    #[error("round {round}: reward {value} is not a finite number")]
    Reward {
        /// 0-based position of the round.
        round: usize,
        /// The reward logged.
        value: f64,
    },
    /// A logged propensity outside (0, 1].
    #[error(
        "round {round}: logged propensity {value} is not in (0, 1]; an action that was taken had a positive probability"
    )]
    Propensity {
        /// 0-based position of the round.
        round: usize,
        /// The propensity logged.
        value: f64,
    },
    /// A probability outside [0, 1].
    #[error("round {round}: {role} probability {value} of action {action} is not in [0, 1]")]
    Probability {
        /// 0-based position of the round.
        round: usize,
        /// The action's column.
        action: usize,
        /// Which distribution.
        role: Role,
        /// The value found.
        value: f64,
    },
    /// Probabilities of one round that do not sum to one.
    #[error("round {round}: {role} probabilities sum to {sum}, not to 1")]
    Sum {
        /// 0-based position of the round.
        round: usize,
        /// Which distribution.
        role: Role,
        /// The sum found.
        sum: f64,
    },
    /// A reward model that predicts no finite number.
    #[error("round {round}: predicted reward {value} of action {action} is not a finite number")]
    Prediction {
        /// 0-based position of the round.
        round: usize,
        /// The action's column.
        action: usize,
        /// The prediction.
        value: f64,
    },
    /// An estimator asks for something the log does not hold.
    #[error("{estimator} needs {what}, which this log does not hold")]
    Missing {
        /// The estimator.
        estimator: String,
        /// What is missing.
        what: &'static str,
    },
    /// No logged round carries weight under the target policy.
    #[error("no logged round has weight under the target policy: the two policies never agree")]
    NoWeight,
    /// A facet the actions do not have.
    #[error("there is no facet `{name}`; the facets are {known}")]
    Facet {
        /// The name asked for.
        name: String,
        /// The facets there are, joined by commas.
        known: String,
    },
    /// A parameter outside its range.
    #[error("{name} is {value}; it must be {allowed}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The range.
        allowed: &'static str,
    },
    /// A reward outside the range that a bounded method was promised.
    #[error(
        "round {round}: reward {value} is outside [{low}, {high}], the range this interval relies on"
    )]
    RewardRange {
        /// 0-based position of the round.
        round: usize,
        /// The reward logged.
        value: f64,
        /// Least possible reward.
        low: f64,
        /// Largest possible reward.
        high: f64,
    },
    /// A statistic that cannot be computed.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
}
