use super::{LEAST, Tried, Widening, common_error, coverage, learn};
use crate::forecast::{Sum, Z};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SAID: Sum = Sum {
    mean: 100.0,
    variance: 25.0,
};

/// A forecast of 100 ± 5 that was off by `error`, as was known at once and ever since.
fn off(origin: u32, ahead: u32, error: f64) -> Tried {
    Tried {
        origin,
        ahead,
        said: SAID,
        came: vec![100.0 + error; 60],
    }
}

/// From the middle of an interval to its upper end, which nothing cuts off.
fn width(one: &Widening, said: Sum) -> f64 {
    one.expected(said).high - said.mean
}

#[test]
fn one_horizon_by_hand() {
    // Errors of 20 where chance makes 5: S/V = 400/25 = 16, ψ = 15, c = √(15 · 25 / 100²).
    let tried: Vec<Tried> = (0..4).map(|origin| off(origin, 1, 20.0)).collect();
    let learnt = learn(&tried, 4, 1);
    assert_eq!((learnt.len(), learnt[0].errors), (1, 4));
    assert!((learnt[0].excess - 15.0).abs() < 1e-12);
    assert!((learnt[0].common - 0.0375_f64.sqrt()).abs() < 1e-12);
    assert!((common_error(&learnt) - 0.0375_f64.sqrt()).abs() < 1e-12);
    // Upper tenth of Student's t with four degrees of freedom, of any table: 1.533.
    assert!((learnt[0].quantile - 1.533_206).abs() < 1e-6);
    let band = learnt[0].expected(SAID);
    assert!((band.high - (100.0 + 1.533_206 * 20.0)).abs() < 1e-4);
    // Twice as much is said, of twice as many invoices: the common error is twice as large.
    let twice = Sum {
        mean: 200.0,
        variance: 50.0,
    };
    let sd = (50.0_f64 + 15.0 * 25.0 * 4.0).sqrt();
    assert!((learnt[0].expected(twice).high - (200.0 + 1.533_206 * sd)).abs() < 1e-3);
}

#[test]
fn a_horizon_borrows_half_from_its_neighbour() {
    // S/V is 16 at one week (three errors) and 4 at two (two errors).
    let mut tried: Vec<Tried> = (0..3).map(|origin| off(origin, 1, 20.0)).collect();
    tried.extend((0..2).map(|origin| off(origin, 2, 10.0)));
    let learnt = learn(&tried, 3, 3);
    let near = (3.0 * 16.0 + 1.0 * 4.0) / 4.0 - 1.0;
    let far = (1.5 * 16.0 + 2.0 * 4.0) / 3.5 - 1.0;
    let none = (0.75 * 16.0 + 1.0 * 4.0) / 1.75 - 1.0;
    for (one, excess) in learnt.iter().zip([near, far, none]) {
        assert!((one.excess - excess).abs() < 1e-12, "{one:?}");
    }
    assert_eq!(learnt[2].errors, 0);
    // No error of its own: a guess, as wide as one degree of freedom makes it.
    assert!((learnt[2].quantile - 3.077_684).abs() < 1e-6);
}

#[test]
fn without_a_past_there_is_chance_alone_and_nothing_is_judged() {
    let learnt = learn(&[], 0, 2);
    assert!(learnt.iter().all(|one| one.errors == 0));
    assert_eq!(learnt[0].expected(SAID).high, 100.0 + Z * 5.0);
    let few: Vec<Tried> = (0..4).map(|origin| off(origin, 1, 1.0)).collect();
    let rows = coverage(&few, 4, 1);
    assert_eq!((rows[0].known, rows[0].forecasts), (4, 0));
    // Nothing said is nothing tried.
    let silent = Tried {
        said: Sum::default(),
        ..off(0, 1, 0.0)
    };
    assert!(coverage(&[silent], 4, 1).is_empty());
}

#[test]
fn a_forecast_is_judged_by_earlier_errors_and_never_by_its_own() {
    // Four weeks without an error, then one that chance does not make: its own error does not widen it.
    let mut tried: Vec<Tried> = (0..4).map(|origin| off(origin, 1, 0.0)).collect();
    tried.push(off(4, 1, 60.0));
    tried.push(off(5, 1, 60.0));
    let rows = coverage(&tried, 6, 1);
    assert_eq!((rows[0].known, rows[0].forecasts), (6, 2));
    // The first of them is outside; the second, by five errors, one of which was 60, as well:
    // √(3600/5) · 1.476 = 39.6.
    assert_eq!(rows[0].inside, 0);
    assert_eq!(rows[0].said_minor, 600.0);
    assert_eq!(rows[0].came_minor, 720.0);
    // Ten forecasts, six of them judged, with errors of 60 from the fifth on. By nine errors, five of
    // which were 60, √(18000/9) · 1.383 = 61.9 holds the last; by eight, √(14400/8) · 1.397 = 59.3
    // does not hold the one before it.
    tried.extend((6..10).map(|origin| off(origin, 1, 60.0)));
    let rows = coverage(&tried, 10, 1);
    assert_eq!((rows[0].forecasts, rows[0].inside), (6, 1));
}

#[test]
fn what_is_recorded_later_changes_nothing_that_was_said() {
    let tried = |later: f64| -> Vec<Tried> {
        let one = |origin| Tried {
            came: vec![104.0, later, later, later, later, later],
            ..off(origin, 1, 0.0)
        };
        (0..6).map(one).collect()
    };
    // At the end of the first week nobody knows what a later week will correct.
    assert_eq!(learn(&tried(0.0), 1, 2), learn(&tried(900.0), 1, 2));
    assert_eq!(learn(&tried(0.0), 1, 2)[0].errors, 1);
    assert!(learn(&tried(0.0), 2, 2) != learn(&tried(900.0), 2, 2));
    // A week that is not over is no error.
    assert_eq!(learn(&tried(0.0), 0, 2)[0].errors, 0);
}

proptest! {
    #[test]
    fn larger_errors_never_make_narrower_intervals_and_chance_is_the_least(
        errors in prop::collection::vec((0_u32..12, 1_u32..6, -90.0_f64..400.0), 0..40),
        more in prop::collection::vec(1.0_f64..3.0, 40),
        (mean, variance) in (0.0_f64..1e4, 0.01_f64..1e4),
    ) {
        let said = Sum { mean, variance };
        let plain = Z * variance.sqrt();
        let one = |(o, h, error): &(u32, u32, f64)| off(*o, *h, *error);
        let tried: Vec<Tried> = errors.iter().map(one).collect();
        let worse = errors.iter().zip(&more).map(|((o, h, error), more)| off(*o, *h, error * more));
        let worse: Vec<Tried> = worse.collect();
        for (before, after) in learn(&tried, 20, 6).iter().zip(&learn(&worse, 20, 6)) {
            let widths = (width(before, said), width(after, said));
            prop_assert!(widths.0 >= plain * (1.0 - 1e-9), "{before:?}");
            prop_assert!(widths.1 >= widths.0 * (1.0 - 1e-9), "{before:?} {after:?}");
            prop_assert!(before.expected(said).low >= 0.0);
        }
    }
}

/// About normal, mean 0 and standard deviation 1: twelve uniforms.
fn normal(draw: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| draw.random::<f64>()).sum::<f64>() - 6.0
}

/// Companies whose weeks share a shock that lasts and errors that grow with the horizon, which the
/// forecast knows nothing of: chance alone holds few weeks, what is learnt holds about what it promises.
#[test]
fn intervals_hold_what_they_promise_where_weeks_share_more_than_chance() {
    let (weeks, now) = (8_u32, 24_u32);
    let mut draw = ChaCha8Rng::seed_from_u64(3);
    let (mut inside, mut judged, mut plain) = (0, 0, 0);
    for _ in 0..300 {
        let mut level = 0.0;
        let shocks: Vec<f64> = (0..=now)
            .map(|_| {
                level = 0.5 * level + 0.08 * normal(&mut draw);
                level
            })
            .collect();
        let mut tried = Vec::new();
        for origin in 0..now {
            for ahead in 1..=weeks.min(now - origin) {
                let shock =
                    shocks[(origin + ahead) as usize] + 0.02 * f64::from(ahead) * normal(&mut draw);
                let error = 100.0 * shock + 5.0 * normal(&mut draw);
                tried.push(off(origin, ahead, error));
                plain += usize::from(error.abs() <= Z * 5.0);
            }
        }
        let all = tried.len();
        for row in coverage(&tried, now, weeks) {
            inside += row.inside;
            judged += row.forecasts;
        }
        assert!(judged > 0 && all > LEAST);
    }
    let share = f64::from(inside as u32) / f64::from(judged as u32);
    let (of_chance, all) = (f64::from(plain as u32), 300.0 * 164.0);
    assert!((0.78..0.85).contains(&share), "{share}");
    assert!(of_chance / all < 0.55, "{}", of_chance / all);
}
