#![allow(clippy::unwrap_used)]

use super::{PersonPeriod, own_columns, seen};
use crate::dataset::{Point, Stage};
use crate::fit::{Cells, Columns, FitOptions, fit_logistic};
use crate::flat_table::{FlatTable, ReadOptions};
use lagom_features::domain::{CustomerId, Days, InvoiceId, Timestamp};
use lagom_model::hazard::{Clock, Hazard, Moment};
use lagom_model::linear::LinearModel;
use std::path::Path;

fn moment(late_in_days: f64) -> Moment {
    Moment {
        late_in_days,
        age_days: 9.0,
    }
}

fn point(settled: Option<i64>) -> Point {
    let at = Timestamp::parse("2026-01-10").unwrap();
    Point {
        customer_id: CustomerId::new("c").unwrap(),
        invoice_id: InvoiceId::new("i").unwrap(),
        stage: Stage::Issue,
        at,
        issued_at: at,
        late_from: at + Days::whole(2),
        moment: moment(2.0),
        settled_at: settled.map(|days| at + Days::whole(days)),
        settled_before: false,
        late: None,
        paid: None,
        left: None,
        left_at: None,
        left_before: false,
    }
}

fn told(rows: &[PersonPeriod]) -> Vec<(&'static str, f64, bool)> {
    let one = |row: &PersonPeriod| (row.period.name, row.period.until, row.settled);
    rows.iter().map(one).collect()
}

#[test]
fn periods_end_with_the_settlement_or_where_nothing_is_known_any_more() {
    let day = |days| Timestamp::parse("2026-01-10").unwrap() + Days::whole(days);
    let settled = seen(0, &point(Some(3)), day(50));
    let expected = [("-2", 1.0, false), ("-1", 2.0, false), ("0", 3.0, false)];
    assert_eq!(told(&settled)[..3], expected);
    assert_eq!(told(&settled)[3..], [("1", 4.0, true)]);
    let censored = seen(0, &point(None), day(6));
    assert_eq!(told(&censored).last(), Some(&("3", 6.0, false)));
    // What happens from `as_of` on is not known: neither its settlement nor its absence.
    assert_eq!(seen(0, &point(Some(8)), day(6)), censored);
    assert!(seen(0, &point(Some(8)), day(0)).is_empty());
    let before = Point {
        settled_before: true,
        ..point(None)
    };
    assert!(seen(0, &before, day(50)).is_empty());
}

/// A penalty so weak that the optimum is that of no penalty, to more digits than are compared.
const NO_PENALTY: f64 = 1e9;

fn fit_rows(x: &[f64], points: &[Point], rows: &[PersonPeriod]) -> LinearModel {
    let x = rows.iter().map(|row| x[row.point]).collect();
    let of = |row: &PersonPeriod| (points[row.point].moment, row.period);
    let clock = Clock::default();
    let own = own_columns(&clock, rows.iter().map(of));
    let columns = std::iter::once(("x".to_owned(), Cells::Number(x)));
    let columns = Columns::new(columns.chain(own).collect());
    let outcomes: Vec<bool> = rows.iter().map(|row| row.settled).collect();
    let options = FitOptions::plain(NO_PENALTY);
    fit_logistic(&columns.unwrap(), &outcomes, &options)
        .unwrap()
        .0
}

#[test]
fn the_curve_equals_a_person_period_fit_in_statsmodels() {
    let read = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles");
        FlatTable::read(&folder.join(name), &ReadOptions::default()).unwrap()
    };
    let (table, expected) = (
        read("person_period.csv"),
        read("person_period_statsmodels.csv"),
    );
    let numbers = |name: &str| table.numbers(name).unwrap();
    let (x, late_in) = (numbers("x"), numbers("late_in_days"));
    let (settled, known) = (numbers("settled_days"), numbers("known_days"));
    let at = Timestamp::parse("2026-01-10").unwrap();
    let (mut points, mut rows) = (Vec::new(), Vec::new());
    for place in 0..table.rows() {
        let later = |days: f64| at + Days::hours((days * 24.0).round() as i64);
        let one = Point {
            moment: moment(late_in[place]),
            settled_at: (!settled[place].is_nan()).then(|| later(settled[place])),
            ..point(None)
        };
        rows.extend(seen(place, &one, later(known[place])));
        points.push(one);
    }
    let (after, before): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.period.late);
    let hazard = Hazard {
        before: fit_rows(x, &points, &before),
        due: None,
        after: fit_rows(x, &points, &after),
        clock: Clock::default(),
        later: None,
    };
    let columns = ["p2", "p4", "p8", "p12"].map(|name| expected.numbers(name).unwrap());
    for (place, point) in points.iter().enumerate() {
        let curve = hazard.paid_by(&[x[place]], point.moment, &[2.0, 4.0, 8.0, 12.0]);
        for (found, expected) in curve.unwrap().iter().zip(&columns) {
            let gap = (found - expected[place]).abs();
            assert!(gap < 1e-6, "row {place}: {found} {}", expected[place]);
        }
    }
}
