//! Every RPC with malformed and hostile messages: no panic, no growth, a status that is meant.
//!
//! `LAGOM_FUZZ_SECONDS` says for how long; `LAGOM_FUZZ_SEED` repeats a run.

#![allow(clippy::print_stdout, reason = "a long run says what it has done")]

#[path = "fuzz/messages.rs"]
mod messages;
#[path = "fuzz/raw.rs"]
mod raw;

use crate::house::House;
use lagom_tests::company::{self, DAY, MONDAY, at, opening, question};
use messages::{Chance, hostile, spoil};
use prost::Message;
use raw::Raw;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// Whether the connection is gone: HTTP/2 hangs up on a caller a thousand of whose messages had to
/// be refused before their end.
fn hung_up(status: &Status) -> bool {
    status.code() == Code::Cancelled && status.to_string().contains("connection closed")
}

async fn send(channel: Channel, path: &'static str, body: Vec<u8>) -> Result<(), Status> {
    use tokio_stream::StreamExt;
    let mut client = tonic::client::Grpc::new(channel);
    client
        .ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let path = path.parse().unwrap();
    let sent = client.streaming(Request::new(tokio_stream::once(body)), path, Raw);
    let answered = tokio::time::timeout(Duration::from_secs(20), async {
        let mut answers = sent.await?.into_inner();
        while let Some(answer) = answers.next().await {
            answer?;
        }
        Ok(())
    });
    answered
        .await
        .unwrap_or_else(|_| panic!("no answer within twenty seconds"))
}

/// A status that a caller can make something of.
fn is_meant(path: &str, status: &Status) -> bool {
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::ResourceExhausted
        | Code::Unimplemented => true,
        // An erasure reads the whole log; whoever is cut off by the deadline may ask again.
        Code::Cancelled => path.ends_with("/EraseCustomer"),
        // What the transport says of bytes that are no message.
        Code::Internal => status.message().contains("failed to decode"),
        _ => false,
    }
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_u64) * 4_096
}

/// Noise instead of HTTP/2, and HTTP/2 that stops in the middle.
fn noise(address: std::net::SocketAddr, chance: &mut Chance) {
    let Ok(mut stream) = TcpStream::connect(address) else {
        panic!("the server accepts nobody any more");
    };
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let mut bytes = chance.of(&[
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01".to_vec(),
        Vec::new(),
    ]);
    bytes.extend((0..chance.below(400)).map(|_| chance.next() as u8));
    // The server may hang up before it has read all of it.
    let _ = stream.write_all(&bytes);
    let _ = stream.read(&mut [0; 64]);
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts panics of the server's threads; the test itself has not panicked as long as it counts.
fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let of_server = panic
            .location()
            .is_none_or(|place| !place.file().starts_with("tests/"));
        PANICS.fetch_add(usize::from(of_server), Ordering::Relaxed);
        before(panic);
    }));
}

fn from_env(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_messages_do_no_harm() {
    count_panics();
    let house =
        House::open("[learning]\nwindow_days = 1\n[bandit.cold_start]\nrounds = 20\n").await;
    house.record(opening(20).events).await;
    let mut decisions = Vec::new();
    for n in 0..20 {
        let answer = house
            .decisions()
            .next_best_action(question(n))
            .await
            .unwrap();
        decisions.push(answer.into_inner().decision_id);
    }
    let seed = from_env("LAGOM_FUZZ_SEED", 1);
    let mut chance = Chance(seed);
    let lasting = Duration::from_secs(from_env("LAGOM_FUZZ_SECONDS", 4));
    let start = Instant::now();
    let mut warm = None;
    let (mut sent, mut refused) = (0_u64, 0_u64);
    let mut other = question(1).encode_to_vec();
    while start.elapsed() < lasting {
        let (path, body) = hostile(&mut chance, &decisions);
        let body = match chance.below(3) {
            0 => body,
            _ => spoil(&mut chance, body, &other),
        };
        if let Err(status) = send(house.channel.clone(), path, body.clone()).await {
            refused += 1;
            if hung_up(&status) {
                // Others are not harmed by it: the next call opens a new connection.
                let answer = house.decisions().next_best_action(question(2)).await;
                assert!(answer.is_ok(), "after a hang-up: {answer:?}");
                continue;
            }
            assert!(
                is_meant(path, &status),
                "seed {seed}, call {sent}, {path}: {status} for {body:?}"
            );
        }
        if sent % 20 == 0 {
            noise(house.server.grpc_addr, &mut chance);
        }
        if sent == 1_000 {
            warm = Some(resident_bytes());
        }
        other = body;
        sent += 1;
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "seed {seed}");
    println!("{sent} hostile calls, {refused} refused");
    assert!(refused > 0 && refused < sent, "{refused} of {sent}");
    if let Some(warm) = warm {
        let grown = resident_bytes().saturating_sub(warm);
        // What is accepted is kept; that is far less than this.
        assert!(
            grown < 300 << 20,
            "{grown} bytes more than after 1,000 calls"
        );
    }
    // It still does its work, and a restart reads all of it.
    let mut fresh = company::customer(900);
    fresh.occurred_at = at(MONDAY - 100 * DAY);
    let house = house
        .reopen("[learning]\nwindow_days = 1\n[bandit.cold_start]\nrounds = 20\n")
        .await;
    house.record(vec![fresh, company::invoice(900)]).await;
    let mut ask = question(900);
    ask.as_of = None;
    house.decisions().next_best_action(ask).await.unwrap();
    house.server.shutdown().await;
}
