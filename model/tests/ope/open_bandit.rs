//! Open Bandit Dataset, campaign "men": the Thompson policy valued from the
//! uniform policy's log, as Open Bandit Pipeline 0.5.7 values it.

use lagom_model::ope::{
    Rounds,
    report::{Options, report},
};
use ndarray::Array2;

use crate::oracle::{assert_close, column, json, matrix, shared};

/// 10,000 impressions; the distribution and the reward table depend on the position.
fn men(folder: &std::path::Path) -> Rounds {
    let log = folder.join("data/open_bandit_men/random_men.csv.gz");
    let by_position = |file: &str| {
        let table = matrix(&folder.join("oracles/ope/open_bandit_men").join(file));
        let positions: Vec<usize> = column(&log, "position");
        Array2::from_shape_fn((positions.len(), table.nrows()), |(row, action)| {
            table[[action, positions[row] - 1]]
        })
    };
    Rounds::new(
        column(&log, "item_id"),
        column(&log, "click"),
        column(&log, "propensity_score"),
        by_position("obd_men_bts_action_dist.csv"),
    )
    .unwrap()
    .with_predicted(by_position("obd_men_qhat.csv"))
    .unwrap()
}

#[test]
fn values_equal_obp_0_5_7() {
    let Some(folder) = shared() else { return };
    let options = Options {
        bootstrap: None,
        ..Options::default()
    };
    let report = report(&men(&folder), &options).unwrap();
    let oracle = &json(&folder.join("oracles/ope/obp.json"))["obd"]["men"];
    for name in [
        "ips",
        "snips",
        "dm",
        "dr",
        "sndr",
        "switch_dr_tau2",
        "dros_l2",
    ] {
        let expected = oracle[name].as_f64().unwrap();
        assert_close(name, report.value[name], expected, 1e-9);
    }
    assert_close(
        "logged",
        report.logged_value,
        oracle["random_ctr"].as_f64().unwrap(),
        1e-12,
    );
}

/// The answer is known: the Thompson policy's own log.
#[test]
fn the_interval_covers_what_the_other_policy_earned() {
    let Some(folder) = shared() else { return };
    let own: Vec<f64> = column(&folder.join("data/open_bandit_men/bts_men.csv.gz"), "click");
    let mean = own.iter().sum::<f64>() / own.len() as f64;
    let options = Options {
        bootstrap: None,
        ..Options::default()
    };
    let report = report(&men(&folder), &options).unwrap();
    let spread = (mean * (1.0 - mean) / own.len() as f64).sqrt();
    for name in ["ips", "snips", "dr"] {
        let interval = report.interval[name];
        let low = interval.low - 1.96 * spread;
        let high = interval.high + 1.96 * spread;
        assert!(
            low < mean && mean < high,
            "{name}: {mean} in [{low}, {high}]"
        );
    }
}
