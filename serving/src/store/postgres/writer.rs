//! The task that writes: it takes whatever waits, up to a bound, and commits it in one transaction
//! under the lock of the head.

mod plan;

use super::Base;
use super::connect::{Part, failed, why};
use super::lookups::{UNSEEN, USED};
use super::reader::Backoff;
use crate::store::StoreError;
use crate::store::chain;
use crate::store::jobs::{Answer, CROWD, GATHER, Job, TOGETHER, Work};
use crate::store::keys::{Encoded, HOUSE, Key};
use plan::Plan;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_postgres::{Client, Statement};

/// How long one half of a transaction may take before the connection counts as lost.
const STALLED: Duration = Duration::from_secs(4);
/// How long it is tried to find out what became of a commit whose report was lost.
const PATIENCE: Duration = Duration::from_secs(6);

/// Writes until nobody can ask any more.
pub(super) async fn serve(base: Arc<Base>, mut jobs: mpsc::Receiver<Job>, waiting: &AtomicUsize) {
    let mut writer = Writer {
        base,
        session: None,
        backoff: Backoff::default(),
    };
    let mut batch = Vec::with_capacity(TOGETHER);
    let mut crowd = 0;
    while jobs.recv_many(&mut batch, TOGETHER).await > 0 {
        if crowd >= CROWD && batch.len() < crowd {
            tokio::time::sleep(GATHER).await;
            while batch.len() < TOGETHER
                && let Ok(job) = jobs.try_recv()
            {
                batch.push(job);
            }
        }
        crowd = batch.len();
        let (mut appends, mut replies, mut erasures) = (Vec::new(), Vec::new(), Vec::new());
        for Job { work, reply } in batch.drain(..) {
            match work {
                Work::Append(records) => {
                    appends.push(records);
                    replies.push(reply);
                }
                Work::Erase(records) => erasures.push((records, reply)),
            }
        }
        if !appends.is_empty() {
            let answers = writer.commit(&appends).await;
            waiting.fetch_sub(replies.len(), Ordering::Relaxed);
            for (reply, answer) in replies.into_iter().zip(answers) {
                // A caller that has gone away needs no answer; its records are written.
                let _ = reply.send(answer);
            }
        }
        for (records, reply) in erasures {
            let erased = writer.erase(&records).await;
            waiting.fetch_sub(1, Ordering::Relaxed);
            let _ = reply.send(erased);
        }
    }
    writer.retire().await;
}

/// A connection and its statements.
struct Session {
    client: Client,
    lock: Statement,
    used: Statement,
    unseen: Statement,
    log: Statement,
    key: Statement,
    advance: Statement,
    row: Statement,
}

impl Session {
    async fn open(base: &Base) -> Result<Self, StoreError> {
        let client = base.database.connect().await?;
        let preparing = failed("preparing to write");
        let log = "INSERT INTO lagom_log (tenant, seq, kind, crc, about, body) SELECT $1, * FROM \
             unnest($2::bigint[], $3::smallint[], $4::bigint[], $5::text[], $6::bytea[])";
        let key = "INSERT INTO lagom_key (tenant, kind, key, seq) SELECT $1, * FROM \
             unnest($2::smallint[], $3::text[], $4::bigint[])";
        let lock = "SELECT seq, crc, leader FROM lagom_head WHERE tenant = $1 FOR UPDATE";
        let advance = "UPDATE lagom_head SET seq = $2, crc = $3 WHERE tenant = $1";
        let row = "SELECT crc, body FROM lagom_log WHERE tenant = $1 AND seq = $2";
        Ok(Self {
            lock: client.prepare(lock).await.map_err(&preparing)?,
            used: client.prepare(USED).await.map_err(&preparing)?,
            unseen: client.prepare(UNSEEN).await.map_err(&preparing)?,
            log: client.prepare(log).await.map_err(&preparing)?,
            key: client.prepare(key).await.map_err(&preparing)?,
            advance: client.prepare(advance).await.map_err(&preparing)?,
            row: client.prepare(row).await.map_err(&preparing)?,
            client,
        })
    }
}

/// What would be found in the log if a commit whose report was lost had succeeded.
struct Lost<'a> {
    plan: Plan<'a>,
    why: StoreError,
}

/// Why a transaction came to nothing, as far as is known.
enum Failed<'a> {
    /// Nothing was written.
    Nothing(StoreError),
    /// The connection was lost after the commit was asked for.
    Unknown(Box<Lost<'a>>),
}

struct Writer {
    base: Arc<Base>,
    session: Option<Session>,
    backoff: Backoff,
}

impl Writer {
    async fn session(&mut self) -> Result<(), StoreError> {
        if self
            .session
            .as_ref()
            .is_some_and(|one| !one.client.is_closed())
        {
            return Ok(());
        }
        self.session = None;
        self.backoff.check()?;
        match Session::open(&self.base).await {
            Ok(session) => {
                self.backoff.succeeded();
                self.session = Some(session);
                Ok(())
            }
            Err(error) => {
                self.backoff.failed(&error);
                Err(error)
            }
        }
    }

    /// One answer a job. A commit whose report is lost is looked for until it is known what became
    /// of it; if that takes too long its callers are told that it failed, and if it had succeeded
    /// it comes back to this process as a record of another would.
    async fn commit(&mut self, jobs: &[Vec<Encoded>]) -> Vec<Answer> {
        let began = Instant::now();
        let mut lost: Option<Box<Lost<'_>>> = None;
        loop {
            let error = match self.attempt(jobs, lost.as_deref()).await {
                Ok(answers) => return answers,
                Err(Failed::Nothing(error)) if lost.is_none() => error,
                Err(Failed::Nothing(error)) => {
                    tracing::warn!(%error, "looking for a commit whose report was lost");
                    if began.elapsed() < PATIENCE {
                        tokio::time::sleep(Backoff::PAUSE).await;
                        continue;
                    }
                    error
                }
                Err(Failed::Unknown(unknown)) => {
                    self.session = None;
                    let error = unknown.why.clone();
                    lost = Some(unknown);
                    if began.elapsed() < PATIENCE {
                        continue;
                    }
                    error
                }
            };
            tracing::error!(%error, jobs = jobs.len(), "the log was not written");
            return vec![Err(error); jobs.len()];
        }
    }

    async fn attempt<'a>(
        &mut self,
        jobs: &'a [Vec<Encoded>],
        lost: Option<&Lost<'a>>,
    ) -> Result<Vec<Answer>, Failed<'a>> {
        self.session().await.map_err(Failed::Nothing)?;
        let Some(session) = &self.session else {
            return Err(Failed::Nothing(StoreError::Closed));
        };
        let looked = tokio::time::timeout(STALLED, look(&self.base, session, jobs, lost)).await;
        let error = match looked {
            Ok(Ok(Look::Done(answers))) => return Ok(answers),
            Ok(Ok(Look::Write(plan))) => return self.write(plan).await,
            Ok(Err(error)) => failed("writing the log")(error),
            Err(_) => StoreError::io("writing the log", &"the database does not answer"),
        };
        // Whatever is left of the transaction ends with its connection.
        self.session = None;
        Err(Failed::Nothing(error))
    }

    async fn write<'a>(&mut self, plan: Plan<'a>) -> Result<Vec<Answer>, Failed<'a>> {
        let Some(session) = &self.session else {
            return Err(Failed::Nothing(StoreError::Closed));
        };
        let written = tokio::time::timeout(STALLED, write(&self.base, session, &plan)).await;
        let doing = "writing the log";
        match written {
            Ok(Ok(())) => {
                self.base.taken().add(plan.first, plan.tail.seq);
                Ok(plan.answers)
            }
            // The database has refused a statement, and with it the transaction.
            Ok(Err(error)) if error.as_db_error().is_some_and(|said| !ends(said)) => {
                self.session = None;
                Err(Failed::Nothing(failed(doing)(error)))
            }
            Ok(Err(error)) => Err(Failed::Unknown(Box::new(Lost {
                plan,
                why: StoreError::io(doing, &why(&error)),
            }))),
            Err(_) => Err(Failed::Unknown(Box::new(Lost {
                plan,
                why: StoreError::io(doing, &"the database does not answer"),
            }))),
        }
    }

    /// Replaces bodies by their tombstones and removes the keys that lead there, in one commit; then
    /// has the table cleaned of what the rows were before. Write-ahead log and backups of the
    /// database keep it for as long as they are kept.
    async fn erase(&mut self, records: &[(i64, Key)]) -> Answer {
        self.session().await?;
        let Some(session) = &mut self.session else {
            return Err(StoreError::Closed);
        };
        let erased = blank(&self.base, &mut session.client, records).await;
        if erased.is_err() {
            self.session = None;
        }
        erased.map_err(failed("erasing records"))
    }

    /// Gives the lease back, so that nobody waits for its end.
    async fn retire(&mut self) {
        let (Some(session), true) = (&self.session, self.base.leads.load(Ordering::Acquire)) else {
            return;
        };
        let sql = "UPDATE lagom_head SET leader = NULL WHERE tenant = $1 AND leader = $2";
        let parts: [Part<'_>; 2] = [&self.base.tenant, &self.base.me];
        let given = session.client.execute(sql, &parts);
        if !matches!(tokio::time::timeout(STALLED, given).await, Ok(Ok(_))) {
            tracing::warn!("the lease of learning ends by itself");
        }
    }
}

/// Whether an error ends the connection, so that it does not tell what became of a commit.
fn ends(said: &tokio_postgres::error::DbError) -> bool {
    // Class 57P: the server is shutting down, or the session was terminated.
    matches!(said.severity(), "FATAL" | "PANIC") || said.code().code().starts_with("57P")
}

/// What is to be done under the lock.
enum Look<'a> {
    Write(Plan<'a>),
    Done(Vec<Answer>),
}

/// Begins the transaction and locks the head; all questions are sent at once.
async fn look<'a>(
    base: &Base,
    session: &Session,
    jobs: &'a [Vec<Encoded>],
    lost: Option<&Lost<'a>>,
) -> Result<Look<'a>, tokio_postgres::Error> {
    let records = || jobs.iter().flatten();
    let keys: Vec<(i16, &str)> = records()
        .flat_map(|one| one.key.rows())
        .map(|(index, key)| (index as i16, key))
        .collect();
    let (kinds, names): (Vec<i16>, Vec<&str>) = keys.into_iter().unzip();
    let abouts = records().filter_map(|one| one.about.as_deref());
    let abouts: HashSet<&str> = abouts.chain([HOUSE]).collect();
    let abouts: Vec<&str> = abouts.into_iter().collect();
    let after = base.taken().upto();
    let (client, tenant) = (&session.client, &base.tenant);
    let locking: [Part<'_>; 1] = [tenant];
    let using: [Part<'_>; 3] = [tenant, &kinds, &names];
    let seeing: [Part<'_>; 3] = [tenant, &abouts, &after];
    let (begun, head, used, unseen) = tokio::join!(
        biased;
        client.batch_execute("BEGIN"),
        client.query_one(&session.lock, &locking),
        client.query(&session.used, &using),
        client.query(&session.unseen, &seeing),
    );
    begun?;
    let head = head?;
    if let Some(lost) = lost
        && found(base, session, &lost.plan).await?
    {
        client.batch_execute("ROLLBACK").await?;
        base.taken().add(lost.plan.first, lost.plan.tail.seq);
        return Ok(Look::Done(lost.plan.answers.clone()));
    }
    let plan = Plan::of(base, jobs, &head, &used?, &unseen?);
    if plan.rows.is_empty() {
        client.batch_execute("ROLLBACK").await?;
        return Ok(Look::Done(plan.answers));
    }
    Ok(Look::Write(plan))
}

/// Whether the last record of a plan is in the log.
async fn found(
    base: &Base,
    session: &Session,
    plan: &Plan<'_>,
) -> Result<bool, tokio_postgres::Error> {
    let (client, seq) = (&session.client, plan.tail.seq);
    let row = client
        .query_opt(&session.row, &[&base.tenant, &seq])
        .await?;
    let last = plan.rows.last();
    Ok(row.zip(last).is_some_and(|(row, (tail, record))| {
        row.get::<_, i64>(0) == i64::from(tail.crc) && row.get::<_, &[u8]>(1) == record.body
    }))
}

/// Writes a plan and ends the transaction; all statements are sent at once.
async fn write(
    base: &Base,
    session: &Session,
    plan: &Plan<'_>,
) -> Result<(), tokio_postgres::Error> {
    let rows = || plan.rows.iter();
    let seqs: Vec<i64> = rows().map(|(tail, _)| tail.seq).collect();
    let kinds: Vec<i16> = rows().map(|(_, one)| one.kind as i16).collect();
    let crcs: Vec<i64> = rows().map(|(tail, _)| i64::from(tail.crc)).collect();
    let abouts: Vec<Option<&str>> = rows().map(|(_, one)| one.about.as_deref()).collect();
    let bodies: Vec<&[u8]> = rows().map(|(_, one)| one.body.as_slice()).collect();
    let mut keys: (Vec<i16>, Vec<&str>, Vec<i64>) = Default::default();
    for (tail, record) in rows() {
        for (index, key) in record.key.rows() {
            keys.0.push(index as i16);
            keys.1.push(key);
            keys.2.push(tail.seq);
        }
    }
    let (client, tenant) = (&session.client, &base.tenant);
    let log: [Part<'_>; 6] = [tenant, &seqs, &kinds, &crcs, &abouts, &bodies];
    let filed: [Part<'_>; 4] = [tenant, &keys.0, &keys.1, &keys.2];
    let crc = i64::from(plan.tail.crc);
    let end: [Part<'_>; 3] = [tenant, &plan.tail.seq, &crc];
    let (log, filed, advanced, committed) = tokio::join!(
        biased;
        client.execute(&session.log, &log),
        client.execute(&session.key, &filed),
        client.execute(&session.advance, &end),
        client.batch_execute("COMMIT"),
    );
    log?;
    filed?;
    advanced?;
    committed
}

async fn blank(
    base: &Base,
    client: &mut Client,
    records: &[(i64, Key)],
) -> Result<(), tokio_postgres::Error> {
    let tenant = &base.tenant;
    let transaction = client.transaction().await?;
    for (seq, key) in records {
        let sql = "SELECT kind, body FROM lagom_log WHERE tenant = $1 AND seq = $2";
        let Some(row) = transaction.query_opt(sql, &[tenant, seq]).await? else {
            continue;
        };
        let kind = u8::try_from(row.get::<_, i16>(0)).unwrap_or(u8::MAX);
        if kind == chain::ERASED {
            continue;
        }
        let tombstone = chain::tombstone(kind, row.get(1));
        let erased = i16::from(chain::ERASED);
        let sql = "UPDATE lagom_log SET kind = $3, body = $4, about = NULL \
                   WHERE tenant = $1 AND seq = $2";
        let body = tombstone.as_slice();
        transaction
            .execute(sql, &[tenant, seq, &erased, &body])
            .await?;
        for (index, value) in key.rows() {
            let sql = "DELETE FROM lagom_key WHERE tenant = $1 AND kind = $2 AND key = $3";
            let kind = index as i16;
            transaction.execute(sql, &[tenant, &kind, &value]).await?;
        }
    }
    transaction.commit().await?;
    client.batch_execute("VACUUM lagom_log; ").await?;
    client.batch_execute("VACUUM lagom_key").await
}
