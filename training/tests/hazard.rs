//! The curve of payment on a simulated log in which half of all invoices are paid in one evening,
//! that of the due date: what is quoted against what came later.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod untaught;

use lagom_features::domain::Date;
use lagom_features::spec::FeatureSpec;
use lagom_model::decide::{PolicyKind, Snapshot, SnapshotParts};
use lagom_model::hazard::AtDay;
use lagom_training::pipeline::{Study, TrainingConfig, study};
use lagom_training::simulated_log::{Plan, simulate};
use lagom_training::simulator::World;
use lagom_training::tables::Tables;
use untaught::untaught;

/// A company's months under the rules ladder.
fn lived(customers: usize, days: u16) -> Tables {
    let (_, parts) = untaught();
    let parts = SnapshotParts {
        policy: PolicyKind::Ladder,
        ..parts
    };
    let snapshot = Snapshot::new(parts).unwrap();
    let start = Date::parse("2025-01-01").unwrap();
    let plan = Plan {
        world: World::built_in(),
        customers,
        days,
        start,
        seed: 4,
        judged: (start, start.plus_days(i32::from(days))),
        window_days: 30,
        grace_hours: 24,
        policy: PolicyKind::Ladder,
    };
    let log = simulate(&plan, snapshot, None, || {}).unwrap();
    Tables {
        customers: log.customers,
        invoices: log.invoices,
        events: log.events,
        ..Tables::default()
    }
}

/// By how much a tenth may be off beyond chance here, where few invoices are fitted on. `lagom bench hazard`
/// measures it on many.
const OFF: f64 = 0.04;

/// How far a tenth's share strays by chance: half of its 95 % interval, half as much again because
/// decisions over one invoice share an outcome.
fn noise(at: &AtDay) -> impl Iterator<Item = (f64, f64)> {
    at.bins.iter().map(|bin| {
        let gap = (bin.mean_predicted - bin.observed).abs();
        (gap, 0.75 * (bin.high - bin.low))
    })
}

fn told(study: &Study) {
    for at in &study.all {
        println!(
            "day {}: {} decisions, log-loss {:.4}, ECE {:.4}",
            at.days, at.metrics.rows, at.metrics.log_loss, at.metrics.ece
        );
        for bin in &at.bins {
            println!(
                "  said {:.3}, seen {:.3} ({:.3} to {:.3})",
                bin.mean_predicted, bin.observed, bin.low, bin.high
            );
        }
    }
    println!("one day alone: {:?}", study.single);
}

#[test]
fn what_is_quoted_comes_true_where_half_is_paid_in_one_evening() {
    let histories = lived(600, 400).take_histories();
    let text = "[training]\nmost_invoices = 2500\nafter_days = [3, 14, 28]";
    let config = TrainingConfig::parse(text, FeatureSpec::built_in()).unwrap();
    let study = study(&histories, &config, 1, 1).unwrap();
    told(&study);
    let curve = &study.all;
    assert_eq!(
        curve.iter().map(|at| at.days).collect::<Vec<_>>(),
        [7, 14, 30, 60]
    );
    for at in curve {
        for (gap, chance) in noise(at) {
            assert!(
                gap < OFF + chance,
                "day {}: off by {gap}, {chance} by chance",
                at.days
            );
        }
        // A mean distance is a fifth of the width of the intervals where all is chance, a quarter
        // where decisions share outcomes.
        let width = at.bins.iter().map(|bin| bin.high - bin.low).sum::<f64>();
        let allowed = OFF / 2.0 + 0.25 * width / at.bins.len() as f64;
        let found = at.metrics.ece;
        assert!(found < allowed, "day {}: {found}, {allowed}", at.days);
    }
    assert!(study.refitted.is_empty());
    // One curve for every day is no worse than a model of the one day.
    let single = study.single.unwrap().log_loss;
    let curve = curve[2].metrics.log_loss;
    assert!(curve < single + 0.01, "{curve} against {single}");
}

#[test]
fn a_curve_that_is_fitted_anew_knows_more_of_later_invoices_and_nothing_of_their_future() {
    let histories = lived(250, 330).take_histories();
    let text = "[training]\nmost_invoices = 1200\nafter_days = [3, 14]\njudge_share = 0.5";
    let config = TrainingConfig::parse(text, FeatureSpec::built_in()).unwrap();
    let [once, thrice] = [1, 3].map(|fits| study(&histories, &config, fits, 1).unwrap());
    assert_eq!(thrice.refitted.len(), 2);
    assert!(thrice.refitted[0] > thrice.judged_from && thrice.refitted.is_sorted());
    for (once, thrice) in once.all.iter().zip(&thrice.all) {
        assert_eq!(once.metrics.rows, thrice.metrics.rows);
        assert_ne!(once.bins, thrice.bins, "day {}", once.days);
        // Outcomes that a refit could see would be quoted almost surely.
        let (before, after) = (once.metrics.log_loss, thrice.metrics.log_loss);
        assert!(
            after > 0.7 * before && after < 1.05 * before,
            "{before} {after}"
        );
    }
}
