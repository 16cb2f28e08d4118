#![allow(clippy::unwrap_used)]

use super::{
    Axis, InputColumn, InputKind, Level, Levels, Linear, LinearError, LinearModel, LinearParts,
    MissingIndicator, Pair, Shape, SpecialValue, TargetEncoding, Term, Value,
};
use crate::calibration::{Calibration, logistic};

fn column(name: &str, kind: InputKind) -> InputColumn {
    InputColumn {
        name: name.into(),
        kind,
    }
}

fn level(level: &str, weight: f64) -> Level {
    Level {
        level: level.into(),
        weight,
    }
}

fn parts() -> LinearParts {
    let encoding = TargetEncoding {
        levels: vec![level("lund", -1.0), level("malmö", 1.0)],
        unseen: 0.25,
        missing: 0.5,
    };
    LinearParts {
        columns: vec![
            column("age", InputKind::Number),
            column("plan", InputKind::Category),
            column("town", InputKind::Encoded(encoding)),
        ],
        intercept: -0.5,
        terms: vec![
            Term::Linear(Linear {
                column: 0,
                median: 40.0,
                centre: 45.0,
                scale: 10.0,
                weight: 0.2,
            }),
            Term::Missing(MissingIndicator {
                column: 0,
                centre: 0.1,
                scale: 0.3,
                weight: 0.6,
            }),
            Term::Shape(Shape {
                column: 2,
                knots: vec![-1.0, 1.0],
                heights: vec![0.0, 4.0],
                special: vec![SpecialValue {
                    value: 0.5,
                    weight: 10.0,
                }],
                missing: 0.0,
                mean: 1.0,
            }),
            Term::Levels(Levels {
                column: 1,
                levels: vec![level("a", 0.1), level("b", 0.2)],
                missing: 0.3,
                mean: 0.15,
            }),
            Term::Pair(Pair {
                first: Axis::Cuts {
                    column: 0,
                    cuts: vec![30.0],
                },
                second: Axis::Levels {
                    column: 1,
                    levels: vec!["b".into()],
                },
                weights: (1..=9).map(f64::from).collect(),
                mean: 2.0,
            }),
        ],
        calibration: Calibration::Identity,
    }
}

fn z(row: &[Value<'_>]) -> f64 {
    LinearModel::new(parts()).unwrap().log_odds(row).unwrap()
}

#[test]
fn every_term_adds_what_its_formula_says() {
    let row = [Value::Number(55.0), Value::Text("b"), Value::Text("malmö")];
    // −0.5 + 0.2·(55−45)/10 + 0.6·(0−0.1)/0.3 + 4 + 0.2 + cell (above 30, b) = 4
    assert!((z(&row) - (-0.5 + 0.2 - 0.2 + 4.0 + 0.2 + 4.0)).abs() < 1e-12);
}

#[test]
fn missing_and_unseen_cells_have_values_of_their_own() {
    let row = [Value::Missing, Value::Missing, Value::Missing];
    // median 40; indicator 1; the town's 0.5 is a special value on the curve; levels 0.3; cell (missing, missing)
    let expected = -0.5 - 0.1 + 0.6 * 0.9 / 0.3 + (3.0 + 10.0) + 0.3 + 9.0;
    assert!((z(&row) - expected).abs() < 1e-12);
    let row = [Value::Number(30.0), Value::Text("new"), Value::Text("new")];
    // on the cut is below it; an unseen plan adds nothing and is "other" in the pair; 0.25 of the curve is 2.5
    let expected = -0.5 - 0.3 - 0.2 + 2.5 + 0.0 + 2.0;
    assert!((z(&row) - expected).abs() < 1e-12);
}

#[test]
fn infinite_numbers_count_as_missing() {
    let infinite = [
        Value::Number(f64::INFINITY),
        Value::Text("a"),
        Value::Text("lund"),
    ];
    let missing = [Value::Missing, Value::Text("a"), Value::Text("lund")];
    assert_eq!(z(&infinite), z(&missing));
}

#[test]
fn contributions_add_up_to_the_log_odds() {
    let model = LinearModel::new(parts()).unwrap();
    for plan in ["a", "b", "c"] {
        let row = [Value::Number(33.0), Value::Text(plan), Value::Text("lund")];
        let why = model.explain(row.as_slice()).unwrap();
        let sum: f64 = why.contributions.iter().map(|c| c.log_odds).sum();
        assert!((why.base + sum - why.log_odds).abs() < 1e-12);
        assert_eq!(why.log_odds, model.log_odds(row.as_slice()).unwrap());
        assert_eq!(why.probability, logistic(why.log_odds));
        // The two terms on `age` are one feature; the pair stays under both names.
        let mut names: Vec<&str> = why
            .contributions
            .iter()
            .map(|c| c.feature.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["age", "age × plan", "plan", "town"]);
    }
}

#[test]
fn the_base_is_the_intercept_and_the_means() {
    let model = LinearModel::new(parts()).unwrap();
    let row = [Value::Missing; 3];
    let why = model.explain(row.as_slice()).unwrap();
    assert!((why.base - (-0.5 + 1.0 + 0.15 + 2.0)).abs() < 1e-12);
}

#[test]
fn the_same_bytes_come_back() {
    let model = LinearModel::new(parts()).unwrap();
    let text = serde_json::to_string(&model).unwrap();
    let back: LinearModel = serde_json::from_str(&text).unwrap();
    assert_eq!(back, model);
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
}

#[test]
fn a_damaged_artefact_is_not_read() {
    let text = serde_json::to_string(&LinearModel::new(parts()).unwrap()).unwrap();
    let damaged = text.replace("\"knots\":[-1.0,1.0]", "\"knots\":[1.0,-1.0]");
    assert_ne!(damaged, text);
    let error = serde_json::from_str::<LinearModel>(&damaged).unwrap_err();
    assert!(error.to_string().contains("knots do not ascend"), "{error}");
    let unknown = text.replace("\"intercept\"", "\"surprise\"");
    assert!(serde_json::from_str::<LinearModel>(&unknown).is_err());
}

#[test]
fn contradictions_are_named() {
    let mut wrong = parts();
    wrong.columns[1].name = "age".into();
    assert!(matches!(
        LinearModel::new(wrong),
        Err(LinearError::RepeatedColumn { .. })
    ));
    let mut wrong = parts();
    wrong.columns.pop();
    assert!(matches!(
        LinearModel::new(wrong),
        Err(LinearError::NoSuchColumn { term: 2, .. })
    ));
    let mut wrong = parts();
    wrong.columns[0].kind = InputKind::Category;
    assert!(matches!(
        LinearModel::new(wrong),
        Err(LinearError::WrongKind { term: 0, .. })
    ));
    let mut wrong = parts();
    wrong.intercept = f64::NAN;
    assert!(matches!(
        LinearModel::new(wrong),
        Err(LinearError::OutOfRange { .. })
    ));
    let mut wrong = parts();
    if let Term::Pair(pair) = &mut wrong.terms[4] {
        pair.weights.pop();
    }
    assert!(matches!(
        LinearModel::new(wrong),
        Err(LinearError::Length {
            found: 8,
            expected: 9,
            ..
        })
    ));
}

#[test]
fn a_row_of_another_width_is_refused() {
    let model = LinearModel::new(parts()).unwrap();
    let error = model.predict([1.0, 2.0].as_slice()).unwrap_err();
    assert_eq!(
        error,
        LinearError::RowWidth {
            found: 2,
            expected: 3
        }
    );
}
