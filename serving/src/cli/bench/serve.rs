//! `lagom bench serve`: the running service, beside a bare call and a bare sync in the same run.

mod bare;
mod choice;
pub(super) mod company;
pub(super) mod load;

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::server::Server;
use load::Seen;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Callers at once.
const CALLERS: usize = 64;
/// Calls a second of the steady load.
const STEADY: u32 = 1_000;

/// Measures decisions and events over gRPC, every one of them durable, with a catalogue of 402
/// actions, the built-in features and 43 events a customer.
///
/// The floor is the same transport answering with a message of the same size and nothing behind
/// it; for latency it is a sync of as many bytes to the same disk. Server, clients and floor share
/// the machine, so the ratios mean more than the figures.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench serve --seconds 5")]
pub(crate) struct Args {
    /// Length of each phase.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Customers with histories.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    customers: u32,
    /// Where the store is made and removed again; the system's folder for such files if absent.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Rate {
    per_second: f64,
    /// CPU microseconds a call of the whole process, clients and server.
    cpu_us: f64,
    p50_us: f64,
    p99_us: f64,
}

impl From<&Seen> for Rate {
    fn from(seen: &Seen) -> Self {
        Self {
            per_second: seen.per_second(),
            cpu_us: seen.cpu_us(),
            p50_us: seen.quantile(0.5),
            p99_us: seen.quantile(0.99),
        }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    eligible: usize,
    actions: usize,
    record_bytes: usize,
    answer_bytes: usize,
    bare_unary: Rate,
    unary: Rate,
    unary_over_bare: f64,
    /// The same ratio in CPU seconds, which other work on the machine disturbs less.
    bare_cpu_over_unary_cpu: f64,
    stream_per_second: f64,
    stream_cpu_us: f64,
    stream_over_unary: f64,
    events_per_second: f64,
    events_cpu_us: f64,
    steady: Rate,
    sync_p50_us: f64,
    sync_p99_us: f64,
    steady_p99_over_sync_p99: f64,
    decide_us: f64,
    /// The same before any outcome is in.
    decide_untaught_us: f64,
    /// Outcomes learnt from.
    outcomes: usize,
}

fn runtime(name: &str) -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let folder = match &args.dir {
        Some(dir) => TempDir::new_in(dir)?,
        None => TempDir::new()?,
    };
    let customers = args.customers as usize;
    let lasting = Duration::from_secs(args.seconds);
    let config = company::config(folder.path())?;
    let actions = config.strategy.catalogue().len();
    let store = config.store.file().map(Path::to_owned).unwrap_or_default();
    let (servers, clients) = (runtime("server")?, runtime("client")?);
    let server = servers.block_on(Server::start(config, None))?;
    let address = server.grpc_addr;

    let events = clients.block_on(load::events(address, customers, 4))?;
    let choice = choice::measure(server.engine(), &clients, customers)?;
    let answer = clients.block_on(load::sample(address))?;
    let answer_bytes = prost::Message::encoded_len(&answer);
    let (bare_address, _stop) = servers.block_on(bare::start(answer))?;
    let unary = |address, tag, lasting| {
        clients.block_on(load::unary(address, tag, CALLERS, customers, lasting))
    };
    unary(bare_address, "warm", lasting / 10)?;
    unary(address, "warm", lasting / 10)?;
    let bare = unary(bare_address, "bare", lasting)?;
    let decided = unary(address, "unary", lasting)?;
    let streamed = clients.block_on(load::streamed(address, 4, customers, lasting))?;
    let steady = clients.block_on(load::steady(address, STEADY, customers, lasting))?;
    let record_bytes = record_bytes(&store)?;
    servers.block_on(server.shutdown());
    let synced = synced(folder.path(), record_bytes, steady.calls)?;

    let report = Report {
        eligible: choice.eligible,
        actions,
        record_bytes,
        answer_bytes,
        unary_over_bare: decided.per_second() / bare.per_second(),
        bare_cpu_over_unary_cpu: bare.cpu_us() / decided.cpu_us(),
        bare_unary: Rate::from(&bare),
        stream_per_second: streamed.per_second(),
        stream_cpu_us: streamed.cpu_us(),
        stream_over_unary: streamed.per_second() / decided.per_second(),
        unary: Rate::from(&decided),
        events_per_second: events.per_second(),
        events_cpu_us: events.cpu_us(),
        sync_p50_us: synced.quantile(0.5),
        sync_p99_us: synced.quantile(0.99),
        steady_p99_over_sync_p99: steady.quantile(0.99) / synced.quantile(0.99),
        steady: Rate::from(&steady),
        decide_us: choice.taught_us,
        decide_untaught_us: choice.untaught_us,
        outcomes: choice::OUTCOMES,
    };
    out.report(&report, || text(&report))?;
    Ok(Answer::Yes)
}

/// Mean size of a decision's record.
fn record_bytes(store: &Path) -> Result<usize, Failure> {
    let sql = "SELECT CAST(avg(length(body)) AS INTEGER) FROM log WHERE kind = 3";
    let bytes: i64 = rusqlite::Connection::open(store)?.query_row(sql, [], |row| row.get(0))?;
    Ok(usize::try_from(bytes)?)
}

/// Appends `bytes` and syncs them, `calls` times at the steady rate.
fn synced(folder: &Path, bytes: usize, calls: usize) -> std::io::Result<Seen> {
    let mut file = File::create(folder.join("floor"))?;
    let record = vec![7; bytes];
    let mut micros = Vec::with_capacity(calls);
    let start = Instant::now();
    for n in 0..calls {
        let due = start + Duration::from_secs_f64(n as f64 / f64::from(STEADY));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let asked = Instant::now();
        file.write_all(&record)?;
        file.sync_data()?;
        micros.push(asked.elapsed().as_micros() as u64);
    }
    micros.sort_unstable();
    Ok(Seen {
        calls,
        micros,
        ..Seen::default()
    })
}

fn text(report: &Report) -> String {
    let rate = |rate: &Rate| {
        format!(
            "{:.0} a second, {:.0} us of CPU each (clients included), p50 {:.0} us, p99 {:.0} us",
            rate.per_second, rate.cpu_us, rate.p50_us, rate.p99_us
        )
    };
    format!(
        "{} actions of which {} eligible, {} bytes a record, {} bytes an answer; {CALLERS} callers\n\
         one decision, without transport and disk: {:.1} us, learnt from {} outcomes; {:.1} us before any\n\
         bare unary call: {}\n\
         durable unary decision: {}\n\
         that is {:.2} of the bare rate ({:.2} by CPU)\n\
         durable decisions by 4 streams: {:.0} a second, {:.0} us of CPU each, {:.2} times unary\n\
         durable events by 4 streams: {:.0} a second, {:.1} us of CPU each\n\
         steady {STEADY} decisions a second: {}\n\
         bare sync of as many bytes at the same rate: p50 {:.0} us, p99 {:.0} us; \
         the decision's p99 is {:.2} times that",
        report.actions,
        report.eligible,
        report.record_bytes,
        report.answer_bytes,
        report.decide_us,
        report.outcomes,
        report.decide_untaught_us,
        rate(&report.bare_unary),
        rate(&report.unary),
        report.unary_over_bare,
        report.bare_cpu_over_unary_cpu,
        report.stream_per_second,
        report.stream_cpu_us,
        report.stream_over_unary,
        report.events_per_second,
        report.events_cpu_us,
        rate(&report.steady),
        report.sync_p50_us,
        report.sync_p99_us,
        report.steady_p99_over_sync_p99,
    )
}
