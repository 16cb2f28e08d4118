//! Time to payment as a discrete-time hazard: P(settled by day t) for every t in one coherent curve.
//!
//! ```text
//! S(t) = Π_k (1 − h_k)^{share of period k that lies before t}          P(settled by t) = 1 − S(t)
//! logit h_k = intercept + Σ terms(features) + period_k + terms(ln days of k, days before k)
//! ```
//! The time after a decision is cut into periods that are a day long around the due date and
//! longer away from it; a period's hazard is the chance of settlement within it, given none before.
//! There is one model for periods before the due date, one for the due date, and one for those after,
//! so that a feature may mean something else in each: who pays by direct debit never pays early, and
//! always on the day. Each of them is there twice, for periods soon after the decision and for later
//! ones. Within a period the hazard is level on the inner
//! [`Clock`], so the curve rises and never breaks; the days of `k` and shares of it are of that
//! clock. Source: Singer and Willett, Journal of Educational Statistics
//! 18(2), 1993, doi:10.3102/10769986018002155.

mod clock;
mod period;

pub use clock::{Clock, Settlements};
pub use period::{LATER_DAYS, Moment, Period, Side, periods};

use crate::linear::{LinearError, LinearModel, Value};
use crate::metrics::{Metrics, ReliabilityBin};
use lagom_features::domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Days after a decision at which the curve ends.
pub const HORIZON_DAYS: f64 = 90.0;

/// A fitted hazard; see the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hazard {
    /// Of the periods before the due date.
    pub before: LinearModel,
    /// Of the due date; that of the periods before it where it has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<LinearModel>,
    /// Of those after.
    pub after: LinearModel,
    /// How time passes within a period.
    #[serde(default, skip_serializing_if = "Clock::is_level")]
    pub clock: Clock,
    /// Of the periods that begin [`LATER_DAYS`] or more after the decision; the same models where too
    /// little was seen of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Sides>,
}

/// A model for each side of the due date; see [`Hazard`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    /// Of the periods before the due date.
    pub before: LinearModel,
    /// Of the due date; that of the periods before it where it has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<LinearModel>,
    /// Of those after.
    pub after: LinearModel,
}

/// Days of a period at least, as a model reads them: what is shorter has no logarithm worth having.
const LEAST_DAYS: f64 = 1.0 / 64.0;
/// What all periods of an invoice that is not new are called where those of new ones have names.
const NOT_NEW: &str = "not new";

impl Hazard {
    /// The columns of the models after those of the feature vector: a category, two numbers, and the
    /// category once more where the invoice is new. What the features say of a new invoice (not opened,
    /// not reminded) is the same of all, so that its periods need a level of their own. A model that was
    /// fitted before that was known has not the last one.
    pub const OWN_COLUMNS: &'static [&'static str] = &[
        "period",
        "period_log_days",
        "period_log_from",
        "period_of_new",
    ];

    /// How many of [`Self::OWN_COLUMNS`] a model has.
    pub(crate) fn own_columns_of(model: &LinearModel) -> usize {
        let all = Self::OWN_COLUMNS.len();
        let last = model.columns().last().map(|column| column.name.as_str());
        if last == Self::OWN_COLUMNS.last().copied() {
            all
        } else {
            all - 1
        }
    }

    /// What a period after a decision says in [`Self::OWN_COLUMNS`].
    #[must_use]
    pub fn own(clock: &Clock, moment: Moment, period: &Period) -> [Value<'static>; 4] {
        let late = moment.late_in_days;
        let days = clock.between(period.from - late, period.until - late);
        let of_new = if moment.is_new() {
            period.name
        } else {
            NOT_NEW
        };
        [
            Value::Text(period.name),
            Value::Number(libm::log(days.max(LEAST_DAYS))),
            Value::Number(libm::log1p(period.from)),
            Value::Text(of_new),
        ]
    }

    /// The models by name.
    pub fn models(&self) -> impl Iterator<Item = (&'static str, &LinearModel)> {
        let later = self.later.as_ref();
        let all = [
            ("hazard before due", Some(&self.before)),
            ("hazard on the due date", self.due.as_ref()),
            ("hazard after due", Some(&self.after)),
            ("later hazard before due", later.map(|one| &one.before)),
            (
                "later hazard on the due date",
                later.and_then(|one| one.due.as_ref()),
            ),
            ("later hazard after due", later.map(|one| &one.after)),
        ];
        all.into_iter()
            .filter_map(|(name, model)| Some((name, model?)))
    }

    /// The model of a period.
    fn model_of(&self, period: &Period) -> &LinearModel {
        let (before, due, after) = match self.later.as_ref().filter(|_| period.is_later()) {
            Some(later) => (&later.before, &later.due, &later.after),
            None => (&self.before, &self.due, &self.after),
        };
        match period.side() {
            Side::Before => before,
            Side::Due => due.as_ref().unwrap_or(before),
            Side::After => after,
        }
    }

    /// P(settled within each of `days` of the decision), non-decreasing, in `[0, 1)`. `features` is
    /// the vector at the decision, `moment` where the invoice stood; `days` must be ascending and
    /// counts as [`HORIZON_DAYS`] where it is later.
    ///
    /// # Errors
    /// [`LinearError::RowWidth`] when the vector has another width.
    pub fn paid_by(
        &self,
        features: &[f64],
        moment: Moment,
        days: &[f64],
    ) -> Result<Vec<f64>, LinearError> {
        let late_in_days = moment.late_in_days;
        let last = days.last().copied().unwrap_or(0.0).min(HORIZON_DAYS);
        let mut row: Vec<Value<'_>> = features.iter().map(|&cell| Value::Number(cell)).collect();
        let mut paid = Vec::with_capacity(days.len());
        let mut survival = 1.0;
        for period in periods(late_in_days, HORIZON_DAYS) {
            if period.from >= last {
                break;
            }
            let model = self.model_of(&period);
            row.truncate(features.len());
            row.extend(Self::own(&self.clock, moment, &period));
            row.truncate(features.len() + Self::own_columns_of(model));
            let stays = 1.0 - model.predict(row.as_slice())?;
            let start = period.from - late_in_days;
            let length = self.clock.between(start, period.until - late_in_days);
            while let Some(&day) = days.get(paid.len())
                && day < period.until
            {
                let share =
                    (self.clock.between(start, day - late_in_days) / length).clamp(0.0, 1.0);
                paid.push(1.0 - survival * libm::pow(stays, share));
            }
            survival *= stays;
        }
        paid.resize(days.len(), 1.0 - survival);
        Ok(paid)
    }
}

/// How good the curve was at one day, on decisions later than everything it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtDay {
    /// Days from the decision.
    pub days: u16,
    /// The usual figures of P(settled by then).
    pub metrics: Metrics,
    /// Largest distance between predicted and seen share in a tenth of the decisions.
    pub worst_decile: f64,
    /// The reliability table.
    pub bins: Vec<ReliabilityBin>,
}

/// A hazard with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HazardHead {
    /// Person-period rows that it was fitted on.
    pub rows: usize,
    /// The models.
    pub hazard: Hazard,
    /// The judged twin saw nothing from this instant on.
    pub fitted_before: Option<Timestamp>,
    /// It was judged on invoices issued from this instant on.
    pub judged_from: Option<Timestamp>,
    /// Its figures; none where too little was left to judge.
    pub held_out: Vec<AtDay>,
}

#[cfg(test)]
mod tests;
