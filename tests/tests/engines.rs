//! A simulated world's feature matrix by PostgreSQL, DuckDB and Spark beside lagom's own.

#![allow(clippy::unwrap_used)]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

#[path = "engines/spark.rs"]
mod spark;

use lagom_tests::lagom;
use lagom_tests::postgres::Postgres;
use lagom_training::flat_table::{FlatTable, ReadOptions, Values};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, line: &str) -> Output {
    Command::new(lagom())
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn succeed(folder: &Path, line: &str) {
    let ran = run(folder, line);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "lagom {line}: {said}");
}

/// Every cell of a matrix by customer, invoice, stage and instant; numbers by their bits.
fn rows(file: &Path) -> BTreeMap<String, Vec<String>> {
    let table = FlatTable::read(file, &ReadOptions::default()).unwrap();
    let cell = |values: &Values, row: usize| match values {
        Values::Number(cells) => cells[row].to_bits().to_string(),
        Values::Text(cells) => format!("{:?}", cells[row]),
    };
    let rows = (0..table.rows()).map(|row| {
        let cells = table.columns().iter();
        let cells: Vec<String> = cells.map(|column| cell(&column.values, row)).collect();
        (cells[..4].join(" "), cells)
    });
    rows.collect()
}

fn world(folder: &Path) {
    succeed(
        folder,
        "simulate --customers 60 --days 200 --seed 4 --out data",
    );
    succeed(folder, "features --data data --out own.parquet");
}

#[test]
fn postgres_writes_the_matrix_that_lagom_writes() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let own = rows(&folder.path().join("own.parquet"));
    assert!(own.len() > 300, "{}", own.len());
    // At once and in parts.
    for more in ["", "--events-at-once 1000"] {
        let url = server.url();
        let line = format!("features --data data --out theirs.parquet --engine postgres {more}");
        succeed(folder.path(), &format!("{line} --remote {url}"));
        let theirs = rows(&folder.path().join("theirs.parquet"));
        assert_eq!(own.len(), theirs.len());
        for (point, cells) in &own {
            assert_eq!(Some(cells), theirs.get(point));
        }
    }
}

#[test]
fn what_an_engine_needs_is_said() {
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    let said = |line: &str| {
        let ran = run(folder.path(), line);
        assert_eq!(ran.status.code(), Some(2), "{line}");
        String::from_utf8(ran.stderr).unwrap()
    };
    let why = said("features --data data --engine postgres");
    assert!(why.contains("--remote postgres://"), "{why}");
    let why = said("features --data data --engine duckdb-sql");
    assert!(why.contains("--points FILE"), "{why}");
    let why = said("features --data data --points own.parquet --engine duckdb-sql");
    for name in ["late_recent", "usual_log_amount", "dwell", "days_to_payday"] {
        assert!(why.contains(name), "{name}: {why}");
    }
    // What no query holds is refused before anything is connected to.
    std::fs::write(
        folder.path().join("pooled.toml"),
        "[[feature]]\nname = \"segment_late\"\nsource = \"dues\"\nkey = \"segment\"\n\
         window = \"365d\"\nop = \"mean\"\ncolumn = \"late\"\nunit = \"share\"\n\
         owner = \"tests\"\ndescription = \"Late.\"\n",
    )
    .unwrap();
    for engine in ["postgres --remote postgres://x@127.0.0.1:1/x", "duckdb-sql"] {
        let why = said(&format!(
            "features --spec pooled.toml --data data --engine {engine}"
        ));
        assert!(why.contains("line 2: `segment_late`"), "{why}");
        assert!(!why.contains("127.0.0.1"), "{why}");
    }
    let why = said("features --data data --engine postgres --remote postgres://x@127.0.0.1:1/x");
    assert!(why.contains("127.0.0.1:1"), "{why}");
}

/// Needs a Python with duckdb, named by `LAGOM_DUCKDB_PYTHON`.
#[test]
fn duckdb_runs_the_printed_sql_on_the_files() {
    let Some(python) = std::env::var_os("LAGOM_DUCKDB_PYTHON") else {
        println!("skipped: LAGOM_DUCKDB_PYTHON names no Python with duckdb");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    world(folder.path());
    std::fs::write(
        folder.path().join("some.toml"),
        "[[feature]]\nname = \"late\"\nsource = \"dues\"\nscope = \"other_invoices\"\n\
         window = \"lifetime\"\nop = \"mean\"\ncolumn = \"late\"\nprior = 0.25\nstrength = 4\n\
         unit = \"share\"\nowner = \"tests\"\ndescription = \"Late.\"\n\n\
         [[feature]]\nname = \"sent\"\nsource = \"events\"\ntypes = [\"contact_sent\"]\n\
         window = \"30d\"\nop = \"count\"\nunit = \"contacts\"\nowner = \"tests\"\n\
         description = \"Sent.\"\n",
    )
    .unwrap();
    let spec = "features --spec some.toml --data data --points own.parquet";
    succeed(folder.path(), &format!("{spec} --out asked.parquet"));
    succeed(
        folder.path(),
        &format!("{spec} --engine duckdb-sql --out features.sql"),
    );
    let compare = "import duckdb\n\
        duckdb.execute(open('features.sql').read())\n\
        n, wrong = duckdb.sql('''SELECT count(*), count(*) FILTER (a.late IS DISTINCT FROM b.late \
        OR a.sent IS DISTINCT FROM b.sent) FROM 'asked.parquet' AS a FULL JOIN lagom_features AS b \
        ON a.customer_id = b.customer_id AND a.invoice_id = b.invoice_id \
        AND epoch_us(a.at) = b.asked_at''').fetchall()[0]\n\
        assert n > 300 and wrong == 0, (n, wrong)\n";
    let ran = Command::new(python)
        .args(["-c", compare])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
