#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use lagom_model::linear::{LinearModel, Term};
use lagom_model::metrics::Metrics;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Cells, Columns, FitError, FitOptions, Form, fit_logistic};

mod monotone;
mod parity;

/// 900 rows of two numbers (one with missing cells), a category, and an outcome that bends and interacts.
struct World {
    x: Vec<f64>,
    u: Vec<f64>,
    plan: Vec<Option<String>>,
    outcomes: Vec<bool>,
}

impl World {
    fn new(rows: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut world = Self {
            x: Vec::new(),
            u: Vec::new(),
            plan: Vec::new(),
            outcomes: Vec::new(),
        };
        for row in 0..rows {
            let x: f64 = random.random_range(-2.0..2.0);
            let u: f64 = random.random_range(0.0..1.0);
            let plan = ["a", "b", "c"][row % 3];
            let z = 2.0 * x * x - 3.0 + if plan == "b" { 1.0 } else { 0.0 };
            world
                .outcomes
                .push(random.random::<f64>() < 1.0 / (1.0 + (-z).exp()));
            world.x.push(x);
            world.u.push(if row % 10 == 0 { f64::NAN } else { u });
            world.plan.push(Some(plan.to_owned()));
        }
        world
    }

    fn columns(&self) -> Columns<'_> {
        Columns::new(vec![
            ("x".into(), Cells::Number(Cow::Borrowed(&self.x))),
            ("u".into(), Cells::Number(Cow::Borrowed(&self.u))),
            ("plan".into(), Cells::Text(Cow::Borrowed(&self.plan))),
        ])
        .unwrap()
    }
}

fn judged(model: &LinearModel, world: &World) -> Metrics {
    let columns = world.columns();
    let p: Vec<f64> = (0..columns.rows())
        .map(|row| model.predict(&columns.row(row)).unwrap())
        .collect();
    Metrics::of(&world.outcomes, &p).unwrap()
}

#[test]
fn the_additive_form_finds_the_bend_that_the_plain_form_cannot() {
    let (train, test) = (World::new(3000, 1), World::new(3000, 2));
    let options = FitOptions::default();
    let (model, report) = fit_logistic(&train.columns(), &train.outcomes, &options).unwrap();
    assert!(report.certified && report.gradient < 1e-6);
    let plain = FitOptions {
        form: Form::Plain,
        ..FitOptions::default()
    };
    let (line, _) = fit_logistic(&train.columns(), &train.outcomes, &plain).unwrap();
    let (curve, line) = (judged(&model, &test), judged(&line, &test));
    assert!(
        curve.auc.unwrap() > 0.85 && line.auc.unwrap() < 0.65,
        "{curve:?} {line:?}"
    );
    assert!(curve.ece < 0.03, "{curve:?}");
}

#[test]
fn the_model_predicts_what_its_design_predicted() {
    let world = World::new(800, 3);
    let (model, _) =
        fit_logistic(&world.columns(), &world.outcomes, &FitOptions::default()).unwrap();
    // At the optimum with a free intercept the mean prediction equals the base rate.
    let columns = world.columns();
    let mean = (0..800)
        .map(|row| {
            let z = model.log_odds(&columns.row(row)).unwrap();
            1.0 / (1.0 + (-z).exp())
        })
        .sum::<f64>()
        / 800.0;
    let base = world.outcomes.iter().filter(|y| **y).count() as f64 / 800.0;
    assert!((mean - base).abs() < 1e-8, "{mean} {base}");
    // The base of an explanation is the mean log-odds of the training rows.
    let mean_z = (0..800)
        .map(|row| model.log_odds(&columns.row(row)).unwrap())
        .sum::<f64>()
        / 800.0;
    let why = model.explain(&columns.row(0)).unwrap();
    assert!((why.base - mean_z).abs() < 1e-8, "{} {mean_z}", why.base);
}

#[test]
fn pairs_that_matter_are_found() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let numbers = |random: &mut ChaCha8Rng| -> Vec<f64> {
        (0..4000).map(|_| random.random_range(-1.0..1.0)).collect()
    };
    let (a, b, c) = (
        numbers(&mut random),
        numbers(&mut random),
        numbers(&mut random),
    );
    let outcomes: Vec<bool> = (0..4000)
        .map(|row| {
            let z: f64 = 4.0 * a[row] * c[row];
            random.random::<f64>() < 1.0 / (1.0 + (-z).exp())
        })
        .collect();
    let columns = Columns::new(vec![
        ("a".into(), Cells::Number(Cow::Borrowed(&a))),
        ("b".into(), Cells::Number(Cow::Borrowed(&b))),
        ("c".into(), Cells::Number(Cow::Borrowed(&c))),
    ])
    .unwrap();
    let (model, report) = fit_logistic(&columns, &outcomes, &FitOptions::default()).unwrap();
    assert!(
        report.features.contains(&"a × c".to_owned()),
        "{:?}",
        report.features
    );
    assert!(
        model
            .parts()
            .terms
            .iter()
            .any(|term| matches!(term, Term::Pair(_)))
    );
    let p: Vec<f64> = (0..4000)
        .map(|row| model.predict(&columns.row(row)).unwrap())
        .collect();
    assert!(Metrics::of(&outcomes, &p).unwrap().auc.unwrap() > 0.7);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let world = World::new(900, 5);
    let fit = || {
        let (model, _) =
            fit_logistic(&world.columns(), &world.outcomes, &FitOptions::default()).unwrap();
        serde_json::to_string(&model).unwrap()
    };
    assert_eq!(fit(), fit());
}

#[test]
fn noise_is_not_mistaken_for_knowledge() {
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let mut draw = || -> Vec<f64> { (0..2000).map(|_| random.random::<f64>()).collect() };
    let (a, b, luck) = (draw(), draw(), draw());
    let outcomes: Vec<bool> = luck.iter().map(|u| *u < 0.3).collect();
    let columns = Columns::new(vec![
        ("a".into(), Cells::Number(Cow::Borrowed(&a[..]))),
        ("b".into(), Cells::Number(Cow::Borrowed(&b[..]))),
    ])
    .unwrap();
    let (model, _) = fit_logistic(&columns, &outcomes, &FitOptions::default()).unwrap();
    for row in 0..200 {
        let p = model.predict(&columns.row(row)).unwrap();
        assert!((p - 0.3).abs() < 0.12, "row {row}: {p}");
    }
}

#[test]
fn high_cardinality_categories_are_encoded_and_identifiers_left_out() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let town: Vec<Option<String>> = (0..3000)
        .map(|row| Some(format!("t{}", row % 60)))
        .collect();
    let id: Vec<Option<String>> = (0..3000).map(|row| Some(format!("id{row}"))).collect();
    let constant = vec![7.0; 3000];
    let outcomes: Vec<bool> = (0..3000)
        .map(|row| random.random::<f64>() < if row % 60 < 30 { 0.2 } else { 0.6 })
        .collect();
    let columns = Columns::new(vec![
        ("town".into(), Cells::Text(Cow::Borrowed(&town))),
        ("id".into(), Cells::Text(Cow::Borrowed(&id))),
        ("constant".into(), Cells::Number(Cow::Borrowed(&constant))),
    ])
    .unwrap();
    let (model, report) = fit_logistic(&columns, &outcomes, &FitOptions::default()).unwrap();
    assert_eq!(report.features, ["town"]);
    let left: Vec<&str> = report
        .left_out
        .iter()
        .map(|left| left.column.as_str())
        .collect();
    assert_eq!(left, ["id", "constant"]);
    let p = |row| model.predict(&columns.row(row)).unwrap();
    assert!(p(0) < 0.35 && p(59) > 0.45, "{} {}", p(0), p(59));
}

#[test]
fn later_rows_judge_when_rows_have_times() {
    let world = World::new(900, 7);
    let options = FitOptions {
        times: Some((0..900).map(f64::from).collect()),
        ..FitOptions::default()
    };
    let (_, report) = fit_logistic(&world.columns(), &world.outcomes, &options).unwrap();
    assert_eq!(report.held_out.unwrap().rows, 225);
    let options = FitOptions {
        times: Some(vec![f64::NAN; 900]),
        ..FitOptions::default()
    };
    let error = fit_logistic(&world.columns(), &world.outcomes, &options).unwrap_err();
    assert!(matches!(error, FitError::NoTime { row: 0 }));
}

#[test]
fn what_cannot_be_fitted_is_refused_with_a_reason() {
    let options = FitOptions::default();
    let ten = World::new(10, 1);
    let error = fit_logistic(&ten.columns(), &ten.outcomes, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "10 rows are too few to fit and validate a model; at least 20 are needed"
    );
    let world = World::new(50, 1);
    let error = fit_logistic(&world.columns(), &[true; 50], &options).unwrap_err();
    assert!(matches!(error, FitError::OneOutcome { positives: 50, .. }));
    let error = fit_logistic(&world.columns(), &[true; 49], &options).unwrap_err();
    assert!(matches!(
        error,
        FitError::Lengths {
            found: 49,
            rows: 50,
            ..
        }
    ));
    let infinite = [1.0, f64::INFINITY];
    let error = Columns::new(vec![("a".into(), Cells::Number(Cow::Borrowed(&infinite)))]);
    assert!(matches!(error, Err(FitError::Infinite { row: 1, .. })));
    let flat = [3.0; 50];
    let columns = Columns::new(vec![("a".into(), Cells::Number(Cow::Borrowed(&flat)))]).unwrap();
    let error = fit_logistic(&columns, &world.outcomes, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no column can be used: `a`: every cell is 3"
    );
    let one_group = FitOptions {
        groups: Some(vec![0; 50]),
        ..FitOptions::default()
    };
    let error = fit_logistic(&world.columns(), &world.outcomes, &one_group).unwrap_err();
    assert!(
        matches!(error, FitError::NoValidation { groups: 1, .. }),
        "{error}"
    );
    let c = FitOptions {
        c: Some(1.0),
        ..FitOptions::default()
    };
    let error = fit_logistic(&world.columns(), &world.outcomes, &c).unwrap_err();
    assert!(matches!(error, FitError::PenaltyOfAdditive));
}

#[test]
fn twenty_rows_and_a_perfect_column_are_handled() {
    let x: Vec<f64> = (0..20).map(f64::from).collect();
    let outcomes: Vec<bool> = x.iter().map(|x| *x >= 10.0).collect();
    let columns = Columns::new(vec![("x".into(), Cells::Number(Cow::Borrowed(&x)))]).unwrap();
    for options in [FitOptions::default(), FitOptions::plain(1e6)] {
        let (model, _) = fit_logistic(&columns, &outcomes, &options).unwrap();
        let p = |row| model.predict(&columns.row(row)).unwrap();
        assert!(p(0) < 0.5 && p(19) > 0.5, "{} {}", p(0), p(19));
    }
}

#[test]
fn a_feature_matrix_is_read_as_the_same_columns() {
    let world = World::new(400, 2);
    let matrix = ndarray::Array2::from_shape_fn((400, 2), |(row, column)| match column {
        0 => world.x[row],
        _ => world.u[row],
    });
    let names = ["x".to_owned(), "u".to_owned()];
    let columns = Columns::from_matrix(&names, matrix.view()).unwrap();
    let (model, _) = fit_logistic(&columns, &world.outcomes, &FitOptions::default()).unwrap();
    let row = [0.3, f64::NAN];
    assert!(model.predict(row.as_slice()).unwrap() < 0.5);
    assert_eq!(model.columns().len(), 2);
}
