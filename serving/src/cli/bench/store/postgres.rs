//! Appends to a database beside bare batched inserts of as many bytes into it.

use super::{CALLERS, Phase, appends, queued, sample};
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::store::StoreUrl;
use crate::store::postgres::Database;
use lagom_features::domain::TenantId;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Client;
use uuid::Uuid;

#[derive(Debug, Serialize)]
struct Report {
    record_bytes: i64,
    appends_per_second: f64,
    append_cpu_us: f64,
    append_p99_us: u64,
    bare_per_second: f64,
    bare_cpu_us: f64,
    bare_p99_us: u64,
    appends_over_bare: f64,
}

pub(super) fn run(url: &str, lasting: Duration, out: &mut Output) -> Result<Answer, Failure> {
    let place = StoreUrl::read(url, None, Path::new(""))?;
    let StoreUrl::Postgres(database) = &place else {
        return Err(format!("--url {place}: is not a database").into());
    };
    let folder = TempDir::new()?;
    let runtime = Runtime::new()?;
    let decision = runtime.block_on(sample(folder.path()))?;
    // A tenant of its own, which is removed again.
    let tenant = TenantId::new(format!("bench-{}", Uuid::now_v7()))?;
    let store = place.open(&tenant)?;
    let client = runtime.block_on(database.connect())?;
    // Twice in turns, since neighbours come and go; the better half of each counts.
    let half = lasting / 2;
    let (mut appended, mut bare): (Option<Phase>, Option<Phase>) = (None, None);
    let mut record_bytes = 0;
    for _ in 0..2 {
        let phase = runtime.block_on(appends(store.clone(), &decision, half))?;
        appended = Some(better(appended, phase));
        let sql = "SELECT avg(length(body))::bigint FROM lagom_log WHERE tenant = $1 AND kind = 3";
        let row = runtime.block_on(client.query_one(sql, &[&tenant.as_str()]))?;
        record_bytes = row.get(0);
        let phase = runtime.block_on(inserts(database, usize::try_from(record_bytes)?, half))?;
        bare = Some(better(bare, phase));
    }
    drop(store);
    runtime.block_on(clear(&client, tenant.as_str()))?;
    let (Some(appended), Some(bare)) = (appended, bare) else {
        return Err("nothing was measured".into());
    };
    let report = Report {
        record_bytes,
        appends_per_second: appended.rate(),
        append_cpu_us: appended.cpu_us(),
        append_p99_us: appended.p99_us,
        bare_per_second: bare.rate(),
        bare_cpu_us: bare.cpu_us(),
        bare_p99_us: bare.p99_us,
        appends_over_bare: appended.rate() / bare.rate(),
    };
    out.report(&report, || {
        format!(
            "{} bytes a decision record; {CALLERS} callers who wait for the database\n\
             log: {:.0} appends a second, {:.1} us of CPU each here, p99 {} us\n\
             bare batched inserts: {:.0} a second, {:.1} us of CPU each here, p99 {} us; the log \
             has {:.2} of their rate",
            report.record_bytes,
            report.appends_per_second,
            report.append_cpu_us,
            report.append_p99_us,
            report.bare_per_second,
            report.bare_cpu_us,
            report.bare_p99_us,
            report.appends_over_bare,
        )
    })?;
    Ok(Answer::Yes)
}

fn better(before: Option<Phase>, now: Phase) -> Phase {
    match before {
        Some(before) if before.rate() > now.rate() => before,
        _ => now,
    }
}

async fn clear(client: &Client, tenant: &str) -> Result<(), Failure> {
    for table in ["lagom_log", "lagom_key", "lagom_head"] {
        let sql = format!("DELETE FROM {table} WHERE tenant = $1");
        client.execute(&sql, &[&tenant]).await?;
    }
    Ok(())
}

/// One connection that inserts what waits by one statement, which is a commit.
async fn inserts(database: &Database, bytes: usize, lasting: Duration) -> Result<Phase, Failure> {
    let client = database.connect().await?;
    let table = "DROP TABLE IF EXISTS lagom_bench; \
                 CREATE TABLE lagom_bench (id bigint PRIMARY KEY, body bytea NOT NULL)";
    client.batch_execute(table).await?;
    let sql = "INSERT INTO lagom_bench SELECT * FROM unnest($1::bigint[], $2::bytea[])";
    let insert = client.prepare(sql).await?;
    let (queue, mut jobs) = mpsc::channel::<oneshot::Sender<()>>(4_096);
    let writer = tokio::spawn(async move {
        let mut waiting = Vec::new();
        let mut next = 0_i64;
        let body = noise(bytes);
        while jobs.recv_many(&mut waiting, 256).await > 0 {
            let ids: Vec<i64> = (next..).take(waiting.len()).collect();
            let bodies = vec![body.as_slice(); waiting.len()];
            next += ids.len() as i64;
            client.execute(&insert, &[&ids, &bodies]).await?;
            for done in waiting.drain(..) {
                // A caller that has gone away needs no answer.
                let _ = done.send(());
            }
        }
        client.batch_execute("DROP TABLE lagom_bench").await
    });
    let phase = queued(queue, lasting).await;
    writer.await??;
    phase
}

/// Bytes that the database cannot make smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"noise");
    hasher.finalize_xof().fill(&mut noise);
    noise
}
