#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::bandit::fixture::space;

fn measure(config: BaseMeasureConfig, eligible: &[u32]) -> Vec<f64> {
    let mut measure = Vec::new();
    let base = BaseMeasure::new(&space(), config);
    base.restrict(eligible, &mut BaseScratch::default(), &mut measure);
    measure
}

#[test]
fn waiting_keeps_its_share_and_the_rest_is_split_facet_by_facet() {
    // Waiting; all six by e-mail; of SMS (7 ..= 12) only one friendly and one firm.
    let eligible = [0, 1, 2, 3, 4, 5, 6, 7, 11];
    let measure = measure(BaseMeasureConfig::default(), &eligible);
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
        assert!((measure(BaseMeasureConfig::default(), &[action])[0] - 1.0).abs() < 1e-15);
    }
}

#[test]
fn uniform_is_uniform_beside_waiting() {
    let config = BaseMeasureConfig {
        shape: BaseShape::Uniform,
        reference_share: 0.2,
    };
    let found = measure(config, &[0, 1, 7, 9, 11]);
    assert!((found[0] - 0.2).abs() < 1e-15);
    assert!(found[1..].iter().all(|&share| (share - 0.2).abs() < 1e-15));
}

proptest! {
    #[test]
    fn every_eligible_action_has_a_share_and_they_sum_to_one(bits in 1_u32..8192, share in 0.01..0.99) {
        let eligible: Vec<u32> = (0..13).filter(|&action| bits >> action & 1 == 1).collect();
        for shape in [BaseShape::Tree, BaseShape::Uniform] {
            let found = measure(BaseMeasureConfig { shape, reference_share: share }, &eligible);
            prop_assert!(found.iter().all(|&share| share > 0.0));
            prop_assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        }
    }
}
