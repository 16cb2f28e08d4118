//! Equal to other programs: scikit-learn's exact logistic regression, and linfa left to itself.

use std::path::{Path, PathBuf};

use super::super::{Columns, FitOptions, fit_logistic};
use super::World;
use crate::flat_table::{Column, FlatTable, ReadOptions, Values};

/// A file below the folder of this crate; `tests/oracles` holds peers' numbers and what made them.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &Path) -> FlatTable {
    FlatTable::read(path, &ReadOptions::default()).unwrap()
}

fn rows_of(table: &FlatTable, rows: &[usize], keep: &[&str], as_text: &[&str]) -> FlatTable {
    let columns = table
        .columns()
        .iter()
        .filter(|c| keep.contains(&c.name.as_str()));
    let columns = columns.map(|column| Column {
        name: column.name.clone(),
        values: match &column.values {
            Values::Number(cells) if !as_text.contains(&column.name.as_str()) => {
                Values::Number(rows.iter().map(|row| cells[*row]).collect())
            }
            values => Values::Text(rows.iter().map(|row| values.text(*row)).collect()),
        },
    });
    FlatTable::new(columns.collect()).unwrap()
}

/// Largest difference of out-of-fold probabilities to scikit-learn's, per fold refitted as they were.
fn difference_to_lr_exact(
    data: &Path,
    predictions: &Path,
    target: (&str, &str),
    drop: &str,
    categories: &[&str],
) -> f64 {
    let table = read(data);
    let peers = read(predictions);
    let (folds, expected) = (
        peers.numbers("fold").unwrap(),
        peers.numbers("LR-exact").unwrap(),
    );
    let outcome = &table.column(target.0).unwrap().values;
    let outcome: Vec<bool> = (0..table.rows())
        .map(|row| outcome.text(row).as_deref() == Some(target.1))
        .collect();
    let keep: Vec<&str> = table
        .columns()
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| *name != target.0 && *name != drop)
        .collect();
    let mut largest = 0.0_f64;
    for fold in 0..5 {
        let (held, fit): (Vec<usize>, Vec<usize>) =
            (0..table.rows()).partition(|row| folds[*row] == f64::from(fold));
        let (fit_table, held_table) = (
            rows_of(&table, &fit, &keep, categories),
            rows_of(&table, &held, &keep, categories),
        );
        let columns = Columns::from_table(&fit_table, |_| true).unwrap();
        let truth: Vec<bool> = fit.iter().map(|row| outcome[*row]).collect();
        let (model, report) = fit_logistic(&columns, &truth, &FitOptions::plain(1.0)).unwrap();
        assert!(report.certified);
        let columns = Columns::from_table(&held_table, |_| true).unwrap();
        for (place, row) in held.iter().enumerate() {
            let p = model.predict(&columns.row(place)).unwrap();
            largest = largest.max((p - expected[*row]).abs());
        }
    }
    largest
}

/// Their probabilities were written with six decimals, so a correct optimum is at most 5e-7 and rounding away.
const PARITY: f64 = 1e-6;

#[test]
fn uci_probabilities_equal_scikit_learn_lr_exact() {
    // The peers read the codes of sex, education and marriage as categories.
    let difference = difference_to_lr_exact(
        &file("../notebooks-data/uci-credit/UCI_Credit_Card.csv.gz"),
        &file("tests/oracles/uci_lr_exact.csv.gz"),
        ("class", "1"),
        "ID",
        &["SEX", "EDUCATION", "MARRIAGE"],
    );
    assert!(difference <= PARITY, "{difference:e}");
}

#[test]
fn gaps_and_categories_are_read_as_scikit_learn_reads_them() {
    let table = read(&file("tests/oracles/mixed.csv"));
    let expected = read(&file("tests/oracles/mixed_sklearn.csv"));
    let left = &table.column("left").unwrap().values;
    let outcomes: Vec<bool> = (0..table.rows())
        .map(|row| left.text(row).as_deref() == Some("yes"))
        .collect();
    let columns = Columns::from_table(&table, |column| column.name != "left").unwrap();
    let (model, _) = fit_logistic(&columns, &outcomes, &FitOptions::plain(1.0)).unwrap();
    for (row, expected) in expected.numbers("p").unwrap().iter().enumerate() {
        let p = model.predict(&columns.row(row)).unwrap();
        assert!((p - expected).abs() < 1e-7, "row {row}: {p} {expected}");
    }
}

#[test]
fn linfa_alone_reaches_the_same_optimum_on_a_small_table() {
    use linfa::DatasetBase;
    use linfa::traits::Fit;
    use linfa_logistic::LogisticRegression;
    use ndarray::{Array1, Array2};

    let world = World::new(300, 4);
    let z = |x: f64| (x - 0.1) / 1.3;
    let matrix = Array2::from_shape_fn((300, 2), |(row, column)| match column {
        0 => z(world.x[row]),
        _ => f64::from(row % 3 == 1),
    });
    let labels: Array1<usize> = world.outcomes.iter().map(|y| usize::from(*y)).collect();
    let fitted = LogisticRegression::default()
        .alpha(2.0)
        .max_iterations(10_000)
        .gradient_tolerance(1e-9)
        .fit(&DatasetBase::new(matrix.view(), labels))
        .unwrap();
    let theirs = fitted.predict_probabilities(&matrix);
    let pos = fitted.labels().pos.class == 1;

    let outcomes: Vec<f64> = world.outcomes.iter().map(|y| f64::from(*y)).collect();
    let design = super::super::dense::Dense::new(matrix.view());
    let start = super::super::newton::Solution::start(2, &outcomes);
    let ours = super::super::newton::minimise(&design, &outcomes, 2.0, start, 1e-10).unwrap();
    let certified =
        super::super::certify::certify(matrix.view(), &outcomes, 2.0, &ours, 1e-6).unwrap();
    for row in 0..300 {
        let line = |solution: &super::super::newton::Solution| {
            let z = matrix[(row, 0)] * solution.weights[0]
                + matrix[(row, 1)] * solution.weights[1]
                + solution.intercept;
            1.0 / (1.0 + (-z).exp())
        };
        let theirs = if pos { theirs[row] } else { 1.0 - theirs[row] };
        assert!((line(&ours) - theirs).abs() < 1e-8, "row {row}");
        assert!((line(&certified) - theirs).abs() < 1e-8, "row {row}");
    }
}

#[test]
fn linfa_finishes_what_starts_far_from_the_optimum() {
    let world = World::new(200, 8);
    let matrix = ndarray::Array2::from_shape_fn((200, 1), |(row, _)| world.x[row]);
    // Both majorities, because linfa turns the sign of the label with more rows.
    for flip in [false, true] {
        let outcomes: Vec<f64> = world
            .outcomes
            .iter()
            .map(|y| f64::from(*y != flip))
            .collect();
        let start = super::super::newton::Solution::start(1, &outcomes);
        let design = super::super::dense::Dense::new(matrix.view());
        let optimum =
            super::super::newton::minimise(&design, &outcomes, 1.0, start.clone(), 1e-10).unwrap();
        let finished =
            super::super::certify::certify(matrix.view(), &outcomes, 1.0, &start, 1e-8).unwrap();
        assert!((finished.weights[0] - optimum.weights[0]).abs() < 1e-6);
        assert!((finished.intercept - optimum.intercept).abs() < 1e-6);
    }
}
