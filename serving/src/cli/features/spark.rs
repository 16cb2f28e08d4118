//! Features by Spark: a part's tables as Parquet files that Spark reads, the query in steps through
//! Spark Connect, its answer as Parquet files that lagom reads.

mod address;
mod messages;
mod session;
mod stage;

use crate::cli::answer::{Failure, in_one_line};
use address::Address;
use lagom_features::sql::{Compiled, Dialect};
use lagom_training::matrix::{Engine, STAGED, Staging, Take, read_answer};
use session::Session;
use stage::{Part, Stage, uri};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long a server may take to give back what a session held.
const LEAVING: Duration = Duration::from_secs(20);

/// Place of the events in [`STAGED`].
const EVENTS: usize = 2;
/// Events of a part for each piece that Spark cuts it into: enough work for a task to be worth its start.
const EVENTS_A_PIECE: usize = 10_000;
/// No fewer, so that a few workers are busy, and no more, so that planning them takes no time.
const PIECES: std::ops::RangeInclusive<usize> = 4..=2_000;

/// A session on a Spark Connect server. Dropped, it leaves nothing in Spark or in the stage.
pub(super) struct Spark {
    session: Session,
    stage: Stage,
    /// Steps that hold memory of Spark's.
    kept: Vec<String>,
    /// Last, so that it outlives the session.
    runtime: Runtime,
}

impl Spark {
    /// Connects to `remote` and makes a folder in `stage`.
    pub(super) fn connect(remote: Option<&str>, stage: &Path) -> Result<Self, Failure> {
        let Some(remote) = remote else {
            return Err(
                "--engine spark needs a server of Spark Connect: name it with \
                        --remote sc://HOST:15002; without one, lagom computes the same features \
                        itself (leave --engine out)"
                    .into(),
            );
        };
        let address = Address::read(remote)?;
        let stage = Stage::within(stage)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let session = runtime.block_on(Session::open(address))?;
        let mut spark = Self {
            session,
            stage,
            kept: Vec::new(),
            runtime,
        };
        for setting in Dialect::Spark.settings() {
            spark.run(setting)?;
        }
        Ok(spark)
    }

    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.runtime.block_on(self.session.run(sql))
    }

    fn compute(&mut self, part: &Part, compiled: &Compiled, pieces: usize) -> Result<(), Failure> {
        // Two hundred, as it is usual, are forty times what a small part needs, at each of its steps.
        self.run(&format!("SET spark.sql.shuffle.partitions = {pieces}"))?;
        for (name, _) in &STAGED {
            self.run(&view(name, &part.tables))?;
        }
        let (steps, answer) = compiled.steps();
        for step in steps {
            if step.is_kept() {
                self.kept.push(step.name.clone());
            }
            self.run(&step.spark())
                .map_err(|error| format!("step {}: {error}", step.name))?;
        }
        self.run(&insert(&part.answer, answer))
    }

    /// Gives back what the steps of a part hold.
    fn forget(&mut self) -> Result<(), Failure> {
        while let Some(name) = self.kept.pop() {
            self.run(&format!("UNCACHE TABLE IF EXISTS {name}"))?;
            self.run(&format!("DROP VIEW IF EXISTS {name}"))?;
        }
        Ok(())
    }

    fn explained(&self, error: &Failure) -> Failure {
        let said = in_one_line(&**error);
        let lost = [
            "PATH_NOT_FOUND",
            "FileNotFound",
            "does not exist",
            "Permission",
            "Mkdirs",
            "No such file",
        ];
        let hint = if lost.iter().any(|sign| said.contains(sign)) {
            format!(
                "; Spark's driver and workers must see {} under the same path, and read and write \
                 there: name such a folder with --stage",
                self.stage
                    .path()
                    .parent()
                    .unwrap_or(self.stage.path())
                    .display()
            )
        } else {
            String::new()
        };
        format!("{said}{hint}").into()
    }
}

impl Engine for Spark {
    type Error = Failure;

    fn dialect(&self) -> Dialect {
        Dialect::Spark
    }

    fn run(
        &mut self,
        staging: &Staging,
        compiled: &Compiled,
        take: Take<'_>,
    ) -> Result<(), Failure> {
        let part = self.stage.part()?;
        staging.write(&part.tables)?;
        self.compute(&part, compiled, pieces(staging.rows(EVENTS)))
            .map_err(|error| self.explained(&error))?;
        read_answer::<Failure>(&part.answer, compiled.kinds(), take)
            .map_err(|error| self.explained(&error))?;
        self.forget()
    }
}

impl Drop for Spark {
    fn drop(&mut self) {
        let Self {
            session,
            kept,
            runtime,
            ..
        } = self;
        let leave = async {
            // A session that ends does not give back what it had cached.
            for name in kept.drain(..).rev() {
                session
                    .run(&format!("UNCACHE TABLE IF EXISTS {name}"))
                    .await?;
            }
            session.release().await?;
            Ok::<(), Failure>(())
        };
        let left = runtime.block_on(async { tokio::time::timeout(LEAVING, leave).await });
        if !matches!(left, Ok(Ok(()))) {
            tracing::warn!(
                "the session of Spark could not be ended; the server ends it when it is idle"
            );
        }
    }
}

fn pieces(events: usize) -> usize {
    (events / EVENTS_A_PIECE).clamp(*PIECES.start(), *PIECES.end())
}

fn quoted(path: &Path) -> String {
    Dialect::Spark.quoted(&uri(path))
}

fn view(name: &str, tables: &Path) -> String {
    let file = quoted(&tables.join(format!("{name}.parquet")));
    format!("CREATE OR REPLACE TEMPORARY VIEW {name} USING parquet OPTIONS (path {file})")
}

fn insert(folder: &Path, answer: &str) -> String {
    format!(
        "INSERT OVERWRITE DIRECTORY {} USING parquet\n{answer}",
        quoted(folder)
    )
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
