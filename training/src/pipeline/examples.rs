//! The rows of one target: which points have a known outcome, when it became known, and how they
//! are parted by time.

use super::TrainingConfig;
use super::thin::keeps;
use crate::dataset::{Dataset, Point, Stage};
use crate::fit::{Cells, Columns, Direction, FitError};
use lagom_features::FeatureSpec;
use lagom_features::domain::{Days, Timestamp};
use lagom_features::spec::feature::{Attribute, Definition};
use ndarray::Axis;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// Decisions over fewer days have not seen every season.
const DAYS_OF_A_YEAR: f64 = 365.0;

/// What a model is to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Settled within `paid_days` of the decision.
    Paid,
    /// Open when the due date has passed; asked at issue only.
    Late,
    /// Left within `left_days` of the decision.
    Left,
}

impl Target {
    /// The target in words.
    #[must_use]
    pub fn words(self, config: &TrainingConfig) -> String {
        match self {
            Self::Paid => format!("settled within {} days", config.paid_days),
            Self::Late => "late at all, as judged at issue".to_owned(),
            Self::Left => format!("left within {} days", config.left_days),
        }
    }

    /// The window after the decision, in days; lateness ends with the due date instead.
    pub(super) fn horizon_days(self, config: &TrainingConfig) -> Option<u16> {
        match self {
            Self::Paid => Some(config.paid_days),
            Self::Left => Some(config.left_days),
            Self::Late => None,
        }
    }

    fn outcome(self, point: &Point) -> Option<bool> {
        match self {
            Self::Paid => point.paid,
            Self::Late if point.stage == Stage::Issue => point.late,
            Self::Late => None,
            Self::Left => point.left,
        }
    }

    /// When the outcome of `point` was known.
    fn known_at(self, point: &Point, config: &TrainingConfig) -> Timestamp {
        match self.horizon_days(config) {
            Some(days) => point.at + Days::whole(i64::from(days)),
            None => point.late_from,
        }
    }
}

/// Rows of a data set with their outcomes.
#[derive(Clone)]
pub(super) struct Examples<'a> {
    dataset: &'a Dataset,
    target: Target,
    pub(super) rows: Vec<usize>,
    pub(super) outcomes: Vec<bool>,
}

impl<'a> Examples<'a> {
    /// Every point whose outcome is known.
    pub(super) fn of(dataset: &'a Dataset, target: Target) -> Self {
        let (mut rows, mut outcomes) = (Vec::new(), Vec::new());
        for (row, point) in dataset.points().iter().enumerate() {
            if let Some(outcome) = target.outcome(point) {
                rows.push(row);
                outcomes.push(outcome);
            }
        }
        Self {
            dataset,
            target,
            rows,
            outcomes,
        }
    }

    /// The decisions, row by row.
    pub(super) fn points(&self) -> impl Iterator<Item = &'a Point> {
        let points = self.dataset.points();
        self.rows.iter().map(|&row| &points[row])
    }

    fn only(&self, keep: impl Fn(&Point) -> bool) -> Self {
        let kept = |place: &usize| keep(&self.dataset.points()[self.rows[*place]]);
        let places: Vec<usize> = (0..self.rows.len()).filter(kept).collect();
        self.at(&places)
    }

    /// About `most` of the rows, where there are more.
    pub(super) fn thinned(&self, most: usize) -> Self {
        let step = self.rows.len().div_ceil(most).max(1);
        let kept = |place: &usize| keeps(self.rows[*place], step);
        let places: Vec<usize> = (0..self.rows.len()).filter(kept).collect();
        self.at(&places)
    }

    fn at(&self, places: &[usize]) -> Self {
        Self {
            dataset: self.dataset,
            target: self.target,
            rows: places.iter().map(|&place| self.rows[place]).collect(),
            outcomes: places.iter().map(|&place| self.outcomes[place]).collect(),
        }
    }

    /// Share of the rows with the outcome.
    pub(super) fn base_rate(&self) -> f64 {
        let positives = self.outcomes.iter().filter(|&&outcome| outcome).count();
        positives as f64 / self.outcomes.len().max(1) as f64
    }

    /// Parts the rows by time: `(fit_before, judge_from, fit on, judge on)`. What is fitted on was
    /// known in full before the first instant, what is judged belongs to invoices issued from the
    /// second on; rows between the two are in neither.
    pub(super) fn parted(&self, config: &TrainingConfig) -> (Timestamp, Timestamp, Self, Self) {
        let mut issues: Vec<Timestamp> = self.points().map(|point| point.issued_at).collect();
        issues.sort_unstable();
        let place = ((1.0 - config.judge_share) * issues.len() as f64) as usize;
        let by_share = issues.get(place).copied().unwrap_or(Timestamp::MAX);
        let judge_from = config.judge_from.unwrap_or(by_share);
        let fit_before = config.fit_before.unwrap_or(judge_from);
        let fit = self.only(|point| self.known_at(point, config) <= fit_before);
        let judge = self.only(|point| point.issued_at >= judge_from);
        (fit_before, judge_from, fit, judge)
    }

    /// What was known in full before `from`, and the invoices issued from then to `until`.
    pub(super) fn fold(
        &self,
        config: &TrainingConfig,
        from: Timestamp,
        until: Timestamp,
    ) -> (Self, Self) {
        let fit = self.only(|point| self.known_at(point, config) <= from);
        let judge = self.only(|point| (from..until).contains(&point.issued_at));
        (fit, judge)
    }

    /// When the outcome of `point` was known.
    pub(super) fn known_at(&self, point: &Point, config: &TrainingConfig) -> Timestamp {
        self.target.known_at(point, config)
    }

    /// The vectors, as a fit reads them. Rows of less than a year cannot tell the season from the
    /// trend, so their month is not shown.
    pub(super) fn columns(&self, config: &TrainingConfig) -> Result<Columns<'static>, FitError> {
        let mut matrix = self.dataset.features().select(Axis(0), &self.rows);
        if self.span_days() < DAYS_OF_A_YEAR {
            for column in season(&config.spec) {
                matrix.column_mut(column).fill(f64::NAN);
            }
        }
        let columns = Columns::from_matrix(self.dataset.names(), matrix.view())?;
        let columns = columns.bent(config.spec.splines())?;
        match self.target {
            Target::Paid => columns.directed(config.directions()),
            Target::Late => {
                let opposite = |(name, one): (_, Direction)| (name, one.opposite());
                columns.directed(config.directions().map(opposite))
            }
            Target::Left => Ok(columns),
        }
    }

    fn span_days(&self) -> f64 {
        let times = self.times();
        let last = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        last - times.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// When each vector was known, in days.
    pub(super) fn times(&self) -> Vec<f64> {
        let days = |point: &Point| point.at.days_since(Timestamp::MIN);
        self.points().map(days).collect()
    }

    /// Points of one invoice share an outcome, so they belong together.
    pub(super) fn groups(&self) -> Vec<usize> {
        let mut seen = HashMap::new();
        let mut group = |point: &'a Point| {
            let next = seen.len();
            *seen
                .entry((&point.customer_id, &point.invoice_id))
                .or_insert(next)
        };
        self.points().map(&mut group).collect()
    }

    /// The vector of each row.
    pub(super) fn vectors(&self) -> impl Iterator<Item = Vec<f64>> {
        self.rows.iter().map(|&row| self.dataset.row(row).to_vec())
    }
}

/// Columns of the vectors of `points`, row by row; `times` are theirs, in days. Rows of less than a year
/// cannot tell the season from the trend, so their month is not shown.
pub(super) fn feature_columns(
    dataset: &Dataset,
    config: &TrainingConfig,
    points: &[usize],
    times: &[f64],
) -> Vec<(String, Cells<'static>)> {
    let first = times.iter().copied().fold(f64::INFINITY, f64::min);
    let last = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let hidden = if last - first < DAYS_OF_A_YEAR {
        season(&config.spec)
    } else {
        Vec::new()
    };
    let features = dataset.features();
    let names = dataset.names().iter().enumerate();
    let column = |(place, name): (usize, &String)| {
        let cells: Vec<f64> = match hidden.contains(&place) {
            true => vec![f64::NAN; points.len()],
            false => points.iter().map(|&row| features[(row, place)]).collect(),
        };
        (name.clone(), Cells::Number(Cow::Owned(cells)))
    };
    names.map(column).collect()
}

/// The columns that say which month it is.
pub(super) fn season(spec: &FeatureSpec) -> Vec<usize> {
    let (mut columns, mut next) = (Vec::new(), 0);
    for feature in spec.features() {
        let places = next..next + feature.columns.len();
        next = places.end;
        if let Definition::Attribute {
            attribute: Attribute::Month,
            ..
        } = feature.definition
        {
            columns.extend(places);
        }
    }
    columns
}
