//! The stored form of a model version: one golden document a format, read for ever.
#![allow(clippy::unwrap_used)]

use lagom_features::domain::Timestamp;
use lagom_model::artefact::scrutiny::Scrutiny;
use lagom_model::artefact::{ArtefactError, FORMAT, Head, HeldOut, Lineage, ModelVersion, Parts};
use lagom_model::calibration::Calibration;
use lagom_model::hazard::Moment;
use lagom_model::linear::{InputColumn, InputKind, Linear, LinearModel, LinearParts, Term};
use lagom_model::metrics::Metrics;

const SPEC: &str = r#"[[feature]]
name = "log_amount"
source = "invoice"
attribute = "invoice_amount"
transform = "log1p"

[[feature]]
name = "late_rate"
source = "dues"
window = "lifetime"
op = "mean"
column = "late"
"#;

const GOLDEN: &str = include_str!("golden/model_version.1.json");
const SOON: Moment = Moment {
    late_in_days: 3.0,
    age_days: 11.0,
};
const GOLDEN_ID: &str = "f4f7eafbcf68944e05ce894dd05944e3";

fn head(target: &str, columns: [&str; 2]) -> Head {
    let column = |name: &str| InputColumn {
        name: name.to_owned(),
        kind: InputKind::Number,
    };
    let line = Linear {
        column: 1,
        median: 0.1,
        centre: 0.3,
        scale: 0.25,
        weight: -1.0 / 3.0,
    };
    let parts = LinearParts {
        columns: columns.map(column).to_vec(),
        intercept: 0.75,
        terms: vec![Term::Linear(line)],
        calibration: Calibration::Platt {
            slope: 0.9,
            intercept: 0.01,
        },
    };
    Head {
        target: target.to_owned(),
        horizon_days: Some(30),
        rows: 1_000,
        base_rate: 0.7,
        model: LinearModel::new(parts).unwrap(),
        held_out: Some(HeldOut {
            fitted_before: Timestamp::parse("2026-01-01").unwrap(),
            judged_from: Timestamp::parse("2026-01-01").unwrap(),
            fitted_rows: 600,
            metrics: Metrics::of(&[true, false, true], &[0.8, 0.3, 0.25]).unwrap(),
        }),
        scrutiny: Scrutiny::default(),
    }
}

fn parts() -> Parts {
    let spec = lagom_features::FeatureSpec::parse(SPEC).unwrap();
    Parts {
        format: FORMAT,
        feature_fingerprint: spec.fingerprint().to_owned(),
        feature_spec: SPEC.to_owned(),
        propensity: head("settled within 30 days", ["log_amount", "late_rate"]),
        hazard: None,
        lateness: None,
        churn: Some(head("left within 90 days", ["log_amount", "late_rate"])),
        leaving: None,
        early: None,
        lineage: Lineage {
            parent: None,
            data_digest: "d".to_owned(),
            config_digest: "c".to_owned(),
            code_version: "0.1.0".to_owned(),
            seed: 7,
            as_of: Timestamp::parse("2026-06-01").unwrap(),
            excluded: Vec::new(),
            policy: None,
        },
    }
}

#[test]
fn the_golden_document_is_written_and_read_as_ever() {
    let version = ModelVersion::new(parts()).unwrap();
    if version.to_json() != GOLDEN {
        let proposed = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("model_version.json");
        std::fs::write(&proposed, version.to_json()).unwrap();
        panic!(
            "the stored form of {} changed: if that is meant, raise FORMAT, keep the golden \
             document, and store {} as a second one",
            version.id(),
            proposed.display()
        );
    }
    assert_eq!(version.id(), GOLDEN_ID);
    let read = ModelVersion::from_json(GOLDEN_ID, GOLDEN).unwrap();
    assert_eq!(read, version);
    let vector = [7.0, f64::NAN];
    let predicted = read.propensity(&vector, SOON).unwrap();
    assert_eq!(
        predicted.to_bits(),
        version.propensity(&vector, SOON).unwrap().to_bits()
    );
    assert!((0.0..1.0).contains(&read.churn_risk(&vector).unwrap()));
    assert_eq!(read.lateness(&vector), None);
    assert_eq!(read.propensity(&[1.0], SOON), None);
}

#[test]
fn a_changed_document_is_not_the_version_it_is_stored_as() {
    let changed = GOLDEN.replacen("\"seed\": 7", "\"seed\": 8", 1);
    let error = ModelVersion::from_json(GOLDEN_ID, &changed).unwrap_err();
    assert!(matches!(error, ArtefactError::Id { .. }), "{error}");
    let later = GOLDEN.replacen("\"format\": 1", "\"format\": 2", 1);
    let error = ModelVersion::from_json(GOLDEN_ID, &later).unwrap_err();
    assert!(
        matches!(error, ArtefactError::Format { found: 2 }),
        "{error}"
    );
    let error = ModelVersion::from_json(GOLDEN_ID, "{}").unwrap_err();
    assert!(matches!(error, ArtefactError::Json(_)), "{error}");
}

#[test]
fn a_model_of_other_features_is_refused() {
    let mut foreign = parts();
    foreign.feature_spec = SPEC.replacen("lifetime", "90d", 1);
    let error = ModelVersion::new(foreign).unwrap_err();
    assert!(
        matches!(error, ArtefactError::Fingerprint { .. }),
        "{error}"
    );
    let mut foreign = parts();
    foreign.churn = Some(head("left within 90 days", ["late_rate", "log_amount"]));
    let told = ModelVersion::new(foreign).unwrap_err().to_string();
    assert_eq!(
        told,
        "column 0 is `late_rate` in the churn model and `log_amount` in the feature spec"
    );
}
