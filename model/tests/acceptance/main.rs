//! Do the methods keep their promises? Experiments with a known truth, thousands of times over.
//!
//! Every simulation is seeded, so a rate printed here is the rate everybody sees. Where a method is
//! promised to repair a fault, the fault is simulated beside it: a test in which the naive answer is
//! right as well would prove nothing.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

mod adaptive;
mod draws;
mod fixed;
mod guardrails;
mod integrity;
mod looking;
mod time_to_pay;
mod units;

/// Share of `replications` in which `alarm` goes off; each gets its number.
fn rate(replications: u32, mut alarm: impl FnMut(u64) -> bool) -> f64 {
    let alarms = (0..replications)
        .filter(|number| alarm(u64::from(*number)))
        .count();
    alarms as f64 / f64::from(replications)
}

/// Fails unless `found` lies within `expected ± tolerance`.
fn assert_near(what: &str, found: f64, expected: f64, tolerance: f64) {
    println!("{what}: {found:.4}");
    assert!(
        (found - expected).abs() <= tolerance,
        "{what}: {found} is not {expected} ± {tolerance}"
    );
}

/// Fails when `found` exceeds `limit`.
fn assert_at_most(what: &str, found: f64, limit: f64) {
    println!("{what}: {found:.4}");
    assert!(found <= limit, "{what}: {found} exceeds {limit}");
}

/// Fails when `found` is below `limit`.
fn assert_at_least(what: &str, found: f64, limit: f64) {
    println!("{what}: {found:.4}");
    assert!(found >= limit, "{what}: {found} is below {limit}");
}
