//! Tables made for one purpose each: what the review must say of a broken or harmful experiment.

use lagom_training::{
    flat_table::{Column, FlatTable, Values},
    review::{Plan, Review, ReviewError, review_table},
};
use serde_json::Value;

const PLAN: &str = r#"
experiment = "synthetic"
control = "ladder"
planned_customers = 2000
[columns]
customer = "id"
arm = "arm"
[shares]
ladder = 0.5
bandit = 0.5
[[metrics]]
name = "cash"
role = "success"
direction = "higher"
value = "cash"
[[metrics]]
name = "complaint"
role = "guardrail"
direction = "lower"
value = "complaint"
margin = { absolute = 0.02 }
"#;

/// A table of `sizes` customers in (ladder, bandit), cash spread evenly around the given means, every
/// n-th customer complaining.
struct World {
    sizes: (usize, usize),
    cash: (f64, f64),
    complains_every: (usize, usize),
}

const CALM: World = World {
    sizes: (1000, 1000),
    cash: (100.0, 100.0),
    complains_every: (50, 50),
};

impl World {
    fn table(&self) -> FlatTable {
        let (mut id, mut arm, mut cash, mut complaint) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let arms = [
            ("ladder", self.sizes.0, self.cash.0, self.complains_every.0),
            ("bandit", self.sizes.1, self.cash.1, self.complains_every.1),
        ];
        for (name, size, mean, every) in arms {
            for customer in 0..size {
                id.push(Some(format!("{name}-{customer}")));
                arm.push(Some(name.to_owned()));
                cash.push(mean + (customer % 41) as f64 - 20.0);
                complaint.push(f64::from(u8::from(customer % every == 0)));
            }
        }
        table(id, arm, cash, complaint)
    }

    fn review(&self) -> Review {
        review_table(&self.table(), &Plan::parse("plan.toml", PLAN).unwrap()).unwrap()
    }
}

fn table(
    id: Vec<Option<String>>,
    arm: Vec<Option<String>>,
    cash: Vec<f64>,
    complaint: Vec<f64>,
) -> FlatTable {
    let column = |name: &str, values| Column {
        name: name.to_owned(),
        values,
    };
    FlatTable::new(vec![
        column("id", Values::Text(id)),
        column("arm", Values::Text(arm)),
        column("cash", Values::Number(cash)),
        column("complaint", Values::Number(complaint)),
    ])
    .unwrap()
}

fn verdict(review: &Review) -> (String, String) {
    let document: Value = serde_json::to_value(review).unwrap();
    let comparison = &document["comparisons"]["ladder_vs_bandit"];
    (
        comparison["decision"]["verdict"]
            .as_str()
            .unwrap()
            .to_owned(),
        comparison["sentence"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn a_better_and_harmless_arm_ships() {
    let review = World {
        cash: (100.0, 104.0),
        complains_every: (50, 60),
        ..CALM
    }
    .review();
    let (verdict, sentence) = verdict(&review);
    assert_eq!(verdict, "ship", "{sentence}");
    assert_eq!(
        sentence,
        "ship `bandit`: `cash` is better; all guardrails are within their margins"
    );
}

#[test]
fn an_arm_that_draws_complaints_is_stopped_and_the_guardrail_is_shown() {
    let review = World {
        cash: (100.0, 104.0),
        complains_every: (50, 5),
        ..CALM
    }
    .review();
    let (verdict, sentence) = verdict(&review);
    assert_eq!(verdict, "stop_for_harm", "{sentence}");
    assert!(sentence.contains("guardrail `complaint`"), "{sentence}");
}

#[test]
fn unequal_arms_withhold_the_verdict_but_not_the_numbers() {
    let review = World {
        sizes: (1000, 1200),
        cash: (100.0, 104.0),
        ..CALM
    }
    .review();
    let (verdict, sentence) = verdict(&review);
    assert_eq!(verdict, "cannot_judge", "{sentence}");
    assert!(sentence.contains("sizes do not fit"), "{sentence}");
    let cash = &review.comparisons[0].1.metrics[0].1;
    assert!((cash.effects.raw.absolute.diff - 4.0).abs() < 0.5);
}

#[test]
fn nothing_found_keeps_the_control_at_the_end_and_runs_on_before() {
    assert_eq!(verdict(&CALM.review()).0, "keep_control");
    let early = World {
        sizes: (400, 400),
        ..CALM
    };
    let (verdict, sentence) = verdict(&early.review());
    assert_eq!(verdict, "keep_running", "{sentence}");
    assert!(
        sentence.contains("800 of 2000 planned customers"),
        "{sentence}"
    );
}

#[test]
fn few_customers_and_customers_in_two_arms_are_not_judged() {
    let few = World {
        sizes: (60, 60),
        ..CALM
    };
    assert_eq!(verdict(&few.review()).0, "cannot_judge");

    let mut columns: Vec<Column> = CALM.table().columns().to_vec();
    if let Values::Text(ids) = &mut columns[0].values {
        for row in 0..40 {
            ids[1000 + row] = ids[row].clone();
        }
    }
    let mixed = FlatTable::new(columns).unwrap();
    let review = review_table(&mixed, &Plan::parse("plan.toml", PLAN).unwrap()).unwrap();
    assert_eq!(review.exclusions.mixed_customers, 40);
    assert_eq!(review.customers, 1920);
    let (verdict, sentence) = verdict(&review);
    assert_eq!(verdict, "cannot_judge");
    assert!(
        sentence.contains("40 customers were in several arms"),
        "{sentence}"
    );
}

#[test]
fn an_arm_without_a_share_is_a_leak() {
    let mut columns: Vec<Column> = CALM.table().columns().to_vec();
    if let Values::Text(arms) = &mut columns[1].values {
        arms[3] = Some("shadow".to_owned());
    }
    let table = FlatTable::new(columns).unwrap();
    let review = review_table(&table, &Plan::parse("plan.toml", PLAN).unwrap()).unwrap();
    assert_eq!(review.srm.leak_units, 1);
    assert_eq!(verdict(&review).0, "cannot_judge");
}

#[test]
fn a_repeated_customer_is_a_fault_with_both_rows() {
    let ids = ["a", "b", "a"].map(|id| Some(id.to_owned())).to_vec();
    let arms = vec![Some("ladder".to_owned()); 3];
    let table = table(ids, arms, vec![1.0; 3], vec![0.0; 3]);
    let error = review_table(&table, &Plan::parse("plan.toml", PLAN).unwrap()).unwrap_err();
    assert!(
        matches!(
            error,
            ReviewError::RepeatedCustomer {
                first: 0,
                second: 2,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_faulty_plan_names_every_line() {
    let unknown = Plan::parse(
        "plan.toml",
        &PLAN.replace("planned_customers", "planed_customers"),
    )
    .unwrap_err();
    let message = unknown.to_string();
    assert!(
        message.starts_with("plan.toml: line 4: unknown field `planed_customers`"),
        "{message}"
    );

    let faulty = PLAN
        .replace("bandit = 0.5", "bandit = -1.0")
        .replace(
            "margin = { absolute = 0.02 }",
            "margin = { absolute = 0.0 }",
        )
        .replace("value = \"cash\"", "numerator = \"cash\"");
    let message = Plan::parse("plan.toml", &faulty).unwrap_err().to_string();
    for part in [
        "line 10: the share of `bandit`",
        "line 12: metric `cash` needs either",
        "line 21: the margin of `complaint`",
    ] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn a_column_the_table_lacks_is_named() {
    let plan = Plan::parse(
        "plan.toml",
        &PLAN.replace("value = \"cash\"", "value = \"money\""),
    )
    .unwrap();
    let message = review_table(&CALM.table(), &plan).unwrap_err().to_string();
    assert!(
        message.contains("money") && message.contains("complaint"),
        "{message}"
    );
}

#[test]
fn open_windows_are_left_out_but_counted_as_assigned() {
    let mut columns: Vec<Column> = CALM.table().columns().to_vec();
    columns.push(Column {
        name: "first_decision".to_owned(),
        values: Values::Number((0..2000).map(|row| f64::from(row % 100)).collect()),
    });
    let table = FlatTable::new(columns).unwrap();
    let gated = PLAN.replace(
        "[shares]",
        "[window]\nexposed = \"first_decision\"\ndays = 60\nas_of = 120\n[shares]",
    );
    let review = review_table(&table, &Plan::parse("plan.toml", &gated).unwrap()).unwrap();
    // Exposed on days 0 to 60 of 0 to 99.
    assert_eq!(review.customers, 1220);
    assert_eq!(review.exclusions.immature, 780);
    assert_eq!(review.srm.observed, [1000, 1000]);
}

#[test]
fn arms_share_the_level_and_the_family() {
    let mut columns: Vec<Column> = CALM.table().columns().to_vec();
    if let Values::Text(arms) = &mut columns[1].values {
        for arm in &mut arms[500..1000] {
            *arm = Some("uniform".to_owned());
        }
    }
    let table = FlatTable::new(columns).unwrap();
    let plan = PLAN.replace("ladder = 0.5", "ladder = 0.25\nuniform = 0.25");
    let review = review_table(&table, &Plan::parse("plan.toml", &plan).unwrap()).unwrap();
    let keys: Vec<&str> = review
        .comparisons
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(keys, ["ladder_vs_bandit", "ladder_vs_uniform"]);
    assert_eq!(review.arms, ["ladder", "bandit", "uniform"]);
    assert_eq!(review.shares, [0.25, 0.5, 0.25]);
    assert!(review.srm.passes());
    assert_eq!(
        review.multiplicity.names,
        ["ladder_vs_bandit/mean.cash", "ladder_vs_uniform/mean.cash"]
    );
    for (_, comparison) in &review.comparisons {
        assert_eq!(comparison.metrics[0].1.effects.judged.alpha, 0.025);
    }
    // Three quarters and one half of 2000 planned customers.
    let planned = |at: usize| {
        review.comparisons[at].1.metrics[0]
            .1
            .effects
            .asymp_cs
            .look
            .n_star
    };
    assert_eq!([planned(0), planned(1)], [1500.0, 1000.0]);
}

#[test]
fn odd_tables_are_reviewed_or_refused_in_one_line() {
    let with = |name: &str, cells: Vec<f64>| {
        let mut columns: Vec<Column> = CALM.table().columns().to_vec();
        columns.retain(|column| column.name != name);
        columns.push(Column {
            name: name.to_owned(),
            values: Values::Number(cells),
        });
        FlatTable::new(columns).unwrap()
    };
    let plan = |text: &str| Plan::parse("plan.toml", text).unwrap();
    let adjusted = PLAN.replace(
        "value = \"cash\"",
        "value = \"cash\"\ncovariates = [\"before\"]",
    );

    // A covariate that never varies explains nothing.
    let review = review_table(&with("before", vec![7.0; 2000]), &plan(&adjusted)).unwrap();
    let cash = &review.comparisons[0].1.metrics[0].1.effects;
    assert!(cash.adjusted.is_none() && cash.judged.estimate == "raw");

    // A few unknown values are left out and counted.
    let holes = (0..2000).map(|n| {
        if n % 50 == 0 {
            f64::NAN
        } else {
            f64::from(n % 41)
        }
    });
    let review = review_table(&with("cash", holes.collect()), &plan(PLAN)).unwrap();
    let cash = &review.comparisons[0].1.metrics[0].1.effects;
    assert_eq!((cash.missing_c, cash.missing_t), (20, 20));

    // Nothing is known at all.
    let refused = review_table(&with("cash", vec![f64::NAN; 2000]), &plan(PLAN)).unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("metric `cash`") && refused.lines().count() == 1,
        "{refused}"
    );

    // One arm alone.
    let lonely = World {
        sizes: (1000, 0),
        ..CALM
    };
    let refused = review_table(&lonely.table(), &plan(PLAN))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("only the control arm `ladder`"),
        "{refused}"
    );
    let lonely = World {
        sizes: (0, 1000),
        ..CALM
    };
    let refused = review_table(&lonely.table(), &plan(PLAN))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("the table has customers in bandit"),
        "{refused}"
    );
}
