//! The same by Spark, statement by statement as `lagom features --engine spark` runs them.
//!
//! Needs a server, named by `LAGOM_SPARK`, and a Python with its client, `LAGOM_SPARK_PYTHON`.

use super::{EVERY, World, check, check_finished, expressible, run, specs, world};
use lagom_features::FeatureSpec;
use lagom_features::sql::{Compiled, Dialect, Form};
use std::ffi::OsString;
use std::path::Path;

/// Runs statements, keeps tables as files, and writes the answer of the last statement as tab-separated
/// text.
const CLIENT: &str = "import os, sys, tempfile\n\
    from pyspark.sql import SparkSession\n\
    spark = SparkSession.builder.remote(os.environ['LAGOM_SPARK']).create()\n\
    spark.conf.set('spark.sql.shuffle.partitions', 4)\n\
    settings, *before, last = open(sys.argv[1]).read().split('\\n;;\\n')\n\
    for setting in settings.splitlines():\n\
    \x20   spark.conf.set(*setting.split(' = '))\n\
    with tempfile.TemporaryDirectory(dir=os.path.dirname(sys.argv[2])) as folder:\n\
    \x20   for one in before:\n\
    \x20       if not one.startswith('KEEP '):\n\
    \x20           spark.sql(one)\n\
    \x20           continue\n\
    \x20       name, sql = one[5:].split('\\n', 1)\n\
    \x20       spark.sql(sql).write.parquet(f'file://{folder}/{name}')\n\
    \x20       spark.read.parquet(f'file://{folder}/{name}').createOrReplaceTempView(name)\n\
    \x20   rows = [tuple(row) for row in spark.sql(last).collect()]\n\
    none = lambda cell: '\\\\N' if cell is None else str(cell).replace('\\t', ' ')\n\
    rows.sort(key=lambda row: row[0] if isinstance(row[0], int) else 0)\n\
    open(sys.argv[2], 'w').write(''.join('\\t'.join(map(none, row)) + '\\n' for row in rows))\n";

fn python() -> Option<OsString> {
    let named = std::env::var_os("LAGOM_SPARK").and(std::env::var_os("LAGOM_SPARK_PYTHON"));
    if named.is_none() {
        println!("skipped: no Spark (LAGOM_SPARK and LAGOM_SPARK_PYTHON)");
    }
    named
}

/// Tables as Spark keeps them.
fn views(world: &World) -> Vec<String> {
    let quoted = |word: &str| format!("'{}'", word.replace('\\', "\\\\").replace('\'', "\\'"));
    let sql = world.load_quoted("STRING", quoted);
    let tables = sql.split(";\n").filter_map(|one| {
        let (name, columns) = one.strip_prefix("CREATE TABLE ")?.split_once(" (")?;
        Some((name, columns.trim_end_matches(')')))
    });
    let view = |(name, columns): (&str, &str)| {
        let insert = format!("INSERT INTO {name} VALUES\n");
        let rows = sql.split(";\n").find_map(|one| one.strip_prefix(&insert));
        let columns: Vec<_> = columns
            .split(", ")
            .map(|column| column.split_once(' ').unwrap())
            .collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let casts = columns
            .iter()
            .map(|(name, kind)| format!("CAST({name} AS {kind}) AS {name}"));
        let casts: Vec<String> = casts.collect();
        format!(
            "KEEP {name}\nSELECT {} FROM VALUES\n{} AS r ({})",
            casts.join(", "),
            rows.unwrap(),
            names.join(", ")
        )
    };
    tables.map(view).collect()
}

/// The answer of Spark, at the points that it knows.
fn answers(python: &Path, world: &World, compiled: &Compiled) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (steps, answer) = compiled.steps();
    let settings = Dialect::Spark
        .settings()
        .iter()
        .map(|(key, value)| format!("{key} = {value}"));
    let settings: Vec<String> = settings.collect();
    let statements: Vec<String> = std::iter::once(settings.join("\n"))
        .chain(views(world))
        .chain(steps.iter().map(|step| {
            if step.is_kept() {
                format!("KEEP {}\n{}", step.name, step.sql)
            } else {
                step.view()
            }
        }))
        .chain([answer.to_owned()])
        .collect();
    std::fs::write(path("run.py"), CLIENT).unwrap();
    std::fs::write(path("run.sql"), statements.join("\n;;\n")).unwrap();
    run(python, &["run.py", "run.sql", "out.tsv"].map(path));
    std::fs::read_to_string(path("out.tsv")).unwrap()
}

#[test]
fn spark_gives_the_extractors_bits() {
    let Some(python) = python() else { return };
    let python = Path::new(&python);
    let world = world(6, 40);
    for spec in specs() {
        let compiled =
            Compiled::new(&spec, Form::Cells, Dialect::Spark, &world.calendar()).unwrap();
        let cells = answers(python, &world, &compiled);
        check("Spark", &world, &spec, &compiled, &cells);
    }
}

#[test]
fn spark_finishes_the_vectors_itself() {
    let Some(python) = python() else { return };
    let world = world(7, 20);
    let (spec, _) = expressible(&FeatureSpec::parse(EVERY).unwrap(), &world.calendar());
    let compiled = Compiled::new(&spec, Form::Finished, Dialect::Spark, &world.calendar()).unwrap();
    check_finished(
        "Spark",
        &world,
        &spec,
        &answers(Path::new(&python), &world, &compiled),
    );
}
