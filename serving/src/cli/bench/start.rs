//! `lagom bench start`: how soon a server answers on a log with many histories.

use super::serve::{company, load};
use super::store::write_histories;
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::config::Config;
use crate::engine::{Ask, Engine};
use crate::server::{Running, Server};
use crate::store::{Own, SqliteStore};
use lagom_features::domain::{CustomerId, InvoiceId};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Customers who are asked about after a start.
const ASKED: usize = 1_000;
/// Who ask at the same time before it.
const CALLERS: usize = 256;

/// Has a server record histories and decide about everybody, then starts one that has to read the whole
/// log, and one that finds its state kept beside it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench start --customers 100000")]
pub(crate) struct Args {
    /// Customers with 43 events each.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    customers: u32,
    /// Decisions about each, whose outcomes are not known yet.
    #[arg(long, default_value_t = 1)]
    decisions: u32,
    /// Where the files are made and removed again; the system's folder for such files if absent.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Started {
    /// Until the first decision is answered.
    seconds: f64,
    cpu_seconds: f64,
    /// More than before the start.
    resident_bytes_per_customer: f64,
    in_memory: usize,
}

#[derive(Debug, Serialize)]
struct Report {
    customers: u32,
    records: i64,
    decisions: u64,
    write_seconds: f64,
    decide_seconds: f64,
    log_bytes: u64,
    state_bytes: u64,
    /// The state of everybody written at once.
    keep_seconds: f64,
    whole: Started,
    kept: Started,
    whole_over_kept: f64,
    /// Of a customer who is brought in, by 1,000 of them.
    cold_decision_us: f64,
    warm_decision_us: f64,
    resident_bytes_per_customer_brought_in: f64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let folder = match &args.dir {
        Some(dir) => TempDir::new_in(dir)?,
        None => TempDir::new()?,
    };
    let folder = folder.path();
    let runtime = Runtime::new()?;
    let started = Instant::now();
    runtime.block_on(write_histories(folder, args.customers as usize))?;
    let write_seconds = started.elapsed().as_secs_f64();
    let config = company::config(folder)?;
    let decisions = u64::from(args.customers) * u64::from(args.decisions);
    let decide_seconds = runtime.block_on(decide(&config, args))?;
    let log = config.store.file().ok_or("the log is a file")?.to_owned();
    let (state, records) = {
        let store = SqliteStore::open(&log)?;
        let tail = store.tail(None)?;
        (store.beside(), tail.map_or(0, |tail| tail.seq))
    };
    remove(&state)?;

    let (server, whole) = runtime.block_on(start(&config))?;
    let began = Instant::now();
    let engine = Arc::clone(server.engine());
    std::thread::scope(|scope| scope.spawn(|| engine.keep_now()).join())
        .map_err(|_| "keeping the state has panicked")??;
    let keep_seconds = began.elapsed().as_secs_f64();
    drop(engine);
    runtime.block_on(server.shutdown());

    let (server, kept) = runtime.block_on(start(&config))?;
    let before = load::resident_bytes();
    let held = server.engine().customers_in_memory();
    let cold_decision_us = runtime.block_on(ask_many(server.engine()))?;
    let brought_in = server.engine().customers_in_memory() - held;
    let grown = load::resident_bytes().saturating_sub(before);
    let warm_decision_us = runtime.block_on(ask_many(server.engine()))?;
    runtime.block_on(server.shutdown());

    let report = Report {
        customers: args.customers,
        records,
        decisions,
        write_seconds,
        decide_seconds,
        log_bytes: size(&log)?,
        state_bytes: size(&state)?,
        keep_seconds,
        whole,
        kept,
        whole_over_kept: whole.seconds / kept.seconds,
        cold_decision_us,
        warm_decision_us,
        resident_bytes_per_customer_brought_in: grown as f64 / brought_in.max(1) as f64,
    };
    out.report(&report, || text(&report))?;
    Ok(Answer::Yes)
}

/// Seconds that a server takes to decide about everybody, on disk.
async fn decide(config: &Config, args: &Args) -> Result<f64, Failure> {
    let server = Server::start(config.clone(), None).await?;
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let engine = Arc::clone(server.engine());
        let customers = (caller..args.customers as usize).step_by(CALLERS);
        let times = args.decisions;
        let asked = customers.flat_map(move |n| (0..times).map(move |_| n));
        callers.spawn(async move {
            for n in asked {
                ask(&engine, n, false)
                    .await
                    .map_err(|error| error.to_string())?;
            }
            Ok::<_, String>(())
        });
    }
    for ended in callers.join_all().await {
        ended?;
    }
    let seconds = began.elapsed().as_secs_f64();
    server.shutdown().await;
    Ok(seconds)
}

/// From the configuration to the first answer.
async fn start(config: &Config) -> Result<(Running, Started), Failure> {
    let (resident, cpu, began) = (load::resident_bytes(), load::cpu_seconds(), Instant::now());
    let server = Server::start(config.clone(), None).await?;
    ask(server.engine(), 0, true).await?;
    let known = server.engine().customers();
    let started = Started {
        seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: load::cpu_seconds() - cpu,
        resident_bytes_per_customer: load::resident_bytes().saturating_sub(resident) as f64
            / known as f64,
        in_memory: server.engine().customers_in_memory(),
    };
    Ok((server, started))
}

/// Microseconds of a decision that is not written down, one after the other.
async fn ask_many(engine: &Arc<Engine>) -> Result<f64, Failure> {
    let began = Instant::now();
    for n in 0..ASKED {
        ask(engine, n, true).await?;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / ASKED as f64)
}

async fn ask(engine: &Arc<Engine>, n: usize, dry_run: bool) -> Result<(), Failure> {
    let question = company::question(n, String::new());
    let ask = Ask {
        request_id: None,
        customer_id: CustomerId::new(question.customer_id)?,
        invoice_id: InvoiceId::new(question.invoice_id)?,
        as_of: None,
        allowed_channels: None,
        events: Vec::new(),
        dry_run,
    };
    engine.next_best_action(ask).await?;
    Ok(())
}

fn remove(state: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(state) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn size(path: &Path) -> Result<u64, Failure> {
    Ok(std::fs::metadata(path)?.len())
}

fn text(report: &Report) -> String {
    let started = |name: &str, one: &Started| {
        format!(
            "{name}: first answer after {:.2} s ({:.2} s of CPU), {} customers in memory, {:.0} bytes \
             resident a customer of the log\n",
            one.seconds, one.cpu_seconds, one.in_memory, one.resident_bytes_per_customer
        )
    };
    format!(
        "{} customers, {} records written in {:.1} s, {} of them decisions made in {:.1} s: log {} MB, \
         state {} MB, kept all at once in {:.1} s\n{}{}the whole log takes {:.1} times as long\na decision about a customer who is \
         brought in {:.0} us, about one in memory {:.0} us; {:.0} bytes each in memory",
        report.customers,
        report.records,
        report.write_seconds + report.decide_seconds,
        report.decisions,
        report.decide_seconds,
        report.log_bytes / 1_000_000,
        report.state_bytes / 1_000_000,
        report.keep_seconds,
        started("whole log", &report.whole),
        started("state kept", &report.kept),
        report.whole_over_kept,
        report.cold_decision_us,
        report.warm_decision_us,
        report.resident_bytes_per_customer_brought_in,
    )
}
