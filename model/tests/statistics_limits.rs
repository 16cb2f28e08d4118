//! Where the statistics stop: quantities that do not exist, samples too small, and properties that
//! must hold for any numbers.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use lagom_model::statistics::{
    Alpha, ArmEstimate, Interval, Moments, StatisticsError,
    asymptotic_cs::AsymptoticCs,
    cuped::{Cuped, linearise_ratio},
    difference::Difference,
    drift::Psi,
    effect::Effect,
    hybrid::Hybrid,
    multiplicity,
    non_inferiority::{Direction, GuardrailState, RelativeMargin},
    power::{Demand, Sides, power_at},
    proportions::{TwoProportions, miettinen_nurminen},
    regression::{ArmSample, lin_adjust},
    srm::SrmTest,
    survival::{Durations, KaplanMeier, RestrictedMean},
    winsor::{Cap, CapBase},
};
use proptest::prelude::*;

const ALPHA: Alpha = Alpha::FIVE_PERCENT;

fn arm(n: f64, mean: f64, variance: f64) -> ArmEstimate {
    ArmEstimate { n, mean, variance }
}

#[test]
fn a_lift_over_nothing_does_not_exist() {
    let effect = Effect::between(&arm(100.0, 0.0, 1.0), &arm(100.0, 1.0, 1.0), ALPHA);
    assert!(effect.relative_delta.is_none());
    assert!(effect.relative_log_delta.is_none());
    assert!(effect.relative_fieller.is_none());
    assert!(effect.absolute.z.is_some());
}

#[test]
fn fieller_says_when_the_control_cannot_be_told_from_zero() {
    let effect = Effect::between(&arm(100.0, 0.1, 1.0), &arm(100.0, 1.0, 1.0), ALPHA);
    let fieller = effect.relative_fieller.unwrap();
    assert!(fieller.g > 1.0);
    assert!(fieller.ci.is_none());
}

#[test]
fn a_lift_over_a_loss_points_the_right_way() {
    // From -10 to -8 is a gain of a fifth.
    let effect = Effect::between(&arm(1e4, -10.0, 1.0), &arm(1e4, -8.0, 1.0), ALPHA);
    assert!((effect.relative_delta.unwrap().lift - 0.2).abs() < 1e-12);
    let ci = effect.relative_fieller.unwrap().ci.unwrap();
    assert!(
        ci.low > 0.19 && ci.contains(0.2) && ci.high < 0.21,
        "{ci:?}"
    );
}

#[test]
fn arms_without_spread_have_no_test() {
    let difference = Difference::between(&arm(10.0, 1.0, 0.0), &arm(10.0, 2.0, 0.0), ALPHA);
    assert!(difference.z.is_none() && difference.welch.is_none());
    assert!(matches!(
        ArmEstimate::mean(&Moments::of_columns(&[&[1.0]]).unwrap(), 0),
        Err(StatisticsError::TooFew { found: 1, .. })
    ));
}

#[test]
fn the_fixed_look_of_the_hybrid_rule_is_spent_once() {
    let mut hybrid = Hybrid::new(ALPHA, 1000.0).unwrap();
    assert!(!hybrid.look(999.0, 1.0, 1.0).at_planned_end);
    let at_end = hybrid.look(1000.0, 0.5, 1.0);
    let later = hybrid.look(4000.0, 2.2, 1.0);
    assert!(at_end.at_planned_end && later.at_planned_end);
    // 2.2 standard errors would pass a fresh fixed look at 4 %, but that look is spent.
    assert!(later.p > 0.05, "{}", later.p);
    assert!(later.ci.high <= at_end.ci.high);
}

#[test]
fn a_relative_margin_moves_with_the_direction() {
    let (control, treatment) = (arm(500.0, 10.0, 4.0), arm(500.0, 10.0, 4.0));
    let higher = RelativeMargin::test(&control, &treatment, 0.1, Direction::Higher).unwrap();
    let lower = RelativeMargin::test(&control, &treatment, 0.1, Direction::Lower).unwrap();
    assert!((higher.contrast - 1.0).abs() < 1e-12 && (lower.contrast - 1.0).abs() < 1e-12);
    assert!(RelativeMargin::test(&control, &treatment, 0.0, Direction::Lower).is_err());
}

#[test]
fn guardrails_have_three_states() {
    let of = |low: f64, high: f64| {
        GuardrailState::of(low, Interval { low, high }, 0.1, Direction::Higher)
    };
    assert_eq!(of(-0.05, 0.2), GuardrailState::Safe);
    assert_eq!(of(-0.2, 0.2), GuardrailState::NotYetShownSafe);
    assert_eq!(of(-0.4, -0.1), GuardrailState::Harmful);
    let complaints = Interval {
        low: 0.2,
        high: 0.4,
    };
    assert_eq!(
        GuardrailState::of(0.4, complaints, 0.1, Direction::Lower),
        GuardrailState::Harmful
    );
}

#[test]
fn a_constant_covariate_is_named() {
    let (y, constant) = ([1.0, 2.0, 4.0, 3.0], [5.0; 4]);
    let columns: [&[f64]; 1] = [&constant];
    let sample = ArmSample {
        outcome: &y,
        covariates: &columns,
    };
    assert!(matches!(
        lin_adjust(sample, sample, ALPHA),
        Err(StatisticsError::Collinear {
            column: 0,
            units: 4
        })
    ));
    let moments = Moments::of_columns(&[&y, &constant]).unwrap();
    assert!(matches!(
        Cuped::adjust(&moments, &moments, 0, 1, ALPHA),
        Err(StatisticsError::ZeroDenominator { .. })
    ));
}

#[test]
fn a_linearised_ratio_keeps_the_difference_of_ratios_to_first_order() {
    let m: Vec<f64> = (0..60).map(|i| f64::from(i % 7)).collect();
    let d: Vec<f64> = (0..60).map(|i| 1.0 + f64::from(i % 5)).collect();
    let x: Vec<f64> = (0..60).map(|i| f64::from(i % 11)).collect();
    let both = Moments::of_columns(&[&m, &d, &x]).unwrap();
    let (control, _) = linearise_ratio(&both, &both, 0, 1, &[2]).unwrap();
    let ratio = ArmEstimate::ratio(&both, 0, 1).unwrap();
    assert!((control.mean(0) - ratio.mean).abs() < 1e-12);
    assert!((control.variance(0) / ratio.variance - 1.0).abs() < 1e-12);
    assert!((control.variance(1) - both.variance(2)).abs() < 1e-12);
}

#[test]
fn caps_are_of_all_arms_together() {
    let (low, high): (Vec<f64>, Vec<f64>) = ((0..99).map(f64::from).collect(), vec![1e6]);
    let cap = Cap::pooled([low.as_slice(), high.as_slice()], 0.99, CapBase::All).unwrap();
    assert!(cap.cap > 98.0 && cap.cap < 1e6, "{cap:?}");
    assert_eq!(cap.clamp(&[1e6, 3.0]), [cap.cap, 3.0]);
}

#[test]
fn no_drift_alarms_below_what_chance_explains() {
    let reference: Vec<f64> = (0..300).map(|i| f64::from(i * 37 % 300)).collect();
    let few: Vec<f64> = reference.iter().step_by(10).copied().collect();
    let moved: Vec<f64> = reference.iter().map(|v| v + 80.0).collect();
    // Thirty values cannot speak against 300 below χ²/30.
    assert!(Psi::between(&reference, &few, 10).unwrap().alert_above > 0.9);
    assert!(Psi::between(&reference, &moved, 10).unwrap().alerts());
}

#[test]
fn the_curve_without_censoring_is_the_share_still_open() {
    let time = [3.0, 1.0, 2.0, 2.0];
    let curve = KaplanMeier::of(&time, &[true; 4]).unwrap();
    assert_eq!(
        [0.5, 1.0, 2.0, 3.0].map(|t| curve.survival(t)),
        [1.0, 0.75, 0.25, 0.0]
    );
    let durations = Durations {
        time: &time,
        event: &[true; 4],
        cluster: &[0, 1, 2, 3],
    };
    let mean = RestrictedMean::of(durations, 10.0).unwrap();
    assert!((mean.rmst - 2.0).abs() < 1e-12);
}

#[test]
fn without_censoring_the_jackknife_is_the_variance_of_a_mean() {
    let n = 5000_u32;
    let time: Vec<f64> = (0..n).map(|i| f64::from(i * 1231 % n)).collect();
    let cluster: Vec<usize> = (0..n as usize).collect();
    let durations = Durations {
        time: &time,
        event: &vec![true; n as usize],
        cluster: &cluster,
    };
    let mean = RestrictedMean::of(durations, 1e4).unwrap();
    let moments = Moments::of_columns(&[&time]).unwrap();
    assert!((mean.rmst / moments.mean(0) - 1.0).abs() < 1e-12);
    let variance = moments.variance(0) / moments.n();
    for found in [mean.var_ij, mean.var_cluster_ij, mean.var_greenwood] {
        assert!((found / variance - 1.0).abs() < 2e-3, "{found} {variance}");
    }
}

#[test]
fn changed_shares_add_up_over_their_periods() {
    let periods = [(vec![0.9, 0.1], 1000), (vec![0.5, 0.5], 1000)];
    let test = SrmTest::of_periods(&[1400, 600], &periods).unwrap();
    assert_eq!(test.expected, [1400.0, 600.0]);
    assert!(test.passes() && test.chi2 == 0.0);
}

/// The restricted likelihood of both arms when the treatment's proportion is `delta` above `p_c`.
fn log_likelihood(arms: [(u64, u64); 2], p_c: f64, delta: f64) -> f64 {
    let term = |events: u64, units: u64, p: f64| {
        let (x, n) = (events as f64, units as f64);
        let of = |count: f64, p: f64| if count == 0.0 { 0.0 } else { count * p.ln() };
        of(x, p) + of(n - x, 1.0 - p)
    };
    term(arms[0].0, arms[0].1, p_c) + term(arms[1].0, arms[1].1, p_c + delta)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_restricted_proportions_maximise_the_likelihood(
        n_c in 20_u64..400, n_t in 20_u64..400, a in 0.0..1.0_f64, b in 0.0..1.0_f64, delta in -0.3..0.3_f64,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let events = |share: f64, n: u64| (share * n as f64) as u64;
        let counts = [(events(a, n_c), n_c), (events(b, n_t), n_t)];
        let arms = TwoProportions::new(counts[0].0, n_c, counts[1].0, n_t).unwrap();
        // The score's variance gives the restricted proportion back; compare likelihoods by a grid.
        let z = miettinen_nurminen::farrington_manning_z(&arms, delta);
        let (low, high) = ((-delta).max(0.0), (1.0 - delta).min(1.0));
        let best = (1..20_000)
            .map(|step| low + (high - low) * f64::from(step) / 20_000.0)
            .max_by(|p, q| log_likelihood(counts, *p, delta).total_cmp(&log_likelihood(counts, *q, delta)))
            .unwrap();
        let variance = |p: f64| p * (1.0 - p) / n_c as f64 + (p + delta) * (1.0 - p - delta) / n_t as f64;
        let by_grid = (arms.diff() - delta) / variance(best).sqrt();
        // On the border the grid stops one step short of a vanishing variance.
        prop_assume!(variance(best) > 1e-4);
        prop_assert!((z - by_grid).abs() <= 0.02 * (1.0 + z.abs()), "{z} {by_grid}");
    }

    #[test]
    fn the_score_interval_is_where_the_score_crosses(
        n_c in 30_u64..500, n_t in 30_u64..500, a in 0.1..0.9_f64, b in 0.1..0.9_f64,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let events = |share: f64, n: u64| (share * n as f64) as u64;
        let arms = TwoProportions::new(events(a, n_c), n_c, events(b, n_t), n_t).unwrap();
        let ci = arms.compare(ALPHA).miettinen_nurminen_ci;
        for (bound, z) in [(ci.low, 1.959_963_984_540_054), (ci.high, -1.959_963_984_540_054)] {
            prop_assert!((miettinen_nurminen::score_z(&arms, bound) - z).abs() < 1e-6);
        }
        prop_assert!(ci.contains(arms.diff()));
    }

    #[test]
    fn adjusted_p_values_keep_their_order(p in prop::collection::vec(0.0..=1.0_f64, 1..20)) {
        let families = [
            multiplicity::bonferroni(&p),
            multiplicity::holm(&p),
            multiplicity::hochberg(&p),
            multiplicity::benjamini_hochberg(&p),
        ];
        for pair in families.windows(2) {
            for (wider, tighter) in pair[0].iter().zip(&pair[1]) {
                prop_assert!(*tighter <= wider + 1e-15);
            }
        }
        for adjusted in &families {
            for (i, a) in p.iter().enumerate() {
                prop_assert!(adjusted[i] >= *a && adjusted[i] <= 1.0);
                for (j, b) in p.iter().enumerate() {
                    prop_assert!(a > b || adjusted[i] <= adjusted[j]);
                }
            }
        }
    }

    #[test]
    fn a_sequence_agrees_with_its_p_and_is_tightest_at_its_plan(
        planned in 100.0..1e6_f64, stat in 0.0..8.0_f64, share in 0.05..20.0_f64,
    ) {
        let sequence = AsymptoticCs::new(ALPHA, planned).unwrap();
        let look = sequence.look(planned * share, stat, 1.0);
        prop_assert!(look.half >= 1.96);
        prop_assert_eq!(look.p < 0.05, look.ci.low > 0.0);
        let bound = sequence.lower_bound(planned * share, stat, 1.0);
        prop_assert_eq!(sequence.one_sided_p(planned * share, stat, 1.0) < 0.05, bound > 0.0);
        prop_assert!(bound >= look.ci.low - 1e-9);
        // The exact mixture width is the best one at the planned size.
        let exact = sequence.half_width(planned, sequence.rho_exact());
        prop_assert!(exact <= sequence.half_width(planned, sequence.rho()) + 1e-12);
    }

    #[test]
    fn a_size_reaches_its_power(
        sd in 0.1..10.0_f64, delta in 0.05..2.0_f64, ratio in 0.2..5.0_f64, power in 0.5..0.99_f64,
    ) {
        let demand = Demand::new(ALPHA, power, Sides::Two).unwrap();
        let n = demand.size_for_mean_both_tails(sd, delta, ratio);
        let se = sd * ((1.0 + 1.0 / ratio) / n).sqrt();
        prop_assert!((power_at(se, delta, ALPHA, Sides::Two) - power).abs() < 1e-9);
        prop_assert!(n <= demand.size_for_mean(sd, delta, ratio) * (1.0 + 1e-9));
    }
}
