//! Every RPC with malformed and hostile messages: no panic, no growth, a status that is meant.
//!
//! `LAGOM_FUZZ_SECONDS` says for how long; `LAGOM_FUZZ_SEED` repeats a run.

#![allow(clippy::print_stdout, reason = "a long run says what it has done")]

use crate::house::House;
use lagom_proto::v1;
use lagom_tests::company::{self, DAY, MONDAY, at, fact, opening, question};
use prost::Message;
use prost::bytes::{Buf, BufMut};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// Bytes as they are.
#[derive(Default, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; from.remaining()];
        from.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}

/// Whether the connection is gone: HTTP/2 hangs up on a caller a thousand of whose messages had to
/// be refused before their end.
fn hung_up(status: &Status) -> bool {
    status.code() == Code::Cancelled && status.to_string().contains("connection closed")
}

/// splitmix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Changes of bytes: flips, cuts, doublings, foreign ends, wrong lengths.
fn spoil(chance: &mut Chance, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = chance.of(&[0, 0x7f, 0x80, 0xff, 0x0a, 0x12]),
            2 => bytes.truncate(at),
            3 => {
                let tail = bytes[at..].to_vec();
                bytes.extend(tail);
            }
            4 => bytes.extend_from_slice(&other[..chance.below(other.len() + 1)]),
            5 => {
                // A field of any number and kind, with a length that may lie.
                let key = (chance.below(40) << 3 | chance.below(8)) as u8;
                bytes.insert(at, key);
                bytes.insert(at + 1, chance.next() as u8);
            }
            6 => bytes.splice(at..at, [0xff; 10]).for_each(drop),
            _ => bytes.insert(at, chance.next() as u8),
        }
    }
    bytes.truncate(1 << 20);
    bytes
}

fn hostile_text(chance: &mut Chance) -> String {
    let long = "x".repeat(chance.of(&[255, 256, 257, 70_000]));
    chance.of(&[
        String::new(),
        " ".to_owned(),
        "c1\0".to_owned(),
        "../../etc/passwd".to_owned(),
        "'; DROP TABLE log; --".to_owned(),
        "\u{202e}\u{feff}\u{1f4a3}".to_owned(),
        "c1\nX-Injected: 1".to_owned(),
        "NaN".to_owned(),
        long,
    ])
}

fn hostile_time(chance: &mut Chance) -> Option<prost_types::Timestamp> {
    let seconds = chance.of(&[
        i64::MIN,
        i64::MAX,
        -62_135_596_800,
        253_402_300_799,
        253_402_300_800,
        0,
        -1,
        MONDAY,
        MONDAY + 20 * DAY,
    ]);
    let nanos = chance.of(&[0, -1, i32::MIN, i32::MAX, 999_999_999, 1_000_000_000]);
    chance
        .of(&[true, true, false])
        .then_some(prost_types::Timestamp { seconds, nanos })
}

/// An event of which some fields are absurd.
fn hostile_event(chance: &mut Chance) -> v1::Event {
    let n = chance.below(20);
    let mut event = chance.of(&[
        company::customer(n),
        company::invoice(n),
        fact(n, v1::EventType::PaymentSucceeded, MONDAY, Some(45_000)),
    ]);
    event.event_id = format!("{}-{}", event.event_id, chance.below(50));
    match chance.below(8) {
        0 => event.event_id = hostile_text(chance),
        1 => event.customer_id = hostile_text(chance),
        2 => event.invoice_id = hostile_text(chance),
        3 => event.occurred_at = hostile_time(chance),
        4 => event.body = None,
        _ => match &mut event.body {
            Some(v1::event::Body::Fact(fact)) => {
                fact.r#type = chance.of(&[i32::MIN, -1, 0, 1, 15, 99, i32::MAX]);
                fact.channel = chance.of(&[i32::MIN, 0, 3, 99]);
                fact.reason = hostile_text(chance);
                fact.amount = Some(v1::Money {
                    minor_units: chance.of(&[i64::MIN, -1, 0, i64::MAX]),
                    currency: hostile_text(chance),
                });
            }
            Some(v1::event::Body::Invoice(invoice)) => {
                invoice.due_on = chance
                    .of(&["9999-12-31", "0000-00-00", "2026-02-30", ""])
                    .into();
                invoice.amount = Some(v1::Money {
                    minor_units: chance.of(&[i64::MIN, -1, 0, 1, i64::MAX]),
                    currency: chance.of(&["SEK", "sek", "XXX", ""]).into(),
                });
                invoice.issued_at = hostile_time(chance);
            }
            Some(v1::event::Body::Customer(customer)) => {
                customer.time_zone = hostile_text(chance);
                customer.country = hostile_text(chance);
                customer.created_at = hostile_time(chance);
                customer.kind = chance.of(&[i32::MIN, -1, 99]);
            }
            None => {}
        },
    }
    event
}

/// A request of each method, some fields of which are absurd, with the method's path.
fn hostile(chance: &mut Chance, decisions: &[String]) -> (&'static str, Vec<u8>) {
    let decision_id = match chance.below(3) {
        0 => hostile_text(chance),
        _ => decisions
            .get(chance.below(decisions.len()))
            .cloned()
            .unwrap_or_default(),
    };
    let ask = |chance: &mut Chance| {
        let mut ask = question(chance.below(25));
        ask.request_id = format!("f{}", chance.below(500));
        match chance.below(7) {
            0 => ask.request_id = hostile_text(chance),
            1 => ask.customer_id = hostile_text(chance),
            2 => ask.invoice_id = hostile_text(chance),
            3 => ask.as_of = hostile_time(chance),
            4 => ask.allowed_channels = vec![chance.of(&[0, 1, -1, 99, i32::MAX])],
            5 => ask.events = (0..3).map(|_| hostile_event(chance)).collect(),
            _ => ask.dry_run = true,
        }
        ask.encode_to_vec()
    };
    match chance.below(16) {
        0..=3 => ("/lagom.v1.DecisionService/NextBestAction", ask(chance)),
        4 => (
            "/lagom.v1.DecisionService/StreamNextBestActions",
            ask(chance),
        ),
        5 => {
            let as_of = hostile_time(chance);
            let request = v1::ConfirmActionRequest { decision_id, as_of };
            (
                "/lagom.v1.DecisionService/ConfirmAction",
                request.encode_to_vec(),
            )
        }
        6 => {
            let request = v1::ExplainDecisionRequest { decision_id };
            (
                "/lagom.v1.DecisionService/ExplainDecision",
                request.encode_to_vec(),
            )
        }
        7 | 8 => {
            let request = v1::RecordEventsRequest {
                events: (0..chance.below(6))
                    .map(|_| hostile_event(chance))
                    .collect(),
                as_of: hostile_time(chance),
            };
            (
                "/lagom.v1.EventService/RecordEvents",
                request.encode_to_vec(),
            )
        }
        9 => {
            let request = v1::StreamEventsRequest {
                event: Some(hostile_event(chance)),
            };
            (
                "/lagom.v1.EventService/StreamEvents",
                request.encode_to_vec(),
            )
        }
        10 => {
            let request = v1::ReviewExperimentRequest {
                name: hostile_text(chance),
                as_of: hostile_time(chance),
            };
            (
                "/lagom.v1.ExperimentService/ReviewExperiment",
                request.encode_to_vec(),
            )
        }
        11 => ("/lagom.v1.ExperimentService/ListExperiments", Vec::new()),
        12 => {
            let model_id = hostile_text(chance);
            let paths = [
                "/lagom.v1.ModelService/GetModel",
                "/lagom.v1.ModelService/PromoteModel",
                "/lagom.v1.ModelService/ListModels",
                "/lagom.v1.ModelService/RollbackModel",
            ];
            (
                chance.of(&paths),
                v1::GetModelRequest { model_id }.encode_to_vec(),
            )
        }
        13 => {
            let reason = hostile_text(chance);
            let paths = [
                "/lagom.v1.ModelService/PausePolicy",
                "/lagom.v1.ModelService/ResumePolicy",
            ];
            (
                chance.of(&paths),
                v1::PausePolicyRequest { reason }.encode_to_vec(),
            )
        }
        14 => {
            let customer_id = hostile_text(chance);
            let paths = [
                "/lagom.v1.PrivacyService/ExportCustomer",
                "/lagom.v1.PrivacyService/EraseCustomer",
            ];
            let request = v1::EraseCustomerRequest { customer_id };
            (chance.of(&paths), request.encode_to_vec())
        }
        _ => ("/lagom.v1.DecisionService/NoSuchThing", ask(chance)),
    }
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
fn is_meant(status: &Status) -> bool {
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::ResourceExhausted
        | Code::Unimplemented => true,
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
        // Another test of this process ended its runtime under a server that it had not shut down.
        let ended = panic
            .payload_as_str()
            .is_some_and(|words| words.contains("it is being shutdown"));
        PANICS.fetch_add(usize::from(of_server && !ended), Ordering::Relaxed);
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
                is_meant(&status),
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
