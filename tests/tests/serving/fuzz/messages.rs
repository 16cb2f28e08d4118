//! Messages of each method that are absurd in some fields, and bytes that are no messages.

use lagom_proto::v1;
use lagom_tests::company::{self, DAY, MONDAY, fact, question};
use prost::Message;

/// splitmix64.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(super) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Changes of bytes: flips, cuts, doublings, foreign ends, wrong lengths.
pub(super) fn spoil(chance: &mut Chance, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
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
pub(super) fn hostile(chance: &mut Chance, decisions: &[String]) -> (&'static str, Vec<u8>) {
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
