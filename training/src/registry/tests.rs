//! A registry in a folder of its own.
#![allow(clippy::unwrap_used)]

use super::*;
use lagom_features::FeatureSpec;
use lagom_features::domain::Timestamp;
use lagom_model::artefact::{FORMAT, Head, Parts};
use lagom_model::calibration::Calibration;
use lagom_model::linear::{InputColumn, InputKind, Linear, LinearModel, LinearParts, Term};

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
    };
    ModelVersion::new(Parts {
        format: FORMAT,
        feature_fingerprint: spec.fingerprint().to_owned(),
        feature_spec: text.to_owned(),
        propensity: head,
        hazard: None,
        lateness: None,
        churn: None,
        lineage: Lineage {
            parent: None,
            data_digest: "d".to_owned(),
            config_digest: "c".to_owned(),
            code_version: "1".to_owned(),
            seed,
            as_of: Timestamp::parse("2026-01-01").unwrap(),
            excluded: Vec::new(),
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
        fs::read_to_string(path.join(CARD))
            .unwrap()
            .contains(one.id())
    );
}

#[test]
fn pointers_move_together_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(dir.path());
    let (one, two) = (version(1), version(2));
    assert!(registry.current().unwrap().is_none());
    assert!(matches!(
        registry.promote(one.id()),
        Err(RegistryError::Unknown { .. })
    ));
    for version in [&one, &two] {
        registry.put(version).unwrap();
        registry.promote(version.id()).unwrap();
    }
    let pointers = registry.promote(two.id()).unwrap();
    assert_eq!(pointers.previous.as_deref(), Some(one.id()));
    assert_eq!(registry.current().unwrap(), Some(two.clone()));
    let back = registry.rollback().unwrap();
    assert_eq!(back.current.as_deref(), Some(one.id()));
    assert_eq!(back.previous.as_deref(), Some(two.id()));
    assert_eq!(registry.pointers().unwrap(), back);
}

#[test]
fn there_is_no_way_back_from_the_first_version() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(dir.path());
    registry.put(&version(1)).unwrap();
    registry.promote(version(1).id()).unwrap();
    assert!(matches!(
        registry.rollback(),
        Err(RegistryError::NoPrevious { .. })
    ));
}

#[test]
fn a_damaged_version_is_named_and_never_promoted() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(dir.path());
    let one = version(1);
    let file = registry.put(&one).unwrap().join(MODEL);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"rows\": 10", "\"rows\": 11", 1)).unwrap();
    let told = registry.promote(one.id()).unwrap_err().to_string();
    assert!(
        told.contains("it was changed") && told.contains(one.id()),
        "{told}"
    );
    assert_eq!(registry.pointers().unwrap(), Pointers::default());
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
