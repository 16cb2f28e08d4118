//! The arrows between crates, as the architecture has them. A new arrow is a change of design:
//! it belongs there first.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// For each crate: which of ours it may use, and which heavy or impure crates it must not see.
fn rules() -> BTreeMap<&'static str, (Vec<&'static str>, Vec<&'static str>)> {
    let pure = vec![
        "tokio",
        "tonic",
        "prost",
        "polars",
        "linfa",
        "linfa-logistic",
        "axum",
        "rusqlite",
        "clap",
        "rayon",
        "tracing",
        "tempfile",
        "csv",
        "flate2",
    ];
    let offline = vec!["tokio", "tonic", "prost", "axum", "rusqlite", "clap"];
    BTreeMap::from([
        ("lagom-proto", (vec![], vec!["polars", "linfa", "rusqlite"])),
        ("lagom-features", (vec![], pure.clone())),
        ("lagom-model", (vec!["lagom-features"], pure)),
        (
            "lagom-training",
            (vec!["lagom-features", "lagom-model"], offline),
        ),
        (
            "lagom-serving",
            (
                vec![
                    "lagom-features",
                    "lagom-model",
                    "lagom-proto",
                    "lagom-training",
                ],
                vec!["polars", "linfa", "linfa-logistic"],
            ),
        ),
    ])
}

fn dependencies(package: &Value) -> &[Value] {
    package["dependencies"].as_array().unwrap()
}

fn names(package: &Value) -> BTreeSet<&str> {
    dependencies(package)
        .iter()
        .filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| dependency["name"].as_str().unwrap())
        .collect()
}

fn workspace() -> BTreeMap<String, Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .output()
        .unwrap();
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array_mut().unwrap();
    let named = |package: &mut Value| {
        let name = package["name"].as_str().unwrap().to_owned();
        (name, package.take())
    };
    packages.iter_mut().map(named).collect()
}

#[test]
fn crates_depend_in_one_direction() {
    let packages = workspace();
    for (name, (may, must_not)) in rules() {
        let used = names(&packages[name]);
        for ours in used.iter().filter(|one| one.starts_with("lagom-")) {
            assert!(may.contains(ours), "{name} may not use {ours}");
        }
        for heavy in must_not {
            assert!(!used.contains(heavy), "{name} may not use {heavy}");
        }
    }
}

#[test]
fn only_offline_work_needs_training() {
    let packages = workspace();
    let training = dependencies(&packages["lagom-serving"])
        .iter()
        .find(|one| one["name"] == "lagom-training")
        .unwrap();
    assert_eq!(
        training["optional"], true,
        "a slim server is built without training"
    );

    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../serving/src");
    let mut folders = vec![std::path::PathBuf::from(sources)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // A review is the command line's work, asked for over the wire; a slim server refuses it.
            let offline = ["cli", "reviews.rs"];
            let is_offline = path.components().any(|part| {
                let part = part.as_os_str().to_string_lossy();
                offline.iter().any(|name| part.starts_with(name))
            });
            assert!(
                is_offline || !text.contains("lagom_training"),
                "{} uses training outside offline work",
                path.display()
            );
        }
    }
}

#[test]
fn the_core_reads_no_clock_file_environment_or_thread() {
    for core in ["features/src", "model/src"] {
        let mut folders = vec![
            std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join(core),
        ];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let is_test = path.file_stem().is_some_and(|stem| stem == "tests")
                    || path.components().any(|part| part.as_os_str() == "tests");
                if is_test || path.extension().is_none_or(|extension| extension != "rs") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap();
                for impure in [
                    "std::fs",
                    "std::env",
                    "std::thread",
                    "SystemTime",
                    "Instant::now",
                    "Timestamp::now",
                    "Zoned::now",
                    "rand::rng()",
                    "std::net",
                ] {
                    assert!(!code.contains(impure), "{}: {impure}", path.display());
                }
            }
        }
    }
}
