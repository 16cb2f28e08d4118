#![allow(clippy::unwrap_used)]

use super::{Catalogues, decode, encode};
use crate::store::samples::{self, every_kind, same};
use crate::store::{Entry, Kind};
use lagom_features::domain::ActionId;
use lagom_model::log::{Blocked, Choice};
use proptest::prelude::*;
use std::sync::Arc;

const GOLDEN: &str = include_str!("golden-1.txt");

fn knowing_the_sample() -> Catalogues {
    let catalogues = Catalogues::default();
    catalogues.learn(&samples::named("s", None));
    catalogues
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// What format 1 once wrote must be read for ever, and must still be what is written: a
/// difference is a new format or a mistake.
#[test]
fn records_of_format_1_are_read_and_written_as_in_the_golden_file() {
    let catalogues = knowing_the_sample();
    let written: String = every_kind()
        .iter()
        .map(|entry| {
            format!(
                "{} {}\n",
                entry.kind() as u8,
                hex(&encode(entry, &catalogues))
            )
        })
        .collect();
    assert_eq!(written, GOLDEN, "the file would read:\n{written}");
    for (line, entry) in GOLDEN.lines().zip(every_kind()) {
        let (kind, body) = line.split_once(' ').unwrap();
        let kind = Kind::of(kind.parse().unwrap()).unwrap();
        let read = decode(kind, &unhex(body), &catalogues).unwrap();
        assert!(same(&read, &entry), "{read:?} is not {entry:?}");
    }
}

#[test]
fn a_decision_costs_bits_not_names_where_the_catalogue_is_known() {
    let entry = Entry::Decided(Arc::new(samples::decision(1)));
    let (short, long) = (
        encode(&entry, &knowing_the_sample()).len(),
        encode(&entry, &Catalogues::default()).len(),
    );
    assert!(short + 150 < long, "{short} and {long} bytes");
    let blind = decode(
        Kind::Decided,
        &encode(&entry, &knowing_the_sample()),
        &Catalogues::default(),
    );
    assert!(blind.unwrap_err().contains("catalogue"));
}

#[test]
fn bytes_that_are_no_record_are_refused_with_a_reason() {
    let catalogues = knowing_the_sample();
    for kind in (1..=12).map(|n| Kind::of(n).unwrap()) {
        assert!(decode(kind, &[0xff; 9], &catalogues).is_err(), "{kind:?}");
    }
    assert!(
        decode(Kind::Decided, &[], &catalogues)
            .unwrap_err()
            .contains("tenant")
    );
    assert_eq!(Kind::of(0), None);
    assert_eq!(Kind::of(13), None);
}

#[test]
fn a_catalogue_whose_messages_do_not_fit_its_actions_is_refused() {
    let catalogues = Catalogues::default();
    let whole = encode(&samples::named("t", Some(samples::terms())), &catalogues);
    // The last field is the packed places of messages, one byte each.
    let actions = samples::catalogue().len();
    assert_eq!(usize::from(whole[whole.len() - actions - 1]), actions);
    let mut nowhere = whole.clone();
    *nowhere.last_mut().unwrap() = 99;
    let mut short = whole[..whole.len() - 1].to_vec();
    let length = short.len() - actions;
    short[length] -= 1;
    for (body, words) in [(nowhere, "no message 99"), (short, "have 9 messages")] {
        let refused = decode(Kind::Catalogue, &body, &catalogues).unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
}

/// A decision over an arbitrary split of the catalogue, in its order or not.
fn decided() -> impl Strategy<Value = Entry> {
    let all = samples::catalogue();
    let split = proptest::collection::vec(0_u8..3, all.len());
    let numbers = proptest::collection::vec(proptest::num::f64::ANY, 0..90);
    (
        split,
        numbers,
        any::<bool>(),
        any::<i64>(),
        any::<Option<i64>>(),
    )
        .prop_map(move |(split, features, reversed, fee_minor, price_minor)| {
            let mut decision = samples::decision(1);
            decision.price_minor = price_minor;
            let of = |part: u8| -> Vec<ActionId> {
                let chosen = split.iter().zip(&all).filter(|(one, _)| **one == part);
                let mut chosen: Vec<_> = chosen.map(|(_, action)| action.clone()).collect();
                if reversed {
                    chosen.reverse();
                }
                chosen
            };
            let chances = features.iter().copied().chain(std::iter::repeat(0.5));
            decision.eligible = of(0)
                .into_iter()
                .zip(chances)
                .map(|(action, probability)| Choice {
                    action,
                    probability,
                })
                .collect();
            let rules = ["a", "b", "a", "c"].into_iter().cycle();
            decision.blocked = of(1)
                .into_iter()
                .zip(rules)
                .map(|(action, rule)| Blocked {
                    action,
                    rule: rule.into(),
                })
                .collect();
            decision.features = features;
            decision.fee_minor = fee_minor;
            Entry::Decided(Arc::new(decision))
        })
}

proptest! {
    #[test]
    fn decisions_come_back_bit_for_bit(entry in decided(), known in any::<bool>()) {
        let catalogues = if known { knowing_the_sample() } else { Catalogues::default() };
        let body = encode(&entry, &catalogues);
        let read = decode(Kind::Decided, &body, &catalogues).unwrap();
        prop_assert!(same(&read, &entry));
        prop_assert_eq!(encode(&read, &catalogues), body);
    }

    #[test]
    fn no_bytes_make_a_panic(kind in 1_u8..12, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(Kind::of(kind).unwrap(), &body, &knowing_the_sample());
    }
}
