//! A company moves from a file to a database and back: counted, compared, and served on.

use super::{QUICK, Replica};
use lagom_tests::company::{DAY, MONDAY, at, opening, question};
use lagom_tests::postgres::Postgres;
use lagom_tests::{lagom, on};
use serde_json::Value;
use std::process::Command;

fn copy(from: &str, to: &str) -> (Option<i32>, Value, String) {
    let ran = Command::new(lagom())
        .args(["copy", "--from", from, "--to", to, "--json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let report = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    (ran.status.code(), report, said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_moves_to_a_database_and_back() {
    let Some(database) = Postgres::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("file:{}", folder.path().join(name).display());
    let mut before = Replica::start(&(on(&url("before.db")) + QUICK)).await;
    before.events().record_events(opening(40)).await.unwrap();
    let mut answers = Vec::new();
    for n in 0..40 {
        let answer = before.decisions().next_best_action(question(n)).await;
        answers.push(answer.unwrap().into_inner());
    }
    // The windows close, and outcomes and a publication follow.
    let mut later = question(1);
    later.request_id = "later".to_owned();
    later.as_of = at(MONDAY + 3 * DAY);
    before.decisions().next_best_action(later).await.unwrap();
    before.kill();

    let (status, there, said) = copy(&url("before.db"), &database.url());
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(there["records"]["events"], 80);
    assert_eq!(there["records"]["decisions"], 41);
    assert_eq!(there["records"]["outcomes"], 40);
    let (status, _, said) = copy(&url("before.db"), &database.url());
    assert_eq!(status, Some(2));
    assert!(said.contains("copy to an empty one"), "{said}");

    let mut after = Replica::start(&(on(&database.url()) + QUICK)).await;
    for (n, answer) in answers.iter().enumerate() {
        let again = after.decisions().next_best_action(question(n)).await;
        assert_eq!(again.unwrap().get_ref(), answer);
    }
    after.kill();
    let (status, back, said) = copy(&database.url(), &url("after.db"));
    assert_eq!(status, Some(0), "{said}");
    let (status, _, said) = copy(&url("missing.db"), &url("more.db"));
    assert_eq!(status, Some(2));
    assert!(said.contains("there is no such file"), "{said}");
    assert_eq!(
        back["digest"], there["digest"],
        "nothing was added by serving it"
    );
}
