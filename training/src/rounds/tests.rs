#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{RewardModel, RoundsOptions, evaluate_rounds, read_rounds};

/// The folder of reference numbers, or none where it was not handed over.
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
        .find(|folder| folder.join("oracles").is_dir());
    if found.is_none() {
        println!("skipped: no folder of reference numbers (set LAGOM_SHARED)");
    }
    found
}

/// A folder of two actions and twelve rounds; `edit` changes a file's text before it is written.
fn folder(edit: impl Fn(&str, String) -> String) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut log = "round,action,reward,pscore,x\n".to_owned();
    let (mut target, mut logging) = ("wait,remind\n".to_owned(), "remind,wait\n".to_owned());
    for round in 0..12 {
        let action = ["wait", "remind"][round % 2];
        log += &format!("{round},{action},{},0.5,{}\n", round % 3, round % 5);
        target += "0.25,0.75\n";
        logging += "0.5,0.5\n";
    }
    let actions = "channel,action\nnone,wait\nsms,remind\n".to_owned();
    for (name, text) in [
        ("log", log),
        ("pi_e", target),
        ("pi_b", logging),
        ("actions", actions),
    ] {
        let text = edit(name, text);
        if !text.is_empty() {
            fs::write(directory.path().join(format!("{name}.csv")), text).unwrap();
        }
    }
    directory
}

fn fault(edit: impl Fn(&str, String) -> String) -> String {
    let folder = folder(edit);
    read_rounds(folder.path(), &RoundsOptions::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn the_synthetic_folder_gives_the_values_of_obp_0_5_7() {
    let Some(shared) = shared() else { return };
    let report =
        evaluate_rounds(&shared.join("oracles/ope/synth"), &RoundsOptions::default()).unwrap();
    let text = fs::read_to_string(shared.join("oracles/ope/obp.json")).unwrap();
    let oracle: serde_json::Value = serde_json::from_str(&text).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    for (name, expected) in oracle["value"].as_object().unwrap() {
        let (found, expected) = (
            json["value"][name].as_f64().unwrap(),
            expected.as_f64().unwrap(),
        );
        assert!(
            (found / expected - 1.0).abs() < 1e-9,
            "{name}: {found} {expected}"
        );
        assert!(json["interval"][name]["low"].as_f64().unwrap() < found);
    }
    assert!((json["max_weight"].as_f64().unwrap() - 73.830_615_619_660_9).abs() < 1e-9);
    assert!(json["ess"].as_f64().unwrap() > 100.0);
    assert_eq!(json["reward_model"]["source"], "file");
}

/// With the model fitted here instead of `q_hat.csv`, the doubly robust value still finds the truth.
#[test]
fn without_q_hat_a_cross_fitted_model_serves() {
    let Some(shared) = shared() else { return };
    let synth = shared.join("oracles/ope/synth");
    let directory = tempfile::tempdir().unwrap();
    for file in ["log.csv", "pi_e.csv", "pi_b.csv"] {
        fs::copy(synth.join(file), directory.path().join(file)).unwrap();
    }
    let report = evaluate_rounds(directory.path(), &RoundsOptions::default()).unwrap();
    assert_eq!(report.absent, ["actions", "q_hat"]);
    let RewardModel::CrossFitted { columns, .. } = &report.reward_model else {
        panic!("a model must have been fitted");
    };
    assert_eq!(columns, &["x0", "x1", "x2", "x3", "x4"]);
    let truth = 0.677_802_086_320_104_7;
    let (dr, ips) = (report.report.interval["dr"], report.report.interval["ips"]);
    assert!(dr.covers(truth) && ips.covers(truth), "{dr:?} {ips:?}");
    let reasons: Vec<&str> = report
        .report
        .left_out
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert!(
        reasons.contains(&"mips_true, offcem") && reasons.contains(&"dr_eb_k1"),
        "{reasons:?}"
    );
}

#[test]
fn columns_are_matched_by_name_and_compressed_files_are_read() {
    let folder = folder(|_, text| text);
    let loaded = read_rounds(folder.path(), &RoundsOptions::default()).unwrap();
    assert_eq!(loaded.action_names, ["wait", "remind"]);
    assert_eq!(loaded.rounds.chosen()[..4], [0, 1, 0, 1]);
    let facets = loaded.rounds.facets().unwrap();
    assert_eq!(facets.levels("channel").unwrap(), [0, 1]);
    let plain = evaluate_rounds(folder.path(), &RoundsOptions::default()).unwrap();

    let log = folder.path().join("log.csv");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &fs::read(&log).unwrap()).unwrap();
    fs::write(folder.path().join("log.csv.gz"), packed.finish().unwrap()).unwrap();
    fs::remove_file(log).unwrap();
    let gzip = evaluate_rounds(folder.path(), &RoundsOptions::default()).unwrap();
    assert_eq!(plain.report, gzip.report);
}

#[test]
fn faults_name_the_file_the_row_and_the_column() {
    let edit = |name: &'static str, from: &'static str, to: &'static str| {
        move |file: &str, text: String| {
            if file == name {
                text.replace(from, to)
            } else {
                text
            }
        }
    };
    let message = fault(edit("log", "3,remind,0,0.5", "3,remind,0,"));
    assert!(
        message.contains("log.csv: row 3, column `pscore` is empty"),
        "{message}"
    );
    let message = fault(edit("log", "3,remind", "3,shout"));
    assert!(
        message.contains("log.csv: row 3, column `action`: `shout`"),
        "{message}"
    );
    let message = fault(edit("log", "3,remind,0,0.5", "3,remind,0,1.5"));
    assert!(
        message.contains("round 3: logged propensity 1.5"),
        "{message}"
    );
    let message = fault(edit("pi_b", "remind,wait\n0.5,0.5", "remind,wait\n0.5,0.6"));
    assert!(
        message.contains("pi_b.csv: round 0: logging probabilities sum to 1.1"),
        "{message}"
    );
    let message = fault(edit("pi_b", "remind,wait", "remind,call"));
    assert!(
        message.contains("pi_b.csv: there is no column `wait`"),
        "{message}"
    );
    let message = fault(edit("actions", "none,wait\n", ""));
    assert!(
        message.contains("actions.csv: action `wait` has 0 rows"),
        "{message}"
    );
    let message = fault(edit("log", "11,remind,2,0.5,1\n", ""));
    assert!(
        message.contains("the target policy has 12 rows where 11 are needed"),
        "{message}"
    );
    let message = fault(|file, text| {
        if file == "log" {
            text.replace("\n4,", "\n*,")
                .replace("\n5,", "\n4,")
                .replace("\n*,", "\n5,")
        } else {
            text
        }
    });
    assert!(
        message.contains("row 4 is round 5; sort the log"),
        "{message}"
    );
    let message = fault(|file, text| if file == "pi_e" { String::new() } else { text });
    assert!(message.contains("there is no pi_e.csv"), "{message}");
    let message = read_rounds(Path::new("/no/such/folder"), &RoundsOptions::default())
        .unwrap_err()
        .to_string();
    assert!(message.contains("no such folder"), "{message}");
}

#[test]
fn segments_are_valued_by_their_own_rounds() {
    let folder = folder(|_, text| text);
    let options = RoundsOptions {
        segment: Some("x".to_owned()),
        ..RoundsOptions::default()
    };
    let report = evaluate_rounds(folder.path(), &options).unwrap();
    let rounds: Vec<usize> = report.segments.values().map(|one| one.rounds).collect();
    assert_eq!(rounds, [3, 3, 2, 2, 2]);
    // Rounds 0, 5 and 10: wait, remind, wait with rewards 0, 2, 1 and weights 0.5, 1.5, 0.5.
    let first = &report.segments["0"];
    assert!((first.value["ips"] - (3.0 + 0.5) / 3.0).abs() < 1e-12);
    assert!((first.logged_value - 1.0).abs() < 1e-12);
    let unknown = RoundsOptions {
        segment: Some("market".to_owned()),
        ..RoundsOptions::default()
    };
    let message = evaluate_rounds(folder.path(), &unknown).unwrap_err();
    assert!(
        message.to_string().contains("no column `market`"),
        "{message}"
    );
}

#[test]
fn propensities_come_from_the_logging_policy_when_the_log_has_none() {
    let unnamed = |file: &str, text: String| match file {
        "log" => text.replace("pscore", "round_trip"),
        _ => text,
    };
    let with = evaluate_rounds(folder(|_, text| text).path(), &RoundsOptions::default()).unwrap();
    let without = evaluate_rounds(folder(unnamed).path(), &RoundsOptions::default()).unwrap();
    assert_eq!(with.report.value["ips"], without.report.value["ips"]);
    let message = fault(|file, text| {
        if file == "pi_b" {
            String::new()
        } else {
            unnamed(file, text)
        }
    });
    assert!(message.contains("no column `pscore`"), "{message}");
}
