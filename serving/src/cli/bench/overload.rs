//! `lagom bench overload`: ten times as many callers as there is room for, and what is left of the
//! work when they come and when they have gone.

use super::serve::{company, load};
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::server::Server;
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use serde::Serialize;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tonic::Code;

/// Calls that the server takes at once, and callers of the peak.
const ROOM: usize = 64;
/// How many times that come in the overload.
const TIMES: usize = 10;
/// Connections that the callers share.
const CONNECTIONS: usize = 8;

/// Measures what a server still does when ten times its capacity is asked of it: callers who are
/// refused come again when they were told to. The goodput of the overload is compared with that of
/// a full house in the same run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench overload --seconds 60")]
pub(crate) struct Args {
    /// Length of the overload, and of the full house before it; after it a quarter of that.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(2..=600))]
    seconds: u64,
    /// Customers with histories.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    customers: u32,
}

/// What a phase saw.
#[derive(Debug, Default, Serialize)]
struct Phase {
    answered_per_second: f64,
    refused_per_second: f64,
    /// Neither answered nor told to come again.
    failed: u64,
    p99_us: u64,
    resident_mib: u64,
}

#[derive(Debug, Serialize)]
struct Report {
    room: usize,
    callers: usize,
    peak: Phase,
    overload: Phase,
    goodput_over_peak: f64,
    recovered: Phase,
    recovered_over_peak: f64,
    /// From the end of the overload to the first answer after it.
    recovery_ms: f64,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let folder = TempDir::new()?;
    let mut config = company::config(folder.path())?;
    config.at_once = ROOM;
    let runtime = |name: &str| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(name)
            .enable_all()
            .build()
    };
    let (servers, clients) = (runtime("server")?, runtime("client")?);
    let server = servers.block_on(Server::start(config, None))?;
    let address = server.grpc_addr;
    let customers = args.customers as usize;
    clients.block_on(load::events(address, customers, 4))?;
    let (long, short) = (
        Duration::from_secs(args.seconds),
        Duration::from_secs(args.seconds) / 4,
    );
    let phase =
        |tag, callers, lasting| clients.block_on(phase(address, tag, callers, customers, lasting));
    phase("warm", ROOM, short / 4)?;
    // As long, so that both meet what goes on beside them when the store has grown.
    let peak = phase("peak", ROOM, long)?;
    let overload = phase("overload", ROOM * TIMES, long)?;
    let ended = Instant::now();
    clients.block_on(async {
        let mut client = DecisionServiceClient::new(load::connect(address).await?);
        let ask = company::question(0, "after".to_owned());
        client.next_best_action(ask).await?;
        Ok::<_, Failure>(())
    })?;
    let recovery_ms = ended.elapsed().as_secs_f64() * 1e3;
    let recovered = phase("recovered", ROOM, short)?;
    servers.block_on(server.shutdown());
    let report = Report {
        room: ROOM,
        callers: ROOM * TIMES,
        goodput_over_peak: overload.answered_per_second / peak.answered_per_second,
        recovered_over_peak: recovered.answered_per_second / peak.answered_per_second,
        peak,
        overload,
        recovered,
        recovery_ms,
    };
    out.report(&report, || text(&report))?;
    Ok(Answer::Yes)
}

/// What one caller saw.
#[derive(Debug, Default)]
struct Tally {
    micros: Vec<u64>,
    refused: u64,
    failed: u64,
}

/// Callers who ask again at once when they are answered, and when they were told to if refused.
async fn phase(
    address: SocketAddr,
    tag: &'static str,
    callers: usize,
    customers: usize,
    lasting: Duration,
) -> Result<Phase, Failure> {
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(load::connect(address).await?);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let mut client = DecisionServiceClient::new(channels[caller % CONNECTIONS].clone());
        tasks.spawn(async move {
            let mut tally = Tally::default();
            let mut n = 0;
            while start.elapsed() < lasting {
                let ask =
                    company::question((caller + n * 7) % customers, format!("{tag}-{caller}-{n}"));
                let asked = Instant::now();
                match client.next_best_action(ask).await {
                    Ok(_) => {
                        n += 1;
                        tally.micros.push(asked.elapsed().as_micros() as u64);
                    }
                    Err(status) if status.code() == Code::ResourceExhausted => {
                        tally.refused += 1;
                        let told = status.metadata().get("grpc-retry-pushback-ms");
                        let told = told.and_then(|told| told.to_str().ok()?.parse().ok());
                        let told = Duration::from_millis(told.unwrap_or(100));
                        // Who would come after the end does not come.
                        let left = lasting.saturating_sub(start.elapsed());
                        tokio::time::sleep(told.min(left)).await;
                    }
                    Err(_) => tally.failed += 1,
                }
            }
            tally
        });
    }
    let mut all = Tally::default();
    while let Some(one) = tasks.join_next().await {
        let one = one?;
        all.micros.extend(one.micros);
        all.refused += one.refused;
        all.failed += one.failed;
    }
    let seconds = start.elapsed().as_secs_f64();
    all.micros.sort_unstable();
    Ok(Phase {
        answered_per_second: all.micros.len() as f64 / seconds,
        refused_per_second: all.refused as f64 / seconds,
        failed: all.failed,
        p99_us: all
            .micros
            .get(all.micros.len() * 99 / 100)
            .copied()
            .unwrap_or(0),
        resident_mib: load::resident_bytes() >> 20,
    })
}

fn text(report: &Report) -> String {
    let phase = |phase: &Phase| {
        format!(
            "{:.0} answered a second, {:.0} told to come again, {} failed, p99 {} us, {} MiB resident",
            phase.answered_per_second,
            phase.refused_per_second,
            phase.failed,
            phase.p99_us,
            phase.resident_mib
        )
    };
    format!(
        "room for {} calls at once\nfull house: {}\n{} callers: {}\n\
         goodput is {:.2} of the full house's\n\
         first answer {:.1} ms after the overload\nfull house again: {} ({:.2})",
        report.room,
        phase(&report.peak),
        report.callers,
        phase(&report.overload),
        report.goodput_over_peak,
        report.recovery_ms,
        phase(&report.recovered),
        report.recovered_over_peak,
    )
}
