#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Propensity, TableOptions, evaluate_table};

fn shared() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = std::env::var_os("LAGOM_SHARED")
        .map(PathBuf::from)
        .into_iter()
        .chain([
            here.join("../../shared"),
            here.join("../shared"),
            here.join("../../../shared"),
        ])
        .find(|folder| folder.join("data").is_dir());
    if found.is_none() {
        println!("skipped: no folder of reference numbers (set LAGOM_SHARED)");
    }
    found
}

/// Three channels at random; `own` is how much the best one depends on the customer.
fn write_table(path: &Path, rows: usize, own: f64, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut text = "channel,paid,age,region\n".to_owned();
    for _ in 0..rows {
        let age = random.random::<f64>();
        let region = ["north", "south"][usize::from(random.random::<bool>())];
        let channel = random.random_range(0..3_usize);
        let lift = [0.0, 0.05, 0.0][channel] + own * [1.0, 0.0, -1.0][channel] * (2.0 * age - 1.0);
        let paid = random.random::<f64>() < 0.4 + lift;
        let name = ["email", "letter", "sms"][channel];
        text += &format!("{name},{},{age:.4},{region}\n", u8::from(paid));
    }
    fs::write(path, text).unwrap();
}

fn options() -> TableOptions {
    TableOptions {
        propensity: Propensity::Constant(1.0 / 3.0),
        ..TableOptions::new("channel", "paid")
    }
}

#[test]
fn where_nothing_differs_by_customer_the_best_fixed_action_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.csv");
    let mut kept = 0;
    for seed in 0..20 {
        write_table(&path, 4_000, 0.0, seed);
        let report = evaluate_table(&path, &options()).unwrap();
        kept += usize::from(!report.learning.personalised);
        assert!(!report.learnt_is_worse);
        if !report.learning.personalised {
            assert!(report.difference.value["dr"].abs() < 1e-12);
        }
    }
    // The rule errs one time in twenty at most: 16 of 20 is far into the tail.
    assert!(kept >= 16, "{kept} of 20 kept the fixed action");
}

#[test]
fn where_customers_differ_the_policy_learns_it_and_wins() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.csv");
    write_table(&path, 6_000, 0.3, 5);
    let report = evaluate_table(&path, &options()).unwrap();
    assert_eq!(report.actions, ["email", "letter", "sms"]);
    assert!(report.learning.personalised);
    // Truth: the favourite of email and sms earns 0.4 + 0.3 E|2 age − 1| = 0.55; letters earn 0.45.
    assert!(report.difference.interval["dr"].low > 0.0);
    assert!(report.learnt.interval["dr"].low < 0.56 && report.learnt.interval["dr"].high > 0.52);
    assert!(report.fixed["letter"].interval["snips"].covers(0.45));
    assert_eq!(report.columns, ["age", "region = north", "region = south"]);
    // Same seed, same bytes.
    let again = evaluate_table(&path, &options()).unwrap();
    assert_eq!(
        serde_json::to_string(&report).unwrap(),
        serde_json::to_string(&again).unwrap()
    );
}

#[test]
fn a_split_is_kept_and_other_words_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.csv");
    write_table(&path, 300, 0.0, 1);
    let split = directory.path().join("split.csv");
    let mut text = "row_id,split\n".to_owned();
    for row in (0..300).rev() {
        text += &format!("{row},{}\n", ["train", "test", "later"][row % 3]);
    }
    fs::write(&split, &text).unwrap();
    let options = TableOptions {
        split: Some(split.clone()),
        ..options()
    };
    let report = evaluate_table(&path, &options).unwrap();
    assert_eq!(
        (report.train_rows, report.test_rows, report.left_out_rows),
        (100, 100, 100)
    );
    fs::write(&split, text.replace("299,later", "300,train")).unwrap();
    let message = evaluate_table(&path, &options).unwrap_err().to_string();
    assert!(
        message.contains("row 0: row_id 300 is no row of the table, which has 300"),
        "{message}"
    );
}

#[test]
fn faults_name_the_column_and_the_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("table.csv");
    write_table(&path, 100, 0.0, 1);
    let message = |options: &TableOptions| evaluate_table(&path, options).unwrap_err().to_string();
    let unknown = message(&TableOptions {
        reward: "cash".to_owned(),
        ..options()
    });
    assert!(unknown.contains("there is no column `cash`"), "{unknown}");
    let zero = message(&TableOptions {
        propensity: Propensity::parse("0"),
        ..options()
    });
    assert!(zero.contains("propensity 0 is not in (0, 1]"), "{zero}");
    let dropped = message(&TableOptions {
        drop: vec!["typo".to_owned()],
        ..options()
    });
    assert!(dropped.contains("`typo`"), "{dropped}");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replacen("email,", ",", 1);
    fs::write(&path, text).unwrap();
    assert!(message(&options()).contains("column `channel` is empty"));
}

/// Hillstrom's e-mail experiment, three arms at random: each arm's value from the log of all agrees with its own
/// mean, and the learnt policy is not worse than the best single arm beyond its interval.
#[test]
fn hillstrom_arms_agree_with_their_means_and_the_policy_does_not_lose() {
    let Some(shared) = shared() else { return };
    let path = shared.join("data/hillstrom_email/hillstrom_train_half.csv.gz");
    for (reward, others) in [
        ("visit", ["conversion", "spend"]),
        ("conversion", ["visit", "spend"]),
        ("spend", ["visit", "conversion"]),
    ] {
        let options = TableOptions {
            propensity: Propensity::Constant(1.0 / 3.0),
            drop: others.map(str::to_owned).to_vec(),
            ..TableOptions::new("segment", reward)
        };
        let report = evaluate_table(&path, &options).unwrap();
        assert_eq!(report.actions.len(), 3);
        for (arm, value) in &report.fixed {
            // With equal propensities SNIPS of a fixed arm is the arm's own mean.
            let own = value.value["snips"];
            for estimator in ["ips", "dr"] {
                assert!(
                    value.interval[estimator].covers(own),
                    "{reward} {arm} {estimator}"
                );
            }
        }
        assert!(!report.learnt_is_worse, "{reward}: {:?}", report.difference);
        println!(
            "{reward}: best {} {:.5}, learnt {:.5} [{:.5}, {:.5}], difference {:.5}, {:?}",
            report.best_fixed_action,
            report.best_fixed.value["dr"],
            report.learnt.value["dr"],
            report.learnt.interval["dr"].low,
            report.learnt.interval["dr"].high,
            report.difference.value["dr"],
            report.learning,
        );
    }
}

/// Open Bandit, men, logged by Thompson sampling with its propensities: the uniform policy's value covers what the
/// uniform policy earned in its own log.
#[test]
fn open_bandit_uniform_covers_its_own_log() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("data/open_bandit_men");
    let options = TableOptions {
        propensity: Propensity::parse("propensity_score"),
        drop: ["column_1", "timestamp"].map(str::to_owned).to_vec(),
        ..TableOptions::new("item_id", "click")
    };
    let report = evaluate_table(&folder.join("bts_men.csv.gz"), &options).unwrap();
    assert_eq!(report.actions.len(), 34);
    for estimator in ["ips", "snips", "dr"] {
        let interval = report.uniform.interval[estimator];
        assert!(
            interval.low < 0.0046 && 0.0046 < interval.high,
            "{estimator}: {interval:?}"
        );
    }
    assert!(!report.learnt_is_worse);
    println!(
        "{:?} {:?} {:?}",
        report.uniform, report.learning, report.notes
    );
}
