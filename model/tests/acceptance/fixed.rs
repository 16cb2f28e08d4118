//! One look at the planned end: error rates of 5 %.

use lagom_model::statistics::{
    Alpha, ArmEstimate, Moments, effect::Effect, heterogeneity::Heterogeneity, maturity::Window,
};

use crate::{assert_at_least, assert_near, draws::Draws, rate};

const ALPHA: Alpha = Alpha::FIVE_PERCENT;

fn significant(effect: &Effect) -> bool {
    effect
        .absolute
        .welch
        .as_ref()
        .is_some_and(|test| test.p < 0.05)
}

fn arm_of(units: usize, mut unit: impl FnMut() -> f64) -> ArmEstimate {
    let mut moments = Moments::new(1);
    for _ in 0..units {
        moments.push(&[unit()]);
    }
    ArmEstimate::mean(&moments, 0).unwrap()
}

#[test]
fn an_a_a_test_alarms_in_five_percent() {
    let found = rate(4000, |replication| {
        let mut draws = Draws::new(1, replication);
        let control = arm_of(1000, || draws.cash());
        let treatment = arm_of(1500, || draws.cash());
        significant(&Effect::between(&control, &treatment, ALPHA))
    });
    assert_near(
        "a/a, heavy-tailed cash, arms of 1000 and 1500",
        found,
        0.05,
        0.01,
    );
}

#[test]
fn intervals_of_the_lift_cover_it() {
    const LIFT: f64 = 0.1;
    let (mut delta, mut log, mut fieller) = (0, 0, 0);
    let replications = 4000;
    for replication in 0..replications {
        let mut draws = Draws::new(2, replication);
        let control = arm_of(400, || draws.exponential());
        let treatment = arm_of(400, || (1.0 + LIFT) * draws.exponential());
        let effect = Effect::between(&control, &treatment, ALPHA);
        delta += u32::from(effect.relative_delta.unwrap().z.unwrap().ci.contains(LIFT));
        log += u32::from(effect.relative_log_delta.unwrap().ci.contains(LIFT));
        fieller += u32::from(effect.relative_fieller.unwrap().ci.unwrap().contains(LIFT));
    }
    for (what, covered) in [("delta", delta), ("log-delta", log), ("fieller", fieller)] {
        let share = f64::from(covered) / replications as f64;
        assert_near(
            &format!("coverage of the lift by {what}"),
            share,
            0.95,
            0.01,
        );
    }
}

#[test]
fn clustered_invoices_alarm_in_five_percent_by_customer_and_too_often_by_invoice() {
    let mut naive = 0;
    let replications = 4000;
    let by_customer = rate(replications, |replication| {
        let mut draws = Draws::new(3, replication);
        let [control, treatment] = [(); 2].map(|()| clustered_arm(&mut draws, 500));
        let ratio = |arm: &(Moments, Moments)| ArmEstimate::ratio(&arm.0, 0, 1).unwrap();
        let mean = |arm: &(Moments, Moments)| ArmEstimate::mean(&arm.1, 0).unwrap();
        naive += u32::from(significant(&Effect::between(
            &mean(&control),
            &mean(&treatment),
            ALPHA,
        )));
        significant(&Effect::between(
            &ratio(&control),
            &ratio(&treatment),
            ALPHA,
        ))
    });
    assert_near("clustered invoices, by customer", by_customer, 0.05, 0.01);
    let by_invoice = f64::from(naive) / f64::from(replications);
    assert_at_least("clustered invoices, as if independent", by_invoice, 0.10);
}

/// Customers who pay all their invoices well or badly: moments per customer (paid, invoices) and
/// per invoice (paid).
fn clustered_arm(draws: &mut Draws, customers: usize) -> (Moments, Moments) {
    let (mut per_customer, mut per_invoice) = (Moments::new(2), Moments::new(1));
    for _ in 0..customers {
        let habit = 1.0 / (1.0 + (-0.8 - 1.5 * draws.normal()).exp());
        let invoices = draws.invoices();
        let mut paid = 0.0;
        for _ in 0..invoices {
            let pays = f64::from(u8::from(draws.chance(habit)));
            per_invoice.push(&[pays]);
            paid += pays;
        }
        per_customer.push(&[paid, invoices as f64]);
    }
    (per_customer, per_invoice)
}

#[test]
fn heterogeneity_finds_a_planted_segment_and_no_other() {
    let q = |effects: [f64; 3], replication: u64| {
        let mut draws = Draws::new(4, replication);
        let segments = effects.map(|effect| {
            let control = arm_of(700, || draws.normal());
            let treatment = arm_of(700, || draws.normal() + effect);
            let effect = Effect::between(&control, &treatment, ALPHA);
            (effect.absolute.diff, effect.absolute.se)
        });
        Heterogeneity::of(&segments).unwrap().p < 0.05
    };
    let found = rate(1000, |replication| q([0.0, 0.0, 0.3], replication));
    assert_at_least("a planted segment found", found, 0.95);
    let alarms = rate(2000, |replication| q([0.1; 3], replication));
    assert_near(
        "segments that are alike called different",
        alarms,
        0.05,
        0.015,
    );
}

#[test]
fn paying_sooner_is_not_called_paying_more() {
    const AS_OF: f64 = 90.0;
    let window = Window::of_days(60.0).unwrap();
    let mut hasty = 0;
    let replications = 1000;
    let mature = rate(replications, |replication| {
        let mut draws = Draws::new(5, replication);
        // Seven in ten pay within the window whatever the arm; the treatment halves the delay.
        let [control, treatment] = [1.0, 0.5].map(|delay| {
            let (mut all, mut mature) = (Moments::new(1), Moments::new(1));
            for _ in 0..1500 {
                let exposed = 60.0 * draws.uniform();
                let pays = draws
                    .chance(0.7)
                    .then(|| exposed + 59.9 * delay * draws.uniform());
                let seen = pays.is_some_and(|day| day <= AS_OF && window.holds(exposed, day));
                let paid = f64::from(u8::from(seen));
                all.push(&[paid]);
                if window.is_mature(exposed, AS_OF) {
                    mature.push(&[paid]);
                }
            }
            (
                ArmEstimate::mean(&all, 0).unwrap(),
                ArmEstimate::mean(&mature, 0).unwrap(),
            )
        });
        hasty += u32::from(significant(&Effect::between(
            &control.0,
            &treatment.0,
            ALPHA,
        )));
        significant(&Effect::between(&control.1, &treatment.1, ALPHA))
    });
    assert_near(
        "speed called a gain, matured customers",
        mature,
        0.05,
        0.015,
    );
    let naive = f64::from(hasty) / f64::from(replications);
    assert_at_least("speed called a gain, open windows counted", naive, 0.9);
}
