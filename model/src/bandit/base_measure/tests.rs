#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::bandit::fixture::space;

fn measure(config: &BaseMeasureConfig, eligible: &[u32]) -> Vec<f64> {
    let mut measure = Vec::new();
    let base = BaseMeasure::new(&space(), config);
    base.restrict(eligible, &mut BaseScratch::default(), &mut measure);
    measure
}

#[test]
fn waiting_keeps_its_share_and_the_rest_is_split_facet_by_facet() {
    // Waiting; all six by e-mail; of SMS (7 ..= 12) only one friendly and one firm.
    let eligible = [0, 1, 2, 3, 4, 5, 6, 7, 11];
    let measure = measure(&BaseMeasureConfig::default(), &eligible);
    let expected = |action: usize| match action {
        0 => 0.5,
        1..=6 => 0.5 / 2.0 / 3.0 / 2.0,
        _ => 0.5 / 2.0 / 2.0,
    };
    for (&found, &action) in measure.iter().zip(&eligible) {
        assert!(
            (found - expected(action as usize)).abs() < 1e-15,
            "{action}: {found}"
        );
    }
}

#[test]
fn what_is_alone_has_everything() {
    for action in [0, 5] {
        assert!((measure(&BaseMeasureConfig::default(), &[action])[0] - 1.0).abs() < 1e-15);
    }
}

#[test]
fn uniform_is_uniform_beside_waiting() {
    let config = BaseMeasureConfig {
        shape: BaseShape::Uniform,
        reference_share: 0.2,
        ..BaseMeasureConfig::default()
    };
    let found = measure(&config, &[0, 1, 7, 9, 11]);
    assert!((found[0] - 0.2).abs() < 1e-15);
    assert!(found[1..].iter().all(|&share| (share - 0.2).abs() < 1e-15));
}

proptest! {
    #[test]
    fn every_eligible_action_has_a_share_and_they_sum_to_one(
        bits in 1_u32..8192,
        share in 0.01..0.99,
        weight in 0.01..=1.0,
    ) {
        let eligible: Vec<u32> = (0..13).filter(|&action| bits >> action & 1 == 1).collect();
        for shape in [BaseShape::Tree, BaseShape::Uniform] {
            let config = BaseMeasureConfig { shape, reference_share: share, weights: light(weight) };
            let found = measure(&config, &eligible);
            prop_assert!(found.iter().all(|&share| share > 0.0));
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        }
    }
}

fn light(weight: f64) -> BTreeMap<String, f64> {
    BTreeMap::from([("reminder".to_owned(), weight)])
}

/// Waiting, a reminder in two tones, a person's look that counts as a tenth of a kind.
#[test]
fn what_is_dear_to_try_counts_as_less_than_a_level() {
    let facets = vec![
        crate::bandit::Facet::contextual("kind", ["wait", "reminder", "review"]),
        crate::bandit::Facet::contextual("tone", ["none", "friendly", "firm"]),
    ];
    let actions = vec![vec![0, 0], vec![1, 1], vec![1, 2], vec![2, 0]];
    let space = ActionSpace::new(facets, actions, Some(0)).unwrap();
    for shape in [BaseShape::Tree, BaseShape::Uniform] {
        let config = BaseMeasureConfig {
            shape,
            weights: BTreeMap::from([("review".to_owned(), 0.1)]),
            ..BaseMeasureConfig::default()
        };
        let base = BaseMeasure::new(&space, &config);
        let mut found = Vec::new();
        let mut holds = |eligible: &[u32], expected: &[f64]| {
            base.restrict(eligible, &mut BaseScratch::default(), &mut found);
            let pairs = found.iter().zip(expected);
            let mut near = pairs.map(|(found, expected)| (found - expected).abs() < 1e-15);
            assert!(near.all(|one| one), "{shape:?} {eligible:?}: {found:?}");
        };
        match shape {
            BaseShape::Tree => {
                holds(&[0, 1, 2, 3], &[0.5, 0.25 / 1.1, 0.25 / 1.1, 0.05 / 1.1]);
            }
            BaseShape::Uniform => {
                holds(&[0, 1, 2, 3], &[0.5, 0.5 / 2.1, 0.5 / 2.1, 0.05 / 2.1]);
            }
        }
        // Where nothing else can be tried, waiting has what it leaves.
        holds(&[0, 3], &[0.95, 0.05]);
        holds(&[3], &[1.0]);
        holds(&[0], &[1.0]);
    }
}

#[test]
fn a_weight_that_would_hide_or_favour_a_level_is_refused() {
    for weight in [0.0, -1.0, 1.5, f64::NAN] {
        let config = BaseMeasureConfig {
            weights: light(weight),
            ..BaseMeasureConfig::default()
        };
        let refused = config.check().unwrap_err().to_string();
        assert!(refused.contains("base_measure.weights"), "{refused}");
    }
}
