//! What can be wrong with a question put to the statistics.

/// A question that has no answer, with the numbers that disagree.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// A sample is too small for the quantity asked for.
    #[error(
        "{what} needs at least {needed}, got {found}; wait for more or leave the comparison out"
    )]
    TooFew {
        /// What was asked for.
        what: &'static str,
        /// The smallest sample that can answer.
        needed: usize,
        /// The sample given.
        found: usize,
    },
    /// A parameter lies outside its range.
    #[error("{what} must lie in {range}, got {value}")]
    OutOfRange {
        /// The parameter.
        what: &'static str,
        /// The range it must lie in.
        range: &'static str,
        /// The value given.
        value: f64,
    },
    /// Two samples that belong together differ in length.
    #[error(
        "{left_name} has {left} values but {right_name} has {right}; give one of each per unit"
    )]
    Length {
        /// The first sample.
        left_name: &'static str,
        /// Its length.
        left: usize,
        /// The second sample.
        right_name: &'static str,
        /// Its length.
        right: usize,
    },
    /// A value is missing or infinite.
    #[error("{what} number {position} is {value}; remove the unit or give it a number")]
    NotFinite {
        /// The sample.
        what: &'static str,
        /// 0-based position in the sample.
        position: usize,
        /// The value given.
        value: f64,
    },
    /// The covariates of one arm do not determine their slopes.
    #[error(
        "covariate {column} is constant or a combination of the others within an arm of {units} units; drop it"
    )]
    Collinear {
        /// 0-based column of the covariate.
        column: usize,
        /// Units in the arm.
        units: usize,
    },
    /// A denominator is zero.
    #[error("{what} is zero, so the ratio over it is undefined; choose another denominator")]
    ZeroDenominator {
        /// The denominator.
        what: &'static str,
    },
}
