//! When a customer leaves, as a discrete-time hazard: P(leaves within the horizon) from decisions of
//! which some are too young for their outcome to be known.
//!
//! ```text
//! P(left by t) = 1 − Π_k (1 − h_k)^{share of period k that lies before t}
//! logit h_k = intercept + Σ terms(features) + period_k
//! ```
//! The horizon is cut into [`PERIODS`] periods of equal length, and a decision says something of each
//! period that had ended when the data did: a model of the whole horizon alone would leave out the
//! decisions of the last three months. A payment does not end being a customer and leaving does not
//! end a debt, so neither censors the other, and both chances are of what is seen to happen. Who dies
//! or goes bankrupt competes with leaving: such a customer stays among those who have not left, so
//! that the chance is the cumulative incidence and not that of a world without deaths. Source: Fine
//! and Gray, JASA 94(446), 1999, doi:10.1080/01621459.1999.10474144.

use crate::artefact::HeldOut;
use crate::linear::{LinearError, LinearModel, Value};
use serde::{Deserialize, Serialize};

/// Periods of a horizon.
pub const PERIODS: usize = 3;

/// What the periods are called as a category.
const NAMES: [&str; PERIODS] = ["first third", "second third", "last third"];

/// A fitted hazard of leaving; see the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaving {
    /// Days from the decision to the end of the last period.
    pub horizon_days: u16,
    /// Of a period, given that the customer has not left before it.
    pub model: LinearModel,
}

impl Leaving {
    /// The column of the model after those of the feature vector: a category.
    pub const OWN_COLUMNS: &'static [&'static str] = &["period"];

    /// What period `place` of [`PERIODS`] says in [`Self::OWN_COLUMNS`].
    #[must_use]
    pub fn own(place: usize) -> &'static str {
        NAMES[place.min(PERIODS - 1)]
    }

    /// Days of a period of a horizon of `horizon_days`.
    #[must_use]
    pub fn period_days(horizon_days: u16) -> f64 {
        f64::from(horizon_days) / PERIODS as f64
    }

    /// P(left within `days` of the decision), in `[0, 1)` and non-decreasing in `days`, which count
    /// as the horizon where they are more; `features` is the vector at the decision.
    ///
    /// # Errors
    /// [`LinearError::RowWidth`] when the vector has another width.
    pub fn left_by(&self, features: &[f64], days: f64) -> Result<f64, LinearError> {
        let length = Self::period_days(self.horizon_days);
        let mut row: Vec<Value<'_>> = features.iter().map(|&cell| Value::Number(cell)).collect();
        let mut stays = 1.0;
        for place in 0..PERIODS {
            let share = ((days - place as f64 * length) / length).clamp(0.0, 1.0);
            row.truncate(features.len());
            row.push(Value::Text(Self::own(place)));
            stays *= libm::pow(1.0 - self.model.predict(row.as_slice())?, share);
        }
        Ok(1.0 - stays)
    }
}

/// A hazard of leaving with its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeavingHead {
    /// Periods of decisions that it was fitted on.
    pub rows: usize,
    /// Decisions among them that a model of the whole horizon could not have used.
    pub censored: usize,
    /// The model.
    pub leaving: Leaving,
    /// Figures of P(left within the horizon) of a twin, on later decisions; none where too little was
    /// left to judge.
    pub held_out: Option<HeldOut>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Leaving, PERIODS};
    use crate::calibration::{Calibration, logistic};
    use crate::linear::{InputColumn, InputKind, Level, Levels, LinearModel, LinearParts, Term};

    #[test]
    fn the_chance_is_the_product_by_hand_and_rises_to_the_horizon() {
        let weights = [-2.0, -1.0, 0.5];
        let levels = Levels {
            column: 0,
            levels: vec![
                Level {
                    level: "first third".to_owned(),
                    weight: weights[0],
                },
                Level {
                    level: "last third".to_owned(),
                    weight: weights[2],
                },
                Level {
                    level: "second third".to_owned(),
                    weight: weights[1],
                },
            ],
            missing: 0.0,
            mean: 0.0,
        };
        let model = LinearModel::new(LinearParts {
            columns: vec![InputColumn {
                name: Leaving::OWN_COLUMNS[0].to_owned(),
                kind: InputKind::Category,
            }],
            intercept: -1.0,
            terms: vec![Term::Levels(levels)],
            calibration: Calibration::Identity,
        });
        let leaving = Leaving {
            horizon_days: 90,
            model: model.unwrap(),
        };
        let stays = weights.map(|weight| 1.0 - logistic(weight - 1.0));
        let by = |days| leaving.left_by(&[], days).unwrap();
        assert!((by(90.0) - (1.0 - stays.iter().product::<f64>())).abs() < 1e-12);
        assert!((by(45.0) - (1.0 - stays[0] * stays[1].sqrt())).abs() < 1e-12);
        assert_eq!(by(0.0), 0.0);
        assert_eq!(by(500.0), by(90.0));
        let curve: Vec<f64> = (0..=90).map(|day| by(f64::from(day))).collect();
        assert!(curve.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(leaving.left_by(&[1.0], 30.0).is_err());
        assert_eq!(PERIODS, weights.len());
    }
}
