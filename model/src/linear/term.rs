//! The summands of a linear-logistic model. Every `weight` and height is in log-odds; every `mean` is the term's
//! mean over the training rows, so that an explanation can be told against the average row.

use serde::{Deserialize, Serialize};

use super::row::{Inputs, Row};

/// One summand of the log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "term", rename_all = "snake_case", deny_unknown_fields)]
pub enum Term {
    /// A straight line over one number column.
    Linear(Linear),
    /// A constant where a number is missing.
    Missing(MissingIndicator),
    /// A curve over one number column.
    Shape(Shape),
    /// A constant for each level of a category.
    Levels(Levels),
    /// A constant for each cell of a grid over two columns.
    Pair(Pair),
}

/// `weight · (x − centre) / scale`, with `x = median` where the cell is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Place of the column.
    pub column: usize,
    /// Stands for a missing cell: the median of the training rows, in the column's unit.
    pub median: f64,
    /// Mean of the training rows after the median has been put in.
    pub centre: f64,
    /// Population standard deviation of the same, above 0.
    pub scale: f64,
    /// Log-odds per standard deviation.
    pub weight: f64,
}

/// `weight · (m − centre) / scale`, with `m` 1 where the cell is missing and 0 elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingIndicator {
    /// Place of the column.
    pub column: usize,
    /// Share of the training rows where the cell is missing.
    pub centre: f64,
    /// Population standard deviation of the same, above 0.
    pub scale: f64,
    /// Log-odds per standard deviation.
    pub weight: f64,
}

/// A piecewise-linear curve through `(knots, heights)`, level outside the knots, with values of their own:
///
/// ```text
/// x missing                       missing
/// x ≤ knots[0]                    heights[0]
/// knots[i] ≤ x ≤ knots[i+1]       heights[i] + (heights[i+1] − heights[i]) · (x − knots[i]) / (knots[i+1] − knots[i])
/// x ≥ knots[last]                 heights[last]
/// x equal to a special value      its weight is added
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Place of the column.
    pub column: usize,
    /// Strictly ascending, at least one, in the column's unit.
    pub knots: Vec<f64>,
    /// The curve at each knot, in log-odds.
    pub heights: Vec<f64>,
    /// Values that many rows share exactly (zero, a code), ascending.
    pub special: Vec<SpecialValue>,
    /// The curve where the cell is missing.
    pub missing: f64,
    /// Mean over the training rows.
    pub mean: f64,
}

/// A jump of a [`Shape`] at one exact value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialValue {
    /// The value.
    pub value: f64,
    /// What is added to the curve there.
    pub weight: f64,
}

/// A constant for each level; a level that training never saw adds nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Place of the column.
    pub column: usize,
    /// Ascending by level.
    pub levels: Vec<Level>,
    /// Where the cell is missing.
    pub missing: f64,
    /// Mean over the training rows.
    pub mean: f64,
}

/// One level of a category and its log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The category's text.
    pub level: String,
    /// Its log-odds.
    pub weight: f64,
}

/// A constant for each cell of a grid: `weights[i · bins(second) + j]` for bin `i` of `first` and `j` of `second`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The grid's rows.
    pub first: Axis,
    /// The grid's columns.
    pub second: Axis,
    /// Row-major, `first.bins() × second.bins()`.
    pub weights: Vec<f64>,
    /// Mean over the training rows.
    pub mean: f64,
}

/// One side of a [`Pair`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Axis {
    /// Bin `k` holds `cuts[k−1] < x ≤ cuts[k]`; the last bin holds missing cells.
    Cuts {
        /// Place of a number column.
        column: usize,
        /// Strictly ascending.
        cuts: Vec<f64>,
    },
    /// Bin `k` holds `levels[k]`; then one bin for every other level, and one for missing cells.
    Levels {
        /// Place of a category column.
        column: usize,
        /// Strictly ascending.
        levels: Vec<String>,
    },
}

impl Axis {
    /// Place of the column.
    #[must_use]
    pub fn column(&self) -> usize {
        match self {
            Self::Cuts { column, .. } | Self::Levels { column, .. } => *column,
        }
    }

    /// The number of bins, at least 2.
    #[must_use]
    pub fn bins(&self) -> usize {
        match self {
            Self::Cuts { cuts, .. } => cuts.len() + 2,
            Self::Levels { levels, .. } => levels.len() + 2,
        }
    }

    /// The bin of a number; `None` or not finite is missing.
    #[must_use]
    pub fn bin_of_number(cuts: &[f64], number: Option<f64>) -> usize {
        match number {
            Some(number) => cuts.partition_point(|cut| *cut < number),
            None => cuts.len() + 1,
        }
    }

    /// The bin of a category.
    #[must_use]
    pub fn bin_of_text(levels: &[String], text: Option<&str>) -> usize {
        match text {
            Some(text) => levels
                .binary_search_by(|level| level.as_str().cmp(text))
                .unwrap_or(levels.len()),
            None => levels.len() + 1,
        }
    }

    fn bin<R: Row + ?Sized>(&self, inputs: &Inputs<'_, R>) -> usize {
        match self {
            Self::Cuts { column, cuts } => Self::bin_of_number(cuts, inputs.number(*column)),
            Self::Levels { column, levels } => Self::bin_of_text(levels, inputs.text(*column)),
        }
    }
}

impl Shape {
    /// The curve at `x`; `None` is missing.
    #[must_use]
    pub fn height(&self, x: Option<f64>) -> f64 {
        let Some(x) = x else {
            return self.missing;
        };
        let jump = self
            .special
            .binary_search_by(|special| special.value.total_cmp(&x))
            .map_or(0.0, |found| self.special[found].weight);
        let above = self.knots.partition_point(|knot| *knot < x);
        let curve = if above == 0 {
            self.heights[0]
        } else if above == self.knots.len() {
            self.heights[above - 1]
        } else {
            let (left, right) = (self.knots[above - 1], self.knots[above]);
            let share = (x - left) / (right - left);
            self.heights[above - 1] + (self.heights[above] - self.heights[above - 1]) * share
        };
        curve + jump
    }
}

impl Term {
    /// The term's log-odds for a row.
    pub(super) fn log_odds<R: Row + ?Sized>(&self, inputs: &Inputs<'_, R>) -> f64 {
        match self {
            Self::Linear(line) => {
                let x = inputs.number(line.column).unwrap_or(line.median);
                line.weight * (x - line.centre) / line.scale
            }
            Self::Missing(missing) => {
                let indicator = if inputs.number(missing.column).is_none() {
                    1.0
                } else {
                    0.0
                };
                missing.weight * (indicator - missing.centre) / missing.scale
            }
            Self::Shape(shape) => shape.height(inputs.number(shape.column)),
            Self::Levels(levels) => match inputs.text(levels.column) {
                Some(text) => find(&levels.levels, text).unwrap_or(0.0),
                None => levels.missing,
            },
            Self::Pair(pair) => {
                let cell = pair.first.bin(inputs) * pair.second.bins() + pair.second.bin(inputs);
                pair.weights[cell]
            }
        }
    }

    /// The term's mean over the training rows.
    pub(super) fn mean(&self) -> f64 {
        match self {
            // Standardised over the training rows.
            Self::Linear(_) | Self::Missing(_) => 0.0,
            Self::Shape(shape) => shape.mean,
            Self::Levels(levels) => levels.mean,
            Self::Pair(pair) => pair.mean,
        }
    }

    /// Places of the columns the term reads: one, or two.
    #[must_use]
    pub fn columns(&self) -> (usize, Option<usize>) {
        match self {
            Self::Linear(line) => (line.column, None),
            Self::Missing(missing) => (missing.column, None),
            Self::Shape(shape) => (shape.column, None),
            Self::Levels(levels) => (levels.column, None),
            Self::Pair(pair) => (pair.first.column(), Some(pair.second.column())),
        }
    }
}

/// The weight of `text` among ascending `levels`.
pub(super) fn find(levels: &[Level], text: &str) -> Option<f64> {
    levels
        .binary_search_by(|level| level.level.as_str().cmp(text))
        .ok()
        .map(|found| levels[found].weight)
}
