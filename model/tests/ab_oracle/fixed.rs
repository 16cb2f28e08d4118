//! The reference's cases with inputs of their own.

use lagom_model::statistics::{
    Alpha,
    asymptotic_cs::AsymptoticCs,
    multiplicity,
    power::{Demand, Sides, design_effect, power_at},
    srm::SrmTest,
};
use serde_json::{Value, json};

pub(crate) fn all(reference: &Value) -> Value {
    json!({
        "srm_cases": each(&reference["srm_cases"], srm),
        "multiplicity": each(&reference["multiplicity"], family),
        "sample_size": sample_sizes(&reference["sample_size"]),
        "asymp_cs_grid": each(&reference["asymp_cs_grid"], confidence_sequence),
        "alwaysvalid_p": each(&reference["alwaysvalid_p"], always_valid_p),
    })
}

fn each(cases: &Value, of: impl Fn(&Value) -> Value) -> Value {
    Value::Array(cases.as_array().unwrap().iter().map(of).collect())
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn srm(case: &Value) -> Value {
    let observed: Vec<u64> = case["observed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap())
        .collect();
    let weights = numbers(&case["weights"]);
    let mut found =
        serde_json::to_value(SrmTest::of_weights(&observed, &weights).unwrap()).unwrap();
    found["weights"] = json!(weights);
    found
}

fn family(case: &Value) -> Value {
    adjusted(&numbers(&case["p"]))
}

pub(crate) fn adjusted(p: &[f64]) -> Value {
    json!({
        "p": p,
        "bonferroni": multiplicity::bonferroni(p),
        "holm": multiplicity::holm(p),
        "hochberg": multiplicity::hochberg(p),
        "bh": multiplicity::benjamini_hochberg(p),
        "by": multiplicity::benjamini_yekutieli(p),
    })
}

/// The reference names its sizes but not their inputs; those are standard deviation 1 and a
/// difference of 0.1, proportions 0.20 against 0.18, a margin of one point at 5 %, a margin of
/// 0.05 standard deviations.
fn sample_sizes(reference: &Value) -> Value {
    let alpha = Alpha::FIVE_PERCENT;
    let two = Demand::new(alpha, 0.8, Sides::Two).unwrap();
    let one = Demand::new(alpha, 0.8, Sides::One).unwrap();
    let strict = Demand::new(Alpha::new(0.01).unwrap(), 0.9, Sides::Two).unwrap();
    let text = |key: &str| reference["deff"][key].as_str().unwrap().to_owned();
    let (size, correlation) = (text("m"), text("icc"));
    json!({
        "mean_two_sided_z": two.size_for_mean(1.0, 0.1, 1.0),
        "mean_two_sided_z_both_tails": two.size_for_mean_both_tails(1.0, 0.1, 1.0),
        "mean_ratio_half": two.size_for_mean(1.0, 0.1, 0.5),
        "mean_ratio_half_both_tails": two.size_for_mean_both_tails(1.0, 0.1, 0.5),
        "mean_power90_alpha001": strict.size_for_mean(1.0, 0.1, 1.0),
        "mean_power90_alpha001_both_tails": strict.size_for_mean_both_tails(1.0, 0.1, 1.0),
        "power_at_se1_delta2": power_at(1.0, 2.0, alpha, Sides::Two),
        "mde_at_se1": two.minimal_detectable_effect(1.0),
        "prop_unpooled_two_sided": two.size_for_proportions(0.2, 0.18, 0.02),
        "ni_prop_one_sided": one.size_for_proportions(0.05, 0.05, 0.01),
        "ni_mean_one_sided": one.size_for_mean(1.0, 0.05, 1.0),
        "spotify_power_corrected_3guardrails": two.with_guardrails(3).size_for_mean(1.0, 0.1, 1.0),
        "deff": {
            "m": size,
            "icc": correlation,
            "deff": design_effect(size.parse().unwrap(), correlation.parse().unwrap()),
        },
    })
}

fn confidence_sequence(case: &Value) -> Value {
    let number = |key: &str| case[key].as_f64().unwrap();
    let (units, planned, alpha) = (number("N"), number("n_star"), number("alpha"));
    let sequence = AsymptoticCs::new(Alpha::new(alpha).unwrap(), planned).unwrap();
    json!({
        "N": units,
        "n_star": sequence.planned(),
        "alpha": sequence.alpha(),
        "rho": sequence.rho(),
        "rho_exact": sequence.rho_exact(),
        "half_unit_se": sequence.half_width(units, sequence.rho()),
        "half_exact_unit_se": sequence.half_width(units, sequence.rho_exact()),
        "half_1s_unit_se": sequence.one_sided_width(units),
    })
}

fn always_valid_p(case: &Value) -> Value {
    let number = |key: &str| case[key].as_f64().unwrap();
    let sequence = AsymptoticCs::new(Alpha::FIVE_PERCENT, number("n_star")).unwrap();
    let look = sequence.look(number("N"), number("zstat"), 1.0);
    json!({ "zstat": number("zstat"), "N": look.units, "n_star": look.n_star, "p": look.p })
}
