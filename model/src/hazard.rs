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

pub use clock::{Clock, Settlements};

use crate::linear::{LinearError, LinearModel, Value};
use crate::metrics::{Metrics, ReliabilityBin};
use lagom_features::domain::{Timestamp, Zone};
use lagom_features::ledger::InvoiceState;
use serde::{Deserialize, Serialize};

/// Days after a decision at which the curve ends.
pub const HORIZON_DAYS: f64 = 90.0;

/// Where a period ends, in days from the instant at which the invoice becomes late, and its name.
const CUTS: [(f64, &str); 27] = [
    (-90.0, "earlier"),
    (-60.0, "-90"),
    (-45.0, "-60"),
    (-30.0, "-45"),
    (-21.0, "-30"),
    (-14.0, "-21"),
    (-10.0, "-14"),
    (-7.0, "-10"),
    (-5.0, "-7"),
    (-3.0, "-5"),
    (-2.0, "-3"),
    (-1.0, "-2"),
    (0.0, "-1"),
    (1.0, "0"),
    (2.0, "1"),
    (3.0, "2"),
    (5.0, "3"),
    (7.0, "5"),
    (10.0, "7"),
    (14.0, "10"),
    (21.0, "14"),
    (30.0, "21"),
    (45.0, "30"),
    (60.0, "45"),
    (90.0, "60"),
    (180.0, "90"),
    (f64::INFINITY, "180"),
];

/// A stretch of time after a decision in which the hazard is level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    /// Its name: the days since the invoice became late at which it begins on the calendar.
    pub name: &'static str,
    /// Days from the decision to its beginning.
    pub from: f64,
    /// Days from the decision to its end.
    pub until: f64,
    /// Whether the invoice is late in it.
    pub late: bool,
}

/// Where a period lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before the due date.
    Before,
    /// On it.
    Due,
    /// When the invoice is late.
    After,
}

/// Name of the period that is the due date.
const DUE: &str = "-1";

impl Period {
    /// Whether it begins [`LATER_DAYS`] or more after the decision.
    #[must_use]
    pub fn is_later(&self) -> bool {
        self.from >= LATER_DAYS
    }

    /// Where it lies.
    #[must_use]
    pub fn side(&self) -> Side {
        match self.late {
            true => Side::After,
            false if self.name == DUE => Side::Due,
            false => Side::Before,
        }
    }
}

/// When in the life of an invoice something is asked about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Days until the invoice becomes late; negative if it is late already.
    pub late_in_days: f64,
    /// Days since its issue.
    pub age_days: f64,
}

impl Moment {
    /// Days after its issue for which an invoice is new.
    const NEW_DAYS: f64 = 2.0;

    /// Where an invoice stands at `now`, its due date counted in `zone`.
    #[must_use]
    pub fn of(state: &InvoiceState<'_>, zone: &Zone, now: Timestamp) -> Self {
        Self {
            late_in_days: state.late_from(zone).days_since(now),
            age_days: now.days_since(state.invoice.issued_at),
        }
    }

    /// Whether nobody can have opened the invoice, or let it lie, for long: that it was not opened says
    /// little yet.
    #[must_use]
    pub fn is_new(self) -> bool {
        self.age_days < Self::NEW_DAYS
    }
}

/// The periods after a decision that is `late_in_days` before the invoice becomes late (negative if
/// it is late already), in order, without gaps, to `until` days from the decision.
pub fn periods(late_in_days: f64, until: f64) -> impl Iterator<Item = Period> {
    let mut from = 0.0;
    CUTS.into_iter().filter_map(move |(cut, name)| {
        let end = (cut + late_in_days).min(until);
        (end > from).then(|| Period {
            name,
            from: std::mem::replace(&mut from, end),
            until: end,
            late: cut > 0.0,
        })
    })
}

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

/// Days after a decision from which on a period has the later models. What was seen by the decision (opened,
/// clicked, reminded) says much of the next days and less of later ones, of which habits say more, so that
/// one coefficient cannot be right for both.
pub const LATER_DAYS: f64 = 7.0;
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
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Clock, HORIZON_DAYS, Hazard, Moment, Sides, periods};
    use crate::calibration::Calibration;
    use crate::linear::{InputColumn, InputKind, LinearModel, LinearParts};

    fn level(intercept: f64) -> LinearModel {
        of_columns(intercept, Hazard::OWN_COLUMNS.len())
    }

    fn of_columns(intercept: f64, count: usize) -> LinearModel {
        let kinds = [
            InputKind::Category,
            InputKind::Number,
            InputKind::Number,
            InputKind::Category,
        ];
        let column = |(name, kind): (&&str, InputKind)| InputColumn {
            name: (*name).to_owned(),
            kind,
        };
        LinearModel::new(LinearParts {
            columns: Hazard::OWN_COLUMNS
                .iter()
                .zip(kinds)
                .map(column)
                .take(count)
                .collect(),
            intercept,
            terms: Vec::new(),
            calibration: Calibration::Identity,
        })
        .unwrap()
    }

    fn in_days(late_in_days: f64) -> Moment {
        Moment {
            late_in_days,
            age_days: 5.0,
        }
    }

    #[test]
    fn periods_cover_the_horizon_without_gaps_wherever_the_decision_lies() {
        for late_in in [-400.0, -95.0, -0.25, 0.0, 0.5, 7.3, 31.0, 89.0, 200.0] {
            let all: Vec<_> = periods(late_in, HORIZON_DAYS).collect();
            assert_eq!(all[0].from, 0.0, "{late_in}");
            assert!(all.windows(2).all(|pair| pair[0].until == pair[1].from));
            assert_eq!(all[all.len() - 1].until, HORIZON_DAYS);
            assert!(all.iter().all(|one| one.until > one.from));
            assert!(all.iter().all(|one| one.late == (one.from >= late_in)));
        }
    }

    #[test]
    fn the_curve_rises_is_continuous_and_equals_the_product_by_hand() {
        let hazard = Hazard {
            before: level(0.0),
            due: None,
            after: level(-1.0),
            clock: Clock::default(),
            later: None,
        };
        // Two whole days before it is late: half stay in each; then h = 1 / (1 + e).
        let paid = hazard
            .paid_by(&[], in_days(2.0), &[1.0, 1.5, 2.0, 3.0])
            .unwrap();
        let stays = 1.0 - 1.0 / (1.0 + std::f64::consts::E);
        let stays_due = 1.0 / (1.0 + std::f64::consts::E);
        let by_hand = [0.5, 1.0 - 0.5 * 0.5_f64.sqrt(), 0.75, 1.0 - 0.25 * stays];
        for (found, truth) in paid.iter().zip(by_hand) {
            assert!((found - truth).abs() < 1e-12, "{paid:?}");
        }
        let days: Vec<f64> = (0..1000).map(|place| f64::from(place) * 0.1).collect();
        let curve = hazard.paid_by(&[], in_days(12.7), &days).unwrap();
        assert_eq!(curve.len(), days.len());
        assert!(curve.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(curve.windows(2).all(|pair| pair[1] - pair[0] < 0.1));
        assert_eq!(curve[0], 0.0);
        assert!(hazard.paid_by(&[1.0], in_days(2.0), &[1.0]).is_err());

        // With a model of its own, the second of the two days is another one.
        let hazard = Hazard {
            due: Some(level(1.0)),
            ..hazard
        };
        let paid = hazard.paid_by(&[], in_days(2.0), &[1.0, 2.0]).unwrap();
        assert!((paid[0] - 0.5).abs() < 1e-12);
        assert!((paid[1] - (1.0 - 0.5 * stays_due)).abs() < 1e-12);
    }

    /// A model of three columns of its own is one of before new invoices had theirs.
    #[test]
    fn a_model_without_a_level_of_new_invoices_is_read() {
        let with = |count| Hazard {
            before: of_columns(0.0, count),
            due: None,
            after: of_columns(-1.0, count),
            clock: Clock::default(),
            later: None,
        };
        let days = [1.0, 2.0, 30.0];
        let paid = |count: usize| with(count).paid_by(&[], in_days(2.0), &days);
        assert_eq!(paid(3).unwrap(), paid(4).unwrap());
        assert!(paid(2).is_err() && paid(0).is_err());
    }

    #[test]
    fn periods_from_a_week_on_have_the_later_models() {
        let soon = Hazard {
            before: level(0.0),
            due: None,
            after: level(0.0),
            clock: Clock::default(),
            later: None,
        };
        let later = Sides {
            before: level(-2.0),
            due: Some(level(3.0)),
            after: level(-1.0),
        };
        let both = Hazard {
            later: Some(later),
            ..soon.clone()
        };
        assert_eq!((soon.models().count(), both.models().count()), (2, 5));
        let stays = |log_odds: f64| 1.0 / (1.0 + log_odds.exp());
        // Ten days before lateness a period begins on day 7 and on each of the next.
        let days = [7.0, 8.0, 9.0, 10.0, 11.0];
        let (old, new) = (
            soon.paid_by(&[], in_days(10.0), &days).unwrap(),
            both.paid_by(&[], in_days(10.0), &days).unwrap(),
        );
        assert_eq!(old[0], new[0]);
        let mut survival = 1.0 - new[0];
        for (paid, log_odds) in new[1..].iter().zip([-2.0, -2.0, 3.0, -1.0]) {
            survival *= stays(log_odds);
            assert!((1.0 - paid - survival).abs() < 1e-12, "{new:?}");
        }
    }
}
