//! Features by an engine that a company has already.

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::store::StoreUrl;
use crate::store::postgres::Database;
use futures_util::SinkExt as _;
use lagom_features::FeatureSpec;
use lagom_features::sql::{CellKind, Compiled, Dialect, Form, Value};
use lagom_training::matrix::{Engine, STAGED, Staging, Take, calendar, duckdb_views};
use lagom_training::tables::{TableError, Tables};
use std::io::Cursor;
use std::path::Path;
use std::pin::pin;
use tokio::runtime::Runtime;
use tokio_postgres::Client;
use tokio_stream::StreamExt as _;

/// Bytes of rows that are sent at once.
const AT_ONCE: usize = 1 << 18;

/// How PostgreSQL is to go about it: everything is joined by hash or by order, and to compile
/// expressions that are used for seconds takes longer than it saves.
const SETTINGS: &str = "SET jit = off; SET enable_nestloop = off; SET work_mem = '128MB'; \
                        SET lock_timeout = 0; SET statement_timeout = 0";

/// Which engine computes the features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// The extractor that serves.
    Lagom,
    /// PostgreSQL 15 or later at --remote.
    Postgres,
    /// Spark 4 or later, by Spark Connect at --remote.
    Spark,
    /// Prints SQL for DuckDB, with views on the tables in --data.
    DuckdbSql,
}

/// A PostgreSQL server; the tables of a part lie in temporary tables of one session.
pub(super) struct Postgres {
    client: Client,
    shown: String,
    /// Last, so that it outlives the client.
    runtime: Runtime,
}

impl Postgres {
    pub(super) fn connect(remote: Option<&str>) -> Result<Self, Failure> {
        let Some(remote) = remote else {
            return Err("--engine postgres needs a server: name it with \
                        --remote postgres://USER@HOST/DATABASE; without one, lagom computes the same \
                        features itself (leave --engine out), or prints them for DuckDB \
                        (--engine duckdb-sql)"
                .into());
        };
        let StoreUrl::Postgres(database) = StoreUrl::read(remote, None, Path::new("."))? else {
            return Err(format!(
                "--remote `{remote}` is no database; write postgres://USER@HOST/DATABASE"
            )
            .into());
        };
        let shown = database.to_string();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let client = runtime.block_on(prepared(&database))?;
        Ok(Self {
            client,
            shown,
            runtime,
        })
    }
}

async fn prepared(database: &Database) -> Result<Client, Failure> {
    let client = database.connect().await?;
    client.batch_execute(SETTINGS).await?;
    for (name, columns) in &STAGED {
        let columns = columns.iter().map(|(column, kind)| match *kind {
            // By bytes, as the extractor orders them, whatever the database's language is.
            "VARCHAR" => format!("{column} VARCHAR COLLATE \"C\""),
            kind => format!("{column} {kind}"),
        });
        let columns: Vec<String> = columns.collect();
        let create = format!("CREATE TEMPORARY TABLE {name} ({})", columns.join(", "));
        client.batch_execute(&create).await?;
    }
    Ok(client)
}

impl Engine for Postgres {
    type Error = Failure;

    fn dialect(&self) -> Dialect {
        Dialect::Standard
    }

    fn run(
        &mut self,
        staging: &Staging,
        compiled: &Compiled,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let Self {
            client,
            shown,
            runtime,
        } = self;
        let ran = runtime.block_on(async {
            load(client, staging).await?;
            answers(client, compiled, take).await
        });
        ran.map_err(|error| format!("{shown}: {}", crate::cli::answer::in_one_line(&*error)).into())
    }
}

async fn load(client: &Client, staging: &Staging) -> Result<(), Failure> {
    for (table, (name, _)) in STAGED.iter().enumerate() {
        client.batch_execute(&format!("TRUNCATE {name}")).await?;
        let sink = client.copy_in(&format!("COPY {name} FROM STDIN")).await?;
        let mut sink = pin!(sink);
        let mut text = String::with_capacity(AT_ONCE + 1024);
        for row in 0..staging.rows(table) {
            staging.copy(table, row, &mut text);
            if text.len() >= AT_ONCE {
                let full = std::mem::replace(&mut text, String::with_capacity(AT_ONCE + 1024));
                sink.send(Cursor::new(full.into_bytes())).await?;
            }
        }
        sink.send(Cursor::new(text.into_bytes())).await?;
        sink.finish().await?;
        client.batch_execute(&format!("ANALYZE {name}")).await?;
    }
    Ok(())
}

async fn answers(client: &Client, compiled: &Compiled, take: Take<'_>) -> Result<(), Failure> {
    let none: [i64; 0] = [];
    let rows = client.query_raw(&compiled.query(), none).await?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.next().await {
        let row = row?;
        let mut cells = Vec::with_capacity(compiled.kinds().len());
        for (place, kind) in compiled.kinds().iter().enumerate() {
            cells.push(match kind {
                CellKind::Whole => Value::Whole(row.try_get(place + 1)?),
                CellKind::Text => Value::Text(row.try_get(place + 1)?),
            });
        }
        take(row.try_get(0)?, &cells)?;
    }
    Ok(())
}

/// Prints the SQL for DuckDB, or writes it to `out`.
pub(super) fn duckdb(
    data: &Path,
    points: Option<&Path>,
    out_file: Option<&Path>,
    spec: &FeatureSpec,
    out: &mut Output,
) -> Result<Answer, Failure> {
    let Some(points) = points else {
        return Err(format!(
            "--engine duckdb-sql needs decision points: name a table of customer_id, invoice_id and \
             at with --points FILE; `lagom features --data {} --out points.parquet` writes one",
            data.display()
        )
        .into());
    };
    let asked = lagom_training::matrix::read_questions(points)?;
    let tables = Tables::read_past(data)?;
    let times = asked.values().flatten().map(|(_, at)| *at);
    let calendar = calendar(&tables, times);
    let compiled = Compiled::new(spec, Form::Finished, Dialect::Standard, &calendar)?;
    let views = duckdb_views::<Refusal>(data, points).map_err(|Refusal(why)| why)?;
    let text = format!(
        "-- {} features of lagom, fingerprint {}, for DuckDB.\n-- asked_at is in microseconds since \
         1970; unknown is NULL.\n{views}CREATE OR REPLACE TEMP VIEW lagom_features AS\n{};\n",
        spec.features().len(),
        spec.fingerprint(),
        compiled.query()
    );
    match out_file {
        None => out.report(&serde_json::json!({ "sql": text }), || text.clone())?,
        Some(file) => {
            std::fs::write(file, &text).map_err(|error| format!("{}: {error}", file.display()))?;
            let report = serde_json::json!({ "file": file, "columns": spec.width() });
            out.report(&report, || {
                format!("{} columns as SQL in {}\n", spec.width(), file.display())
            })?;
            out.next(format_args!(
                "python -c \"import duckdb; duckdb.execute(open('{}').read()); \
                 print(duckdb.sql('FROM lagom_features'))\"",
                file.display()
            ));
        }
    }
    Ok(Answer::Yes)
}

/// What the views could not be made of.
struct Refusal(Failure);

impl From<TableError> for Refusal {
    fn from(error: TableError) -> Self {
        Self(error.into())
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self(reason.into())
    }
}
