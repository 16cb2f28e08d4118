#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use super::{FitTable, FitTableError, FitTableReport, fit_table};
use crate::fit::Form;
use crate::flat_table::{FlatTable, ReadOptions};

/// A folder with a table of 600 rows: customer, date, amount, kind, and whether it was late.
struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut text = "customer,day,due,amount,kind,late\n".to_owned();
        for row in 0..600 {
            let amount: f64 = random.random_range(10.0..500.0);
            let p = if amount > 250.0 { 0.7 } else { 0.2 };
            let late = if random.random::<f64>() < p {
                "yes"
            } else {
                "no"
            };
            let (month, day) = (1 + row / 50, 1 + row % 28);
            let kind = ["paper", "mail"][row % 2];
            writeln!(
                text,
                "c{},2024-{month:02}-{day:02},{month}/{day}/2025,{amount:.2},{kind},{late}",
                row % 40
            )
            .unwrap();
        }
        let room = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::write(room.path("table.csv"), text).unwrap();
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn request(&self) -> FitTable {
        FitTable::new(self.path("table.csv"), "late".into())
    }
}

fn fitted(request: &FitTable) -> FitTableReport {
    fit_table(request).unwrap().0
}

#[test]
fn every_row_is_predicted_once_by_a_model_that_has_not_seen_it() {
    let room = Room::new();
    let mut request = room.request();
    request.predictions = Some(room.path("p.csv"));
    request.group = Some("customer".into());
    let report = fitted(&request);
    assert_eq!((report.rows, report.folds.len()), (600, 5));
    assert_eq!(report.positive, "yes");
    assert!(
        report.auc.unwrap() > 0.68 && report.auc.unwrap() < 0.85,
        "{:?}",
        report.auc
    );
    assert!(
        !report
            .features
            .iter()
            .any(|feature| feature.contains("customer"))
    );
    let written = FlatTable::read(&room.path("p.csv"), &ReadOptions::default()).unwrap();
    let rows: Vec<f64> = (0..600).map(f64::from).collect();
    assert_eq!(written.numbers("row_id").unwrap(), rows);
    let p = written.numbers("p").unwrap();
    assert!(p.iter().all(|p| *p > 0.0 && *p < 1.0));
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let room = Room::new();
    let mut request = room.request();
    let mut bytes = |name: &str| {
        request.predictions = Some(room.path(name));
        fitted(&request);
        fs::read(room.path(name)).unwrap()
    };
    assert_eq!(bytes("a.csv"), bytes("b.csv"));
}

#[test]
fn a_split_file_decides_who_is_judged() {
    let room = Room::new();
    let lines = (0..600).map(|row| {
        let side = ["train", "train", "test", "spare"][row % 4];
        format!("{row},{side}\n")
    });
    let text = format!("row_id,split\n{}", lines.collect::<String>());
    let mut request = room.request();
    request.split = Some(room.write("split.csv", &text));
    request.predictions = Some(room.path("p.csv"));
    let report = fitted(&request);
    assert_eq!(report.rows, 150);
    assert_eq!(report.folds[0].fit.rows, 300);
    let written = FlatTable::read(&room.path("p.csv"), &ReadOptions::default()).unwrap();
    assert!(
        written
            .numbers("row_id")
            .unwrap()
            .iter()
            .all(|row| row % 4.0 == 2.0)
    );
}

#[test]
fn a_group_on_both_sides_of_a_split_file_is_not_fitted_on() {
    let room = Room::new();
    // Customers 0 to 9 have 75 rows in either fold, the others all their rows in one.
    let fold = |row: usize| match row % 40 {
        0..10 => usize::from(row >= 300),
        10..25 => 0,
        _ => 1,
    };
    let lines = (0..600).map(|row| format!("{row},{}\n", fold(row)));
    let text = format!("row_id,fold\n{}", lines.collect::<String>());
    let mut request = room.request();
    request.split = Some(room.write("split.csv", &text));
    assert_eq!(fitted(&request).rows_of_test_groups, 0);
    request.group = Some("customer".into());
    let report = fitted(&request);
    assert_eq!(report.rows, 600);
    assert_eq!(report.rows_of_test_groups, 150);
}

#[test]
fn with_a_time_the_latest_quarter_is_judged_and_dates_are_told_from_it() {
    let room = Room::new();
    let mut request = room.request();
    request.time = Some("day".into());
    request.drop = vec!["customer".into()];
    let report = fitted(&request);
    assert!(report.rows >= 140 && report.rows <= 160, "{}", report.rows);
    assert!(
        report.features.contains(&"due (days from time)".to_owned()),
        "{:?}",
        report.features
    );
    assert!(
        !report
            .features
            .iter()
            .any(|feature| feature.starts_with("day"))
    );
    request.time = Some("row_id".into());
    assert_eq!(fitted(&request).rows, 150);
}

#[test]
fn the_plain_form_is_fitted_too() {
    let room = Room::new();
    let mut request = room.request();
    request.form = Form::Plain;
    request.c = Some(1.0);
    request.drop = vec!["customer".into(), "day".into(), "due".into()];
    let report = fitted(&request);
    assert_eq!(report.features, ["amount", "kind"]);
    assert!(report.folds.iter().all(|fold| fold.fit.certified));
}

#[test]
fn wrong_requests_are_refused_and_nothing_is_written() {
    let room = Room::new();
    let error = |change: &dyn Fn(&mut FitTable)| {
        let mut request = room.request();
        request.predictions = Some(room.path("never.csv"));
        change(&mut request);
        let error = fit_table(&request).unwrap_err();
        assert!(!room.path("never.csv").exists());
        error
    };
    let wrong = error(&|request| request.target = "lat".into());
    assert!(
        wrong
            .to_string()
            .starts_with("there is no column `lat`; there are: customer,")
    );
    let wrong = error(&|request| request.positive = Some("maybe".into()));
    assert_eq!(
        wrong.to_string(),
        "column `late` never holds `maybe`; it holds `no`, `yes`"
    );
    let wrong = error(&|request| request.target = "kind".into());
    assert!(
        matches!(wrong, FitTableError::WhichPositive { .. }),
        "{wrong}"
    );
    let wrong = error(&|request| request.drop = vec!["nothing".into()]);
    assert!(matches!(wrong, FitTableError::Table(_)));
    let wrong = error(&|request| request.time = Some("kind".into()));
    assert!(
        matches!(wrong, FitTableError::Time { row: 0, .. }),
        "{wrong}"
    );
    let far = room.write("far.csv", "row_id,fold\n0,1\n600,2\n");
    let wrong = error(&|request| request.split = Some(far.clone()));
    assert!(
        wrong
            .to_string()
            .contains("`600` is not a row of the table, which has rows 0 to 599")
    );
    let twice = room.write("twice.csv", "row_id,fold\n5,1\n5,2\n");
    let wrong = error(&|request| request.split = Some(twice.clone()));
    assert!(
        matches!(wrong, FitTableError::SplitTwice { row_id: 5, .. }),
        "{wrong}"
    );
    let other = room.write("other.csv", "row_id,part\n5,1\n");
    let wrong = error(&|request| request.split = Some(other.clone()));
    assert!(
        matches!(wrong, FitTableError::SplitColumns { .. }),
        "{wrong}"
    );
}

#[test]
fn a_missing_outcome_is_refused_only_where_it_is_needed() {
    let room = Room::new();
    let text = fs::read_to_string(room.path("table.csv")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[1] = lines[1].rsplit_once(',').unwrap().0.to_owned() + ",";
    fs::write(room.path("table.csv"), lines.join("\n")).unwrap();
    let mut request = room.request();
    let error = fit_table(&request).unwrap_err();
    assert!(
        matches!(error, FitTableError::NoOutcome { row: 0, .. }),
        "{error}"
    );
    let lines = (1..600).map(|row| format!("{row},{}\n", row % 3));
    let text = format!("row_id,fold\n{}", lines.collect::<String>());
    request.split = Some(room.write("split.csv", &text));
    assert_eq!(fitted(&request).rows, 599);
}

/// On the folds of the peers, which stand beside their predictions.
#[test]
fn uci_default_is_as_good_as_tuned_lightgbm() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let peers = crate_folder.join("tests/oracles/uci_lr_exact.csv.gz");
    let peers = FlatTable::read(&peers, &ReadOptions::default()).unwrap();
    let folds = peers.numbers("fold").unwrap();
    let lines = folds.iter().enumerate();
    let lines = lines.map(|(row, fold)| format!("{row},{fold}\n"));
    let room = Room::new();
    let table = crate_folder.join("../notebooks-data/uci-credit/UCI_Credit_Card.csv.gz");
    let mut request = FitTable::new(table, "class".into());
    request.drop = vec!["ID".into()];
    let split = format!("row_id,fold\n{}", lines.collect::<String>());
    request.split = Some(room.write("split.csv", &split));
    let report = fitted(&request);
    // LightGBM, tuned: .7848 and .4261.
    assert!(report.auc.unwrap() > 0.7848 - 0.004, "{:?}", report.auc);
    assert!(report.log_loss < 0.4261 + 0.004, "{}", report.log_loss);
    assert!(report.ece < 0.02, "{}", report.ece);
}
