//! A database that is reached over TLS alone: its certificate is checked, and nothing goes in plain text.

use super::{LADDER, Replica};
use lagom_tests::company::{opening, question};
use lagom_tests::postgres::Postgres;
use lagom_tests::{lagom, on};
use std::path::Path;
use std::process::Command;

const AUTHORITY: &str = include_str!("../serving/pki/authority.pem");
const CERTIFICATE: &str = include_str!("../serving/pki/server.pem");
const KEY: &str = include_str!("../serving/pki/server.key");

fn url(database: &Postgres, host: &str, mode: &str) -> String {
    format!(
        "postgres://lagom@{host}:{}/postgres?sslmode={mode}",
        database.port()
    )
}

/// What the store says that cannot be read.
fn refused(url: &str, ca: Option<&Path>) -> String {
    let mut copy = Command::new(lagom());
    copy.args(["copy", "--from", url, "--to", "file:never.db"]);
    if let Some(ca) = ca {
        copy.arg("--ca").arg(ca);
    }
    let folder = tempfile::tempdir().unwrap();
    let ran = copy.current_dir(folder.path()).output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    String::from_utf8(ran.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_reached_over_tls_and_its_certificate_is_checked() {
    let Some(database) = Postgres::start_with_tls(CERTIFICATE, KEY) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, AUTHORITY).unwrap();

    let there = on(&url(&database, "localhost", "require"));
    let store = format!("{there}ca = \"{}\"\n{LADDER}", authority.display());
    let one = Replica::start(&store).await;
    one.events().record_events(opening(10)).await.unwrap();
    let answer = one.decisions().next_best_action(question(3)).await.unwrap();
    let two = Replica::start(&store).await;
    let again = two.decisions().next_best_action(question(3)).await.unwrap();
    assert_eq!(answer.get_ref(), again.get_ref());

    // The authority is not the system's, and is not named.
    let unknown = refused(&url(&database, "localhost", "require"), None);
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    // Another server could say so too, if its name were not looked at.
    let elsewhere = url(&database, "elsewhere.example", "require") + "&hostaddr=127.0.0.1";
    let other_name = refused(&elsewhere, Some(&authority));
    assert!(other_name.contains("not valid for name"), "{other_name}");
    // The database lets nobody in without it.
    let plain = refused(&url(&database, "localhost", "disable"), Some(&authority));
    assert!(plain.contains("no encryption"), "{plain}");
}
