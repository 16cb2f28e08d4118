//! The review of the reference customers equals the reference numbers.

use std::path::{Path, PathBuf};

use lagom_training::{
    flat_table::{FlatTable, ReadOptions},
    review::{Plan, review_files, review_table},
};
use serde_json::{Map, Value};

/// The metrics of the plan that the reference has under the same key.
const METRICS: [&str; 8] = [
    "ratio.collection_rate",
    "ratio.dso60",
    "mean.collected60",
    "mean.complaint",
    "mean.churn",
    "ratio.contacts_per_invoice",
    "ratio.inkasso_per_invoice",
    "mean.fees",
];

/// Numbers of the reference that the two documents are held against.
const CHECKED: usize = 1430;

fn reference_folder() -> Option<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("LAGOM_SHARED")
        .map(PathBuf::from)
        .into_iter()
        .chain(["../../shared", "../shared", "../../../shared"].map(|up| manifest.join(up)))
        .map(|shared| shared.join("oracles/ab"))
        .find(|folder| folder.join("oracle.json").is_file())
}

/// Compares every number of `expected` with the one of `found` at the same place, and counts them.
fn equal(path: &str, expected: &Value, found: &Value) -> usize {
    match (expected, found) {
        (Value::Object(members), _) => members
            .iter()
            .map(|(key, value)| equal(&format!("{path}/{key}"), value, &found[key]))
            .sum(),
        (Value::Array(items), _) => items
            .iter()
            .enumerate()
            .map(|(at, value)| equal(&format!("{path}/{at}"), value, &found[at]))
            .sum(),
        (Value::Number(number), Value::Number(other)) => {
            let (expected, found) = (number.as_f64().unwrap(), other.as_f64().unwrap());
            let tiny = expected > 0.0 && expected < 1e-12;
            let difference = if expected == found {
                0.0
            } else if tiny {
                (found.ln() - expected.ln()).abs()
            } else {
                ((found - expected) / expected).abs()
            };
            let tolerance = if tiny { 1e-6 } else { 1e-9 };
            assert!(
                difference <= tolerance,
                "{path}: expected {expected}, found {found}"
            );
            1
        }
        _ => panic!("{path}: expected {expected}, found {found}"),
    }
}

#[test]
fn the_document_holds_the_reference_numbers() {
    let Some(folder) = reference_folder() else {
        println!("skipped: no folder with oracles/ab/oracle.json; set LAGOM_SHARED to check");
        return;
    };
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/review/two_arm.toml");
    let facts = folder.join("two_arm_customers.csv");
    let review = review_files(&facts, &plan, &ReadOptions::default()).unwrap();
    let text = serde_json::to_string(&review).unwrap();
    let again = review_files(&facts, &plan, &ReadOptions::default()).unwrap();
    assert_eq!(
        text,
        serde_json::to_string(&again).unwrap(),
        "the same files, the same bytes"
    );

    let found: Value = serde_json::from_str(&text).unwrap();
    let oracle: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("oracle.json")).unwrap())
            .unwrap();
    let oracle = &oracle["two_arm"];
    let expected = &oracle["ladder_vs_bandit"];
    let metrics = &found["comparisons"]["ladder_vs_bandit"]["metrics"];

    let mut checked = 0;
    for key in METRICS {
        checked += equal(key, &expected[key], &metrics[key]);
    }
    let srm: Map<String, Value> = oracle["srm"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(key, _)| *key != "weights")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    checked += equal("srm", &Value::Object(srm), &found["srm"]);
    checked += equal("seq_srm", &oracle["seq_srm"], &found["seq_srm"]);
    let cash = &metrics["mean.collected60"];
    let rate = &metrics["ratio.collection_rate"];
    checked += equal(
        "asymp_cs.collected60",
        &expected["asymp_cs.collected60"],
        &cash["asymp_cs"],
    );
    checked += equal(
        "asymp_cs.rate",
        &expected["asymp_cs.collection_rate"],
        &rate["asymp_cs"],
    );
    checked += equal(
        "statsig",
        &expected["msprt.statsig.collected60"],
        &cash["msprt_statsig"],
    );
    checked += equal(
        "avlm",
        &expected["avlm_t.collected60"]["g_opt"],
        &cash["avlm_t"]["g_opt"],
    );
    let bayes = &rate["bayes"];
    checked += equal("bayes", &expected["bayes.collection_rate.n0_0.3"], bayes);
    let balance = &found["comparisons"]["ladder_vs_bandit"]["balance"]["pre_cash"];
    checked += equal("balance", &expected["balance.pre_cash"], balance);
    let mut winsorised = expected["mean.collected60.winsor99_all"].clone();
    let members = winsorised.as_object_mut().unwrap();
    for key in ["cap", "share_capped"] {
        checked += equal(
            key,
            &members.remove(key).unwrap(),
            &cash["winsorised"]["caps"][0][key],
        );
    }
    checked += equal("winsorised", &winsorised, &cash["winsorised"]);
    for name in ["complaint", "churn"] {
        let metric = &metrics[format!("mean.{name}")];
        for (key, value) in expected[format!("ni.{name}")].as_object().unwrap() {
            let place = if key.starts_with("ni_") {
                &metric["guardrail"]["proportion"]
            } else {
                &metric["proportions"]
            };
            checked += equal(key, value, &place[key]);
        }
    }
    let segments = &rate["segments"][0];
    checked += equal("hte", &expected["hte.collection_rate"], segments);
    checked += without_winsorising(&facts, &plan, oracle);
    println!("{checked} numbers of the reference found in the document");
    assert_eq!(checked, CHECKED);

    let comparison = &found["comparisons"]["ladder_vs_bandit"];
    println!("{}", comparison["sentence"]);
    assert_eq!(metrics["mean.complaint"]["guardrail"]["state"], "safe");
    assert_eq!(metrics["ratio.dso60"]["superior"], true);
    assert_eq!(found["plan_digest"].as_str().unwrap().len(), 64);
}

/// The same plan with cash as it came: adjustment, margin and daily looks of the reference.
fn without_winsorising(facts: &Path, plan: &Path, oracle: &Value) -> usize {
    let text = std::fs::read_to_string(plan).unwrap();
    let plain = text.replace("winsorise = { quantile = 0.99 }\n", "");
    assert_ne!(text, plain);
    let table = FlatTable::read(facts, &ReadOptions::default()).unwrap();
    let review = review_table(&table, &Plan::parse("two_arm.toml", &plain).unwrap()).unwrap();
    let found = serde_json::to_value(&review).unwrap();
    let cash = &found["comparisons"]["ladder_vs_bandit"]["metrics"]["mean.collected60"];
    let expected = &oracle["ladder_vs_bandit"];

    let mut checked = equal("daily", &oracle["daily_cs.collected60"], &cash["daily_cs"]);
    let margin = &expected["ni.collected60_rel2pct"];
    checked += equal("margin", margin, &cash["guardrail"]["relative"]);
    let (cuped, lin) = (&cash["adjusted"]["cuped"], &cash["adjusted"]["lin_hc2"]);
    let reference = &expected["cuped.collected60"];
    for key in [
        "theta",
        "corr_pooled",
        "variance_reduction",
        "absolute",
        "relative_exact_delta",
        "relative_gbstats",
    ] {
        checked += equal(key, &reference[key], &cuped[key]);
    }
    let reference = &expected["lin_hc2.collected60"];
    for key in ["diff", "se", "z"] {
        checked += equal(key, &reference[key], &lin[key]);
    }
    checked += equal("slope_c", &reference["slope_c"], &lin["slopes_c"][0]);
    checked += equal("slope_t", &reference["slope_t"], &lin["slopes_t"][0]);
    checked
}
