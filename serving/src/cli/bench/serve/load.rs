//! Callers: many at once as fast as they are answered, or a steady number a second.

use super::company;
use crate::cli::answer::Failure;
use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::stream_next_best_actions_response::Result as Streamed;
use lagom_proto::v1::{NextBestActionResponse, StreamEventsRequest};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

/// What callers saw.
#[derive(Debug, Default)]
pub(in crate::cli::bench) struct Seen {
    pub(super) calls: usize,
    pub(super) seconds: f64,
    /// CPU seconds of the whole process, clients and server.
    pub(super) cpu_seconds: f64,
    /// Microseconds from when a call was due to its answer, sorted.
    pub(super) micros: Vec<u64>,
}

impl Seen {
    pub(super) fn per_second(&self) -> f64 {
        self.calls as f64 / self.seconds
    }

    pub(super) fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.calls as f64
    }

    pub(super) fn quantile(&self, q: f64) -> f64 {
        let last = self.micros.len().saturating_sub(1);
        let at = (q * last as f64).round() as usize;
        self.micros
            .get(at)
            .map_or(f64::NAN, |&micros| micros as f64)
    }
}

/// User and system seconds of this process so far; zero where the system does not tell.
pub(in crate::cli::bench) fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: f64 = after_name
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

/// Bytes of memory that this process holds; zero where the system does not tell.
pub(in crate::cli::bench) fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_u64) * 4_096
}

pub(in crate::cli::bench) async fn connect(address: SocketAddr) -> Result<Channel, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    Ok(endpoint.connect().await?)
}

fn since(start: Instant, cpu: f64, mut micros: Vec<u64>) -> Seen {
    micros.sort_unstable();
    Seen {
        calls: micros.len(),
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds() - cpu,
        micros,
    }
}

/// `callers` over one connection, each asking again as soon as it is answered.
pub(super) async fn unary(
    address: SocketAddr,
    tag: &str,
    callers: usize,
    customers: usize,
    lasting: Duration,
) -> Result<Seen, Failure> {
    let channel = connect(address).await?;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut tasks: JoinSet<Result<Vec<u64>, tonic::Status>> = JoinSet::new();
    for caller in 0..callers {
        let mut client = DecisionServiceClient::new(channel.clone());
        let tag = tag.to_owned();
        tasks.spawn(async move {
            let mut micros = Vec::new();
            while start.elapsed() < lasting {
                let customer = (caller + micros.len() * callers) % customers;
                let key = format!("{tag}-{caller}-{}", micros.len());
                let asked = Instant::now();
                client
                    .next_best_action(company::question(customer, key))
                    .await?;
                micros.push(asked.elapsed().as_micros() as u64);
            }
            Ok(micros)
        });
    }
    let mut micros = Vec::new();
    while let Some(done) = tasks.join_next().await {
        micros.extend(done??);
    }
    Ok(since(start, cpu, micros))
}

/// `rate` calls a second, each due at its own instant whether or not earlier ones are answered.
pub(super) async fn steady(
    address: SocketAddr,
    rate: u32,
    customers: usize,
    lasting: Duration,
) -> Result<Seen, Failure> {
    let channel = connect(address).await?;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let calls = (lasting.as_secs_f64() * f64::from(rate)) as usize;
    let mut tasks: JoinSet<Result<u64, tonic::Status>> = JoinSet::new();
    for n in 0..calls {
        let due = start + Duration::from_secs_f64(n as f64 / f64::from(rate));
        tokio::time::sleep_until(due.into()).await;
        let mut client = DecisionServiceClient::new(channel.clone());
        let ask = company::question(n % customers, format!("steady-{n}"));
        let asked = Instant::now();
        tasks.spawn(async move {
            client.next_best_action(ask).await?;
            Ok(asked.elapsed().as_micros() as u64)
        });
    }
    let mut micros = Vec::with_capacity(calls);
    while let Some(done) = tasks.join_next().await {
        micros.push(done??);
    }
    Ok(since(start, cpu, micros))
}

/// Questions over `streams` streams at once, as fast as they are taken.
pub(super) async fn streamed(
    address: SocketAddr,
    streams: usize,
    customers: usize,
    lasting: Duration,
) -> Result<Seen, Failure> {
    let channel = connect(address).await?;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut tasks: JoinSet<Result<u64, tonic::Status>> = JoinSet::new();
    for stream in 0..streams {
        let mut client = DecisionServiceClient::new(channel.clone());
        tasks.spawn(async move {
            let (questions, asked) = mpsc::channel(256);
            tokio::spawn(async move {
                let mut n = 0;
                while start.elapsed() < lasting {
                    let customer = (stream + n * streams) % customers;
                    let question = company::question(customer, format!("stream-{stream}-{n}"));
                    if questions.send(question).await.is_err() {
                        return;
                    }
                    n += 1;
                }
            });
            let answers = client.stream_next_best_actions(ReceiverStream::new(asked));
            let mut answers = answers.await?.into_inner();
            let mut decisions = 0;
            while let Some(answer) = answers.next().await {
                match answer?.result {
                    Some(Streamed::Decision(_)) => decisions += 1,
                    other => return Err(tonic::Status::internal(format!("{other:?}"))),
                }
            }
            Ok(decisions)
        });
    }
    let mut decisions = 0;
    while let Some(done) = tasks.join_next().await {
        decisions += done??;
    }
    let mut seen = since(start, cpu, Vec::new());
    seen.calls = decisions as usize;
    Ok(seen)
}

/// Records the histories of `customers` over `streams` streams.
pub(in crate::cli::bench) async fn events(
    address: SocketAddr,
    customers: usize,
    streams: usize,
) -> Result<Seen, Failure> {
    let channel = connect(address).await?;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut tasks: JoinSet<Result<u64, tonic::Status>> = JoinSet::new();
    for stream in 0..streams {
        let mut client = EventServiceClient::new(channel.clone());
        tasks.spawn(async move {
            let mine = (stream..customers).step_by(streams);
            let events = mine.flat_map(company::history);
            let requests = events.map(|event| StreamEventsRequest { event: Some(event) });
            let sum = client.stream_events(tokio_stream::iter(requests)).await?;
            Ok(sum.into_inner().accepted)
        });
    }
    let mut accepted = 0;
    while let Some(done) = tasks.join_next().await {
        accepted += done??;
    }
    let mut seen = since(start, cpu, Vec::new());
    seen.calls = accepted as usize;
    Ok(seen)
}

/// One answer, for its size.
pub(super) async fn sample(address: SocketAddr) -> Result<NextBestActionResponse, Failure> {
    let mut client = DecisionServiceClient::new(connect(address).await?);
    let mut ask = company::question(0, "sample".to_owned());
    ask.dry_run = true;
    Ok(client.next_best_action(ask).await?.into_inner())
}
