//! Features by segment offline: what a simulated company was decided on is what its tables give, however
//! they are read and whatever reads them.
#![allow(clippy::unwrap_used)]

mod untaught;

use lagom_features::FeatureSpec;
use lagom_features::domain::{CustomerId, Date, InvoiceId, Timestamp};
use lagom_model::artefact::ModelVersion;
use lagom_model::decide::{PolicyKind, Snapshot, SnapshotParts};
use lagom_model::log::Decision;
use lagom_model::objective::Objective;
use lagom_model::ope::gate::GateSpec;
use lagom_training::drift::drift;
use lagom_training::forecast::forecast;
use lagom_training::matrix::{MatrixOptions, matrix};
use lagom_training::parity::{Parity, parity};
use lagom_training::pipeline::{TrainOptions, TrainingConfig, train};
use lagom_training::replay::{ReplayOptions, replay};
use lagom_training::simulated_log::{Plan, simulate};
use lagom_training::simulator::World;
use lagom_training::tables::{Format, Tables};
use lagom_training::valuation::{OwnLog, Policy, ValuationOptions};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;
use untaught::untaught;

const BY_SEGMENT: &str = r#"
[[feature]]
name = "segment_late_share"
source = "dues"
key = "segment"
window = "365d"
op = "mean"
column = "late"
prior = 0.25
strength = 4
unit = "share"
owner = "tests"
description = "Share of the segment's invoices that were late."

[[feature]]
name = "late_against_segment"
source = "features"
op = "difference"
left = "late_share"
right = "segment_late_share"
unit = "share"
owner = "tests"
description = "How much more often late than the segment."

[[feature]]
name = "segment_opened_90d"
source = "events"
types = ["invoice_opened"]
key = "segment"
window = "90d"
op = "count"
unit = "openings"
owner = "tests"
description = "Openings a customer of the segment."

[[feature]]
name = "segment_usual_amount"
source = "invoices"
key = "segment"
window = "lifetime"
op = "mean"
column = "log_amount"
unit = "ln"
owner = "tests"
description = "Invoices of the segment."

[[feature]]
name = "segment_days_to_settle"
source = "settlements"
key = "segment"
window = "last 3"
op = "mean"
column = "days_to_settle"
unit = "days"
owner = "tests"
description = "Days of the segment from issue to settlement."
"#;

static SPEC: LazyLock<FeatureSpec> = LazyLock::new(|| {
    let built_in = FeatureSpec::built_in();
    FeatureSpec::parse(&format!("{}\n{BY_SEGMENT}", built_in.text())).unwrap()
});

fn snapshot() -> Snapshot {
    let (_, parts) = untaught();
    let spec = SPEC.clone();
    Snapshot::new(SnapshotParts { spec, ..parts }).unwrap()
}

/// Five months of two segments under a bandit that has learnt nothing.
static LIVED: LazyLock<Tables> = LazyLock::new(|| {
    let start = Date::parse("2026-01-01").unwrap();
    let plan = Plan {
        world: World::built_in(),
        customers: 150,
        days: 150,
        start,
        seed: 4,
        judged: (start, start.plus_days(150)),
        window_days: 30,
        grace_hours: 24,
        policy: PolicyKind::Bandit,
    };
    simulate(&plan, snapshot(), None, || {}).unwrap().into()
});

fn written(tables: &Tables) -> TempDir {
    let folder = TempDir::new().unwrap();
    tables.write(folder.path(), Format::Parquet).unwrap();
    folder
}

fn checked(data: &Path, events_at_once: u64) -> Parity {
    parity(data, &SPEC, events_at_once, |_, _| {}).unwrap()
}

#[test]
fn what_was_decided_on_is_what_the_tables_give() {
    let folder = written(&LIVED);
    for events_at_once in [1_000_000, 500] {
        let parity = checked(folder.path(), events_at_once);
        assert_eq!(parity.compared, LIVED.decisions.len());
        assert!(parity.compared > 300, "{} decisions", parity.compared);
        assert!(parity.holds(), "{parity:?}");
    }
    let segments: Vec<usize> = (SPEC.names().iter().enumerate())
        .filter(|(_, name)| name.starts_with("segment_"))
        .map(|(place, _)| place)
        .collect();
    let last = LIVED.decisions.last().unwrap();
    for place in segments.iter().rev().take(4) {
        assert!(last.features[*place].is_finite(), "{last:?}");
    }
}

/// The check sees customers, and not only those who were decided about.
#[test]
fn a_customer_who_is_missing_from_the_tables_shows_in_the_features_of_others() {
    let mut tables = LIVED.clone();
    let late: CustomerId = tables.decisions[0].customer_id.clone();
    tables.customers.retain(|one| one.value.customer_id != late);
    tables.invoices.retain(|one| one.value.customer_id != late);
    tables.events.retain(|one| one.customer_id != late);
    tables.decisions.retain(|one| one.customer_id != late);
    let parity = checked(written(&tables).path(), 1_000_000);
    assert_eq!(parity.unknown, 0);
    let differ = parity.columns.iter().filter(|one| one.differs > 0);
    let differ: Vec<&str> = differ.map(|one| one.column.as_str()).collect();
    assert!(differ.contains(&"segment_usual_amount"), "{differ:?}");
    let pooled = |name: &&str| name.starts_with("segment_") || *name == "late_against_segment";
    assert!(differ.iter().all(pooled), "{differ:?}");
}

fn vectors(data: &Path, events_at_once: u64, asked: &[Decision]) -> BTreeMap<String, Vec<String>> {
    use lagom_training::flat_table::{FlatTable, ReadOptions, Values};
    let mut questions = BTreeMap::new();
    for one in asked {
        let of: &mut Vec<(InvoiceId, Timestamp)> =
            questions.entry(one.customer_id.clone()).or_default();
        of.push((one.invoice_id.clone(), one.decided_at));
    }
    let options = MatrixOptions {
        spec: &SPEC,
        as_of: None,
        after_days: vec![7, 28],
        label_days: (30, 60),
        questions: (!asked.is_empty()).then_some(&questions),
        events_at_once,
    };
    let out = TempDir::new().unwrap();
    let file = out.path().join("matrix.parquet");
    let report = matrix(data, Some(&file), &options, |_, _| {}).unwrap();
    assert!(report.rows > 300 && report.unanswered == 0);
    let table = FlatTable::read(&file, &ReadOptions::default()).unwrap();
    let cell = |values: &Values, row: usize| match values {
        Values::Number(cells) => cells[row].to_bits().to_string(),
        Values::Text(cells) => format!("{:?}", cells[row]),
    };
    let rows = (0..table.rows()).map(|row| {
        let cells = table.columns().iter();
        let cells: Vec<String> = cells.map(|column| cell(&column.values, row)).collect();
        (
            [&cells[0], &cells[1], &cells[3]]
                .map(String::as_str)
                .join(" "),
            cells,
        )
    });
    rows.collect()
}

#[test]
fn the_matrix_is_the_same_whole_in_parts_and_customer_by_customer() {
    let by_day = written(&LIVED);
    let mut tables = LIVED.clone();
    tables
        .events
        .sort_by(|a, b| b.customer_id.cmp(&a.customer_id));
    let by_customer = written(&tables);
    for asked in [&[][..], &LIVED.decisions] {
        let whole = vectors(by_day.path(), 1_000_000, asked);
        assert_eq!(whole, vectors(by_day.path(), 500, asked));
        assert_eq!(whole, vectors(by_customer.path(), 500, asked));
    }
}

#[test]
fn a_replay_of_the_past_as_it_was_lived_decides_the_same() {
    let folder = written(&LIVED);
    let options = ReplayOptions {
        from: None,
        until: None,
        policy: PolicyKind::Bandit,
        as_lived: true,
        review: lagom_features::domain::Days::whole(7),
        events_at_once: 500,
    };
    // Nothing was learnt of this log, so what decided then decides now.
    let replayed = replay(folder.path(), &snapshot(), &options, |_, _| {}).unwrap();
    assert_eq!(replayed.decisions as usize, LIVED.decisions.len());
    assert_eq!((replayed.differ, replayed.unknown), (0, 0));
}

/// Of a log that was written with other features the policy is given its own, pooled as they were then.
#[test]
fn a_policy_is_valued_on_a_log_of_other_features_as_on_its_own() {
    let mut other = LIVED.clone();
    for decision in &mut other.decisions {
        decision.feature_fingerprint = "another spec".to_owned();
    }
    let snapshot = snapshot();
    let value = |tables: &Tables| {
        let log = OwnLog::of(tables.clone()).unwrap();
        let options = ValuationOptions {
            from: log.start(),
            until: None,
            horizon_days: 60,
            half: None,
            gate: GateSpec::default(),
            objections: Vec::new(),
        };
        let policy = Policy::Of(&snapshot, PolicyKind::Bandit);
        let valued = log.value(policy, Policy::Logged, &Objective::default(), &options);
        valued.unwrap()
    };
    let own = value(&LIVED);
    assert!(own.lives > 50, "{} lives", own.lives);
    assert_eq!(own, value(&other));
}

#[test]
fn a_version_is_trained_forecasts_and_is_watched_for_drift() {
    let (folder, models) = (written(&LIVED), TempDir::new().unwrap());
    let text = "[training]\nform = \"plain\"\nafter_days = [7, 21]";
    let config = TrainingConfig::parse(text, SPEC.clone()).unwrap();
    let mut options = TrainOptions {
        data: folder.path().to_owned(),
        models: models.path().to_owned(),
        config: config.clone(),
        as_of: None,
        seed: 1,
        excluded: Vec::new(),
        policy: None,
    };
    let report = train(&options).unwrap();
    assert_eq!(report.columns, SPEC.width());
    let file = report.path.as_ref().unwrap().join("model.json");
    let version =
        ModelVersion::from_json(&report.model_id, &std::fs::read_to_string(file).unwrap()).unwrap();
    let histories = LIVED.histories();
    let said = forecast(&histories, &version, 4, None, &config, 1).unwrap();
    assert!(said.invoices > 0, "{said:?}");
    let at = Timestamp::parse("2026-03-15").unwrap();
    let [whole, parted] = [1_000_000, 500].map(|events| {
        let drift = drift(folder.path(), &SPEC, &[7], at, events).unwrap();
        let columns = drift.columns.into_iter().map(|one| (one.column, one.ks));
        (columns.collect::<BTreeMap<_, _>>(), drift.known_until)
    });
    assert!(whole.0["segment_late_share"].is_some());
    assert!(whole.1 > at);
    assert_eq!(whole, parted);
    // Who is left out of training was pooled with the others all the same.
    let mut tables = LIVED.clone();
    for decision in &mut tables.decisions {
        decision.experiment = Some("tried".to_owned());
    }
    tables.decisions.truncate(1);
    let marked = written(&tables);
    options.data = marked.path().to_owned();
    options.excluded = vec!["tried".to_owned()];
    let without_one = train(&options).unwrap();
    assert_eq!(without_one.customers + 1, report.customers);
}
