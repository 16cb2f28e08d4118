//! The review page against the JSON it is made from.

use lagom_serving::pages::review::render;
use lagom_serving::pages::{Lang, Reader};
use lagom_training::flat_table::{Column, FlatTable, Values};
use lagom_training::review::{Plan, review_table};
use serde_json::Value;

const PLAN: &str = r#"
experiment = "spring"
control = "ladder"
planned_customers = 2000
[columns]
customer = "id"
arm = "arm"
enrolled = "day"
[shares]
ladder = 0.5
bandit = 0.5
[[metrics]]
name = "collection_rate"
role = "success"
direction = "higher"
numerator = "cash"
denominator = "billed"
[[metrics]]
name = "complaint"
role = "guardrail"
direction = "lower"
value = "complaint"
margin = { absolute = 0.01 }
[[metrics]]
name = "fees"
direction = "not_judged"
value = "cash"
winsorise = { quantile = 0.9 }
covariates = ["billed"]
[[segments]]
column = "segment"
smallest = 100
"#;

/// `sizes` customers in each arm; every n-th customer of the bandit complains.
pub(super) fn json(sizes: (usize, usize), complains_every: usize) -> String {
    reviewed(sizes, complains_every, PLAN)
}

/// The same with customers in an arm that was to get none.
pub(super) fn leaked() -> String {
    let plan = PLAN.replace("bandit = 0.5", "bandit = 0.5\nspilt = 0.0");
    reviewed((1_000, 1_000), 50, &plan)
}

fn reviewed(sizes: (usize, usize), complains_every: usize, plan: &str) -> String {
    let (mut id, mut arm, mut segment) = (Vec::new(), Vec::new(), Vec::new());
    let (mut day, mut cash, mut billed, mut complaint) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let spilt = if plan.contains("spilt") { 7 } else { 0 };
    for (name, size, paid, every) in [
        ("ladder", sizes.0, 0.70, 50),
        ("bandit", sizes.1, 0.76, complains_every),
        ("spilt", spilt, 0.70, 50),
    ] {
        for n in 0..size {
            id.push(Some(format!("{name}-{n}")));
            arm.push(Some(name.to_owned()));
            segment.push(Some(if n % 3 == 0 { "small" } else { "large" }.to_owned()));
            day.push((n % 60) as f64);
            let amount = 100.0 + (n * 37 % 211) as f64;
            billed.push(amount);
            cash.push(amount * (paid + ((n * 17 % 41) as f64 - 20.0) / 100.0));
            complaint.push(f64::from(u8::from(n % every == 0)));
        }
    }
    let text = |name: &str, cells| Column {
        name: name.to_owned(),
        values: Values::Text(cells),
    };
    let number = |name: &str, cells| Column {
        name: name.to_owned(),
        values: Values::Number(cells),
    };
    let table = FlatTable::new(vec![
        text("id", id),
        text("arm", arm),
        text("segment", segment),
        number("day", day),
        number("cash", cash),
        number("billed", billed),
        number("complaint", complaint),
    ]);
    let plan = Plan::parse("plan.toml", plan).unwrap();
    serde_json::to_string_pretty(&review_table(&table.unwrap(), &plan).unwrap()).unwrap()
}

pub(super) fn page(json: &str, lang: Lang) -> String {
    let reader = Reader::of_file(lang);
    render(&reader, json, "lagom review --json")
        .unwrap()
        .into_string()
}

/// Without the JSON at its foot, which would make every number stand on it.
fn shown(json: &str, lang: Lang) -> String {
    let page = page(json, lang);
    page[..page.find("<details").unwrap()].to_owned()
}

#[test]
fn each_number_is_that_of_the_json_in_every_language() {
    for json in [
        json((1_000, 1_000), 50),
        json((1_200, 1_000), 50),
        json((1_000, 1_000), 8),
        leaked(),
    ] {
        each_number_stands(&json);
    }
}

fn each_number_stands(json: &str) {
    let review: Value = serde_json::from_str(json).unwrap();
    let comparison = &review["comparisons"]["ladder_vs_bandit"];
    let rate = &comparison["metrics"]["ratio.collection_rate"];
    let complaint = &comparison["metrics"]["mean.complaint"];
    let of = |value: &Value| value.as_f64().unwrap();
    for lang in Lang::ALL {
        let page = shown(json, lang);
        let points = |value: &Value| lang.signed(100.0 * of(value), 1);
        let expected = [
            lang.percent(of(&rate["mean_c"]), 1),
            lang.percent(of(&rate["mean_t"]), 1),
            points(&rate["judged"]["diff"]),
            points(&rate["judged"]["ci"][0]),
            points(&rate["judged"]["ci"][1]),
            lang.signed_percent(of(&rate["judged"]["lift"]), 1),
            lang.number(of(&rate["total_c"]), 0),
            lang.number(of(&rate["denominator_t"]), 0),
            points(&rate["asymp_cs"]["ci"][0]),
            lang.percent(of(&complaint["mean_t"]), 1),
            points(&complaint["guardrail"]["bound"]),
            lang.p(of(&complaint["guardrail"]["p"])),
            lang.p(of(&review["srm"]["p"])),
            lang.number(
                of(&comparison["metrics"]["mean.fees"]["winsorised"]["caps"][0]["cap"]),
                0,
            ),
            points(&rate["segments"][0]["by_segment"]["small"]["absolute"]["diff"]),
        ];
        for number in expected {
            assert!(
                page.contains(&number.replace('<', "&lt;")),
                "{number} is missing in {}",
                lang.code()
            );
        }
        assert!(page.contains(&format!("<html lang=\"{}\">", lang.code())));
    }
}

#[test]
fn what_cannot_be_trusted_gets_no_verdict_and_says_why() {
    let page = shown(&json((1_200, 1_000), 50), Lang::En);
    assert!(page.contains("Cannot be judged"), "{page}");
    assert!(page.contains("do not fit their planned shares"));
    assert!(page.contains("Do not decide by them"));
    assert!(!page.contains("Use “bandit”"));
}

#[test]
fn customers_in_an_arm_of_none_withhold_the_verdict() {
    let page = shown(&leaked(), Lang::En);
    assert!(page.contains("Cannot be judged"), "{page}");
    assert!(page.contains("7 customers are in a group that was to get none"));
}

#[test]
fn a_guardrail_that_fails_is_shown_not_hidden() {
    let page = shown(&json((1_000, 1_000), 8), Lang::En);
    assert!(page.contains("Stop “bandit”: it does harm."), "{page}");
    assert!(page.contains("harmful"));
    assert!(page.contains("Customers who complained: worse, and beyond what was allowed"));
}

#[test]
fn a_name_from_outside_stays_text() {
    let json = json((200, 200), 50).replace("\"spring\"", "\"<script>alert(1)</script>\"");
    let page = page(&json, Lang::En);
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn what_is_not_a_review_is_refused_in_one_line() {
    let refused = render(&Reader::default(), "{}", "").unwrap_err();
    assert!(
        refused.starts_with("not a review: missing field"),
        "{refused}"
    );
}
