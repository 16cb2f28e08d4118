//! `lagom bench store`: the log beside a bare file, and what it costs to start from it.

mod postgres;

use super::serve::{company, load};
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::engine::{Ask, Engine, Offer};
use crate::server::Server;
use crate::store::{Catalogue, Entry, SqliteStore, Store, StoreError};
use lagom_features::domain::{CustomerId, DecisionId, InvoiceId, RequestId};
use lagom_model::log::Decision;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use uuid::Uuid;

/// Callers at once, and the most of them that share a sync of the bare file.
const CALLERS: usize = 64;
/// Events in one append while histories are written.
const BATCH: usize = 4_000;

/// Measures appends of real decision records (402 actions) by 64 callers who wait for the disk,
/// beside a bare file that shares its syncs in the same way; then starts a server's engine from a
/// log with histories.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench store --customers 20000")]
pub(crate) struct Args {
    /// Length of each phase.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Customers with 43 events each in the log that is started from.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    customers: u32,
    /// Where the files are made and removed again; the system's folder for such files if absent.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Database to measure instead, postgres://…, beside bare batched inserts into it. What is written
    /// is removed again.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    record_bytes: u64,
    appends_per_second: f64,
    append_cpu_us: f64,
    append_p99_us: u64,
    bare_per_second: f64,
    bare_cpu_us: f64,
    bare_p99_us: u64,
    appends_over_bare: f64,
    file_bytes_per_record_byte: f64,
    events: u64,
    write_seconds: f64,
    start_seconds: f64,
    start_cpu_seconds: f64,
    start_events_per_cpu_second: f64,
    resident_bytes_per_customer: f64,
    resident_bytes_per_event: f64,
}

struct Phase {
    appends: usize,
    seconds: f64,
    cpu_seconds: f64,
    p99_us: u64,
}

impl Phase {
    fn rate(&self) -> f64 {
        self.appends as f64 / self.seconds
    }

    fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.appends as f64
    }
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    if let Some(url) = &args.url {
        return postgres::run(url, Duration::from_secs(args.seconds), out);
    }
    let folder = match &args.dir {
        Some(dir) => TempDir::new_in(dir)?,
        None => TempDir::new()?,
    };
    let lasting = Duration::from_secs(args.seconds);
    let runtime = Runtime::new()?;
    let decision = runtime.block_on(sample(&folder.path().join("sample")))?;
    let path = folder.path().join("appends.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path)?);
    let appended = runtime.block_on(appends(Arc::clone(&store), &decision, lasting))?;
    drop(store);
    let (record_bytes, written) = sizes(&path)?;
    let floor = folder.path().join("floor");
    let bare = runtime.block_on(bare(&floor, record_bytes, lasting))?;

    let customers = args.customers as usize;
    let config = company::config(&folder.path().join("histories"))?;
    let started = Instant::now();
    runtime.block_on(write_histories(&folder.path().join("histories"), customers))?;
    let write_seconds = started.elapsed().as_secs_f64();
    let (resident, cpu, started) = (load::resident_bytes(), load::cpu_seconds(), Instant::now());
    let store = config.store.open(&config.tenant)?;
    let booted = runtime.block_on(Engine::boot(&config, store, None))?;
    let start_seconds = started.elapsed().as_secs_f64();
    let start_cpu_seconds = load::cpu_seconds() - cpu;
    let grown = load::resident_bytes().saturating_sub(resident) as f64;
    let known = booted.engine.customers();
    let events = (known * company::EVENTS) as u64;

    let report = Report {
        record_bytes,
        appends_per_second: appended.rate(),
        append_cpu_us: appended.cpu_us(),
        append_p99_us: appended.p99_us,
        bare_per_second: bare.rate(),
        bare_cpu_us: bare.cpu_us(),
        bare_p99_us: bare.p99_us,
        appends_over_bare: appended.rate() / bare.rate(),
        file_bytes_per_record_byte: written as f64
            / (appended.appends as f64 * record_bytes as f64),
        events,
        write_seconds,
        start_seconds,
        start_cpu_seconds,
        start_events_per_cpu_second: events as f64 / start_cpu_seconds,
        resident_bytes_per_customer: grown / known as f64,
        resident_bytes_per_event: grown / events as f64,
    };
    out.report(&report, || text(&report))?;
    Ok(Answer::Yes)
}

/// A decision as the service makes it.
async fn sample(folder: &Path) -> Result<Decision, Failure> {
    let server = Server::start(company::config(folder)?, None).await?;
    let engine = server.engine();
    engine.record(offers(0..1, engine), None).await?;
    let question = company::question(0, String::new());
    let ask = Ask {
        request_id: None,
        customer_id: CustomerId::new(question.customer_id)?,
        invoice_id: InvoiceId::new(question.invoice_id)?,
        as_of: None,
        allowed_channels: None,
        events: Vec::new(),
        dry_run: true,
    };
    let decision = engine.next_best_action(ask).await?;
    server.shutdown().await;
    Ok(Arc::unwrap_or_clone(decision))
}

fn offers(customers: std::ops::Range<usize>, engine: &Engine) -> Vec<Offer> {
    let events = customers.flat_map(company::history).enumerate();
    let offers = events.map(|(place, wire)| {
        let path = format!("events[{place}]");
        Offer {
            event_id: wire.event_id.clone(),
            event: crate::convert::event::read(wire, &path, engine.tenant()),
            path,
        }
    });
    offers.collect()
}

/// As a server records them, many together.
pub(super) async fn write_histories(folder: &Path, customers: usize) -> Result<(), Failure> {
    let server = Server::start(company::config(folder)?, None).await?;
    let together = BATCH / company::EVENTS;
    for first in (0..customers).step_by(together) {
        let engine = server.engine();
        let batch = offers(first..customers.min(first + together), engine);
        engine.record(batch, None).await?;
    }
    server.shutdown().await;
    Ok(())
}

async fn appends(
    store: Arc<dyn Store>,
    decision: &Decision,
    lasting: Duration,
) -> Result<Phase, Failure> {
    let catalogue = Arc::new(Catalogue::of(&company::config(Path::new(""))?.strategy));
    match store.append(vec![Entry::Catalogue(catalogue)]).await {
        Ok(()) | Err(StoreError::Duplicate { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let round = Uuid::now_v7();
    timed(lasting, |caller, n| {
        let mut decision = decision.clone();
        let id = format!("{round}-{caller}-{n}");
        decision.decision_id = DecisionId::new(id.clone()).expect("digits are an id");
        decision.request_id = RequestId::new(id).expect("digits are an id");
        let store = Arc::clone(&store);
        async move {
            Ok(store
                .append(vec![Entry::Decided(Arc::new(decision))])
                .await?)
        }
    })
    .await
}

/// A thread that writes what waits to a file and syncs once for all of it.
async fn bare(path: &Path, record_bytes: u64, lasting: Duration) -> Result<Phase, Failure> {
    let mut file = File::create(path)?;
    let record = vec![7; usize::try_from(record_bytes)?];
    let (queue, mut jobs) = mpsc::channel::<oneshot::Sender<()>>(4_096);
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        let mut waiting = Vec::new();
        while jobs.blocking_recv_many(&mut waiting, 256) > 0 {
            for _ in &waiting {
                let crc = crc32c::crc32c(&record).to_le_bytes();
                file.write_all(&crc)?;
                file.write_all(&record)?;
            }
            file.sync_data()?;
            for done in waiting.drain(..) {
                // A caller that has gone away needs no answer.
                let _ = done.send(());
            }
        }
        Ok(())
    });
    let phase = queued(queue, lasting).await;
    writer
        .join()
        .map_err(|_| "the bare writer has panicked")??;
    phase
}

/// Callers who wait in a queue until a bare writer has written; the queue ends with the phase.
async fn queued(
    queue: mpsc::Sender<oneshot::Sender<()>>,
    lasting: Duration,
) -> Result<Phase, Failure> {
    timed(lasting, |_, _| {
        let queue = queue.clone();
        async move {
            let (done, written) = oneshot::channel();
            queue.send(done).await?;
            Ok(written.await?)
        }
    })
    .await
}

async fn timed<F, W>(lasting: Duration, append: F) -> Result<Phase, Failure>
where
    F: Fn(usize, usize) -> W,
    W: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let (start, cpu) = (Instant::now(), load::cpu_seconds());
    let mut micros: Vec<u64> = Vec::new();
    let mut under_way = JoinSet::new();
    let mut n = 0;
    while start.elapsed() < lasting || !under_way.is_empty() {
        if under_way.len() < CALLERS && start.elapsed() < lasting {
            let (asked, work) = (Instant::now(), append(0, n));
            n += 1;
            under_way.spawn(async move {
                work.await?;
                Ok::<_, Failure>(asked.elapsed().as_micros() as u64)
            });
        } else if let Some(done) = under_way.join_next().await {
            micros.push(done??);
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    micros.sort_unstable();
    Ok(Phase {
        appends: micros.len(),
        seconds,
        cpu_seconds: load::cpu_seconds() - cpu,
        p99_us: micros.get(micros.len() * 99 / 100).copied().unwrap_or(0),
    })
}

/// Mean size of a decision's record, and of the whole file.
fn sizes(store: &Path) -> Result<(u64, u64), Failure> {
    let sql = "SELECT CAST(avg(length(body)) AS INTEGER) FROM log WHERE kind = 3";
    let connection = rusqlite::Connection::open(store)?;
    let bytes: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    drop(connection);
    Ok((u64::try_from(bytes)?, std::fs::metadata(store)?.len()))
}

fn text(report: &Report) -> String {
    format!(
        "{} bytes a decision record; {CALLERS} callers who wait for the disk\n\
         log: {:.0} appends a second, {:.1} us of CPU each, p99 {} us\n\
         bare file: {:.0} a second, {:.1} us of CPU each, p99 {} us; the log has {:.2} of its rate\n\
         file bytes a record byte: {:.2}\n\
         {} events written in {:.1} s\n\
         start: {:.2} s ({:.2} s of CPU, {:.0} events a CPU second)\n\
         resident: {:.0} bytes a customer, {:.0} an event",
        report.record_bytes,
        report.appends_per_second,
        report.append_cpu_us,
        report.append_p99_us,
        report.bare_per_second,
        report.bare_cpu_us,
        report.bare_p99_us,
        report.appends_over_bare,
        report.file_bytes_per_record_byte,
        report.events,
        report.write_seconds,
        report.start_seconds,
        report.start_cpu_seconds,
        report.start_events_per_cpu_second,
        report.resident_bytes_per_customer,
        report.resident_bytes_per_event,
    )
}
