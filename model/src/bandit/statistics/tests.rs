#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::bandit::fixture::{Owned, layout, rounds, space, sums};
use crate::bandit::normal_equations::NormalEquations;
use crate::bandit::{ActionSpace, BanditError};

/// `A` and `B` as a naive program would sum them, in floating point.
fn naive(layout: &Layout, rounds: &[Owned]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let n = layout.dimensions()[0];
    let mut gram = vec![vec![0.0; n]; n];
    let mut moments = vec![0.0; n];
    for round in rounds {
        let mut phi = vec![0.0; n];
        for &atom in layout.atoms_of(round.action) {
            let atom = &layout.atoms()[atom as usize];
            phi[atom.offset] = 1.0;
            if atom.contextual {
                phi[atom.offset + 1..=atom.offset + round.context.len()]
                    .copy_from_slice(&round.context);
            }
        }
        for i in 0..n {
            moments[i] += round.weight * phi[i] * round.heads[0];
            for j in 0..n {
                gram[i][j] += round.weight * phi[i] * phi[j];
            }
        }
    }
    (gram, moments)
}

#[test]
fn sums_are_the_normal_equations() {
    let layout = layout(space(), 3, 2);
    let rounds = rounds(&layout, 200, 1);
    let sums = sums(&layout, &rounds);
    let (gram, moments) = naive(&layout, &rounds);
    let equations = NormalEquations::assemble(&sums, 0, 1.0);
    for (i, row) in gram.iter().enumerate() {
        for (found, expected) in equations.gram.row(i).iter().zip(row) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
    for (found, expected) in equations.moments[0].iter().zip(&moments) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    let weight: f64 = rounds.iter().map(|round| round.weight).sum();
    assert!((equations.weight - weight).abs() < 1e-6);
    assert_eq!(sums.rounds(), 200);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any split into shards, merged in any order, gives the very bits of one pass.
    #[test]
    fn merging_shards_in_any_order_is_one_pass(
        seed in 0_u64..1000,
        shards in 1_usize..6,
        rotation in 0_usize..6,
        plain in any::<bool>(),
    ) {
        let space = if plain { ActionSpace::plain(5).unwrap() } else { space() };
        let layout = layout(space, 4, 2);
        let rounds = rounds(&layout, 60, seed);
        let one_pass = sums(&layout, &rounds);
        let mut parts: Vec<SufficientStatistics> = (0..shards)
            .map(|shard| {
                let own: Vec<Owned> =
                    rounds.iter().skip(shard).step_by(shards).rev().cloned().collect();
                sums(&layout, &own)
            })
            .collect();
        parts.rotate_left(rotation % shards);
        let mut merged = SufficientStatistics::new(layout);
        for part in &parts {
            merged.merge(part).unwrap();
        }
        prop_assert_eq!(merged, one_pass);
    }

    /// Forgetting a customer, at once or round by round, leaves the bits of a log that never had them.
    #[test]
    fn forgetting_leaves_no_trace(seed in 0_u64..1000, gone in 1_usize..30) {
        let layout = layout(space(), 4, 3);
        let rounds = rounds(&layout, 60, seed);
        let (customer, others) = rounds.split_at(gone);
        let never = sums(&layout, others);
        let mut at_once = sums(&layout, &rounds);
        at_once.forget(&sums(&layout, customer)).unwrap();
        prop_assert_eq!(&at_once, &never);
        let mut one_by_one = sums(&layout, &rounds);
        for round in customer.iter().rev() {
            one_by_one.unfold(&round.round()).unwrap();
        }
        prop_assert_eq!(&one_by_one, &never);
    }
}

#[test]
fn the_stored_form_keeps_every_bit() {
    let layout = layout(space(), 2, 2);
    let sums = sums(&layout, &rounds(&layout, 50, 3));
    let text = serde_json::to_string(&sums).unwrap();
    let back: SufficientStatistics = serde_json::from_str(&text).unwrap();
    assert_eq!(back, sums);
    let foreign = text.replacen("\"version\":1", "\"version\":99", 1);
    let refused = serde_json::from_str::<SufficientStatistics>(&foreign).unwrap_err();
    assert!(refused.to_string().contains("version 99"), "{refused}");
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let layout = layout(space(), 2, 1);
    let mut sums = SufficientStatistics::new(Arc::clone(&layout));
    let empty = sums.clone();
    let round = |context: &'static [f64], action, weight| Round {
        context,
        action,
        heads: &[1.0],
        weight,
    };
    let refused = |sums: &mut SufficientStatistics, round| sums.fold(&round).unwrap_err();
    assert!(matches!(
        refused(&mut sums, round(&[0.0], 0, 1.0)),
        BanditError::Length {
            found: 1,
            expected: 2,
            ..
        }
    ));
    assert!(matches!(
        refused(&mut sums, round(&[0.0, 0.0], 13, 1.0)),
        BanditError::UnknownAction {
            action: 13,
            actions: 13
        }
    ));
    for bad in [&[f64::NAN, 0.0], &[f64::INFINITY, 0.0], &[20_000.0, 0.0]] {
        assert!(matches!(
            refused(&mut sums, round(bad, 0, 1.0)),
            BanditError::OutOfRange { index: 0, .. }
        ));
    }
    for weight in [0.0, -1.0, f64::NAN, 1e9] {
        assert!(matches!(
            refused(&mut sums, round(&[0.0, 0.0], 0, weight)),
            BanditError::OutOfRange { .. }
        ));
    }
    assert_eq!(sums, empty);
    assert!(matches!(
        sums.unfold(&round(&[0.0, 0.0], 0, 1.0)),
        Err(BanditError::ForgetsMoreThanHeld {
            removed: 1,
            held: 0
        })
    ));
}

#[test]
fn sums_of_another_layout_are_refused() {
    let one = SufficientStatistics::new(layout(space(), 2, 1));
    let mut other = SufficientStatistics::new(layout(space(), 3, 1));
    assert!(matches!(
        other.merge(&one),
        Err(BanditError::ForeignSums { .. })
    ));
}

#[test]
fn decay_seen_forwards_halves_with_age() {
    let decay = ForwardDecay {
        landmark_seconds: 1_700_000_000,
        half_life_days: Some(90.0),
    };
    let day = 86_400;
    let folded = 1_700_000_000 + 30 * day;
    let now = folded + 90 * day;
    let share = decay.weight(folded).unwrap() * decay.discount(now);
    assert!((share - 0.5).abs() < 1e-12);
    let forever = ForwardDecay::NONE;
    assert!((forever.weight(folded).unwrap() * forever.discount(now) - 1.0).abs() < 1e-15);
    assert!(matches!(
        decay.weight(1_700_000_000 + 19 * 90 * day),
        Err(BanditError::SumsFull)
    ));
}
