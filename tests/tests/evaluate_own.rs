//! A candidate valued on lagom's own log, and the gate before it takes over.

#![allow(clippy::unwrap_used)]

use lagom_tests::lagom;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// The policies are what is looked at here, not the models beside them, which take most of a training's time.
const FEW: &str = "[training]\nmost_invoices = 300\n";

fn run(folder: &Path, line: &str) -> Output {
    let args = line.split(' ');
    let mut command = Command::new(lagom());
    command.args(args).current_dir(folder).output().unwrap()
}

fn json(folder: &Path, line: &str) -> Value {
    let output = run(folder, line);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() != Some(2), "lagom {line}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn policies_are_valued_on_the_own_log() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let lived = "simulate --customers 300 --days 200 --seed 4 --policy uniform --out data";
    assert!(run(folder, lived).status.success());

    let same = json(folder, "evaluate --data data --policy uniform --json");
    assert!(same["lives"].as_u64().unwrap() > 50, "{same}");
    for estimand in ["one_step", "episode"] {
        let gain = same[estimand]["difference"]["value"]["value"]
            .as_f64()
            .unwrap();
        assert!(
            gain.abs() < 1e-6,
            "the log's own policy differs from the log by {gain}"
        );
        let ess = same[estimand]["overlap"]["ess_share"].as_f64().unwrap();
        assert!((ess - 1.0).abs() < 1e-6, "{estimand}: {ess}");
    }
    assert_eq!(same["verdict"]["passed"], false, "equal is not better");

    let three = json(folder, "evaluate --data data --confounding --json");
    let paid = &three["effects"]["paid"];
    for way in ["naive", "adjusted", "randomised"] {
        let effect = &paid[way];
        let [low, high] = ["low", "high"].map(|end| effect["interval"][end].as_f64().unwrap());
        assert!(low < high && (low..=high).contains(&effect["value"].as_f64().unwrap()));
    }

    let ladder = run(folder, "evaluate --data data --policy ladder");
    assert_eq!(
        ladder.status.code(),
        Some(1),
        "a log of chance says little of a ladder"
    );
    let words = String::from_utf8(ladder.stdout).unwrap();
    assert!(words.contains("not enough evidence"), "{words}");

    let late = run(
        folder,
        "evaluate --data data --policy ladder --from 2030-01-01",
    );
    assert_eq!(late.status.code(), Some(2));
    let error = String::from_utf8(late.stderr).unwrap();
    assert!(
        error.contains("no invoice has its first decision"),
        "{error}"
    );
}

/// A log of the ladder with a fifth explored says next to nothing of a policy that goes its own way, and a
/// good deal of one that is held to the ladder.
#[test]
fn a_policy_held_to_the_ladder_can_be_valued_on_a_log_of_the_ladder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ladder = "[bandit.cold_start]\nrounds = 1000000\nexploration = 0.2\n";
    let learnt = format!("[bandit.cold_start]\nrounds = 100\nexploration = 0.2\n{FEW}");
    std::fs::write(folder.join("ladder.toml"), ladder).unwrap();
    std::fs::write(folder.join("learnt.toml"), &learnt).unwrap();
    let lived = "simulate --customers 500 --days 250 --seed 5 --policy bandit --config ladder.toml --out log";
    assert!(run(folder, lived).status.success());
    let train = "train --data log --models models --config learnt.toml";

    let share = |line: &str| {
        let trained = run(folder, line);
        assert!(trained.status.success());
        let words = String::from_utf8(trained.stdout).unwrap();
        let id = words.split_whitespace().nth(1).unwrap();
        let value = format!(
            "evaluate --data log --models models --policy {id} --config learnt.toml --json"
        );
        let found = json(folder, &value);
        let share = found["episode"]["overlap"]["ess_share"].as_f64().unwrap();
        let warm = std::fs::read(folder.join("models").join(id).join("bandit.json")).unwrap();
        let warm = serde_json::from_slice::<Value>(&warm).unwrap();
        (share, words.clone(), warm, id.to_owned())
    };
    let (own_way, words, own, id) = share(train);
    assert!(own.get("anchor").is_none() && !words.contains("held to the ladder"));
    let (held, words, warm, held_id) = share(&format!("{train} --anchor"));
    assert!(
        words.contains("held to the ladder, explored 20 %"),
        "{words}"
    );
    assert_eq!(warm["anchor"]["exploration"], 0.2);
    assert!(held > 0.8, "{held} of the lives count");
    assert!(
        held > 3.0 * own_way,
        "{held} and {own_way} of the lives count"
    );

    // Versions never change: another way to learn is another version, and so is another memory.
    assert_ne!(id, held_id);
    let forgetful = format!("{learnt}[learning]\nhalf_life_days = 30\n");
    std::fs::write(folder.join("learnt.toml"), forgetful).unwrap();
    let refused = run(folder, train);
    assert_eq!(refused.status.code(), Some(2));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(
        error.contains("versions never change") && error.contains("--seed"),
        "{error}"
    );
    let kept = std::fs::read(folder.join("models").join(id).join("bandit.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap(), own);
}

/// Parts of a log, learnt apart and added up in any order, are the policy of one pass, byte for byte.
#[test]
fn a_policy_learnt_in_parts_is_that_of_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let config = format!(
        "[bandit.cold_start]\nrounds = 100\nexploration = 0.2\n[learning]\nhalf_life_days = 60\n{FEW}"
    );
    std::fs::write(folder.join("lagom.toml"), config).unwrap();
    let lived = "simulate --customers 300 --days 200 --seed 8 --policy bandit --out log";
    assert!(run(folder, lived).status.success());
    let train = "train --data log --models models --config lagom.toml";
    let trained = run(folder, train);
    let words = String::from_utf8(trained.stdout).unwrap();
    let id = words.split_whitespace().nth(1).unwrap();
    let policy = folder.join("models").join(id).join("bandit.json");
    let one_pass = std::fs::read(&policy).unwrap();
    std::fs::remove_file(&policy).unwrap();

    let mut learnt = 0;
    for part in 1..=3 {
        let line =
            format!("{train} --partition {part}/3 --model {id} --out part-{part}.json --json");
        let rounds = json(folder, &line)["learnt"].as_u64().unwrap();
        assert!(rounds > 0);
        learnt += rounds;
    }
    let merge = format!("merge --models models --model {id}");
    let merged = json(
        folder,
        &format!("{merge} part-3.json part-1.json part-2.json --json"),
    );
    assert_eq!(merged["rounds"].as_u64(), Some(learnt));
    assert!(
        words.contains(&format!("learnt from {learnt} of")),
        "{words}"
    );
    assert!(
        std::fs::read(&policy).unwrap() == one_pass,
        "not the same bytes"
    );

    let told = |line: &str| {
        let refused = run(folder, line);
        assert_eq!(refused.status.code(), Some(2), "{line}");
        String::from_utf8(refused.stderr).unwrap()
    };
    // A part is missing: not the policy that lies there.
    assert!(told(&format!("{merge} part-1.json part-2.json")).contains("versions never change"));
    assert!(told(&format!("{merge} part-1.json part-1.json")).contains("named twice"));
    assert!(told(&format!("{merge} lagom.toml")).contains("lagom train --partition"));
    let part = |which: &str| format!("{train} --partition {which} --model {id} --out x.json");
    assert!(told(&part("4/3")).contains("write 3/8"));
    std::fs::write(
        folder.join("lagom.toml"),
        "[learning]\nhalf_life_days = 90\n",
    )
    .unwrap();
    assert!(run(folder, &part("2/3")).status.success());
    let foreign = told(&format!("{merge} part-1.json x.json"));
    assert!(
        foreign.contains("x.json") && foreign.contains("half-life of 90 days"),
        "{foreign}"
    );
    std::fs::write(
        folder.join("lagom.toml"),
        "[bandit.exploration]\nfloor = 0.02\n",
    )
    .unwrap();
    assert!(told(&part("2/3")).contains("name the --config"));
}
