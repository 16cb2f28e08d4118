#![allow(clippy::unwrap_used)]

use super::*;

fn person(segment: &str, messages: u64, harsh: u64) -> Person {
    Person {
        groups: [Some(segment.to_owned()), None, None, None, None],
        counts: Counts {
            decisions: messages,
            messages,
            harsh,
            kept_gentle: 0,
        },
    }
}

fn treatment(people: impl Iterator<Item = Person>) -> Treatment {
    let named = |at: usize| CustomerId::new(format!("c{at:05}")).unwrap();
    Treatment(
        people
            .enumerate()
            .map(|(at, one)| (named(at), one))
            .collect(),
    )
}

/// Harshness of each customer drawn from a seed, one in `of` messages.
fn seeded(seed: u64, count: u64, of: [u64; 2]) -> Treatment {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = move |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    treatment((0..count).map(|at| {
        let group = (at % 2) as usize;
        let messages = 1 + below(4);
        // Whoever is dealt with harshly is so each time: messages of a customer go together.
        let harsh = if below(of[group]) == 0 { messages } else { 0 };
        person(["a", "b"][group], messages, harsh)
    }))
}

#[test]
fn shares_and_ratios_are_those_of_the_messages() {
    let people = [person("a", 4, 1), person("a", 6, 1), person("b", 10, 8)];
    let table = treatment(people.into_iter()).table();
    assert_eq!(table.len(), 2);
    assert_eq!((table[0].by, table[0].group.as_str()), ("segment", "a"));
    assert_eq!(table[0].share, Some(0.2));
    assert_eq!(table[0].ratio, Some(0.4));
    assert_eq!(table[1].ratio, Some(1.6));
    // Two harsh ones are few: Wilson's bounds of 2 in 10 are .0567 and .5098 (R 4.3, binom.wilson).
    let [low, high] = table[0].interval.unwrap();
    assert!((low - 0.0567 / 0.5).abs() < 2e-4, "{low}");
    assert!((high - 0.5098 / 0.5).abs() < 2e-4, "{high}");
}

#[test]
fn without_messages_or_harshness_there_is_no_ratio() {
    let table = treatment([person("a", 0, 0), person("b", 3, 0)].into_iter()).table();
    assert_eq!((table[0].share, table[0].ratio), (None, None));
    assert_eq!((table[1].share, table[1].ratio), (Some(0.0), None));
}

#[test]
fn the_interval_holds_the_true_ratio_as_often_as_it_says() {
    // Expected shares 1/4 and 1/8: the ratios to all are 4/3 and 2/3.
    let mut held = [0, 0];
    let runs = 400;
    for seed in 1..=runs {
        let table = seeded(seed, 600, [4, 8]).table();
        for (at, truth) in [4.0 / 3.0, 2.0 / 3.0].into_iter().enumerate() {
            let [low, high] = table[at].interval.unwrap();
            held[at] += i32::from((low..=high).contains(&truth));
        }
    }
    for held in held {
        let share = f64::from(held) / runs as f64;
        assert!((0.92..=0.98).contains(&share), "{share}");
    }
}
