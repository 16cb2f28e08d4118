#![allow(clippy::unwrap_used)]

use super::*;

const PLAN: &str = r#"
experiment = "spring"
control = "ladder"
planned_customers = 400
interval = "fixed"
[columns]
customer = "id"
arm = "arm"
[shares]
ladder = 0.5
bandit = 0.5
[[metrics]]
name = "collection_rate"
role = "success"
direction = "higher"
numerator = "cash"
denominator = "billed"
"#;

fn report(replications: u32, looks: u32) -> PlanReport {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let (mut cash, mut billed) = (Vec::new(), Vec::new());
    for _ in 0..1_000 {
        let amount = 100.0 + 400.0 * rng.random::<f64>();
        billed.push(amount);
        cash.push(amount * f64::from(u8::from(rng.random::<f64>() < 0.7)));
    }
    let column = |name: &str, values| Column {
        name: name.to_owned(),
        values: Values::Number(values),
    };
    let table = FlatTable::new(vec![column("cash", cash), column("billed", billed)]).unwrap();
    let plan = Plan::parse("plan.toml", PLAN).unwrap();
    let ask = PlanAsk {
        replications,
        looks,
        seed: 1,
        per_day: 8.0,
        share: 0.5,
        window_days: 60.0,
    };
    plan_report(&table, &plan, &ask).unwrap()
}

#[test]
fn the_simulated_rates_are_those_of_the_design() {
    let report = report(600, 1);
    assert_eq!((report.customers, report.days), (400, 160.0));
    // Five standard deviations of a binomial share of 600.
    assert!(
        (report.false_positive_rate - 0.025).abs() < 0.032,
        "{report:?}"
    );
    assert!((report.power - 0.8).abs() < 0.09, "{report:?}");
    assert!(report.ship_rate <= report.power + 1e-9);
    let goal = &report.metrics[0];
    assert!(
        (0.05..0.3).contains(&goal.minimal_detectable_effect),
        "{goal:?}"
    );
}

#[test]
fn looking_often_at_a_design_for_one_look_is_found_out() {
    let (once, often) = (report(300, 1), report(300, 4));
    assert!(
        often.false_positive_rate > once.false_positive_rate,
        "{once:?} {often:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    assert_eq!(report(5, 2), report(5, 2));
}
