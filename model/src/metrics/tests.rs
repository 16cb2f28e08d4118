#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::{
    Metrics, MetricsError, auc, brier_decomposition, clustered_gaps, log_loss, reliability, wilson,
};

/// The folder of peers' numbers, when this machine has it.
fn oracles() -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("LAGOM_SHARED")
        .map(PathBuf::from)
        .into_iter()
        .chain([
            manifest.join("../../shared"),
            manifest.join("../../../shared"),
        ])
        .map(|shared| shared.join("oracles/ml"))
        .find(|folder| folder.is_dir())
}

fn peers_predictions(path: &Path, peer: &str) -> (Vec<bool>, Vec<f64>) {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(std::fs::File::open(path).unwrap()));
    let column = reader.headers().unwrap().iter().position(|h| h == peer);
    let column = column.unwrap();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            (&record[1] == "1", record[column].parse::<f64>().unwrap())
        })
        .unzip()
}

#[test]
fn figures_equal_those_scikit_learn_gave_for_the_same_predictions() {
    let Some(folder) = oracles() else {
        eprintln!("skipped: the oracles are not on this machine");
        return;
    };
    let tables = [
        (
            "preds_ibm_telco_churn.csv.gz",
            "results_ibm_telco.json",
            "churn",
        ),
        (
            "preds_uci_credit_default_default.csv.gz",
            "results_uci_credit_default.json",
            "default_next_month",
        ),
    ];
    for (predictions, results, task) in tables {
        let text = std::fs::read_to_string(folder.join(results)).unwrap();
        let results: serde_json::Value = serde_json::from_str(&text).unwrap();
        // Probabilities of LR-spline that round to 0 in six decimals would change its log-loss.
        for peer in ["LR-exact", "LightGBM-tuned", "XGBoost"] {
            let (outcomes, p) = peers_predictions(&folder.join(predictions), peer);
            let ours = Metrics::of(&outcomes, &p).unwrap();
            let theirs = |key: &str| results[task][peer][key].as_f64().unwrap();
            // Their predictions were written with six decimals.
            assert!(
                (ours.auc.unwrap() - theirs("auc")).abs() < 2e-6,
                "{task} {peer}"
            );
            assert!(
                (ours.log_loss - theirs("logloss")).abs() < 1e-6,
                "{task} {peer}"
            );
            assert!((ours.brier - theirs("brier")).abs() < 1e-6, "{task} {peer}");
            assert!(
                (ours.ece - theirs("ece10_mass")).abs() < 5e-5,
                "{task} {peer}"
            );
        }
    }
}

#[test]
fn ties_count_a_half_in_the_auc() {
    let outcomes = [false, true, false, true];
    assert_eq!(auc(&outcomes, &[0.1, 0.4, 0.35, 0.8]), Some(1.0));
    assert_eq!(auc(&outcomes, &[0.5; 4]), Some(0.5));
    // Pairs: (0.2<0.5) 1, (0.2<0.2) ½, (0.5=0.5) ½, (0.5>0.2) 0.
    assert_eq!(auc(&outcomes, &[0.2, 0.5, 0.5, 0.2]), Some(0.5));
    assert_eq!(auc(&[true, true], &[0.1, 0.2]), None);
}

#[test]
fn auc_equals_the_count_over_all_pairs() {
    let scores: Vec<f64> = (0..60).map(|i| f64::from((i * 37 + 11) % 17)).collect();
    let outcomes: Vec<bool> = (0..60).map(|i| (i * 29 + 3) % 7 < 3).collect();
    let (mut wins, mut pairs) = (0.0, 0.0);
    for i in 0..60 {
        for j in 0..60 {
            if outcomes[i] && !outcomes[j] {
                pairs += 1.0;
                wins += match scores[i].total_cmp(&scores[j]) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
    }
    assert!((auc(&outcomes, &scores).unwrap() - wins / pairs).abs() < 1e-15);
}

#[test]
fn certainty_that_fails_costs_much_but_not_infinitely() {
    assert!(log_loss(&[true], &[0.0]) > 30.0);
    assert!(log_loss(&[true], &[0.0]).is_finite());
    assert!((log_loss(&[true, false], &[0.5, 0.5]) - std::f64::consts::LN_2).abs() < 1e-15);
}

#[test]
fn the_brier_decomposition_adds_up() {
    let p: Vec<f64> = (0..103).map(|i| f64::from(i) / 103.0).collect();
    let outcomes: Vec<bool> = (0..103).map(|i| (i * 31) % 103 < i).collect();
    let parts = brier_decomposition(&outcomes, &p);
    let sum = parts.reliability - parts.resolution + parts.uncertainty + parts.within;
    assert!((sum - super::brier(&outcomes, &p)).abs() < 1e-15);
    // Wide bins hide little of a smooth score.
    assert!(parts.within.abs() < 0.01, "{parts:?}");
}

#[test]
fn every_row_is_in_one_reliability_bin() {
    let p: Vec<f64> = (0..57).map(|i| f64::from(i) / 57.0).collect();
    let outcomes = vec![false; 57];
    let bins = reliability(&outcomes, &p);
    assert_eq!(bins.iter().map(|bin| bin.rows).sum::<usize>(), 57);
    assert_eq!(bins[0].rows, 6);
    assert_eq!(bins[9].rows, 5);
    assert_eq!(reliability(&[true, false], &[0.1, 0.9]).len(), 2);
}

#[test]
fn wilson_equals_the_published_example() {
    // 15 of 148: Newcombe, Statistics in Medicine 17, 1998, table I, method 3.
    let (low, high) = wilson(15, 148);
    assert!((low - 0.0624).abs() < 5e-5 && (high - 0.1605).abs() < 5e-5);
    let (low, _) = wilson(0, 20);
    assert_eq!(low, 0.0);
}

#[test]
fn what_cannot_be_judged_is_refused() {
    assert_eq!(Metrics::of(&[], &[]), Err(MetricsError::Empty));
    assert!(matches!(
        Metrics::of(&[true], &[]),
        Err(MetricsError::Lengths { .. })
    ));
    assert!(matches!(
        Metrics::of(&[true, false], &[0.5, f64::NAN]),
        Err(MetricsError::NotAProbability { row: 1, .. })
    ));
}

#[test]
fn an_interval_of_clusters_is_that_by_hand_and_wider_where_rows_hang_together() {
    // One bin a row where there are ten rows; so twenty rows of two, by hand.
    let predicted: Vec<f64> = (0..20)
        .map(|row| f64::from(row / 2) / 10.0 + 0.05)
        .collect();
    let outcomes: Vec<bool> = (0..20).map(|row| row % 2 == 0).collect();
    let apart: Vec<usize> = (0..20).collect();
    let gaps = clustered_gaps(&outcomes, &predicted, &apart);
    assert_eq!(gaps.len(), 10);
    for (place, gap) in gaps.iter().enumerate() {
        assert!((gap.gap - (0.5 - (place as f64 / 10.0 + 0.05))).abs() < 1e-12);
        // Residuals of ±½ about the gap: √(2/1 · (¼ + ¼)) / 2 = ½.
        assert!((gap.high - gap.gap - 0.5 * 1.959_963_984_540_054).abs() < 1e-12);
        assert_eq!(gap.clusters, 2);
    }
    // Every row twice over, under the same customer, says no more than once.
    let twice = |rows: &[f64]| -> Vec<f64> { rows.iter().flat_map(|row| [*row, *row]).collect() };
    let predicted = vec![0.3; 200];
    let outcomes: Vec<bool> = (0..200).map(|row| row % 7 < 3).collect();
    let customers: Vec<usize> = (0..200).collect();
    let once = clustered_gaps(&outcomes, &predicted, &customers);
    let double: Vec<bool> = outcomes.iter().flat_map(|one| [*one, *one]).collect();
    let pairs: Vec<usize> = customers.iter().flat_map(|one| [*one, *one]).collect();
    let found = clustered_gaps(&double, &twice(&predicted), &pairs);
    for (once, found) in once.iter().zip(&found) {
        assert!((once.gap - found.gap).abs() < 1e-12);
        assert!((once.high - found.high).abs() < 1e-12);
    }
    let bins = reliability(&double, &twice(&predicted));
    assert!(
        found
            .iter()
            .zip(&bins)
            .all(|(gap, bin)| gap.high - gap.low > bin.high - bin.low)
    );
    let alone = clustered_gaps(&double, &twice(&predicted), &vec![0; 400]);
    assert!(alone.iter().all(|gap| gap.low == f64::NEG_INFINITY));
}
