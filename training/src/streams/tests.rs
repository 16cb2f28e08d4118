#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::PathBuf;

use lagom_model::bandit::BanditConfig;

use super::*;

/// The folder of recorded streams, if it is here.
fn oracles() -> Option<PathBuf> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let told = std::env::var_os("LAGOM_SHARED").map(PathBuf::from);
    let beside = ["../../shared", "../shared"].map(|path| manifest.join(path));
    told.into_iter()
        .chain(beside)
        .map(|shared| shared.join("oracles/bandit"))
        .find(|folder| folder.is_dir())
}

/// Writes a file that is removed with the returned guard.
fn written(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

/// Two classes that the first feature tells apart, 200 rows, shown forwards and backwards.
fn separable() -> LabelledStream {
    let mut table = String::from("f0,f1,label\n");
    let mut order = String::from("forwards,backwards\n");
    for row in 0..200 {
        let class = if row % 3 == 0 { "late" } else { "early" };
        let feature = f64::from(u8::from(class == "late"));
        table += &format!("{feature},{},{class}\n", f64::from(row % 7) / 7.0);
        order += &format!("{row},{}\n", 199 - row);
    }
    let (table, order) = (written(&table), written(&order));
    LabelledStream::read(table.path(), order.path()).unwrap()
}

#[test]
fn a_separable_stream_is_learnt_and_replayed_to_the_bit() {
    let stream = separable();
    assert_eq!(stream.classes, ["early", "late"]);
    let report = run_stream(&stream, &BanditConfig::default()).unwrap();
    assert_eq!(report.orders, ["forwards", "backwards"]);
    assert!(report.mean < 0.1, "{}", report.mean);
    assert_eq!(report.best_fixed_action.action, "early");
    assert!((report.best_fixed_action.cost - 67.0 / 200.0).abs() < 1e-12);
    assert!((report.uniform_cost - 0.5).abs() < 1e-15);
    let again = run_stream(&stream, &BanditConfig::default()).unwrap();
    assert_eq!(again.cost, report.cost);
    assert_eq!(again.serving_default.cost, report.serving_default.cost);
}

#[test]
fn an_order_that_points_outside_the_table_is_refused_with_its_place() {
    let table = written("f0,label\n0.5,0\n0.1,1\n");
    let order = written("seed0\n0\n2\n");
    let refused = LabelledStream::read(table.path(), order.path()).unwrap_err();
    let message = refused.to_string();
    assert!(
        message.contains("row 1, column `seed0`: found 2"),
        "{message}"
    );
    let one_class = written("f0,label\n0.5,1\n0.1,1\n");
    let refused = LabelledStream::read(one_class.path(), order.path()).unwrap_err();
    assert!(
        refused.to_string().contains("at least two classes"),
        "{refused}"
    );
}

/// The costs of `oracles/bandit/README.md` (Vowpal Wabbit 9.11.9, best of 17 configurations) and the bars
/// set for this learner, with one configuration for all.
#[test]
fn the_recorded_streams_cost_less_than_their_bars() {
    let Some(folder) = oracles() else {
        eprintln!("skipped: the recorded streams are not here");
        return;
    };
    let bars = [
        ("digits", 0.19, 0.425),
        ("breast_cancer", 0.06, 0.110),
        ("mkcls_k5", 0.215, 0.482),
        ("wine", 0.165, 0.422),
        ("iris", 0.34, 0.420),
    ];
    for (name, bar, recorded) in bars {
        let table = folder.join(format!("streams/{name}.csv.gz"));
        let order = folder.join(format!("streams/{name}.order.csv.gz"));
        let stream = LabelledStream::read(&table, &order).unwrap();
        let report = run_stream(&stream, &BanditConfig::default()).unwrap();
        assert!(report.mean <= bar, "{name}: {} above {bar}", report.mean);
        assert!(report.mean < recorded && report.cost.len() == 5);
    }
}

/// VW reached .471; one constant action, where eligible, .691.
#[test]
fn the_delayed_stream_is_learnt_cold_and_beats_one_constant_action_warm() {
    let Some(folder) = oracles() else {
        eprintln!("skipped: the recorded streams are not here");
        return;
    };
    let world = DelayedWorld::read(&folder.join("delayed")).unwrap();
    let report = run_delayed(&world, &BanditConfig::default()).unwrap();
    assert!((report.random - 0.267).abs() < 5e-4, "{}", report.random);
    assert!((report.best_single_action - 0.691).abs() < 5e-4);
    assert!((report.optimum - 0.805).abs() < 5e-4, "{}", report.optimum);
    assert!(report.mean >= 0.55, "{:?}", report.mean_success);
    assert!(report.warm_start.mean > report.best_single_action);
}
