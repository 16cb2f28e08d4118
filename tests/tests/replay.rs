//! The past made again: equal under equal rules, and told apart under others.

#![allow(clippy::unwrap_used)]

use lagom_tests::lagom;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(lagom());
    command.args(args).current_dir(folder).output().unwrap()
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let output = run(folder, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "lagom {args:?}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_past_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let lived = "simulate --customers 300 --days 150 --seed 4 --policy ladder --out data";
    let lived: Vec<&str> = lived.split(' ').collect();
    assert!(run(folder, &lived).status.success());

    let same = json(folder, &["replay", "--data", "data", "--json"]);
    assert!(same["decisions"].as_u64().unwrap() > 500, "{same}");
    assert_eq!(same["differ"], 0);
    assert_eq!(same["logged"], same["replayed"]);
    assert!(same["not_allowed"].as_object().unwrap().is_empty());
    assert!(same["logged"]["contacts"].as_u64().unwrap() > 100);

    // How harshly each group was dealt with, beside all, is told of both.
    let groups = same["logged_by_group"].as_array().unwrap();
    assert_eq!(same["logged_by_group"], same["replayed_by_group"]);
    let messages = |by: &str| -> u64 {
        let of = groups.iter().filter(|one| one["by"] == by);
        of.map(|one| one["messages"].as_u64().unwrap()).sum()
    };
    assert_eq!(
        Some(messages("country")),
        same["logged"]["contacts"].as_u64()
    );
    let harsh = groups
        .iter()
        .find(|one| one["harsh"].as_u64() > Some(0))
        .unwrap();
    let ratio = harsh["ratio"].as_f64().unwrap();
    let low = harsh["interval"][0].as_f64().unwrap();
    assert!(low <= ratio && ratio <= harsh["interval"][1].as_f64().unwrap());

    // In parts, the same.
    let parts = [
        "replay",
        "--data",
        "data",
        "--events-at-once",
        "500",
        "--json",
    ];
    assert_eq!(json(folder, &parts), same);

    // Two months of peace after each contact.
    let strict = "[[guardrails.overrides]]
rule = \"global.cooldown\"
set = { hours = 1440 }
\
                  reason = \"a test\"
";
    std::fs::write(folder.join("strict.toml"), strict).unwrap();
    let config = [
        "replay",
        "--data",
        "data",
        "--config",
        "strict.toml",
        "--json",
    ];
    let stricter = json(folder, &config);
    let contacts = |replay: &Value, side: &str| replay[side]["contacts"].as_u64().unwrap();
    assert!(contacts(&stricter, "replayed") < contacts(&stricter, "logged"));
    assert!(stricter["not_allowed"]["global.cooldown"].as_u64().unwrap() > 10);

    let never = ["replay", "--data", "data", "--until", "2020-01-01"];
    let output = run(folder, &never);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("has no decision in that period"), "{error}");
}

/// Found on a simulated log: with the logged messages left in the past, the ladder seemed to send
/// nearly twice what it sends where it really decides.
#[test]
fn another_policy_is_replayed_with_its_own_messages() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let world = "simulate --customers 600 --days 200 --seed 3 --policy";
    for policy in ["uniform", "ladder"] {
        let lived = format!("{world} {policy} --out {policy}");
        let lived: Vec<&str> = lived.split(' ').collect();
        assert!(run(folder, &lived).status.success());
    }
    let replay = |data: &str, more: &[&str]| {
        let args = [&["replay", "--data", data, "--json"], more].concat();
        json(folder, &args)
    };
    let contacts = |found: &Value| found["replayed"]["contacts"].as_f64().unwrap();
    let truth = contacts(&replay("ladder", &[]));
    let told = contacts(&replay("uniform", &[])) / truth;
    let as_lived = contacts(&replay("uniform", &["--as-lived"])) / truth;
    assert!(
        (0.85..1.15).contains(&told),
        "{told} of the truth, {as_lived} as lived"
    );
    assert!(
        !(0.85..1.15).contains(&as_lived),
        "{as_lived} as lived, {told}"
    );
}
