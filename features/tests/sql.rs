//! The query that a spec compiles to, run by PostgreSQL and by DuckDB on random histories, gives the
//! vectors of the extractor, bit for bit: late arrivals, duplicates, ties, corrections and local
//! days included.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[allow(dead_code, unreachable_pub)]
#[path = "../../tests/src/postgres.rs"]
mod server;

use lagom_features::FeatureSpec;
use lagom_features::sql::{Calendar, CellKind, Compiled, Dialect, Form, Value};
use std::path::Path;
use std::process::Command;
use world::{World, world};

#[path = "sql/running.rs"]
mod running;
#[path = "sql/spark.rs"]
mod spark;
#[path = "sql/world.rs"]
mod world;

const EVERY: &str = include_str!("sql/every.toml");
/// Answers of a query as tab-separated text, by DuckDB.
const DUCKDB: &str = "import sys, duckdb\n\
    con = duckdb.connect()\n\
    con.execute(open(sys.argv[1]).read())\n\
    none = lambda cell: '\\\\N' if cell is None else str(cell).replace('\\t', ' ')\n\
    rows = con.execute(open(sys.argv[2]).read()).fetchall()\n\
    open(sys.argv[3], 'w').write(''.join('\\t'.join(map(none, row)) + '\\n' for row in rows))\n";

fn specs() -> [FeatureSpec; 3] {
    let every = FeatureSpec::parse(EVERY).unwrap();
    [FeatureSpec::built_in(), every, running::everything()]
}

/// Holds the answers of an engine, tab-separated with `\N` for none, against the extractor.
fn differing(
    engine: &str,
    world: &World,
    spec: &FeatureSpec,
    compiled: &Compiled,
    answers: &str,
) -> Vec<String> {
    let mut rows = answers.lines().peekable();
    let (mut vector, mut known) = (Vec::new(), 0);
    let names = spec.names();
    let mut wrong: Vec<String> = Vec::new();
    for (point, expected) in world.vectors(spec).into_iter().enumerate() {
        let row = rows.next_if(|row| row.split('\t').next() == Some(&point.to_string()));
        let (row, expected) = match (row, expected) {
            (Some(row), Some(expected)) => (row, expected),
            (None, None) => continue,
            (row, expected) => panic!("{engine}, point {point}: {row:?} but {expected:?}"),
        };
        let texts = row.split('\t').skip(1);
        let cells: Vec<Value<'_>> = texts
            .zip(compiled.kinds())
            .map(|(text, kind)| {
                let text = (text != "\\N").then_some(text);
                match kind {
                    CellKind::Whole => Value::Whole(text.map(|text| text.parse().unwrap())),
                    CellKind::Text => Value::Text(text),
                }
            })
            .collect();
        compiled.finish(&cells, &mut vector).unwrap();
        known += 1;
        for (place, (got, want)) in vector.iter().zip(&expected).enumerate() {
            if got.to_bits() != want.to_bits() && !(got.is_nan() && want.is_nan()) {
                wrong.push(format!(
                    "{} at {:?}: {got} is not {want}",
                    names[place], world.points[point]
                ));
            }
        }
    }
    assert_eq!(rows.next(), None, "{engine}: more rows than points");
    assert!(
        known > world.points.len() / 10,
        "{engine}: only {known} points are known"
    );
    println!("{engine}: {known} points x {} columns", names.len());
    wrong
}

fn check(engine: &str, world: &World, spec: &FeatureSpec, compiled: &Compiled, answers: &str) {
    let wrong = differing(engine, world, spec, compiled, answers);
    let sample: Vec<&String> = wrong.iter().step_by(1 + wrong.len() / 20).collect();
    assert!(
        wrong.is_empty(),
        "{engine}: {} cells differ, such as {sample:#?}",
        wrong.len()
    );
}

#[test]
fn postgres_gives_the_extractors_bits() {
    let Some(server) = server::Postgres::start() else {
        return;
    };
    for seed in [1, 2] {
        let world = world(seed, 40);
        for spec in specs() {
            let compiled =
                Compiled::new(&spec, Form::Cells, Dialect::Standard, &world.calendar()).unwrap();
            let answers = psql(&server, &world, &compiled.query());
            check("PostgreSQL", &world, &spec, &compiled, &answers);
        }
    }
}

#[test]
fn postgres_finishes_the_vectors_itself() {
    let Some(server) = server::Postgres::start() else {
        return;
    };
    let world = world(4, 40);
    for spec in specs() {
        let (spec, _) = expressible(&spec, &world.calendar());
        let form = Form::Finished;
        let compiled = Compiled::new(&spec, form, Dialect::Standard, &world.calendar()).unwrap();
        let answers = psql(&server, &world, &compiled.query());
        check_finished("PostgreSQL", &world, &spec, &answers);
    }
}

/// Needs a Python with duckdb, named by `LAGOM_DUCKDB_PYTHON`.
#[test]
fn duckdb_gives_the_extractors_bits() {
    let Some(python) = std::env::var_os("LAGOM_DUCKDB_PYTHON") else {
        println!("skipped: LAGOM_DUCKDB_PYTHON names no Python with duckdb");
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let world = world(3, 40);
    std::fs::write(path("run.py"), DUCKDB).unwrap();
    std::fs::write(path("load.sql"), world.load("VARCHAR")).unwrap();
    for spec in specs() {
        let compiled =
            Compiled::new(&spec, Form::Cells, Dialect::Standard, &world.calendar()).unwrap();
        std::fs::write(path("query.sql"), compiled.query()).unwrap();
        run(
            Path::new(&python),
            &["run.py", "load.sql", "query.sql", "out.tsv"].map(path),
        );
        let answers = std::fs::read_to_string(path("out.tsv")).unwrap();
        check("DuckDB", &world, &spec, &compiled, &answers);
        let (spec, _) = expressible(&spec, &world.calendar());
        let form = Form::Finished;
        let compiled = Compiled::new(&spec, form, Dialect::Standard, &world.calendar()).unwrap();
        std::fs::write(path("query.sql"), compiled.query()).unwrap();
        run(
            Path::new(&python),
            &["run.py", "load.sql", "query.sql", "out.tsv"].map(path),
        );
        let answers = std::fs::read_to_string(path("out.tsv")).unwrap();
        check_finished("DuckDB", &world, &spec, &answers);
    }
}

/// Answers of a query as COPY writes them.
fn psql(server: &server::Postgres, world: &World, query: &str) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("run.sql");
    let load = world.load("VARCHAR COLLATE \"C\"");
    let sql = format!(
        "CREATE SCHEMA s;\nSET search_path = s;\nSET jit = off;\nSET enable_nestloop = off;\n\
         {load}\nCOPY ({query}) TO STDOUT;\nDROP SCHEMA s CASCADE;\n"
    );
    std::fs::write(&file, sql).unwrap();
    let psql = Command::new("psql")
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &server.url(), "-f"])
        .arg(&file)
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&psql.stderr);
    assert!(psql.status.success(), "{said}");
    String::from_utf8(psql.stdout).unwrap()
}

/// A spec without the features that the finished form refuses, and their names.
fn expressible(spec: &FeatureSpec, calendar: &Calendar) -> (FeatureSpec, Vec<String>) {
    let Err(refused) = Compiled::new(spec, Form::Finished, Dialect::Standard, calendar) else {
        return (spec.clone(), Vec::new());
    };
    let names: Vec<String> = refused.0.iter().map(|one| one.feature.clone()).collect();
    let said = refused.to_string();
    let blocks = spec.text().split("\n[[feature]]\n").skip(1);
    let left: Vec<&str> = blocks
        .filter(|block| {
            let name = block.split('"').nth(1).unwrap().to_owned();
            assert_eq!(names.contains(&name), said.contains(&format!("`{name}`")));
            !names.contains(&name)
        })
        .collect();
    let text = format!("[[feature]]\n{}", left.join("\n[[feature]]\n"));
    (FeatureSpec::parse(&text).unwrap(), names)
}

#[test]
fn what_sql_cannot_hold_is_refused_by_name_all_at_once() {
    let calendar = world(1, 1).calendar();
    let (built_in, refused) = expressible(&FeatureSpec::built_in(), &calendar);
    assert_eq!(
        refused,
        [
            "late_recent",
            "usual_log_amount",
            "amount_against_habit",
            "dwell",
            "usual_days_to_open",
            "days_to_payday",
            "days_since_payday"
        ]
    );
    assert_eq!(built_in.width(), 79);
    assert!(Compiled::new(&built_in, Form::Finished, Dialect::Standard, &calendar).is_ok());
}

/// Whether a column is a logarithm, a sine or a cosine, which engines round as they like.
fn is_rounded(spec: &FeatureSpec, column: usize) -> bool {
    use lagom_features::spec::feature::{Definition, Transform};
    let mut place = 0;
    spec.features().iter().any(|feature| {
        let own = place..place + feature.columns.len();
        place = own.end;
        if !own.contains(&column) {
            return false;
        }
        let of_a_pair = match &feature.definition {
            Definition::Pair { left, right, .. } => {
                [*left, *right].map(|one| is_rounded(spec, one))
            }
            Definition::Aggregate(aggregate) => {
                [format!("{:?}", aggregate.op).contains("LogAmount"), false]
            }
            Definition::Attribute { .. } | Definition::Pooled(_) => [false, false],
        };
        let transformed = matches!(feature.transform, Transform::Log1p | Transform::Cyclic(_));
        transformed || of_a_pair.contains(&true)
    })
}

/// Holds finished answers against the extractor: bit for bit, but for what engines round.
fn check_finished(engine: &str, world: &World, spec: &FeatureSpec, answers: &str) {
    let vectors: Vec<Vec<f64>> = world.vectors(spec).into_iter().flatten().collect();
    assert_eq!(answers.lines().count(), vectors.len(), "{engine}");
    let mut wrong: Vec<String> = Vec::new();
    for (row, expected) in answers.lines().zip(&vectors) {
        let cells: Vec<&str> = row.split('\t').skip(3).collect();
        assert_eq!(cells.len(), expected.len());
        for (place, (text, want)) in cells.into_iter().zip(expected).enumerate() {
            let got: f64 = if text == "\\N" {
                f64::NAN
            } else {
                text.parse().unwrap()
            };
            let near = is_rounded(spec, place) && (got - want).abs() <= 1e-12 * (1.0 + want.abs());
            // Zero has one sign in SQL.
            if got + 0.0 != want + 0.0 && !near && !(got.is_nan() && want.is_nan()) {
                wrong.push(format!("{}: {got} is not {want}", spec.names()[place]));
            }
        }
    }
    let sample: Vec<&String> = wrong.iter().step_by(1 + wrong.len() / 20).collect();
    assert!(
        wrong.is_empty(),
        "{engine}: {} cells differ, such as {sample:#?}",
        wrong.len()
    );
    println!(
        "{engine}, finished: {} points x {} columns are equal",
        vectors.len(),
        spec.width()
    );
}

fn run(python: &Path, args: &[std::path::PathBuf]) {
    let ran = Command::new(python).args(args).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
