//! Looking every day: what a fixed interval does, and what sequences and the hybrid rule do.

use lagom_model::statistics::{
    Alpha, ArmEstimate, Moments,
    asymptotic_cs::{AsymptoticCs, FEWEST_PER_ARM},
    difference::Difference,
    hybrid::Hybrid,
    running::Running,
};

use crate::{assert_at_least, assert_at_most, draws::Draws};

const ALPHA: Alpha = Alpha::FIVE_PERCENT;
const DAYS: usize = 60;
const A_DAY_PER_ARM: usize = 33;
const REPLICATIONS: u32 = 4000;

/// How often each rule ever calls an experiment without effect significant.
#[derive(Default)]
struct Alarms {
    daily_z: u32,
    sequence: u32,
    hybrid: u32,
}

fn look_every_day(simulation: u64, unit: impl Fn(&mut Draws) -> f64) -> Alarms {
    let planned = (2 * DAYS * A_DAY_PER_ARM) as f64;
    let sequence = AsymptoticCs::new(ALPHA, 2000.0).unwrap();
    let mut alarms = Alarms::default();
    for replication in 0..u64::from(REPLICATIONS) {
        let mut draws = Draws::new(simulation, replication);
        let mut arms = [Moments::new(1), Moments::new(1)];
        let mut hybrid = Hybrid::new(ALPHA, planned).unwrap();
        let (mut running, mut daily_z, mut by_hybrid) = (Running::default(), false, false);
        for _ in 0..DAYS {
            for arm in &mut arms {
                for _ in 0..A_DAY_PER_ARM {
                    arm.push(&[unit(&mut draws)]);
                }
            }
            if arms[0].n() < FEWEST_PER_ARM {
                continue;
            }
            let [control, treatment] =
                [&arms[0], &arms[1]].map(|arm| ArmEstimate::mean(arm, 0).unwrap());
            let difference = Difference::between(&control, &treatment, ALPHA);
            if difference.se == 0.0 {
                continue;
            }
            let units = control.n + treatment.n;
            daily_z |= difference.z.is_some_and(|test| test.p < 0.05);
            running.take(&sequence.look(units, difference.diff, difference.se));
            by_hybrid |= hybrid.look(units, difference.diff, difference.se).p < 0.05;
        }
        alarms.daily_z += u32::from(daily_z);
        alarms.sequence += u32::from(running.min_p < 0.05);
        alarms.hybrid += u32::from(by_hybrid);
    }
    alarms
}

fn check(what: &str, alarms: &Alarms) {
    let share = |count: u32| f64::from(count) / f64::from(REPLICATIONS);
    assert_at_least(
        &format!("{what}, daily fixed intervals"),
        share(alarms.daily_z),
        0.2,
    );
    assert_at_most(
        &format!("{what}, confidence sequence"),
        share(alarms.sequence),
        0.05,
    );
    assert_at_most(&format!("{what}, hybrid rule"), share(alarms.hybrid), 0.05);
}

#[test]
fn normal_outcomes_may_be_watched() {
    check("normal", &look_every_day(11, Draws::normal));
}

#[test]
fn heavy_tailed_cash_may_be_watched() {
    check("heavy-tailed cash", &look_every_day(12, Draws::cash));
}

#[test]
fn rare_events_may_be_watched() {
    check(
        "events of 5 %",
        &look_every_day(13, |draws| f64::from(u8::from(draws.chance(0.05)))),
    );
}
