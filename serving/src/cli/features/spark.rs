//! Features by Spark: a part's tables as Parquet files that Spark reads, the query in steps through
//! Spark Connect, its answer as Parquet files that lagom reads.

mod address;
mod messages;
mod session;
mod stage;

use crate::cli::answer::{Failure, in_one_line};
use address::Address;
use lagom_features::sql::{Compiled, Dialect, Step};
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
            runtime,
        };
        spark.set(Dialect::Spark.settings())?;
        Ok(spark)
    }

    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.runtime.block_on(self.session.run(sql))
    }

    fn set(&mut self, settings: &[(&str, &str)]) -> Result<(), Failure> {
        self.runtime.block_on(self.session.set(settings))
    }

    fn compute(&mut self, part: &Part, compiled: &Compiled, pieces: usize) -> Result<(), Failure> {
        // Two hundred, as it is usual, are forty times what a small part needs, at each of its steps.
        self.set(&[("spark.sql.shuffle.partitions", &pieces.to_string())])?;
        for (name, _) in &STAGED {
            let file = part.tables.join(format!("{name}.parquet"));
            self.run(&view(name, &file))?;
        }
        let (steps, answer) = compiled.steps();
        for step in steps {
            let ran = if step.is_kept() {
                self.keep(part, step)
            } else {
                self.run(&step.view())
            };
            ran.map_err(|error| format!("step {}: {error}", step.name))?;
        }
        self.run(&insert(&part.answer, answer))
    }

    /// Computes a step once for all of its readers, which read it from the stage.
    fn keep(&mut self, part: &Part, step: &Step) -> Result<(), Failure> {
        let folder = part.steps.join(&step.name);
        self.run(&insert(&folder, &step.sql))?;
        self.run(&view(&step.name, &folder))
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
            .map_err(|error| self.explained(&error))
    }
}

impl Drop for Spark {
    fn drop(&mut self) {
        let Self {
            session, runtime, ..
        } = self;
        let left =
            runtime.block_on(async { tokio::time::timeout(LEAVING, session.release()).await });
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

/// A file or a folder of files as a table.
fn view(name: &str, path: &Path) -> String {
    let file = quoted(path);
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
