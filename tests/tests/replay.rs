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

/// A log of the ladder, explored, says what the ladder alone is worth: as much as where it was lived.
#[test]
fn a_policy_is_valued_beside_its_replay_as_far_as_the_log_can_say() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cold = "[bandit.cold_start]\nrounds = 1000000\nexploration = 0.2\n";
    std::fs::write(folder.join("cold.toml"), cold).unwrap();
    let world = "simulate --customers 900 --days 200 --config cold.toml --seed";
    for (seed, policy) in [(3, "bandit"), (4, "ladder")] {
        let lived = format!("{world} {seed} --policy {policy} --out {policy}");
        let lived: Vec<&str> = lived.split(' ').collect();
        assert!(run(folder, &lived).status.success());
    }
    let replay = |line: &str| {
        let line = format!("replay {line} --json");
        json(folder, &line.split(' ').collect::<Vec<_>>())
    };

    // The truth is lived by the ladder itself.
    let lived = "evaluate --data ladder --policy logged --against logged --from 2026-01-01 --json";
    let lived = run(folder, &lived.split(' ').collect::<Vec<_>>());
    assert_eq!(
        lived.status.code(),
        Some(1),
        "nothing is better than itself"
    );
    let lived: Value = serde_json::from_slice(&lived.stdout).unwrap();
    let told = replay("--data bandit --policy ladder");
    let worth = &told["off_policy"];
    assert!(worth["lives"].as_u64().unwrap() > 1_000, "{worth}");
    assert!(worth["warnings"].as_array().unwrap().is_empty(), "{worth}");
    let of = |value: &Value| value.as_f64().unwrap();
    for name in ["value", "collected", "churned", "complaints", "contacts"] {
        let half = |one: &Value| (of(&one["interval"]["high"]) - of(&one["interval"]["low"])) / 2.0;
        let value = &worth["episode"]["candidate"][name];
        let truth = &lived["episode"]["candidate"][name];
        let off = (of(&value["value"]) - of(&truth["value"])).abs();
        assert!(
            off < half(value) + half(truth),
            "{name}: {value}, lived by the ladder {truth}"
        );
    }
    // The log itself has fewer contacts than the ladder, and the difference is found.
    let more = &worth["episode"]["difference"]["contacts"]["interval"]["low"];
    assert!(of(more) > 0.03, "{more}");
    for estimand in ["one_step", "episode"] {
        let overlap = &worth[estimand]["overlap"];
        assert!(of(&overlap["ess"]) > 500.0, "{estimand}: {overlap}");
    }

    // What a ladder without chance says of another policy is nothing, and it says so.
    let blind = replay("--data ladder --policy uniform");
    let worth = &blind["off_policy"];
    assert!(worth["episode"].is_null() && worth["one_step"].is_null());
    let warning = worth["warnings"][0].as_str().unwrap();
    assert!(warning.contains("leaves nothing to chance"), "{warning}");
    assert!(blind["decisions"].as_u64().unwrap() > 500);

    // The learnt policy is judged on what it has not learnt from.
    let learnt = replay("--data bandit --policy bandit");
    let all = replay("--data bandit --policy ladder");
    let count = |found: &Value| found["decisions"].as_u64().unwrap();
    assert!(count(&learnt) < count(&all), "from the middle on");
    let none = run(
        folder,
        &["replay", "--data", "bandit", "--policy", "no-such-version"],
    );
    assert_eq!(none.status.code(), Some(2));
    let error = String::from_utf8(none.stderr).unwrap();
    assert!(error.contains("no-such-version"), "{error}");
}
