//! A treatment exactly as bad as the margin allows is called safe in at most 2.5 %.

use lagom_model::statistics::{
    Alpha, ArmEstimate, Moments,
    asymptotic_cs::{AsymptoticCs, FEWEST_PER_ARM},
    difference::Difference,
    non_inferiority::{AbsoluteMargin, Direction, RelativeMargin},
    proportions::TwoProportions,
};

use crate::{assert_at_least, assert_at_most, draws::Draws, rate};

const LEVEL: f64 = 0.025;

/// Two standard errors of a rate of 2.5 % over the replications: what chance may add.
fn chance(replications: u32) -> f64 {
    2.0 * (LEVEL * (1.0 - LEVEL) / f64::from(replications)).sqrt()
}

fn arm_of(units: usize, mut unit: impl FnMut() -> f64) -> ArmEstimate {
    let mut moments = Moments::new(1);
    for _ in 0..units {
        moments.push(&[unit()]);
    }
    ArmEstimate::mean(&moments, 0).unwrap()
}

#[test]
fn a_mean_at_the_relative_margin() {
    let replications = 20_000;
    let found = rate(replications, |replication| {
        let mut draws = Draws::new(21, replication);
        let control = arm_of(500, || 5.0 + draws.normal());
        let treatment = arm_of(500, || 0.98 * 5.0 + draws.normal());
        RelativeMargin::test(&control, &treatment, 0.02, Direction::Higher)
            .unwrap()
            .p_t
            < LEVEL
    });
    assert_at_most(
        "mean at a margin of 2 %",
        found,
        LEVEL + chance(replications),
    );
    assert_at_least(
        "mean at a margin of 2 %, not timid either",
        found,
        LEVEL - 0.005,
    );
}

#[test]
fn a_ratio_at_the_absolute_margin() {
    let replications = 10_000;
    let found = rate(replications, |replication| {
        let mut draws = Draws::new(22, replication);
        let [control, treatment] = [20.0, 20.5].map(|days| {
            let mut moments = Moments::new(2);
            for _ in 0..400 {
                let amount = 1.0 + draws.exponential();
                moments.push(&[amount * (days + 8.0 * draws.normal()), amount]);
            }
            ArmEstimate::ratio(&moments, 0, 1).unwrap()
        });
        let difference = Difference::between(&control, &treatment, Alpha::FIVE_PERCENT);
        AbsoluteMargin::test(difference.diff, difference.se, 0.5, Direction::Lower)
            .unwrap()
            .p
            < LEVEL
    });
    assert_at_most(
        "days to pay at a margin of half a day",
        found,
        LEVEL + chance(replications),
    );
    assert_at_least("days to pay, not timid either", found, LEVEL - 0.006);
}

#[test]
fn complaints_at_the_margin() {
    let replications = 40_000;
    let found = rate(replications, |replication| {
        let mut draws = Draws::new(23, replication);
        let [control, treatment] =
            [0.03, 0.04].map(|p| (0..600).filter(|_| draws.chance(p)).count() as u64);
        let arms = TwoProportions::new(control, 600, treatment, 600).unwrap();
        arms.not_above(0.01).ni_miettinen_nurminen.p < LEVEL
    });
    assert_at_most(
        "complaints at a margin of one point",
        found,
        LEVEL + chance(replications),
    );
    assert_at_least("complaints, not timid either", found, LEVEL - 0.008);
}

#[test]
fn a_guardrail_watched_daily_at_its_margin() {
    let sequence = AsymptoticCs::new(Alpha::new(LEVEL).unwrap(), 3000.0).unwrap();
    let found = rate(4000, |replication| {
        let mut draws = Draws::new(24, replication);
        let mut arms = [Moments::new(1), Moments::new(1)];
        (0..60).any(|_| {
            for (arm, mean) in arms.iter_mut().zip([1.0, 0.9]) {
                for _ in 0..25 {
                    arm.push(&[mean + draws.normal()]);
                }
            }
            if arms[0].n() < FEWEST_PER_ARM {
                return false;
            }
            let [control, treatment] =
                [&arms[0], &arms[1]].map(|arm| ArmEstimate::mean(arm, 0).unwrap());
            let difference = Difference::between(&control, &treatment, Alpha::FIVE_PERCENT);
            sequence.lower_bound(control.n + treatment.n, difference.diff, difference.se) > -0.1
        })
    });
    assert_at_most("a guardrail at its margin, watched daily", found, LEVEL);
}
