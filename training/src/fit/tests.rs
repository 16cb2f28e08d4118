#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use lagom_model::linear::{LinearModel, Term};
use lagom_model::metrics::Metrics;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Cells, Columns, FitError, FitOptions, Form, fit_logistic};
use crate::flat_table::{Column, FlatTable, ReadOptions, Values};

/// The folder of data and peers' numbers, when this machine has it.
fn shared() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = std::env::var_os("LAGOM_SHARED")
        .map(PathBuf::from)
        .into_iter()
        .chain([
            manifest.join("../../shared"),
            manifest.join("../../../shared"),
        ])
        .find(|folder| folder.join("oracles/ml").is_dir());
    if found.is_none() {
        eprintln!("skipped: the oracles are not on this machine");
    }
    found
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
fn telco_probabilities_equal_scikit_learn_lr_exact() {
    let Some(shared) = shared() else { return };
    // The peers read the 0/1 code of senior citizens as a category.
    let difference = difference_to_lr_exact(
        &shared.join("data/ibm_telco/telco_churn.csv.gz"),
        &shared.join("oracles/ml/preds_ibm_telco_churn.csv.gz"),
        ("Churn", "Yes"),
        "customerID",
        &["SeniorCitizen"],
    );
    eprintln!("largest difference: {difference:e}");
    assert!(difference <= PARITY, "{difference:e}");
}

#[test]
fn uci_probabilities_equal_scikit_learn_lr_exact() {
    let Some(shared) = shared() else { return };
    // The peers read the codes of sex, education and marriage as categories.
    let difference = difference_to_lr_exact(
        &shared.join("data/uci_credit_default/UCI_Credit_Card.csv.gz"),
        &shared.join("oracles/ml/preds_uci_credit_default_default.csv.gz"),
        ("class", "1"),
        "ID",
        &["SEX", "EDUCATION", "MARRIAGE"],
    );
    eprintln!("largest difference: {difference:e}");
    assert!(difference <= PARITY, "{difference:e}");
}
