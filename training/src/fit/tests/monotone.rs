//! Directions: held whatever the rows say, and at the optimum of what they allow.

use std::borrow::Cow;

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::dense::Dense;
use super::super::newton::{Bound, Solution, minimise};
use super::super::{Cells, Columns, Direction, FitError, FitOptions, fit_logistic};

/// Three numbers whose effects bend and turn, one with gaps, and the outcome.
fn world(seed: u64, rows: usize) -> (Vec<[f64; 3]>, Vec<bool>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let turn: f64 = random.random_range(0.5..3.0);
    let mut cells = Vec::new();
    let mut outcomes = Vec::new();
    for _ in 0..rows {
        let [a, b, c]: [f64; 3] = std::array::from_fn(|_| random.random_range(-2.0..2.0));
        let z = (turn * a).sin() + 0.5 * b * b - 0.4 * c;
        outcomes.push(random.random::<f64>() < 1.0 / (1.0 + (-z).exp()));
        // Many rows share one value, as counts do.
        let a = if random.random::<f64>() < 0.2 { 0.0 } else { a };
        let b = if random.random::<f64>() < 0.1 {
            f64::NAN
        } else {
            b
        };
        cells.push([a, b, c]);
    }
    (cells, outcomes)
}

fn columns(cells: &[[f64; 3]]) -> Columns<'static> {
    let column = |place: usize, name: &str| {
        let cells = cells.iter().map(|row| row[place]).collect();
        (name.to_owned(), Cells::Number(Cow::Owned(cells)))
    };
    Columns::new(vec![column(0, "a"), column(1, "b"), column(2, "c")]).unwrap()
}

#[test]
fn a_declared_direction_holds_everywhere_whatever_the_rows_say() {
    let directions = [("a", Direction::Falling), ("b", Direction::Rising)];
    for seed in 0..6 {
        let (cells, outcomes) = world(seed, 600);
        for options in [
            FitOptions {
                seed,
                ..FitOptions::default()
            },
            FitOptions::plain(1.0),
        ] {
            let directed = columns(&cells).directed(directions).unwrap();
            let (model, report) = fit_logistic(&directed, &outcomes, &options).unwrap();
            assert!(report.gradient <= 1e-7 && report.certified, "{report:?}");
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            for _ in 0..200 {
                let mut at = || random.random_range(-3.0..3.0);
                let (a, b, c, more) = (at(), at(), at(), at() + 3.0);
                let p = |row: [f64; 3]| model.predict(row.as_slice()).unwrap();
                let here = p([a, b, c]);
                assert!(
                    p([a + more, b, c]) <= here + 1e-12,
                    "seed {seed}: a {a} + {more}"
                );
                assert!(
                    p([a, b + more, c]) >= here - 1e-12,
                    "seed {seed}: b {b} + {more}"
                );
            }
        }
    }
}

#[test]
fn the_bounded_optimum_is_the_best_of_every_set_of_weights_at_zero() {
    for seed in 0..8 {
        let (cells, outcomes) = world(seed, 150);
        let known = |x: f64| if x.is_nan() { 0.0 } else { x };
        let matrix = Array2::from_shape_fn((150, 3), |(row, column)| known(cells[row][column]));
        let y: Vec<f64> = outcomes.iter().map(|one| f64::from(*one)).collect();
        let bounds = [Bound::Negative, Bound::Positive, Bound::Positive];
        let start = || Solution::start(3, &y);
        let objective = |fit: &Solution| -> f64 {
            let rows = matrix.rows().into_iter().zip(&y);
            let losses = rows.map(|(row, y)| {
                let z: f64 = row.iter().zip(&fit.weights).map(|(x, w)| x * w).sum();
                let z = z + fit.intercept;
                (1.0 + z.exp()).ln() - y * z
            });
            let ridge: f64 = fit.weights.iter().map(|w| w * w).sum();
            losses.sum::<f64>() + 0.5 * ridge
        };
        let feasible = |fit: &Solution| {
            let mut pairs = fit.weights.iter().zip(bounds);
            pairs.all(|(weight, bound)| bound.project(*weight) == *weight)
        };
        let best = (0..8)
            .filter_map(|zero: usize| {
                let shown = |(row, column)| match zero >> column & 1 {
                    1 => 0.0,
                    _ => matrix[(row, column)],
                };
                let part = Array2::from_shape_fn((150, 3), shown);
                let fit = minimise(&Dense::new(part.view()), &y, 1.0, start(), 1e-10).unwrap();
                feasible(&fit).then(|| objective(&fit))
            })
            .fold(f64::INFINITY, f64::min);
        let design = Dense::bounded(matrix.view(), bounds.to_vec());
        let fit = minimise(&design, &y, 1.0, start(), 1e-10).unwrap();
        assert!(feasible(&fit), "{fit:?}");
        assert!(
            (objective(&fit) - best).abs() < 1e-9,
            "seed {seed}: {fit:?} {best}"
        );
    }
}

#[test]
fn a_direction_that_the_rows_have_anyway_changes_nothing() {
    let (cells, outcomes) = world(3, 800);
    let options = FitOptions::plain(1.0);
    let (free, _) = fit_logistic(&columns(&cells), &outcomes, &options).unwrap();
    let directed = columns(&cells)
        .directed([("c", Direction::Falling)])
        .unwrap();
    let (bound, _) = fit_logistic(&directed, &outcomes, &options).unwrap();
    for row in &cells {
        let p = |model: &lagom_model::linear::LinearModel| model.predict(row.as_slice()).unwrap();
        assert!((p(&free) - p(&bound)).abs() < 1e-9);
    }
}

#[test]
fn a_direction_of_nothing_is_refused() {
    let (cells, _) = world(1, 30);
    let error = columns(&cells)
        .directed([("d", Direction::Rising)])
        .unwrap_err();
    assert!(matches!(error, FitError::Direction { column } if column == "d"));
}
