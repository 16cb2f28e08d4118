//! A registry in a folder of its own.
#![allow(clippy::unwrap_used)]

use super::*;
use lagom_features::FeatureSpec;
use lagom_features::domain::Timestamp;
use lagom_model::artefact::scrutiny::Scrutiny;
use lagom_model::artefact::{FORMAT, Head, Parts};
use lagom_model::calibration::Calibration;
use lagom_model::linear::{InputColumn, InputKind, Linear, LinearModel, LinearParts, Term};
use lagom_model::ope::Overlap;
use lagom_model::ope::gate::{Check, Verdict};
use lagom_model::ope::valuation::{self, Estimand, Judged, Valuation};
use std::collections::BTreeMap;

/// A version that differs from others by its seed.
fn version(seed: u64) -> ModelVersion {
    let text = "[[feature]]\nname = \"x\"\nsource = \"invoice\"\nattribute = \"disputed\"\n";
    let spec = FeatureSpec::parse(text).unwrap();
    let column = InputColumn {
        name: "x".to_owned(),
        kind: InputKind::Number,
    };
    let line = Linear {
        column: 0,
        median: 0.0,
        centre: 0.0,
        scale: 1.0,
        weight: 1.0,
    };
    let model = LinearModel::new(LinearParts {
        columns: vec![column],
        intercept: 0.0,
        terms: vec![Term::Linear(line)],
        calibration: Calibration::Identity,
    });
    let head = Head {
        target: "settled".to_owned(),
        horizon_days: Some(30),
        rows: 10,
        base_rate: 0.5,
        model: model.unwrap(),
        held_out: None,
        scrutiny: Scrutiny::default(),
    };
    ModelVersion::new(Parts {
        format: FORMAT,
        feature_fingerprint: spec.fingerprint().to_owned(),
        feature_spec: text.to_owned(),
        propensity: head,
        hazard: None,
        lateness: None,
        churn: None,
        leaving: None,
        early: None,
        lineage: Lineage {
            parent: None,
            data_digest: "d".to_owned(),
            config_digest: "c".to_owned(),
            code_version: "1".to_owned(),
            seed,
            as_of: Timestamp::parse("2026-01-01").unwrap(),
            excluded: Vec::new(),
            policy: None,
        },
    })
    .unwrap()
}

#[test]
fn versions_are_stored_once_and_found_by_the_beginning_of_their_id() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(&dir.path().join("models"));
    assert!(registry.list().unwrap().is_empty());
    let (one, two) = (version(1), version(2));
    let path = registry.put(&one).unwrap();
    assert_eq!(registry.put(&one).unwrap(), path);
    registry.put(&two).unwrap();
    assert_eq!(registry.list().unwrap().len(), 2);
    assert_eq!(registry.get(&one.id()[..8]).unwrap(), one);
    assert!(matches!(
        registry.get(""),
        Err(RegistryError::Unknown { .. })
    ));
    assert!(matches!(
        registry.get("zz"),
        Err(RegistryError::Unknown { .. })
    ));
    assert!(
        fs::read_to_string(path.join("card.md"))
            .unwrap()
            .contains(one.id())
    );
}

#[test]
fn the_current_version_is_the_one_pointed_at() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(dir.path());
    let one = version(1);
    registry.put(&one).unwrap();
    assert!(registry.current().unwrap().is_none());
    let at = one.parts().lineage.as_of;
    let pointers = Pointers::default().promote(one.id(), at, "");
    let text = serde_json::to_string(&pointers).unwrap();
    fs::write(dir.path().join(POINTERS), text).unwrap();
    assert_eq!(registry.current().unwrap(), Some(one));
    assert!(registry.list().unwrap()[0].current);
}

#[test]
fn the_cards_say_what_the_gate_said() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(dir.path());
    let one = version(1);
    let path = registry.put(&one).unwrap();
    let judged = judged(one.id(), "a life is worth <nothing> more");
    registry.keep(&judged).unwrap();
    for name in ["card.md", "card.json"] {
        let text = fs::read_to_string(path.join(name)).unwrap();
        assert!(text.contains("worth <nothing> more"), "{text}");
    }
    let page = fs::read_to_string(path.join("card.html")).unwrap();
    assert!(page.contains("worth &lt;nothing&gt; more"), "{page}");
    assert!(page.contains("stopped") && page.contains("17 lives"));
    assert_eq!(registry.judged(one.id()).unwrap(), Some(judged.clone()));
    let unknown = Judged {
        candidate: "elsewhere".to_owned(),
        ..judged
    };
    assert!(registry.keep(&unknown).is_err(), "no card, no verdict");
}

fn judged(candidate: &str, words: &str) -> Judged {
    let none = Overlap::of_weights(&[1.0, 1.0], None);
    let nothing = Estimand {
        candidate: BTreeMap::new(),
        incumbent: BTreeMap::new(),
        difference: BTreeMap::new(),
        overlap: none.clone(),
        incumbent_overlap: none,
        segments: Vec::new(),
    };
    let check = Check {
        name: "value".to_owned(),
        passed: false,
        words: words.to_owned(),
    };
    Judged {
        ways: None,
        format: valuation::FORMAT,
        candidate: candidate.to_owned(),
        against: "logged".to_owned(),
        valuation: Valuation {
            from: Timestamp::parse("2026-01-01").unwrap(),
            horizon_days: 60,
            lives: 17,
            decisions: 30,
            customers: 9,
            left_out: 0,
            reach: None,
            one_step: None,
            episode: nothing,
            calibration: None,
            verdict: Verdict::of(vec![check]),
        },
        frontier: Vec::new(),
    }
}

#[test]
fn a_damaged_version_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(dir.path());
    let one = version(1);
    let file = registry.put(&one).unwrap().join(MODEL);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"rows\": 10", "\"rows\": 11", 1)).unwrap();
    let told = registry.get(one.id()).unwrap_err().to_string();
    assert!(
        told.contains("it was changed") && told.contains(one.id()),
        "{told}"
    );
    assert!(registry.put(&one).is_err());
}

#[test]
fn a_version_has_its_card_as_json_and_as_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(dir.path());
    let one = version(1);
    let path = registry.put(&one).unwrap();
    let text = fs::read_to_string(path.join("card.json")).unwrap();
    let card: lagom_model::card::Card = serde_json::from_str(&text).unwrap();
    assert_eq!(card, lagom_model::card::Card::of(&one, None));
    assert!(!card.parts[0].strengths.is_empty());
    let page = fs::read_to_string(path.join("card.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains(one.id()));
    assert!(!page.contains("<script") && !page.contains("http"));
    let beside = lagom_model::card::Card::of(&one, Some(&one));
    let same = |one: &lagom_model::card::Compared| one.before == one.now;
    assert!(beside.compared.len() == 9 && beside.compared.iter().all(same));
}
