#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::bandit::explore::RuleConfig;
use crate::bandit::fixture::{layout, rounds, space, sums};
use crate::bandit::{ActionSpace, BanditConfig, draw};

fn generation(composed: bool) -> Arc<Generation> {
    let space = if composed {
        space()
    } else {
        ActionSpace::plain(6).unwrap()
    };
    let layout = layout(space, 4, 3);
    let sums = sums(&layout, &rounds(&layout, 400, 5));
    Arc::new(Generation::fit(&sums, &BanditConfig::default(), 1, 1.0, 1.0).unwrap())
}

fn valuation(head_weights: [f64; 3]) -> Valuation {
    Valuation {
        head_weights: head_weights.to_vec(),
        action_values: Vec::new(),
    }
}

#[test]
fn factored_values_are_the_predictions_combined() {
    for composed in [true, false] {
        let generation = generation(composed);
        let actions = generation.layout().space().len();
        let prices: Vec<f64> = (0..actions).map(|action| -(action as f64)).collect();
        let weights = [2.0, -1.0, 0.5];
        let valued = Valuation {
            action_values: prices.clone(),
            ..valuation(weights)
        };
        let scorer = Scorer::new(Arc::clone(&generation), &valued).unwrap();
        let mut scratch = Scratch::default();
        let context = [0.3, -0.7, 0.2, 0.9];
        scorer
            .decide(&context, &ActionSet::all(actions), &mut scratch)
            .unwrap();
        for (action, &value) in scratch.values().iter().enumerate() {
            let heads = generation.predict(&context, action).unwrap();
            let combined: f64 = heads
                .iter()
                .zip(weights)
                .map(|(head, weight)| head * weight)
                .sum();
            assert!((value - combined - prices[action]).abs() < 1e-12);
        }
        let span = 3.5;
        assert!((scorer.span() - span).abs() < 1e-15);
        for (&score, &value) in scratch.scores().iter().zip(scratch.values()) {
            let bonus = score - value / span;
            assert!(if composed {
                bonus.abs() < 1e-12
            } else {
                bonus > 0.0
            });
        }
    }
}

#[test]
fn the_bonus_is_the_posterior_deviation() {
    // One action, no context: after n rounds of weight 1, A + κΛ = n + κλ.
    let layout = layout(ActionSpace::plain(1).unwrap(), 0, 1);
    let mut sums = crate::bandit::SufficientStatistics::new(layout);
    for _ in 0..9 {
        let round = crate::bandit::Round {
            context: &[],
            action: 0,
            heads: &[0.0],
            weight: 1.0,
        };
        sums.fold(&round).unwrap();
    }
    let config = crate::bandit::fixture::unit_ridge();
    let generation = Generation::fit(&sums, &config, 1, 1.0, 1.0).unwrap();
    let scorer = Scorer::new(
        Arc::new(generation),
        &Valuation {
            head_weights: vec![1.0],
            action_values: Vec::new(),
        },
    )
    .unwrap();
    let mut scratch = Scratch::default();
    scorer.score(&[], &ActionSet::all(1), &mut scratch).unwrap();
    let expected = config.exploration.optimism / 10.0_f64.sqrt();
    assert!((scratch.scores()[0] - expected).abs() < 1e-12);
}

proptest! {
    #[test]
    fn a_decision_is_a_distribution_over_what_is_eligible(
        bits in 1_u32..8192,
        context in prop::collection::vec(-5.0_f64..5.0, 4),
        first in -2.0_f64..2.0,
    ) {
        let generation = generation(true);
        let scorer = Scorer::new(Arc::clone(&generation), &valuation([first, 1.0, -1.0])).unwrap();
        let eligible = ActionSet::from_predicate(13, |action| bits >> action & 1 == 1);
        let mut scratch = Scratch::default();
        scorer.decide(&context, &eligible, &mut scratch).unwrap();
        let all = scratch.catalogue_probabilities(13);
        prop_assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let floor = generation.config().exploration.floor;
        let mut base = scratch.base().iter();
        for (action, &probability) in all.iter().enumerate() {
            if eligible.contains(action) {
                prop_assert!(probability >= floor * base.next().unwrap());
            } else {
                prop_assert_eq!(probability.to_bits(), 0.0_f64.to_bits());
            }
        }
    }
}

proptest! {
    /// Held back, the others keep their distances, nothing is lost, and the reference gains.
    #[test]
    fn what_is_held_back_goes_to_the_reference(
        bits in 1_u32..8192,
        context in prop::collection::vec(-5.0_f64..5.0, 4),
        less in prop::collection::vec(0.0_f64..2.0, 3),
    ) {
        let generation = generation(true);
        let scorer = Scorer::new(generation, &valuation([1.0, 1.0, -1.0])).unwrap();
        let eligible = ActionSet::from_predicate(13, |action| action == 0 || bits >> action & 1 == 1);
        let mut scratch = Scratch::default();
        scorer.score(&context, &eligible, &mut scratch).unwrap();
        scorer.spread(&context, &mut scratch);
        let plain = scratch.values().to_vec();
        let mut last = scratch.probabilities()[0];
        for &less in &less {
            scratch.hold_back(0, less, scorer.span());
            scorer.spread(&context, &mut scratch);
            let own = scratch.probabilities()[0];
            prop_assert!(own >= last - 1e-12, "{own} after {last}");
            prop_assert!((scratch.probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-12);
            last = own;
        }
        let held_back: f64 = less.iter().sum();
        prop_assert!((scratch.held_back() - held_back).abs() < 1e-12);
        prop_assert_eq!(plain[0], scratch.values()[0]);
        for (before, after) in plain.iter().zip(scratch.values()).skip(1) {
            prop_assert!((before - held_back - after).abs() < 1e-9);
        }
        scorer.score(&context, &eligible, &mut scratch).unwrap();
        prop_assert_eq!(scratch.held_back(), 0.0);
    }
}

#[test]
fn a_million_draws_match_the_logged_probabilities() {
    for rule in [RuleConfig::default(), RuleConfig::Thompson { noise: 0.3 }] {
        a_million_draws_match(rule);
    }
}

fn a_million_draws_match(rule: RuleConfig) {
    let layout = layout(space(), 4, 3);
    let sums = sums(&layout, &rounds(&layout, 400, 5));
    let mut config = BanditConfig::default();
    config.exploration.rule = rule;
    let generation = Arc::new(Generation::fit(&sums, &config, 1, 1.0, 1.0).unwrap());
    let scorer = Scorer::new(generation, &valuation([1.0, 0.2, -0.1])).unwrap();
    let digest = scorer.generation().digest();
    let mut scratch = Scratch::default();
    let eligible = ActionSet::from_predicate(13, |action| action != 4);
    scorer
        .decide(&[0.1, 0.4, -0.2, 0.0], &eligible, &mut scratch)
        .unwrap();
    let draws = 1_000_000;
    let mut counts = [0_u32; 13];
    for decision in 0..draws {
        let u = draw(&format!("decision-{decision}"), &digest);
        counts[scratch.select(u).unwrap()] += 1;
    }
    assert_eq!(counts[4], 0);
    let expected = scratch.catalogue_probabilities(13);
    let chi_square: f64 = expected
        .iter()
        .zip(counts)
        .filter(|&(&probability, _)| probability > 0.0)
        .map(|(&probability, count)| {
            let expected = probability * f64::from(draws);
            (f64::from(count) - expected).powi(2) / expected
        })
        .sum();
    // The 99.9 % point of chi-square with 11 degrees of freedom.
    assert!(chi_square < 31.264, "{chi_square}");
}

#[test]
fn another_valuation_changes_decisions_without_a_fit() {
    let generation = generation(true);
    let mut scorer = Scorer::new(Arc::clone(&generation), &valuation([1.0, 0.0, 0.0])).unwrap();
    let everything = ActionSet::all(13);
    let context = [0.5, 0.0, 0.0, 0.0];
    let mut scratch = Scratch::default();
    scorer.decide(&context, &everything, &mut scratch).unwrap();
    let for_it = scratch.probabilities().to_vec();
    scorer.revalue(&valuation([-1.0, 0.0, 0.0])).unwrap();
    scorer.decide(&context, &everything, &mut scratch).unwrap();
    let against_it = scratch.probabilities().to_vec();
    let best = |p: &[f64]| (0..13).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap();
    assert!(best(&for_it) > 6 && best(&against_it) < 6);
    let fresh = Scorer::new(generation, &valuation([-1.0, 0.0, 0.0])).unwrap();
    fresh.decide(&context, &everything, &mut scratch).unwrap();
    assert_eq!(scratch.probabilities(), against_it);
}

proptest! {
    /// Weight moved from the first head to the second moves the preferred action along the curve: never
    /// more of the first, never less of the second (both wanted here).
    #[test]
    fn weights_move_decisions_monotonically_along_the_trade_off(
        context in prop::collection::vec(-1.0_f64..1.0, 4),
        bits in 1_u32..8192,
    ) {
        let generation = generation(true);
        let eligible = ActionSet::from_predicate(13, |action| bits >> action & 1 == 1);
        let mut scorer = Scorer::new(Arc::clone(&generation), &valuation([1.0, 0.0, 0.0])).unwrap();
        let mut scratch = Scratch::default();
        let mut last: Option<[f64; 2]> = None;
        for step in 0..=40 {
            let moved = f64::from(step) / 40.0;
            scorer.revalue(&valuation([1.0 - moved, moved, 0.0])).unwrap();
            scorer.score(&context, &eligible, &mut scratch).unwrap();
            let values = scratch.values().iter().zip(scratch.eligible());
            let best = values.reduce(|a, b| if b.0 > a.0 { b } else { a }).unwrap();
            let heads = generation.predict(&context, *best.1 as usize).unwrap();
            if let Some([first, second]) = last {
                prop_assert!(heads[0] <= first + 1e-12 && heads[1] >= second - 1e-12);
            }
            last = Some([heads[0], heads[1]]);
        }
    }
}

#[test]
fn nothing_eligible_and_foreign_sets_are_refused() {
    let scorer = Scorer::new(generation(true), &valuation([1.0, 0.0, 0.0])).unwrap();
    let mut scratch = Scratch::default();
    let refused = scorer.decide(&[0.0; 4], &ActionSet::none(13), &mut scratch);
    assert_eq!(refused, Err(BanditError::NothingEligible));
    let refused = scorer.decide(&[0.0; 4], &ActionSet::all(12), &mut scratch);
    assert!(matches!(
        refused,
        Err(BanditError::Length {
            found: 12,
            expected: 13,
            ..
        })
    ));
    let refused = scorer.decide(&[0.0; 3], &ActionSet::all(13), &mut scratch);
    assert!(matches!(
        refused,
        Err(BanditError::Length {
            found: 3,
            expected: 4,
            ..
        })
    ));
}
