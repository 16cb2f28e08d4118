//! Model versions made up for tests, and what the gate said of them.

use lagom_features::FeatureSpec;
use lagom_features::domain::Timestamp;
use lagom_model::artefact::scrutiny::Scrutiny;
use lagom_model::artefact::{FORMAT, Head, HeldOut, Lineage, ModelVersion, Parts};
use lagom_model::calibration::Calibration;
use lagom_model::linear::{InputColumn, InputKind, Linear, LinearModel, LinearParts, Term};
use lagom_model::metrics::Metrics;
use lagom_model::ope::Overlap;
use lagom_model::ope::gate::{Check, Verdict};
use lagom_model::ope::valuation::{self, Estimand, Judged, Valuation};
use std::collections::BTreeMap;

/// A version that differs from others by its seed, calibrated as well as `ece` says.
pub(crate) fn version(seed: u64, ece: f64, text: &str) -> ModelVersion {
    let spec = FeatureSpec::parse(text).unwrap();
    let columns = spec.names().into_iter().map(|name| InputColumn {
        name: name.to_owned(),
        kind: InputKind::Number,
    });
    let line = Linear {
        column: 0,
        median: 0.0,
        centre: 0.0,
        scale: 1.0,
        weight: 0.0,
    };
    let model = LinearModel::new(LinearParts {
        columns: columns.collect(),
        intercept: 0.0,
        terms: vec![Term::Linear(line)],
        calibration: Calibration::Identity,
    });
    let january = Timestamp::parse("2026-01-01").unwrap();
    let propensity = Head {
        target: "settled".to_owned(),
        horizon_days: Some(30),
        rows: 10,
        base_rate: 0.5,
        model: model.unwrap(),
        held_out: Some(HeldOut {
            fitted_before: january,
            judged_from: january,
            fitted_rows: 10,
            metrics: Metrics {
                auc: Some(0.8),
                log_loss: 0.5,
                brier: 0.2,
                ece,
                rows: 10,
                base_rate: 0.5,
            },
        }),
        scrutiny: Scrutiny::default(),
    };
    ModelVersion::new(Parts {
        format: FORMAT,
        feature_fingerprint: spec.fingerprint().to_owned(),
        feature_spec: text.to_owned(),
        propensity,
        lateness: None,
        churn: None,
        leaving: None,
        early: None,
        hazard: None,
        lineage: Lineage {
            parent: None,
            data_digest: "d".to_owned(),
            config_digest: "c".to_owned(),
            code_version: "1".to_owned(),
            seed,
            as_of: january,
            excluded: Vec::new(),
            policy: None,
        },
    })
    .unwrap()
}

/// What the gate said of `candidate`.
pub(crate) fn verdict(candidate: &str, against: &str, passed: bool, words: &str) -> Judged {
    let overlap = Overlap::of_weights(&[1.0, 1.0], None);
    let nothing = Estimand {
        candidate: BTreeMap::new(),
        incumbent: BTreeMap::new(),
        difference: BTreeMap::new(),
        overlap: overlap.clone(),
        incumbent_overlap: overlap,
        segments: Vec::new(),
    };
    let check = Check {
        name: "value".to_owned(),
        passed,
        words: words.to_owned(),
    };
    Judged {
        ways: None,
        format: valuation::FORMAT,
        candidate: candidate.to_owned(),
        against: against.to_owned(),
        valuation: Valuation {
            from: Timestamp::parse("2026-01-01").unwrap(),
            horizon_days: 60,
            lives: 600,
            decisions: 1_800,
            customers: 500,
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
