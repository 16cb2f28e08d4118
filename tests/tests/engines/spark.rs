//! By Spark, through Spark Connect, on a world whose events come late, twice, at one instant, and
//! whose invoices and customers are corrected.

use super::{rows, run, succeed, world};
use lagom_features::domain::{Customer, Days, Event, EventId, Invoice, Zone};
use lagom_features::history::Recorded;
use lagom_training::tables::{read_table, write_table};
use std::path::Path;

fn disturbed(data: &Path) {
    let file = data.join("events.parquet");
    let mut events: Vec<Event> = read_table(&file).unwrap();
    let mut more = Vec::new();
    for (place, event) in events.iter_mut().enumerate() {
        match place % 11 {
            // Late by days, and by months.
            2 => event.recorded_at = event.recorded_at + Days::whole(3),
            3 => event.recorded_at = event.recorded_at + Days::whole(100),
            // Told twice, the second time with another amount; of two at one instant the id decides.
            5 => {
                let mut twice = event.clone();
                twice.recorded_at = twice.recorded_at + Days::whole(1);
                twice.dwell_ms = twice.dwell_ms.map(|dwell| dwell / 2);
                if let Some(amount) = &mut twice.amount {
                    amount.minor_units = amount.minor_units / 2 + 1;
                }
                more.push(twice);
            }
            7 => {
                let mut tied = event.clone();
                tied.event_id = EventId::new(format!("0-{place}")).unwrap();
                more.push(tied);
            }
            _ => {}
        }
    }
    events.extend(more);
    write_table(&file, &events).unwrap();

    let file = data.join("invoices.parquet");
    let mut invoices: Vec<Recorded<Invoice>> = read_table(&file).unwrap();
    let corrected = invoices.iter().step_by(4).cloned().map(|mut one| {
        one.recorded_at = one.recorded_at + Days::whole(9);
        one.value.amount.minor_units += 1_250;
        one.value.product = Some("a 'word', a \\ and a \"sign\"".into());
        one
    });
    let corrected: Vec<_> = corrected.collect();
    invoices.extend(corrected);
    write_table(&file, &invoices).unwrap();

    let file = data.join("customers.parquet");
    let mut customers: Vec<Recorded<Customer>> = read_table(&file).unwrap();
    let corrected = customers.iter().step_by(3).cloned().map(|mut one| {
        one.recorded_at = one.recorded_at + Days::whole(60);
        one.value.segment = Some("another".to_owned());
        one.value.time_zone = Some(Zone::try_from("Asia/Kathmandu".to_owned()).unwrap());
        one
    });
    let corrected: Vec<_> = corrected.collect();
    customers.extend(corrected);
    write_table(&file, &customers).unwrap();
}

/// Needs a Spark Connect server, named by `LAGOM_SPARK`, that sees this machine's temporary files.
#[test]
fn spark_writes_the_matrix_that_lagom_writes() {
    let Ok(remote) = std::env::var("LAGOM_SPARK") else {
        println!("skipped: no Spark (LAGOM_SPARK names no sc://HOST:PORT)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    world(folder.path());
    let before = rows(&path("own.parquet"));
    disturbed(&path("data"));
    succeed(folder.path(), "features --data data --out own.parquet");
    let own = rows(&path("own.parquet"));
    let moved = own
        .iter()
        .filter(|(point, cells)| before.get(*point) != Some(cells));
    assert!(
        moved.count() > own.len() / 10,
        "the disturbance changes little"
    );
    let events: Vec<Event> = read_table(&path("data/events.parquet")).unwrap();
    let two = format!("--events-at-once {}", events.len() / 2 + 1);
    let line = format!("features --data data --out theirs.parquet --engine spark {two}");
    succeed(
        folder.path(),
        &format!("{line} --stage stage --remote {remote}"),
    );
    let theirs = rows(&path("theirs.parquet"));
    assert_eq!(own.len(), theirs.len());
    for (point, cells) in &own {
        assert_eq!(Some(cells), theirs.get(point));
    }
    assert_eq!(std::fs::read_dir(path("stage")).unwrap().count(), 0);
    println!("{} decision points equal, in two parts", own.len());
}

#[test]
fn what_spark_needs_is_said() {
    let folder = tempfile::tempdir().unwrap();
    succeed(
        folder.path(),
        "simulate --customers 3 --days 60 --seed 4 --out data",
    );
    let said = |line: &str| {
        let ran = run(
            folder.path(),
            &format!("features --data data --out f.parquet {line}"),
        );
        assert_eq!(ran.status.code(), Some(2), "{line}");
        String::from_utf8(ran.stderr).unwrap()
    };
    for (line, why) in [
        ("--engine spark", "--remote sc://HOST"),
        ("--engine spark --remote spark://h:7077", "not `spark://`"),
        (
            "--engine spark --remote sc://h/;tls=true;token=secret",
            "`tls` is not known",
        ),
        (
            "--engine spark --remote sc://127.0.0.1:1",
            "sc://127.0.0.1:1: cannot be reached",
        ),
        (
            "--engine spark --remote sc://h --stage s3://b/s",
            "mounted share",
        ),
        ("--stage stage", "--stage is of --engine spark"),
        ("--remote sc://h", "--engine postgres and --engine spark"),
    ] {
        let text = said(line);
        assert!(text.contains(why), "{line}: {text}");
        assert!(!text.contains("secret"), "{line}: {text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{line}: {text}");
    }
    // Nothing of it stays behind.
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    names.retain(|entry| entry.as_ref().unwrap().file_name() != "data");
    assert!(names.is_empty(), "{names:?}");
}
