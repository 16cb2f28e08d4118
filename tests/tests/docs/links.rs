//! Links and configurations in the documents.

use super::{blocks, documents, root};
use std::collections::BTreeSet;
use std::process::Command;

/// The anchor that a heading gets on the usual hosts.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_';
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text);
    headings
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for document in documents() {
        let text = std::fs::read_to_string(root().join(&document)).unwrap();
        let prose = prose(&text);
        let targets = prose.split("](").skip(1);
        for target in targets.filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let (path, place) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() {
                root().join(&document)
            } else {
                root().join(&document).parent().unwrap().join(path)
            };
            let leads = file.exists()
                && (place.is_empty()
                    || anchors(&std::fs::read_to_string(&file).unwrap()).contains(place));
            if !leads {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
    assert!(seen > 0, "no link was found, so none was checked");
}

#[test]
fn every_configuration_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    // What the documents' [server.tls] names.
    let pki = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serving/pki");
    for file in ["server.pem", "server.key", "authority.pem"] {
        std::fs::copy(format!("{pki}/{file}"), folder.path().join(file)).unwrap();
    }
    let mut seen = 0;
    for document in documents() {
        let text = std::fs::read_to_string(root().join(&document)).unwrap();
        for (line, block) in blocks(&text, "toml") {
            let file = folder.path().join("lagom.toml");
            std::fs::write(&file, &block).unwrap();
            let checked = Command::new(lagom_tests::lagom())
                .arg("check-config")
                .arg(&file)
                .output()
                .unwrap();
            assert!(
                checked.status.success(),
                "{}, line {line}: {}{}",
                document.display(),
                String::from_utf8_lossy(&checked.stdout),
                String::from_utf8_lossy(&checked.stderr)
            );
            seen += 1;
        }
    }
    assert!(seen > 0, "no configuration was found, so none was checked");
}

#[test]
fn anchors_are_those_of_the_hosts() {
    assert_eq!(anchor(" How it is built"), "how-it-is-built");
    assert_eq!(anchor(" `lagom.toml`, by part"), "lagomtoml-by-part");
}
