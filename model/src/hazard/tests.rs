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
