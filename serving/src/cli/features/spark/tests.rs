#![allow(clippy::unwrap_used)]

use super::fake::Fake;
use super::{PIECES, Spark, pieces};
use lagom_features::FeatureSpec;
use lagom_features::domain::{Timestamp, Zone};
use lagom_features::sql::{Calendar, Compiled, Dialect, Form};
use std::path::Path;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tonic::Status;

fn compiled() -> Compiled {
    let calendar = Calendar {
        zones: vec![Zone::utc()],
        from: Timestamp::parse("2026-01-01").unwrap(),
        to: Timestamp::parse("2026-02-01").unwrap(),
    };
    let (spec, form) = (FeatureSpec::built_in(), Form::Cells);
    Compiled::new(&spec, form, Dialect::Spark, &calendar).unwrap()
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().count() == 0
}

/// What a part's statements come to, what the server was told, and the folder of the stage.
fn computed(fake: &Fake, more: &str) -> (Result<(), String>, Vec<String>, TempDir) {
    let (runtime, folder) = (Runtime::new().unwrap(), TempDir::new().unwrap());
    let address = fake.clone().serve(&runtime);
    let remote = format!("sc://{address}{more}");
    let ran = Spark::connect(Some(&remote), folder.path()).and_then(|mut spark| {
        let part = spark.stage.part()?;
        let ran = spark.compute(&part, &compiled(), 7);
        ran.map_err(|error| spark.explained(&error))
    });
    let ran = ran.map_err(|error| error.to_string());
    (ran, fake.told(), folder)
}

/// The names in statements that begin so.
fn named(told: &[String], start: &str) -> Vec<String> {
    let rest = told.iter().filter_map(|sql| sql.strip_prefix(start));
    let name = |rest: &str| rest.split_whitespace().next().unwrap_or("").to_owned();
    rest.map(name).collect()
}

#[test]
fn a_session_sets_views_steps_and_answer_and_leaves_nothing_behind() {
    let fake = Fake::default();
    let (ran, told, folder) = computed(&fake, "/;user_id=ada;token=t");
    assert_eq!(ran, Ok(()));
    assert!(told[0].starts_with("ada Some("), "{}", told[0]);
    let settings = Dialect::Spark.settings().iter();
    let set: Vec<String> = settings
        .chain(&[("spark.sql.shuffle.partitions", "7")])
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    assert_eq!(told[1..=set.len()], set);
    let views = named(&told, "CREATE OR REPLACE TEMPORARY VIEW ");
    assert_eq!(
        views[..4],
        [
            "lagom_customers",
            "lagom_invoices",
            "lagom_events",
            "lagom_points"
        ]
    );
    let written = named(&told, "INSERT OVERWRITE DIRECTORY ");
    let written = written.iter().map(|folder| folder.trim_matches('\''));
    let written: Vec<&str> = written
        .map(|folder| folder.rsplit('/').next().unwrap())
        .collect();
    let compiled = compiled();
    let kept = compiled.steps().0.iter().filter(|step| step.is_kept());
    let kept: Vec<&str> = kept.map(|step| step.name.as_str()).collect();
    assert!(kept.len() > 3, "{kept:?}");
    assert_eq!(written, [&kept[..], &["answer"]].concat());
    for name in kept {
        let read = format!("/part-1/steps/{name}')");
        assert_eq!(
            told.iter().filter(|sql| sql.ends_with(&read)).count(),
            1,
            "{name}"
        );
    }
    assert_eq!(told.last().unwrap(), "released");
    assert!(is_empty(folder.path()));
}

#[test]
fn what_fails_in_spark_is_said_and_leaves_nothing_behind() {
    let reason = "[DIVIDE_BY_ZERO] Division by zero.\n== SQL ==\nSELECT";
    let fake = Fake {
        refuses: Some(("/steps/facts' USING parquet\n", Status::internal(reason))),
        ..Fake::default()
    };
    let (ran, told, folder) = computed(&fake, "");
    let said = ran.unwrap_err();
    assert!(said.contains("step facts"), "{said}");
    assert!(
        said.contains("[DIVIDE_BY_ZERO] Division by zero."),
        "{said}"
    );
    assert!(!said.contains("--stage"), "{said}");
    assert_eq!(told.last().unwrap(), "released");
    assert!(is_empty(folder.path()));
}

#[test]
fn an_error_says_what_to_do() {
    for (status, what) in [
        (Status::unauthenticated("no token"), "add /;token=TOKEN"),
        (
            Status::unimplemented("unknown service"),
            "name the port of Spark Connect",
        ),
        (Status::unavailable("goodbye"), "run it again"),
        (
            Status::internal("[PATH_NOT_FOUND] Path does not exist: file:/x"),
            "with --stage",
        ),
        (Status::invalid_argument("x ".repeat(4_000)), "…"),
    ] {
        let fake = Fake {
            refuses: Some(("VIEW lagom_events", status)),
            ..Fake::default()
        };
        let (ran, told, _) = computed(&fake, "");
        let said = ran.unwrap_err();
        assert!(said.contains(what), "{said}");
        assert!(said.len() < 1_000, "{said}");
        assert_eq!(told.last().unwrap(), "released");
    }
}

#[test]
fn a_server_that_speaks_something_else_is_said_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = format!("sc://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            use std::io::Write as _;
            let _ = stream.unwrap().write_all(b"SSH-2.0-other\r\n");
        }
    });
    let folder = TempDir::new().unwrap();
    let said = Spark::connect(Some(&remote), folder.path()).err().unwrap();
    let said = crate::cli::answer::in_one_line(&*said);
    assert!(said.contains("use_ssl=true"), "{said}");
    assert!(is_empty(folder.path()));
    drop(server);
}

#[test]
fn a_part_is_cut_by_its_events() {
    assert_eq!(pieces(0), *PIECES.start());
    assert_eq!(pieces(1_000_000), 100);
    assert_eq!(pieces(usize::MAX), *PIECES.end());
}
