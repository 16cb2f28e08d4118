//! Adjustment takes out noise and never a part of the effect.

use lagom_model::statistics::{
    Alpha, Moments,
    cuped::Cuped,
    regression::{ArmSample, lin_adjust},
};

use crate::{assert_at_most, assert_near, draws::Draws};

/// Effect on the population: 0.1 plus 0.4 for each unit of the covariate, whose mean is zero.
const EFFECT: f64 = 0.1;
const SLOPES: [f64; 2] = [0.8, 1.2];

#[test]
fn adjusted_intervals_cover_the_effect_and_are_narrower() {
    let replications = 2000;
    let (mut cuped_covers, mut sample_covers, mut population_covers, mut width) = (0, 0, 0, 0.0);
    for replication in 0..replications {
        let mut draws = Draws::new(51, replication);
        let [control, treatment] =
            [(400, 0.0, SLOPES[0]), (800, EFFECT, SLOPES[1])].map(|(units, effect, slope)| {
                let before: Vec<f64> = (0..units).map(|_| draws.normal()).collect();
                let after: Vec<f64> = before
                    .iter()
                    .map(|x| slope * x + effect + 0.6 * draws.normal())
                    .collect();
                (after, before)
            });
        let [m_c, m_t] =
            [&control, &treatment].map(|arm| Moments::of_columns(&[&arm.0, &arm.1]).unwrap());
        let cuped = Cuped::adjust(&m_c, &m_t, 0, 1, Alpha::FIVE_PERCENT).unwrap();
        let (x_c, x_t) = ([control.1.as_slice()], [treatment.1.as_slice()]);
        let lin = lin_adjust(
            ArmSample {
                outcome: &control.0,
                covariates: &x_c,
            },
            ArmSample {
                outcome: &treatment.0,
                covariates: &x_t,
            },
            Alpha::FIVE_PERCENT,
        )
        .unwrap();
        cuped_covers += u32::from(cuped.absolute.z.unwrap().ci.contains(EFFECT));
        let mean_before = (m_c.sum(1) + m_t.sum(1)) / (m_c.n() + m_t.n());
        let on_these = EFFECT + (SLOPES[1] - SLOPES[0]) * mean_before;
        sample_covers += u32::from(lin.z.unwrap().ci.contains(on_these));
        population_covers += u32::from((lin.diff - EFFECT).abs() <= 1.959_964 * lin.se_population);
        width += lin.se / (m_c.variance(0) / m_c.n() + m_t.variance(0) / m_t.n()).sqrt();
    }
    let share = |count: u32| f64::from(count) / replications as f64;
    assert_near("coverage of cuped", share(cuped_covers), 0.95, 0.015);
    let what = "coverage of lin's regression, these customers";
    assert_near(what, share(sample_covers), 0.95, 0.015);
    let what = "coverage of lin's regression, customers like these";
    assert_near(what, share(population_covers), 0.95, 0.015);
    assert_at_most(
        "width of lin's interval over the plain one",
        width / replications as f64,
        0.65,
    );
}
